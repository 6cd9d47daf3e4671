//! The lines that `--status json` writes to stderr, declared once: the JSON Schema, the help topic
//! and the tests derive from this table.

use serde_json::{Map, Value, json};

/// A kind of line.
#[derive(Debug)]
pub struct StatusLine {
    /// The value of the member `status`.
    pub status: &'static str,
    /// When the line is written.
    pub doc: &'static str,
    /// The other members.
    pub members: &'static [StatusMember],
}

/// A member of a line.
#[derive(Debug, Clone, Copy)]
pub struct StatusMember {
    /// The key.
    pub name: &'static str,
    /// The type of the value.
    pub ty: MemberType,
    /// Whether every such line has the member.
    pub is_required: bool,
    /// What the value says.
    pub doc: &'static str,
}

/// The type of a member.
#[derive(Debug, Clone, Copy)]
pub enum MemberType {
    Text,
    /// RFC 3339 in UTC, or null if it is unknown.
    Time,
    /// A string, or null if there is none.
    Id,
    Count,
    Flag,
    Object,
    /// One of these strings.
    Choice(&'static [&'static str]),
}

const fn member(name: &'static str, ty: MemberType, doc: &'static str) -> StatusMember {
    StatusMember { name, ty, is_required: true, doc }
}

const fn optional(name: &'static str, ty: MemberType, doc: &'static str) -> StatusMember {
    StatusMember { name, ty, is_required: false, doc }
}

const REASON: StatusMember = member("reason", MemberType::Text, "The message, for people.");
const DETAIL: StatusMember =
    optional("detail", MemberType::Text, "Further lines, such as the place in an expression.");
const EXIT: StatusMember = member("exit", MemberType::Count, "The exit status.");
const WORKSPACE: StatusMember =
    optional("workspace_id", MemberType::Text, "The workspace of the stream.");
const CALL: StatusMember = optional("call_sid", MemberType::Text, "The call of the stream.");
const DELAY: StatusMember =
    member("delay_ms", MemberType::Count, "The time until the next attempt, in milliseconds.");
const ATTEMPT: StatusMember =
    member("attempt", MemberType::Count, "The number of the next attempt, from 1.");

/// The kinds of lines.
pub const STATUS_LINES: &[StatusLine] = &[
    StatusLine { status: "connected", doc: "A connection is open.", members: &[WORKSPACE, CALL] },
    StatusLine {
        status: "reconnecting",
        doc: "A connection was lost and will be opened again.",
        members: &[DELAY, ATTEMPT, REASON, WORKSPACE, CALL],
    },
    StatusLine {
        status: "not_observed",
        doc: "A call that started is not observed, although --auto-observe asks for it.",
        members: &[REASON, WORKSPACE, CALL],
    },
    StatusLine {
        status: "ended",
        doc: "A stream ended and will not be opened again.",
        members: &[REASON, WORKSPACE, CALL],
    },
    StatusLine {
        status: "workspaces",
        doc: "A version of --workspaces-file is in force: at the start, after a change or SIGHUP.",
        members: &[
            member("watched", MemberType::Count, "Workspaces that this process watches."),
            member("listed", MemberType::Count, "Workspaces in the file."),
            member(
                "added",
                MemberType::Count,
                "Workspaces that this process did not watch before.",
            ),
            member("removed", MemberType::Count, "Workspaces that it does not watch any more."),
            optional("shard", MemberType::Text, "The value of --shard."),
        ],
    },
    StatusLine {
        status: "gap",
        doc: "Events are or may be missing; stdout has a tap.gap event.",
        members: &[
            member("from", MemberType::Time, "The start of the gap."),
            member("to", MemberType::Time, "The end of the gap."),
            member("certain", MemberType::Flag, "Whether events are certainly missing."),
            member(
                "reason",
                MemberType::Choice(&[
                    "away_too_long",
                    "replay_late",
                    "beyond_buffer",
                    "no_position",
                    "ids_went_back",
                    "replay_broken",
                    "removed",
                    "observer_down",
                    "unknown",
                ]),
                "Why; see Resuming in `evtap watch --help`.",
            ),
            WORKSPACE,
            CALL,
        ],
    },
    StatusLine {
        status: "forward",
        doc: "The endpoint of --forward did not accept an event, which will be sent again.",
        members: &[
            member("result", MemberType::Choice(&["again"]), "The event will be sent again."),
            DELAY,
            ATTEMPT,
            REASON,
        ],
    },
    StatusLine {
        status: "forward",
        doc: "The endpoint of --forward refused an event, which is not sent again.",
        members: &[
            member("result", MemberType::Choice(&["refused"]), "The event is not sent again."),
            member("code", MemberType::Count, "The HTTP status."),
            member("event_type", MemberType::Text, "The type of the event."),
            member("id", MemberType::Id, "The id of the event."),
        ],
    },
    StatusLine {
        status: "publish",
        doc: "The broker of --publish did not store an event, which will be published again.",
        members: &[
            member("result", MemberType::Choice(&["again"]), "The event will be published again."),
            DELAY,
            ATTEMPT,
            REASON,
        ],
    },
    StatusLine {
        status: "publish",
        doc: "The broker of --publish refused an event, which is not published again.",
        members: &[
            member("result", MemberType::Choice(&["refused"]), "It is not published again."),
            REASON,
            member("event_type", MemberType::Text, "The type of the event."),
        ],
    },
    StatusLine {
        status: "export",
        doc: "The collector of --otlp did not accept spans, which will be sent again.",
        members: &[
            member("result", MemberType::Choice(&["again"]), "The spans will be sent again."),
            DELAY,
            ATTEMPT,
            REASON,
        ],
    },
    StatusLine {
        status: "export",
        doc: "The collector of --otlp refused spans, which are not sent again.",
        members: &[
            member("result", MemberType::Choice(&["refused"]), "The spans are not sent again."),
            member("spans", MemberType::Count, "The number of spans."),
            REASON,
        ],
    },
    StatusLine {
        status: "export",
        doc: "Too many spans wait for the collector of --otlp; further ones are dropped.",
        members: &[member(
            "result",
            MemberType::Choice(&["dropped"]),
            "Spans are dropped until the collector takes some.",
        )],
    },
    StatusLine {
        status: "export",
        doc: "The run ended before the collector of --otlp had taken all spans.",
        members: &[
            member("result", MemberType::Choice(&["unsent"]), "The spans are dropped."),
            member("spans", MemberType::Count, "The number of these spans."),
        ],
    },
    StatusLine {
        status: "export",
        doc: "Events arrived after the trace of their call was exported.",
        members: &[
            member("result", MemberType::Choice(&["late"]), "The events are not in the trace."),
            member("events", MemberType::Count, "The number of events."),
        ],
    },
    StatusLine {
        status: "metrics",
        doc: "The metrics of --metrics-listen can be scraped.",
        members: &[member("url", MemberType::Text, "The URL of the metrics.")],
    },
    StatusLine {
        status: "notice",
        doc: "Something that you asked for takes effect, such as --reveal.",
        members: &[REASON],
    },
    StatusLine {
        status: "warning",
        doc: "Something is probably a mistake, or an expression fails on an event.",
        members: &[REASON, DETAIL],
    },
    StatusLine {
        status: "stats",
        doc: "The statistics of --stats, at the end.",
        members: &[member("stats", MemberType::Object, "As `evtap stats -o json` prints them.")],
    },
    StatusLine {
        status: "verdict",
        doc: "What --until, --fail-if or expect decided.",
        members: &[member("met", MemberType::Flag, "Whether the run succeeded."), REASON],
    },
    StatusLine {
        status: "failed",
        doc: "A stream or the run failed, or the command line is invalid.",
        members: &[
            member("exit", MemberType::Count, "The exit status that this failure leads to."),
            REASON,
            DETAIL,
        ],
    },
    StatusLine {
        status: "done",
        doc: "The run is over. This is the last line of every run.",
        members: &[
            EXIT,
            member("shown", MemberType::Count, "Events that passed the filters."),
            member("filtered", MemberType::Count, "Events that did not."),
            member("malformed", MemberType::Count, "Frames without a valid event."),
            member("failed", MemberType::Count, "Failed evaluations of expressions."),
            member("drifted", MemberType::Count, "Events that differ from the model."),
            member("gaps", MemberType::Count, "Certain and possible gaps."),
            optional("forwarded", MemberType::Count, "Events that the endpoint accepted."),
            optional("published", MemberType::Count, "Events that the broker stored."),
            optional("exported", MemberType::Count, "Spans that the collector accepted."),
            optional("notified", MemberType::Count, "Alerts that the command of --exec took."),
            optional("refused", MemberType::Count, "What these destinations refused."),
            optional("dropped", MemberType::Count, "Spans that were not sent."),
        ],
    },
];

/// Returns the JSON Schema of a line.
#[must_use]
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "StatusLine",
        "description": "A line that evtap writes to stderr with --status json.",
        "oneOf": STATUS_LINES.iter().map(line_schema).collect::<Vec<_>>(),
    })
}

fn line_schema(line: &StatusLine) -> Value {
    let mut properties = Map::new();
    properties.insert("status".to_owned(), json!({"const": line.status}));
    for member in line.members {
        let mut schema = match member.ty {
            MemberType::Text => json!({"type": "string"}),
            MemberType::Time => json!({"type": ["string", "null"], "format": "date-time"}),
            MemberType::Id => json!({"type": ["string", "null"]}),
            MemberType::Count => json!({"type": "integer", "minimum": 0}),
            MemberType::Flag => json!({"type": "boolean"}),
            MemberType::Object => json!({"type": "object"}),
            MemberType::Choice(choices) => json!({"enum": choices}),
        };
        schema["description"] = json!(member.doc);
        properties.insert(member.name.to_owned(), schema);
    }
    let required = line.members.iter().filter(|member| member.is_required);
    let required: Vec<_> =
        std::iter::once("status").chain(required.map(|member| member.name)).collect();
    // A title names the type that a code generator creates.
    let mut title = line.status[..1].to_ascii_uppercase() + &line.status[1..];
    if let Some(MemberType::Choice([result])) = line.members.first().map(|member| member.ty) {
        title += &(result[..1].to_ascii_uppercase() + &result[1..]);
    }
    json!({
        "type": "object",
        "title": title,
        "description": line.doc,
        "properties": properties,
        "required": required,
    })
}
