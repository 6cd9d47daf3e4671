//! Examples for the long help and the man pages. A test runs them.

/// A command line that does something people want.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// What it does.
    pub does: &'static str,
    /// The line.
    pub line: &'static str,
}

const fn example(does: &'static str, line: &'static str) -> Example {
    Example { does, line }
}

const EVTAP: &[Example] = &[
    example(
        "See it work: a synthetic clinic, no account, no network",
        "evtap watch --workspace demo",
    ),
    example("The same on a live screen", "evtap watch --workspace demo --tui"),
    example(
        "A workspace of your own",
        "AMIGO_API_KEY=your-key evtap watch --workspace \"$WORKSPACE\"",
    ),
    example("All about one event", "evtap schema call.ended"),
];

const WATCH: &[Example] = &[
    example("A synthetic clinic, no account, no network", "evtap watch -w demo"),
    example(
        "A workspace, with the key in a file",
        "evtap watch -w \"$WORKSPACE\" --api-key-file amigo.key",
    ),
    example(
        "Calls that took more than a minute",
        r#"evtap watch -w demo -f '.event_type == "call.ended" and .duration_seconds > 60'"#,
    ),
    example(
        "Calls that went wrong",
        r#"evtap watch -w demo -f '.event_type == "call.ended" and (.completion_reason | IN("error", "timeout"))'"#,
    ),
    example("All about one call", "evtap watch -w demo -f '.call_sid == $sid' --arg sid \"$SID\""),
    example(
        "Prose with a word in it",
        r#"evtap watch -w demo -f '(.reason // "") | ascii_downcase | test("refill")'"#,
    ),
    example(
        "Events by type",
        "evtap watch -w demo -n 100 | jq -r .event_type | sort | uniq -c | sort -rn",
    ),
    example(
        "Wait for an escalated call, for five minutes at most",
        r#"evtap watch -w demo --until '.event_type == "call.ended" and .escalated' --duration 5m"#,
    ),
    example(
        "Go on where the last run has stopped, and keep a record",
        "evtap watch -w \"$WORKSPACE\" --cursor day.cursor --record day.ndjson",
    ),
    example(
        "Fail if anything was lost",
        "evtap watch -w \"$WORKSPACE\" --since 3m --fail-on-gap --max-reconnects 20",
    ),
    example(
        "Two workspaces by time, with their calls",
        "evtap watch -w \"$ONE\" -w \"$OTHER\" --order time --auto-observe 3",
    ),
];

const OBSERVE: &[Example] = &[
    example("A synthetic call", "evtap observe -c demo"),
    example("One call, until it ends", "evtap observe -w \"$WORKSPACE\" -c \"$SID\""),
    example(
        "Tools that failed",
        "evtap observe -c demo -f '.event_type == \"tool_call_completed\" and (.succeeded | not)'",
    ),
    example(
        "What is said, for whoever may read it",
        "evtap observe -c demo -e '*_transcript' --reveal transcript --fields transcript",
    ),
];

const REPLAY: &[Example] = &[
    example("A recording, as it was shown", "evtap replay day.ndjson"),
    example(
        "A table of the calls",
        "evtap replay day.ndjson -e call.ended -o csv --fields call_sid,duration_seconds,completion_reason",
    ),
    example("What curl has captured", "evtap replay - < capture.sse"),
    example(
        "To a consumer that you develop",
        "evtap replay day.ndjson --forward http://127.0.0.1:3000/events",
    ),
    example(
        "The sum of a field",
        "evtap replay day.ndjson -e call.ended -q .duration_seconds | jq -s add",
    ),
];

const STATS: &[Example] = &[
    example("A day in numbers", "evtap stats day.ndjson"),
    example(
        "How calls ended",
        "evtap stats day.ndjson -e call.ended --group-by .completion_reason",
    ),
    example("A row a minute, for a spreadsheet", "evtap stats day.ndjson --every 1m -o csv"),
    example("A workspace, until Ctrl-C", "evtap stats -w \"$WORKSPACE\""),
];

const TIMELINE_EXAMPLES: &[Example] = &[
    example("The built-in clinic's call, from its beginning to its end", "evtap timeline demo"),
    example("Which calls are in a recording?", "evtap timeline day.ndjson"),
    example("A call as a page for a ticket", "evtap timeline \"$SID\" day.ndjson -o html"),
    example(
        "A call that is on; Ctrl-C tells what has come so far",
        "evtap timeline \"$SID\" -w \"$WORKSPACE\"",
    ),
];

const EXPECT: &[Example] = &[
    example(
        "A call that starts and ends, in a recording",
        r#"evtap expect --replay day.ndjson --then '.event_type == "call.started"' --then 'within 5m .event_type == "call.ended"'"#,
    ),
    example("Steps from a file, on a live stream", "evtap expect steps.txt -w \"$WORKSPACE\""),
];

const AUDIT: &[Example] = &[
    example("May this recording be shared?", "evtap audit day.ndjson"),
    example("The same for a machine", "evtap audit -o json day.ndjson | jq .findings"),
];

const SCHEMA: &[Example] = &[
    example("All events", "evtap schema"),
    example("All about one", "evtap schema call.ended"),
    example("What is hidden, and why", "evtap schema --phi"),
    example(
        "The names of all fields",
        "evtap schema --json | jq -r '.events[].fields[].name' | sort -u",
    ),
    example("A JSON Schema of the lines", "evtap schema --json-schema > evtap.schema.json"),
];

const SERVE: &[Example] = &[
    example("A clinic on port 8484, the same day each time", "evtap serve --seed 7"),
    example(
        "Two refusals, then a stream that breaks",
        "evtap serve --fault status=503 --fault status=429:retry-after=2 --fault cut=4096",
    ),
    example("Every event once", "evtap serve --once --rate 1000"),
];

const FRAMES: &[Example] = &[example(
    "The first frames of any stream",
    "evtap frames --reveal all -n 3 http://127.0.0.1:8484/v1/d3300000-0000-4000-8000-000000000001/events/stream",
)];

const CONFIG: &[Example] = &[
    example("What counts, and why", "evtap config"),
    example("An example with every setting", "evtap config init"),
    example(
        "A profile, with a key from a store of passwords",
        "evtap config set-profile staging base_url=https://staging.example.com api_key_command='pass show amigo/staging'",
    ),
    example(
        "A filter with a name",
        "evtap config set-profile staging 'filters.long=.duration_seconds > 60'",
    ),
    example("What would come of some options", "evtap config -- --output csv"),
];

const DOCTOR: &[Example] = &[
    example("See it work", "evtap doctor -c demo"),
    example("All that a workspace needs", "evtap doctor -w \"$WORKSPACE\""),
    example(
        "For a ticket",
        "evtap doctor -w \"$WORKSPACE\" -o json | jq '.checks[] | select(.result == \"failed\")'",
    ),
];

const GENERATE: &[Example] = &[
    example(
        "Completion in bash, for this user",
        "evtap generate completions bash > ~/.local/share/bash-completion/completions/evtap",
    ),
    example(
        "Completion in zsh, with ~/.zfunc in $fpath",
        "evtap generate completions zsh > ~/.zfunc/_evtap",
    ),
    example(
        "Completion in fish",
        "evtap generate completions fish > ~/.config/fish/completions/evtap.fish",
    ),
    example("All man pages", "evtap generate man --dir ~/.local/share/man/man1"),
    example("Read one without installing it", "evtap generate man watch | man -l -"),
];

/// Command lines to begin with; those of evtap itself under `evtap`.
#[must_use]
pub fn examples(command: &str) -> &'static [Example] {
    match command {
        "evtap" => EVTAP,
        "watch" => WATCH,
        "observe" => OBSERVE,
        "replay" => REPLAY,
        "stats" => STATS,
        "timeline" => TIMELINE_EXAMPLES,
        "expect" => EXPECT,
        "audit" => AUDIT,
        "schema" => SCHEMA,
        "serve" => SERVE,
        "frames" => FRAMES,
        "config" => CONFIG,
        "doctor" => DOCTOR,
        "generate" => GENERATE,
        _ => &[],
    }
}
