//! Topics that belong to no single command, for `evtap help TOPIC`.

use std::fmt::Write;

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
pub const GENERAL_TOPICS: &[GeneralTopic] = &[GeneralTopic {
    name: "status",
    about: "The lines that --status json writes to stderr",
    text: status,
}];

/// Returns the list of topics, for the help of evtap itself.
#[must_use]
pub fn list() -> String {
    let mut text = String::new();
    for GeneralTopic { name, about, .. } in GENERAL_TOPICS {
        let _ = writeln!(text, "  evtap help {name:8}  {about}");
    }
    text
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
