//! The rows of the table: what evtap does, how fast it should be, and what else does the same.

use super::data::Input;
use super::data::Input::{Gzip, Part, Small, Sse, Whole, Zstd};

const COMPARISON: &str = r#".event_type == "call.ended" and .duration_seconds > 20"#;
const ARITHMETIC: &str =
    r#"(.duration_seconds // 0) * 2 > 40 and ((.call_sid // "") | length) == 34"#;
/// An expression that no event fulfils.
const NEVER: &str = r#".call_sid == "CA00000000000000000000000000000000""#;
const OBJECTS: &str = "{event_type,call_sid}";
const COUNT: &str = "reduce inputs as $event ({}; .[$event.event_type] += 1)";

/// What to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    Evtap,
    Program(&'static str),
    /// `DuckDB` through its Python module. It measures the time of the statement.
    DuckDb,
}

impl Tool {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Evtap => "evtap",
            Self::Program(name) => name,
            Self::DuckDb => "DuckDB",
        }
    }
}

/// The speed that a row should have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    None,
    /// At least so many megabytes per second.
    Rate(f64),
    /// At least so many times the speed of another row.
    Times(f64, &'static str),
    /// At least so many megabytes per second, and no slower than another row.
    RateAndAhead(f64, &'static str),
}

/// How to compare the answers of two tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// JSON values, of which another tool may print fewer members.
    Values,
    /// A count for each event type.
    Counts,
    /// The cells of a table.
    Cells,
    /// The number of lines.
    Lines,
    /// The recording itself.
    Recording,
}

/// A command to measure.
#[derive(Debug, Clone)]
pub struct Row {
    pub name: &'static str,
    pub tool: Tool,
    /// In the arguments, `FILE`, `CALL`, `KEY`, `RECORD` and `OUT` stand for what the recording has.
    pub args: Vec<&'static str>,
    pub input: Input,
    /// The exit status of success.
    pub status: &'static [i32],
    pub goal: Goal,
    /// The row whose job this tool does, and how to compare the answers.
    pub peer_of: Option<(&'static str, Answer)>,
    /// What evtap does for an answer that can be compared, if it differs from `args`.
    pub answer_args: Option<Vec<&'static str>>,
}

impl Row {
    fn evtap(name: &'static str, goal: Goal, args: &[&'static str]) -> Self {
        Self {
            name,
            tool: Tool::Evtap,
            args: args.to_vec(),
            input: Whole,
            status: &[0],
            goal,
            peer_of: None,
            answer_args: None,
        }
    }

    /// A job of `replay` with these options.
    fn replay(name: &'static str, goal: Goal, options: &[&'static str]) -> Self {
        Self::evtap(name, goal, &[&["replay", "FILE"], options].concat())
    }

    /// Prints NDJSON with these options.
    fn ndjson(name: &'static str, goal: Goal, options: &[&'static str]) -> Self {
        Self::replay(name, goal, &[&["-o", "ndjson"], options].concat())
    }

    fn peer(tool: Tool, of: &'static str, answer: Answer, args: &[&'static str]) -> Self {
        let peer_of = Some((of, answer));
        Self { tool, peer_of, ..Self::evtap(tool.name(), Goal::None, args) }
    }

    fn input(self, input: Input) -> Self {
        Self { input, ..self }
    }

    fn status(self, status: &'static [i32]) -> Self {
        Self { status, ..self }
    }

    fn answer(self, args: &[&'static str]) -> Self {
        Self { answer_args: Some(args.to_vec()), ..self }
    }

    /// Whether the row is a job of its own, rather than another with fewer threads or less input.
    pub fn is_stage(&self) -> bool {
        self.input != Small && !self.args.contains(&"--threads")
    }

    /// The command line, for people.
    pub fn command_line(&self) -> String {
        let quoted = self.args.iter().map(|arg| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.,=/".contains(&byte);
            if arg.bytes().all(is_plain) { (*arg).to_owned() } else { format!("'{arg}'") }
        });
        let args = quoted.collect::<Vec<_>>().join(" ").replace("FILE", self.input.file());
        format!("{} {args}", self.tool.name())
    }
}

/// Returns all rows. What a goal refers to is a row as well.
pub fn rows() -> Vec<Row> {
    let mut rows = own_rows();
    for (of, answer, args) in [
        ("ndjson", Answer::Values, &["-c", "."][..]),
        (
            "comparison",
            Answer::Values,
            &["-c", "select(.event_type == \"call.ended\" and .duration_seconds > 20)"],
        ),
        (
            "arithmetic",
            Answer::Values,
            &[
                "-c",
                "select((.duration_seconds // 0) * 2 > 40 and ((.call_sid // \"\") | length) == 34)",
            ],
        ),
        ("group-by", Answer::Counts, &["-c", "-n", COUNT]),
        ("jq-path", Answer::Values, &["-c", ".event_type"]),
        ("jq-object", Answer::Values, &["-c", OBJECTS]),
    ] {
        for tool in ["jq", "jaq", "gojq"] {
            let args = [args, &["FILE"]].concat();
            rows.push(Row::peer(Tool::Program(tool), of, answer, &args).input(Part));
        }
    }
    for (name, of, answer, statement) in [
        (
            "DuckDB",
            "comparison",
            Answer::Values,
            "COPY (SELECT json FROM read_ndjson_objects('FILE') WHERE json->>'event_type' = \
             'call.ended' AND (json->>'duration_seconds')::DOUBLE > 20) TO 'OUT' (FORMAT csv, HEADER \
             false, QUOTE '', ESCAPE '', DELIMITER E'\\x1f')",
        ),
        (
            "DuckDB",
            "group-by",
            Answer::Counts,
            "COPY (SELECT json->>'event_type', count(*) FROM read_ndjson_objects('FILE') GROUP BY 1) TO \
             'OUT' (FORMAT csv, HEADER false)",
        ),
        (
            "DuckDB",
            "csv-3",
            Answer::Cells,
            "COPY (SELECT json->>'event_type' AS event_type, json->>'call_sid' AS call_sid, \
             json->>'direction' AS direction FROM read_ndjson_objects('FILE')) TO 'OUT' (FORMAT csv)",
        ),
        (
            "DuckDB, columns declared",
            "comparison",
            Answer::Values,
            "COPY (SELECT * FROM read_json('FILE', format='newline_delimited', records=true, columns={event_type: \
             'VARCHAR', call_sid: 'VARCHAR', duration_seconds: 'DOUBLE'}) WHERE event_type = \
             'call.ended' AND duration_seconds > 20) TO 'OUT' (FORMAT json)",
        ),
        (
            "DuckDB, columns declared",
            "group-by",
            Answer::Counts,
            "COPY (SELECT event_type, count(*) FROM read_json('FILE', format='newline_delimited', records=true, \
             columns={event_type: 'VARCHAR'}) GROUP BY event_type) TO 'OUT' (FORMAT csv, HEADER false)",
        ),
        (
            "DuckDB, columns declared",
            "csv-3",
            Answer::Cells,
            "COPY (SELECT * FROM read_json('FILE', format='newline_delimited', records=true, columns={event_type: \
             'VARCHAR', call_sid: 'VARCHAR', direction: 'VARCHAR'})) TO 'OUT' (FORMAT csv)",
        ),
    ] {
        rows.push(Row { name, ..Row::peer(Tool::DuckDb, of, answer, &[statement]) });
    }
    let program = Tool::Program;
    rows.extend([
        Row::peer(program("cat"), "ndjson", Answer::Recording, &["FILE"]),
        Row::peer(program("rg"), "timeline", Answer::Lines, &["-F", "CALL", "FILE"]),
        Row::peer(program("zcat"), "gz", Answer::Recording, &["FILE"]).input(Gzip),
        Row::peer(program("zstd"), "zst", Answer::Recording, &["-dc", "FILE"]).input(Zstd),
    ]);
    rows
}

/// Returns the rows of evtap, in the order of the table.
fn own_rows() -> Vec<Row> {
    use Goal::{None as Free, Rate, RateAndAhead, Times};
    vec![
        Row::ndjson("ndjson", Times(0.65, "cat"), &[]),
        Row::ndjson("ndjson, 1 thread", Free, &["--threads", "1"]),
        Row::ndjson("small", Times(0.95, "small, 1 thread"), &[]).input(Small),
        Row::ndjson("small, 1 thread", Free, &["--threads", "1"]).input(Small),
        Row::ndjson("comparison", Times(1.0, "ndjson"), &["-f", COMPARISON]),
        Row::ndjson("arithmetic", Free, &["-f", ARITHMETIC]),
        Row::evtap("stats", Times(1.0, "ndjson"), &["stats", "FILE"]),
        Row::evtap(
            "group-by",
            Times(1.5, "DuckDB"),
            &["stats", "--group-by", ".event_type", "FILE"],
        )
        .answer(&["stats", "--group-by", ".event_type", "-o", "json", "FILE"]),
        Row::evtap("every", Times(0.7, "stats"), &["stats", "--every", "1m", "FILE"]),
        Row::evtap(
            "group-by, program",
            Times(0.7, "stats"),
            &["stats", "--group-by", r#".event_type | split(".") | .[0]"#, "FILE"],
        ),
        Row::evtap("audit", Rate(300.0), &["audit", "FILE"]).status(&[0, 7]),
        Row::ndjson("scrub-all", Rate(300.0), &["--scrub", "all"]),
        Row::replay("pretty", Rate(350.0), &["-o", "pretty", "--color", "never"]),
        Row::replay("pretty, coloured", Rate(300.0), &["-o", "pretty", "--color", "always"]),
        Row::replay("json", Rate(400.0), &["-o", "json"]),
        Row::replay(
            "csv-3",
            RateAndAhead(600.0, "DuckDB"),
            &["-o", "csv", "--fields", "event_type,call_sid,direction"],
        ),
        Row::replay("csv", Rate(250.0), &["-o", "csv"]),
        Row::replay("cloudevents", Rate(400.0), &["-o", "cloudevents"]),
        Row::replay("template", Rate(250.0), &["-o", "template={{ event_type }} {{ call_sid }}"]),
        Row::replay("jq-path", Rate(600.0), &["-q", ".event_type"]),
        Row::replay("jq-object", Rate(400.0), &["-q", OBJECTS]),
        Row::ndjson("phi-hash", Rate(450.0), &["--phi", "hash", "--phi-key-file", "KEY"]),
        Row::ndjson("phi-drop", Rate(600.0), &["--phi", "drop"]),
        Row::ndjson("record", Times(0.9, "ndjson"), &["--record", "RECORD"]),
        Row::ndjson("until", Times(0.9, "ndjson"), &["--until", NEVER]).status(&[7]),
        Row::ndjson("limit", Times(0.9, "ndjson"), &["-n", "1000000000"]),
        Row::evtap("timeline", Rate(800.0), &["timeline", "CALL", "FILE"]).answer(&[
            "replay",
            "FILE",
            "-o",
            "ndjson",
            "-f",
            r#".call_sid == "CALL" or ._tap.call_sid == "CALL""#,
            "--no-check",
        ]),
        Row::ndjson("gz", Times(2.0, "zcat"), &[]).input(Gzip),
        Row::ndjson("zst", Times(0.8, "zstd"), &[]).input(Zstd),
        Row::ndjson("sse", Rate(500.0), &[]).input(Sse),
        Row::evtap(
            "expect",
            Times(0.9, "ndjson"),
            &["expect", "--replay", "FILE", "--then", NEVER],
        )
        .status(&[7]),
    ]
}
