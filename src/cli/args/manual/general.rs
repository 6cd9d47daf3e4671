//! Topics that belong to no single command, for `evtap help TOPIC`.

use std::fmt::Write;

use super::screen::live_screen;
use super::topics::RULES;
use crate::output::status_lines::{MemberType, STATUS_LINES};

/// A topic of `evtap help`.
#[derive(Debug)]
pub struct GeneralTopic {
    /// The name on the command line.
    pub name: &'static str,
    /// What the topic explains, in one line.
    pub about: &'static str,
    /// Creates the text.
    pub text: fn() -> String,
}

/// The topics of `evtap help`.
pub const GENERAL_TOPICS: &[GeneralTopic] = &[
    GeneralTopic {
        name: "filters",
        about: "How to select events, with expressions to copy",
        text: filters,
    },
    GeneralTopic {
        name: "recipes",
        about: "Common tasks, and how to quote in sh, fish and PowerShell",
        text: recipes,
    },
    GeneralTopic {
        name: "status",
        about: "The lines that --status json writes to stderr",
        text: status,
    },
    GeneralTopic { name: "rules", about: "The rules of `evtap alert` and --rules", text: rules },
    GeneralTopic { name: "tui", about: "Keys and colours of the live screen", text: live_screen },
];

/// What evtap says to somebody who gives no command.
pub const BEGINNING: &str = "\
evtap shows the events of a workspace or of a call. Try it first; you need no account:

  evtap watch --workspace demo         the events of a synthetic clinic
  evtap watch --workspace demo --tui   the same on a live screen; q quits
  evtap timeline demo                  one call from beginning to end

Then your own workspace:

  AMIGO_API_KEY=your-key evtap watch --workspace \"$WORKSPACE\"

`evtap help` lists all commands, and `evtap help recipes` explains common tasks.
";

/// Expressions for -f, each with what it selects.
pub const FILTERS: &[(&str, &str)] = &[
    (r#".event_type == "call.ended""#, "one type of event; -e call.ended is shorter and faster"),
    (".duration_seconds > 60", "a number; false where there is no such field"),
    (r#".completion_reason | IN("error", "timeout")"#, "one of several values"),
    (r#".event_type == "call.ended" and (.escalated | not)"#, "two conditions"),
    (r#"(.reason // "") | ascii_downcase | test("refill")"#, "text; // replaces a missing field"),
    (".call_sid == $sid", "a value from the shell: --arg sid \"$SID\""),
    ("._tap.drift != null", "events that differ from the model"),
    (r#".event_type == "tap.gap""#, "where events are or may be missing"),
];

/// Command lines for common tasks, each with what it does.
pub const RECIPES: &[(&str, &str)] = &[
    ("List the calls in a recording, to find one", "evtap timeline day.ndjson"),
    (
        "Count calls by how they ended",
        "evtap stats day.ndjson -e call.ended --group-by .completion_reason",
    ),
    ("Measure each tool", "evtap stats day.ndjson -e tool_call_completed --group-by .tool_name"),
    ("Read one hour", "evtap replay day.ndjson --since '2h ago' --before '1h ago'"),
    ("Show the last ten events", "evtap replay day.ndjson | tail -n 10"),
    (
        "Print a table for a spreadsheet",
        "evtap replay day.ndjson -e call.ended -o csv --fields call_sid,duration_seconds",
    ),
    ("Check that a recording can be shared", "evtap audit day.ndjson --allow from_address"),
];

/// Returns the list of topics, for the help of evtap itself.
#[must_use]
pub fn list() -> String {
    let mut text = String::new();
    for GeneralTopic { name, about, .. } in GENERAL_TOPICS {
        let _ = writeln!(text, "  evtap help {name:8}  {about}");
    }
    text
}

fn rules() -> String {
    format!("{}\n", RULES.text)
}

fn status() -> String {
    let mut text = "With --status json, every line on stderr is one JSON object, also warnings and \
errors. Its member `status` says what it is. `evtap schema --status` prints the JSON Schema. Later \
versions may add members and kinds of lines, so ignore those that you do not know.

A run ends with the line `done`, whose `exit` is the exit status. If there was no run, the last line \
is `failed`. A process that is killed writes neither.

No line has a hidden value, whatever --reveal shows.\n"
        .to_owned();
    for line in STATUS_LINES {
        let _ = write!(text, "\n{}: {}\n\n", line.status, line.doc);
        for member in line.members {
            let value = match member.ty {
                MemberType::Time | MemberType::Id => "string or null".to_owned(),
                MemberType::Count => "number".to_owned(),
                MemberType::Flag => "true or false".to_owned(),
                MemberType::Object => "object".to_owned(),
                MemberType::Choice([one]) => format!("\"{one}\""),
                MemberType::Text | MemberType::Choice(_) => "string".to_owned(),
            };
            let value = if member.is_required { value } else { value + ", optional" };
            let _ = writeln!(text, "  {:12}  {:16}  {}", member.name, value, member.doc);
        }
    }
    text
}

fn filters() -> String {
    let mut text = "An event is shown if every filter selects it: its type matches one of -e and none \
of -E, every -f is true, and --grep finds its pattern in a visible text. Globs are for types only: \
`call.*`, `surface.{created,submitted}`.

-f takes jq, the complete language. `evtap schema EVENT` lists the fields of an event. Before anything \
connects, evtap compares each expression with the model of all events, so a mistyped name is an error \
with a suggestion. Filters see the event as it is shown: a hidden field has the value of its mask.\n"
        .to_owned();
    for (expression, meaning) in FILTERS {
        let _ = write!(text, "\n  {expression}\n      {meaning}\n");
    }
    text + "
--filter-file reads an expression from a file, without any quoting. Name the ones that you use often:

  evtap config set-profile work 'filters.long=.duration_seconds > 60'

and use them as -f @long.
"
}

fn recipes() -> String {
    let mut text = String::new();
    for (task, line) in RECIPES {
        let _ = write!(text, "{task}:\n\n  {line}\n\n");
    }
    text + "Follow a recording that another program writes, as lines or on the live screen:

  tail -n +1 -F day.ndjson | evtap replay -
  tail -n +1 -F day.ndjson | evtap replay - --tui

Resume where the last run stopped, and keep a record:

  evtap watch -w \"$WORKSPACE\" --cursor day.cursor --record day.ndjson

Expressions contain double quotes, so put them into single quotes:

  sh, bash, zsh     -f '.event_type == \"call.ended\"'
  fish              -f '.event_type == \"call.ended\"'
  PowerShell 7.3    -f '.event_type == \"call.ended\"'
  PowerShell 5, 7.2 -f '.event_type == \\\"call.ended\\\"'
  cmd.exe           -f \".event_type == \\\"call.ended\\\"\"

A single quote inside the expression is written as '\\'' in sh, \\' in fish, and '' in PowerShell. \
Variables of the shell do not work in single quotes: pass them with --arg, as in \
--arg sid \"$SID\" (PowerShell: --arg sid $env:SID).
"
}
