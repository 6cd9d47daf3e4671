//! Canaries: recognisable values, and every event with one of them in each hidden field.
//!
//! Shared by the tests of the binary's output and the unit tests of the live screen.

use evtap::emulator::samples::sample;
use evtap::model::{EventSpec, Kind, Stream};
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

/// Returns an event with the canary in every hidden field and in two undeclared fields.
fn event_with_canary(
    spec: &'static EventSpec,
    canary: &Value,
    rng: &mut StdRng,
) -> Map<String, Value> {
    let mut event = sample(spec, rng);
    for field in spec.fields.iter().filter(|field| field.class.is_hidden()) {
        event.insert(field.name.to_owned(), canary.clone());
    }
    event.insert("undeclared".to_owned(), canary.clone());
    event.insert("Jane CanaryQzvxkwjh".to_owned(), canary.clone());
    event
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
        let unknown = json!({"field": canary, "Jane CanaryQzvxkwjh": canary});
        for name in ["brand.new", "Jane CanaryQzvxkwjh", "+1 4081516234"] {
            events.push((name.to_owned(), unknown.as_object().expect("an object").clone()));
        }
    }
    events
}
