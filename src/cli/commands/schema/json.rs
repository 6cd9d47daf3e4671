//! Describes the event model as JSON.

use serde_json::{Value, json};

use crate::model::{EventSpec, FieldSpec};

/// Returns the full description of the events and their fields.
#[must_use]
pub fn events(specs: &[&EventSpec]) -> Value {
    let events: Vec<_> = specs
        .iter()
        .map(|spec| {
            json!({
                "event_type": spec.event_type,
                "stream": spec.stream.name(),
                "doc": spec.doc,
                "first_seen": spec.first_seen,
                "documented": spec.documented,
                "fields": spec.fields.iter().map(field_json).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({"events": events})
}

fn field_json(field: &FieldSpec) -> Value {
    json!({
        "name": field.name,
        "class": field.class.name(),
        "type": field.ty.name(),
        "nullable": field.nullable,
        "required": field.required,
        "enum": field.ty.choices(),
        "max_length": field.max_length,
        "first_seen": field.first_seen,
        "last_seen": field.last_seen,
        "documented": field.documented,
        "doc": field.doc,
    })
}
