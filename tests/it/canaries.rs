//! Canaries, and every event with one in each field that is hidden. The tests of what comes out of the binary take them from
//! here, and so do those of the screen, which is looked at from inside.

use evtap::emulator::samples::sample;
use evtap::model::{EventSpec, Kind, Stream};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

/// What a canary leaves traces of: as text, as a number, with a fraction.
pub const SECRETS: &[&str] = &["CanaryQzvxkwjh", "4081516234", "40815.16234"];

/// A canary in each type of JSON. Text has a space, as what people write does; names of members don't need it to be hidden.
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

/// An event that has the canary in every hidden field, and in two fields that nobody has declared.
fn bearing(spec: &'static EventSpec, canary: &Value, rng: &mut StdRng) -> Map<String, Value> {
    let mut event = sample(spec, rng);
    for field in spec.fields.iter().filter(|field| field.class.is_hidden()) {
        event.insert(field.name.to_owned(), canary.clone());
    }
    event.insert("undeclared".to_owned(), canary.clone());
    event.insert("Jane CanaryQzvxkwjh".to_owned(), canary.clone());
    event
}

/// Every event of a stream with every canary, and events that nobody has declared; type and payload.
pub fn bearers(stream: Stream) -> Vec<(String, Map<String, Value>)> {
    let mut rng = StdRng::seed_from_u64(5);
    let mut events = Vec::new();
    for canary in &canaries() {
        for kind in Kind::ALL.iter().filter(|kind| kind.spec().stream == stream) {
            events
                .push((kind.spec().event_type.to_owned(), bearing(kind.spec(), canary, &mut rng)));
        }
        let unknown = json!({"field": canary, "Jane CanaryQzvxkwjh": canary});
        for name in ["brand.new", "Jane CanaryQzvxkwjh", "+1 4081516234"] {
            events.push((name.to_owned(), unknown.as_object().expect("an object").clone()));
        }
    }
    events
}
