//! Canaries: recognisable values, and every event with one of them in each hidden field and at each
//! place that no declaration covers.
//!
//! Shared by the tests of the binary's output and the unit tests of the live screen.

use evtap::emulator::samples::sample;
use evtap::model::{EventSpec, FieldSpec, Kind, Stream, Type};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

/// Secrets in the canaries: as text, as an integer and as a decimal number.
pub const SECRETS: &[&str] = &["CanaryQzvxkwjh", "4081516234", "40815.16234"];

/// Returns a canary of each JSON type. The text contains a space, as free text does; the names of
/// members need none to be hidden.
pub fn canaries() -> [Value; 7] {
    [
        json!("Jane CanaryQzvxkwjh \u{1b}[31m\u{202e}+1 202 555 0123"),
        json!(4_081_516_234_u64),
        json!(40815.16234),
        json!(true),
        json!(["Jane CanaryQzvxkwjh", 4_081_516_234_u64, [{"a": "Canary"}]]),
        json!({"name": "Jane CanaryQzvxkwjh", "inner": {"deep": [40815.16234, "Canary"]}}),
        json!({"Jane CanaryQzvxkwjh": {"CanaryQzvxkwjhKey": 1, "4081516234": null}}),
    ]
}

/// Names that may be text about a person.
const NAMES: &[&str] = &["Jane CanaryQzvxkwjh", "Jane-CanaryQzvxkwjh-1980-03-04", "+1 4081516234"];

/// Returns an event with the canary in every hidden field, in every field whose declaration does
/// not cover it, in every container, and in undeclared fields.
fn event_with_canary(
    spec: &'static EventSpec,
    canary: &Value,
    rng: &mut StdRng,
) -> Map<String, Value> {
    let mut event = sample(spec, rng);
    for field in spec.fields {
        let is_container = event[field.name].is_array() || event[field.name].is_object();
        let is_scalar = !canary.is_array() && !canary.is_object();
        if is_container && is_scalar && !field.class.is_hidden() {
            insert_nested(&mut event[field.name], canary);
        } else if is_hidden_in(field, canary) {
            event.insert(field.name.to_owned(), canary.clone());
        }
    }
    for name in ["undeclared"].iter().chain(NAMES) {
        event.insert((*name).to_owned(), canary.clone());
    }
    event
}

/// Returns whether the value is hidden by default in a field.
fn is_hidden_in(field: &FieldSpec, value: &Value) -> bool {
    let is_covered = match (&field.ty, value) {
        (Type::Integer, Value::Number(number)) => number.is_u64(),
        (ty, value) => matches!(
            (ty, value),
            (Type::Text | Type::Unstated, Value::String(_))
                | (Type::Number | Type::Unstated, Value::Number(_))
                | (Type::Bool | Type::Unstated, Value::Bool(_))
                | (Type::List(Type::Text), Value::Array(_))
        ),
    };
    field.class.is_hidden() || !is_covered
}

/// Inserts the value into each object in `container`, as a member with an undeclared name and in
/// place of numbers.
fn insert_nested(container: &mut Value, value: &Value) {
    match container {
        Value::Number(_) if !value.is_number() => *container = value.clone(),
        Value::Array(items) => items.iter_mut().for_each(|item| insert_nested(item, value)),
        Value::Object(members) => {
            members.values_mut().for_each(|member| insert_nested(member, value));
            for name in NAMES {
                members.insert((*name).to_owned(), value.clone());
            }
        }
        _ => {}
    }
}

/// Returns the type and payload of every event of a stream with every canary, and of undeclared
/// events.
pub fn events_with_canaries(stream: Stream) -> Vec<(String, Map<String, Value>)> {
    let mut rng = StdRng::seed_from_u64(5);
    let mut events = Vec::new();
    for canary in &canaries() {
        for kind in Kind::ALL.iter().filter(|kind| kind.spec().stream == stream) {
            events.push((
                kind.spec().event_type.to_owned(),
                event_with_canary(kind.spec(), canary, &mut rng),
            ));
        }
        let unknown = json!({"field": canary, NAMES[0]: canary, NAMES[1]: canary});
        for name in ["brand.new"].iter().chain(NAMES) {
            events.push(((*name).to_owned(), unknown.as_object().expect("an object").clone()));
        }
    }
    events
}
