//! Examples for the long help and the man pages. A test runs each of them.

/// A command line that solves a common task.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// The task that it solves.
    pub does: &'static str,
    /// The command line.
    pub line: &'static str,
}

const fn example(does: &'static str, line: &'static str) -> Example {
    Example { does, line }
}

const EVTAP: &[Example] = &[
    example(
        "Try it: a synthetic clinic, without account or network",
        "evtap watch --workspace demo",
    ),
    example("Watch the same clinic on a live screen", "evtap watch --workspace demo --tui"),
    example(
        "Watch your own workspace",
        "AMIGO_API_KEY=your-key evtap watch --workspace \"$WORKSPACE\"",
    ),
    example("Describe one event", "evtap schema call.ended"),
];

const WATCH: &[Example] = &[
    example("Watch a synthetic clinic, without account or network", "evtap watch -w demo"),
    example(
        "Watch a workspace, with the API key in a file",
        "evtap watch -w \"$WORKSPACE\" --api-key-file amigo.key",
    ),
    example(
        "Print calls that took more than a minute",
        r#"evtap watch -w demo -f '.event_type == "call.ended" and .duration_seconds > 60'"#,
    ),
    example(
        "Print calls that failed",
        r#"evtap watch -w demo -f '.event_type == "call.ended" and (.completion_reason | IN("error", "timeout"))'"#,
    ),
    example(
        "Print all events of one call",
        "evtap watch -w demo -f '.call_sid == $sid' --arg sid \"$SID\"",
    ),
    example(
        "Search free text for a word",
        r#"evtap watch -w demo -f '(.reason // "") | ascii_downcase | test("refill")'"#,
    ),
    example(
        "Count events by type",
        "evtap watch -w demo -n 100 | jq -r .event_type | sort | uniq -c | sort -rn",
    ),
    example(
        "Wait up to five minutes for an escalated call",
        r#"evtap watch -w demo --until '.event_type == "call.ended" and .escalated' --duration 5m"#,
    ),
    example(
        "Resume where the last run stopped, and keep a record",
        "evtap watch -w \"$WORKSPACE\" --cursor day.cursor --record day.ndjson",
    ),
    example(
        "Record each day in a file, compress older ones, and keep a month",
        "evtap watch -w \"$WORKSPACE\" --record 'day-%Y%m%d.ndjson.zst' --record-keep 30d",
    ),
    example(
        "Fail if any event was lost",
        "evtap watch -w \"$WORKSPACE\" --since 3m --fail-on-gap --max-reconnects 20",
    ),
    example(
        "Serve metrics for Prometheus, at http://127.0.0.1:9464/metrics",
        "evtap watch -w \"$WORKSPACE\" --metrics-listen 127.0.0.1:9464",
    ),
    example(
        "Post all events to an endpoint, signed by Standard Webhooks",
        "evtap watch -w \"$WORKSPACE\" --forward https://events.example.com/in --forward-key-file webhook.key",
    ),
    example(
        "Merge two workspaces by time, with their calls",
        "evtap watch -w \"$ONE\" -w \"$OTHER\" --order time --auto-observe 3",
    ),
    example(
        "Export all calls as traces to an OpenTelemetry collector",
        "evtap watch -w \"$WORKSPACE\" --auto-observe 50 --otlp http://127.0.0.1:4318",
    ),
    example(
        "Watch the second third of the workspaces in a file, which may change",
        "evtap watch --workspaces-file clinics.toml --shard 2/3 --cursor clinics.cursor",
    ),
];

const OBSERVE: &[Example] = &[
    example("Observe a synthetic call", "evtap observe -c demo"),
    example("Observe one call until it ends", "evtap observe -w \"$WORKSPACE\" -c \"$SID\""),
    example(
        "Print failed tool calls",
        "evtap observe -c demo -f '.event_type == \"tool_call_completed\" and (.succeeded | not)'",
    ),
    example(
        "Print the transcript, if you are authorised to read it",
        "evtap observe -c demo -e '*_transcript' --reveal transcript --fields transcript",
    ),
    example(
        "Export a call as a trace to an OpenTelemetry collector",
        "evtap observe -w \"$WORKSPACE\" -c \"$SID\" --otlp http://127.0.0.1:4318",
    ),
];

const REPLAY: &[Example] = &[
    example("Replay a recording", "evtap replay day.ndjson"),
    example(
        "Print a table of the calls",
        "evtap replay day.ndjson -e call.ended -o csv --fields call_sid,duration_seconds,completion_reason",
    ),
    example("Replay an hour", "evtap replay day.ndjson --since '2h ago' --before '1h ago'"),
    example("Replay a stream captured with curl", "evtap replay - < capture.sse"),
    example(
        "Send a recording to a consumer that you develop",
        "evtap replay day.ndjson --forward http://127.0.0.1:3000/events",
    ),
    example("Read all recordings in a directory", "evtap replay ."),
    example(
        "Look at a recording with rules of your own",
        "evtap replay day.ndjson --tui --rules rules.toml",
    ),
    example(
        "Sum a field",
        "evtap replay day.ndjson -e call.ended -q .duration_seconds | jq -s add",
    ),
];

const ALERT: &[Example] = &[
    example(
        "See what the built-in rules would have reported",
        "evtap alert --builtin --test day.ndjson",
    ),
    example(
        "Report alerts of a live workspace, and of its calls",
        "evtap alert --rules rules.toml -w \"$WORKSPACE\" --auto-observe 20",
    ),
    example(
        "Print only what was raised in a recording",
        r#"evtap alert --builtin day.ndjson -f '.state == "raised"'"#,
    ),
];

const STATS: &[Example] = &[
    example("Summarise a day", "evtap stats day.ndjson"),
    example(
        "Count calls by how they ended",
        "evtap stats day.ndjson -e call.ended --group-by .completion_reason",
    ),
    example(
        "Print one row per minute for a spreadsheet",
        "evtap stats day.ndjson --every 1m -o csv",
    ),
    example("Write a report with charts as an HTML page", "evtap stats day.ndjson -o html"),
    example("Count a live workspace until Ctrl-C", "evtap stats -w \"$WORKSPACE\""),
];

const TIMELINE_EXAMPLES: &[Example] = &[
    example("Show a call of the built-in clinic from beginning to end", "evtap timeline demo"),
    example("List the calls in a recording", "evtap timeline day.ndjson"),
    example(
        "Write a call as an HTML page for a ticket",
        "evtap timeline \"$SID\" day.ndjson -o html",
    ),
    example("Print the trace of a call", "evtap timeline \"$SID\" day.ndjson -o otlp"),
    example(
        "Post the trace of a call to an OpenTelemetry collector",
        "evtap timeline \"$SID\" day.ndjson -o otlp | curl -sS -H 'Content-Type: application/json' -d @- http://127.0.0.1:4318/v1/traces",
    ),
    example(
        "Follow a live call; Ctrl-C prints the events so far",
        "evtap timeline \"$SID\" -w \"$WORKSPACE\"",
    ),
];

const DIFF: &[Example] = &[
    example("Compare two days, each a directory of recordings", "evtap diff monday tuesday"),
    example(
        "Fail if anything became slower by a quarter",
        "evtap diff monday tuesday --fail-slower 25",
    ),
    example("Write the comparison as a page", "evtap diff -o html monday tuesday > diff.html"),
];

const MCP: &[Example] = &[
    example("Offer a recording and the built-in clinic to an agent", "evtap mcp day.ndjson"),
    example("Offer a directory of recordings, which may grow", "evtap mcp monday"),
    example("Offer a live workspace too", "evtap mcp day.ndjson -w \"$WORKSPACE\""),
];

const EXPECT: &[Example] = &[
    example(
        "Expect in a recording that a call starts and ends",
        r#"evtap expect --replay day.ndjson --then '.event_type == "call.started"' --then 'within 5m .event_type == "call.ended"'"#,
    ),
    example(
        "Expect three calls and no escalation, and write a report for a test pipeline",
        r#"evtap expect --replay day.ndjson --then '3 times .event_type == "call.started"' --then 'never .event_type == "call.escalated"' -o junit"#,
    ),
    example(
        "Check a live stream against steps from a file",
        "evtap expect steps.txt -w \"$WORKSPACE\"",
    ),
];

const AUDIT: &[Example] = &[
    example("Check whether a recording is safe to share", "evtap audit day.ndjson"),
    example(
        "Accept the address that the workspace itself sends from",
        "evtap audit --allow from_address day.ndjson",
    ),
    example("Print the findings as JSON", "evtap audit -o json day.ndjson | jq .findings"),
];

const VERIFY: &[Example] = &[
    example("Show which periods a recording covers", "evtap verify day.ndjson"),
    example("List the gaps as JSON", "evtap verify -o json day.ndjson | jq '.workspaces[].gaps'"),
];

const SCHEMA: &[Example] = &[
    example("List all events", "evtap schema"),
    example("Describe one event", "evtap schema call.ended"),
    example("List the hidden fields and why they are hidden", "evtap schema --phi"),
    example(
        "List the names of all fields",
        "evtap schema --json | jq -r '.events[].fields[].name' | sort -u",
    ),
    example(
        "Write a JSON Schema of the NDJSON lines",
        "evtap schema --json-schema > evtap.schema.json",
    ),
    example("Create typed views of recordings", "evtap schema --sql duckdb > views.sql"),
    example("Write TypeScript types of the lines", "evtap schema --typescript > evtap.d.ts"),
];

const SERVE: &[Example] = &[
    example("Serve a clinic on port 8484, with the same events each time", "evtap serve --seed 7"),
    example(
        "Refuse two connections, then break a stream",
        "evtap serve --fault status=503 --fault status=429:retry-after=2 --fault cut=4096",
    ),
    example("Send every type of event, then exit", "evtap serve --once --rate 1000"),
    example(
        "Play the events of a file, ten times as fast",
        "evtap serve --scenario call.toml --speed 10",
    ),
    example(
        "Send an event to the clients of the emulator that is running",
        "evtap serve --trigger call.escalated reason='chest pain' trigger=ai",
    ),
];

const DISTIL: &[Example] = &[
    example("Turn a recorded call into a scenario", "evtap distil \"$SID\" day.ndjson > call.toml"),
    example("Invent other people", "evtap distil \"$SID\" day.ndjson --seed 7 > call.toml"),
];

const TAPS: &[Example] = &[
    example("List who taps what", "evtap taps --from nats://127.0.0.1:4222/evtap"),
    example(
        "Print the workspaces that nobody taps",
        "evtap taps --from nats://127.0.0.1:4222/evtap -o json | jq -r '.workspaces[] | select(.is_tapped | not).workspace_id'",
    ),
];

const FRAMES: &[Example] = &[example(
    "Print the first frames of a stream",
    "evtap frames --reveal all --auth -n 3 http://127.0.0.1:8484/v1/d3300000-0000-4000-8000-000000000001/events/stream",
)];

const CONFIG: &[Example] = &[
    example("Show the settings and their origins", "evtap config"),
    example("Write an example file with every setting", "evtap config init"),
    example(
        "Create a profile with the API key in a password manager",
        "evtap config set-profile staging base_url=https://staging.example.com api_key_command='pass show amigo/staging'",
    ),
    example(
        "Define a named filter",
        "evtap config set-profile staging 'filters.long=.duration_seconds > 60'",
    ),
    example("Show the effect of some options", "evtap config -- --output csv"),
];

const DOCTOR: &[Example] = &[
    example("Try it on the built-in clinic", "evtap doctor -c demo"),
    example("Check everything that a workspace needs", "evtap doctor -w \"$WORKSPACE\""),
    example(
        "Print the failed checks for a ticket",
        "evtap doctor -w \"$WORKSPACE\" -o json | jq '.checks[] | select(.result == \"failed\")'",
    ),
];

const GENERATE: &[Example] = &[
    example(
        "Install completions for bash for this user",
        "evtap generate completions bash > ~/.local/share/bash-completion/completions/evtap",
    ),
    example(
        "Install completions for zsh, with ~/.zfunc in $fpath",
        "evtap generate completions zsh > ~/.zfunc/_evtap",
    ),
    example(
        "Install completions for fish",
        "evtap generate completions fish > ~/.config/fish/completions/evtap.fish",
    ),
    example("Install all man pages", "evtap generate man --dir ~/.local/share/man/man1"),
    example("Read a man page without installing it", "evtap generate man watch | man -l -"),
];

/// Returns the examples of a command; `evtap` stands for the program itself.
#[must_use]
pub fn examples(command: &str) -> &'static [Example] {
    match command {
        "evtap" => EVTAP,
        "watch" => WATCH,
        "observe" => OBSERVE,
        "replay" => REPLAY,
        "alert" => ALERT,
        "stats" => STATS,
        "timeline" => TIMELINE_EXAMPLES,
        "diff" => DIFF,
        "mcp" => MCP,
        "expect" => EXPECT,
        "audit" => AUDIT,
        "verify" => VERIFY,
        "schema" => SCHEMA,
        "serve" => SERVE,
        "distil" => DISTIL,
        "taps" => TAPS,
        "frames" => FRAMES,
        "config" => CONFIG,
        "doctor" => DOCTOR,
        "generate" => GENERATE,
        _ => &[],
    }
}
