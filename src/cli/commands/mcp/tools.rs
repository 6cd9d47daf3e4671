//! The tools and their arguments, as clients list them.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Map, Value, json};

/// A tool.
pub struct ToolSpec {
    /// The name.
    pub name: &'static str,
    title: &'static str,
    description: &'static str,
    /// The arguments.
    pub arguments: &'static [ArgumentSpec],
    /// The names of the arguments that must be given.
    required: &'static [&'static str],
    /// Whether the result depends on something outside this machine.
    is_live: bool,
    /// The member of the result with the items; `None` if there is none.
    items: Option<&'static str>,
    /// Whether the result says what is missing.
    has_evidence: bool,
}

/// An argument of a tool.
pub struct ArgumentSpec {
    /// The name.
    pub name: &'static str,
    ty: ArgumentType,
    description: &'static str,
}

#[derive(Clone, Copy)]
enum ArgumentType {
    Text,
    Texts,
    Number,
    Source,
}

const fn argument(name: &'static str, ty: ArgumentType, description: &'static str) -> ArgumentSpec {
    ArgumentSpec { name, ty, description }
}

const SOURCE: ArgumentSpec = argument(
    "source",
    ArgumentType::Source,
    "What to read. Default: the recordings, or else the first workspace, or else `demo`, which \
     is a synthetic clinic.",
);
const QUERY: ArgumentSpec = argument(
    "query",
    ArgumentType::Text,
    "A jq expression that an event must satisfy, such as `.duration_seconds > 60`.",
);
const TYPES: ArgumentSpec = argument(
    "types",
    ArgumentType::Texts,
    "Globs of event types, such as `call.*`. An event must match one of them.",
);
const CALL: ArgumentSpec =
    argument("call", ArgumentType::Text, "Only events of the call with this SID.");
const SINCE: ArgumentSpec = argument(
    "since",
    ArgumentType::Text,
    "Only events from this time on: RFC 3339, a date, or an age such as `2h`.",
);
const UNTIL: ArgumentSpec =
    argument("until", ArgumentType::Text, "Only events before this time, as for `since`.");
const LIMIT: ArgumentSpec =
    argument("limit", ArgumentType::Number, "The largest number of events. Default: 50.");
const CURSOR: ArgumentSpec = argument(
    "cursor",
    ArgumentType::Text,
    "`next` of the previous result, with the same arguments, to get the next page.",
);
const SECONDS: ArgumentSpec = argument(
    "seconds",
    ArgumentType::Number,
    "How long to listen to a live source, up to 60 seconds.",
);

/// All tools.
pub const TOOLS: &[ToolSpec] = &[
    ToolSpec {
        name: "schema",
        title: "Describe event types",
        description: "Describes the types of events, or the fields of one type: their JSON types, \
             their values, and whether they are shown. Use it before you write a query.",
        arguments: &[
            argument(
                "type",
                ArgumentType::Text,
                "An event type or a glob, such as `call.ended` or `call.*`, to get its fields.",
            ),
            CURSOR,
        ],
        required: &[],
        is_live: false,
        items: Some("events"),
        has_evidence: false,
    },
    ToolSpec {
        name: "find",
        title: "Find events",
        description: "Finds events by type, jq expression, call and time, in the order in which \
             they arrived. A live source gives what the platform still has, up to five minutes, and \
             what arrives while the tool listens.",
        arguments: &[SOURCE, QUERY, TYPES, CALL, SINCE, UNTIL, LIMIT, CURSOR, SECONDS],
        required: &[],
        is_live: true,
        items: Some("events"),
        has_evidence: true,
    },
    ToolSpec {
        name: "stats",
        title: "Count and measure events",
        description: "Counts events by type and measures calls, tools and latencies, as \
             percentiles in milliseconds.",
        arguments: &[SOURCE, QUERY, TYPES, CALL, SINCE, UNTIL, SECONDS],
        required: &[],
        is_live: true,
        items: None,
        has_evidence: true,
    },
    ToolSpec {
        name: "timeline",
        title: "Show the course of a call",
        description: "Shows one call from beginning to end: what was said, its tool calls, states, \
             silences and gaps. Without a call, lists the calls.",
        arguments: &[
            SOURCE,
            argument("call", ArgumentType::Text, "The SID of the call, or the beginning of it."),
            CURSOR,
            SECONDS,
        ],
        required: &[],
        is_live: true,
        items: Some("entries"),
        has_evidence: true,
    },
    ToolSpec {
        name: "tail",
        title: "Listen to a workspace",
        description: "Returns the events that arrive from now on, until `limit` events have \
             arrived or the time is up. `next` continues where the result ends, without loss. Of \
             recordings, returns the last events.",
        arguments: &[SOURCE, QUERY, TYPES, CALL, LIMIT, SECONDS, CURSOR],
        required: &["source"],
        is_live: true,
        items: Some("events"),
        has_evidence: true,
    },
];

impl ToolSpec {
    /// Returns the tool with a name.
    pub fn find(name: &str) -> Option<&'static Self> {
        TOOLS.iter().find(|tool| tool.name == name)
    }

    /// Describes the tool to a client. `sources` are the names of what it can read.
    pub fn describe(&self, sources: &[String]) -> Tool {
        let annotations = ToolAnnotations::with_title(self.title)
            .read_only(true)
            .destructive(false)
            .open_world(self.is_live);
        Tool::new(self.name, self.description, Arc::new(self.input_schema(sources)))
            .with_title(self.title)
            .with_raw_output_schema(Arc::new(self.output_schema()))
            .with_annotations(annotations)
    }

    fn input_schema(&self, sources: &[String]) -> JsonObject {
        let properties: Map<_, _> = self
            .arguments
            .iter()
            .map(|argument| (argument.name.to_owned(), argument.schema(sources)))
            .collect();
        members(json!({
            "type": "object",
            "properties": properties,
            "required": self.required,
            "additionalProperties": false,
        }))
    }

    fn output_schema(&self) -> JsonObject {
        let mut properties = Map::new();
        let mut required: Vec<&str> = Vec::new();
        if let Some(items) = self.items {
            // A timeline without a call has `calls` in its place.
            if self.name != "timeline" {
                required.push(items);
            }
            properties.insert(items.to_owned(), json!({"type": "array"}));
            properties.insert(
                "next".to_owned(),
                json!({
                    "type": ["string", "null"],
                    "description": "The cursor of the next page, or null after the last one.",
                }),
            );
        }
        if self.has_evidence {
            required.extend(["source", "complete", "why_incomplete", "gaps"]);
            let evidence = json!({
                "source": {"type": "string"},
                "complete": {
                    "type": "boolean",
                    "description": "Whether the result is all that there was. If it is false, what \
                        is not in the result may still have happened.",
                },
                "why_incomplete": {"type": "array", "items": {"type": "string"}},
                "gaps": {
                    "type": "array",
                    "description": "The times in which events are or may be missing.",
                },
                "gaps_not_listed": {"type": "integer"},
                "covers": {
                    "type": ["object", "null"],
                    "description": "The times of the first and the last event that was read.",
                },
            });
            properties.extend(members(evidence));
        }
        members(json!({"type": "object", "properties": properties, "required": required}))
    }
}

impl ArgumentSpec {
    fn schema(&self, sources: &[String]) -> Value {
        let mut schema = match self.ty {
            ArgumentType::Text => json!({"type": "string"}),
            ArgumentType::Texts => json!({"type": "array", "items": {"type": "string"}}),
            ArgumentType::Number => json!({"type": "integer", "minimum": 1}),
            ArgumentType::Source => json!({"type": "string", "enum": sources}),
        };
        schema["description"] = Value::from(self.description);
        schema
    }
}

fn members(value: Value) -> JsonObject {
    match value {
        Value::Object(members) => members,
        _ => JsonObject::new(),
    }
}
