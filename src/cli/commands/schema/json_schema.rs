//! Describes the lines that evtap writes as a JSON Schema.
//!
//! Every line has to match, whatever the platform sent and whatever the policy hides. So a field
//! may hold a stand-in or, with `--phi drop`, be missing, and a line that reports drift may have
//! anything in its fields.

use serde_json::{Map, Value, json};

use super::kinds::{kinds, title};
use super::tap::TAP;
use crate::model::{Class, EventSpec, FieldSpec, MemberSpec, Type};
use crate::redact;

/// Returns a JSON Schema of the lines that evtap writes. The titles of its definitions are the
/// names of the Rust types, which code generators use as well.
#[must_use]
pub fn json_schema(specs: &[&EventSpec]) -> Value {
    let own = |name: &str| json!({"$ref": format!("#/$defs/{name}")});
    let names = specs.iter().map(|spec| own(spec.event_type));
    let mut defs: Map<_, _> =
        specs.iter().map(|spec| (spec.event_type.to_owned(), event_schema(spec))).collect();
    let lines: Vec<_> = names.chain(["_unknown", "_drifted"].map(own)).collect();
    for (name, schema) in [
        ("_unknown", unknown_schema()),
        ("_drifted", drifted_schema()),
        ("_hidden", hidden_schema()),
        ("_tap", tap_schema()),
    ] {
        defs.insert(name.to_owned(), schema);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Event",
        "description": "A line of evtap's NDJSON.",
        "anyOf": lines,
        "$defs": defs,
    })
}

fn event_schema(spec: &EventSpec) -> Value {
    let mut properties = Map::new();
    properties.insert("event_type".to_owned(), json!({"const": spec.event_type}));
    for field in spec.fields {
        properties.insert(field.name.to_owned(), field_schema(field));
    }
    properties.insert("_tap".to_owned(), json!({"$ref": "#/$defs/_tap"}));
    let mut schema = json!({
        "title": title(spec),
        "description": spec.doc,
        "type": "object",
        "properties": properties,
        "required": ["event_type", "_tap"],
    });
    let always: Vec<_> = spec
        .fields
        .iter()
        .filter(|field| field.required && !field.class.is_hidden())
        .map(|field| field.name)
        .collect();
    if !always.is_empty() {
        // If one of these is hidden, `--phi drop` may have left it out.
        let none_is_hidden = json!({"not": {"contains": {"enum": always}}});
        schema["if"] =
            json!({"properties": {"_tap": {"properties": {"redacted": none_is_hidden}}}});
        schema["then"] = json!({"required": always});
    }
    schema
}

fn unknown_schema() -> Value {
    let known: Vec<_> = kinds().map(|kind| kind.spec().event_type).collect();
    json!({
        "title": "UnknownEvent",
        "description": "An event whose type is not declared. All its fields are hidden by default.",
        "type": "object",
        "properties": {
            "event_type": {"type": "string", "not": {"enum": known}},
            "_tap": {"$ref": "#/$defs/_tap"},
        },
        "required": ["event_type", "_tap"],
    })
}

fn drifted_schema() -> Value {
    json!({
        "title": "DriftedEvent",
        "description": "An event that differs from its declaration.",
        "type": "object",
        "properties": {
            "event_type": {"type": "string"},
            "_tap": {"allOf": [{"$ref": "#/$defs/_tap"}, {"required": ["drift"]}]},
        },
        "required": ["event_type", "_tap"],
    })
}

fn hidden_schema() -> Value {
    json!({
        "title": "Hidden",
        "description": "What replaces a hidden value.",
        "type": "string",
        "pattern": redact::stand_in_pattern(),
    })
}

fn tap_schema() -> Value {
    json!({
        "title": "Tap",
        "description": "What evtap knows about the event.",
        "type": "object",
        "properties": tap_members(TAP),
    })
}

/// Returns the schemas of members, whose values are always of the declared types.
fn tap_members(members: &[MemberSpec]) -> Value {
    let schema = |it: &MemberSpec| {
        let mut schema = match it.ty {
            Type::List(Type::Record(members)) => {
                let required = members.iter().filter(|it| it.required).map(|it| it.name);
                let item = json!({
                    "title": "Drift",
                    "type": "object",
                    "properties": tap_members(members),
                    "required": required.collect::<Vec<_>>(),
                });
                json!({"type": "array", "items": item})
            }
            Type::List(item) => json!({"type": "array", "items": type_schema(item)}),
            ref ty => type_schema(ty),
        };
        schema["description"] = json!(it.doc);
        (it.name.to_owned(), schema)
    };
    members.iter().map(schema).collect::<Map<_, _>>().into()
}

fn field_schema(field: &FieldSpec) -> Value {
    let mut options = vec![type_schema(&field.ty)];
    if field.nullable {
        options.push(json!({"type": "null"}));
    }
    // Any other field may be hidden by `--redact`.
    if !is_any_string(&field.ty) {
        options.push(json!({"$ref": "#/$defs/_hidden"}));
    }
    let mut schema = match options.as_slice() {
        [one] => one.clone(),
        _ => json!({"anyOf": options}),
    };
    schema["description"] = json!(field.doc);
    if field.class == Class::Phi {
        schema["x-phi"] = json!(true);
    }
    schema
}

/// Returns whether the schema of a type accepts every string, and so every stand-in.
const fn is_any_string(ty: &Type) -> bool {
    matches!(ty, Type::Text | Type::Uuid | Type::Time | Type::Any | Type::Unstated)
}

fn type_schema(ty: &Type) -> Value {
    match ty {
        Type::Bool => json!({"type": "boolean"}),
        Type::Integer => json!({"type": "integer"}),
        Type::Number => json!({"type": "number"}),
        // A longer text, and an id that is not a UUID, are no drift.
        Type::Text | Type::Uuid | Type::Time => json!({"type": "string"}),
        Type::Choice(choices) => json!({"type": "string", "enum": choices}),
        Type::List(item) => {
            json!({"type": "array", "items": nullable(&type_schema(item))})
        }
        Type::Map(value) => {
            json!({"type": "object", "additionalProperties": nullable(&type_schema(value))})
        }
        Type::Record(members) => {
            let properties: Map<_, _> = members
                .iter()
                .map(|member| {
                    let schema = type_schema(&member.ty);
                    let schema = if member.required { schema } else { nullable(&schema) };
                    (member.name.to_owned(), schema)
                })
                .collect();
            let required: Vec<_> =
                members.iter().filter(|member| member.required).map(|member| member.name).collect();
            json!({"type": "object", "properties": properties, "required": required})
        }
        Type::OneOf(types) => {
            json!({"anyOf": types.iter().map(type_schema).collect::<Vec<_>>()})
        }
        Type::Any | Type::Unstated => json!({}),
    }
}

fn nullable(schema: &Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}
