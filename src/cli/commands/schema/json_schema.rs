//! Describes the event model as a JSON Schema.

use serde_json::{Map, Value, json};

use crate::model::{Class, EventSpec, FieldSpec, Type};
use crate::redact;

/// Returns a JSON Schema of the lines that evtap writes. A hidden field may hold its value or a
/// mask.
#[must_use]
pub fn json_schema(specs: &[&EventSpec]) -> Value {
    let names: Vec<_> =
        specs.iter().map(|spec| json!({"$ref": format!("#/$defs/{}", spec.event_type)})).collect();
    let mut defs: Map<_, _> =
        specs.iter().map(|spec| (spec.event_type.to_owned(), event_schema(spec))).collect();
    defs.insert(
        "_tap".to_owned(),
        json!({"type": "object", "description": "What evtap knows about the event."}),
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of evtap's NDJSON",
        "oneOf": names,
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
    // Redaction may omit hidden fields, so they are never required.
    let always = spec
        .fields
        .iter()
        .filter(|field| field.required && !field.class.is_hidden())
        .map(|field| field.name);
    let required: Vec<_> = std::iter::once("event_type").chain(always).collect();
    json!({"type": "object", "description": spec.doc, "properties": properties, "required": required})
}

fn field_schema(field: &FieldSpec) -> Value {
    let mut options = vec![type_schema(&field.ty, field.max_length)];
    if field.nullable {
        options.push(json!({"type": "null"}));
    }
    if field.class.is_hidden() && !matches!(field.ty, Type::Text) {
        options.push(json!({"type": "string", "pattern": redact::stand_in_pattern()}));
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

fn type_schema(ty: &Type, max_length: Option<u32>) -> Value {
    match ty {
        Type::Bool => json!({"type": "boolean"}),
        Type::Integer => json!({"type": "integer"}),
        Type::Number => json!({"type": "number"}),
        Type::Text => max_length.map_or_else(
            || json!({"type": "string"}),
            |most| json!({"type": "string", "maxLength": most}),
        ),
        Type::Uuid => json!({"type": "string", "format": "uuid"}),
        Type::Choice(choices) => json!({"type": "string", "enum": choices}),
        Type::List(item) => json!({"type": "array", "items": type_schema(item, None)}),
        Type::Map(value) => {
            json!({"type": "object", "additionalProperties": type_schema(value, None)})
        }
        Type::Record(members) => {
            let properties: Map<_, _> = members
                .iter()
                .map(|member| {
                    let schema = type_schema(&member.ty, None);
                    (
                        member.name.to_owned(),
                        if member.required {
                            schema
                        } else {
                            json!({"anyOf": [schema, {"type": "null"}]})
                        },
                    )
                })
                .collect();
            let required: Vec<_> =
                members.iter().filter(|member| member.required).map(|member| member.name).collect();
            json!({"type": "object", "properties": properties, "required": required})
        }
        Type::OneOf(types) => {
            json!({"anyOf": types.iter().map(|ty| type_schema(ty, None)).collect::<Vec<_>>()})
        }
        Type::Any | Type::Unstated => json!({}),
    }
}
