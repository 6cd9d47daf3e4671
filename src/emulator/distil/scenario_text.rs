//! Writes the scenario of a recorded call.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::inventor::Inventor;
use super::originals::Originals;
use super::recorded::RecordedEvent;
use crate::emulator::demo::{DEMO_CALL, DEMO_WORKSPACE};
use crate::model::{Event, Stream, is_name};

/// A scenario and how it was made.
#[derive(Debug, Default)]
pub struct Distillate {
    /// The scenario as TOML.
    pub toml: String,
    /// The number of events.
    pub events: u64,
    /// The number of values that were replaced.
    pub replaced: u64,
    /// The number of keys that the model does not declare, which were replaced too.
    pub names: u64,
    /// The number of event types that may be text about a person, which were replaced too.
    pub types: u64,
}

/// Distils a scenario from the events of the call with a SID, in order of time.
#[must_use]
pub fn distil(events: &[RecordedEvent], call_sid: &str, seed: u64) -> Distillate {
    let mut originals = Originals::default();
    for event in events {
        if !is_name(&event.event_type) {
            originals.add_text(&event.event_type);
        }
        for field in &event.fields {
            if field.spec.is_none() {
                originals.add_text(&field.name);
            }
            if let Some(json) = &field.json {
                originals.add_json(json);
            }
        }
    }
    let mut inventor = Inventor::new(seed, originals, call_sid);
    let mut distillate = Distillate::default();
    let toml = &mut distillate.toml;
    // Writing into a `String` does not fail.
    let _ = write!(
        toml,
        "# A recorded call, distilled by evtap {} with seed {seed}. All people are invented.\n\
         # Play it with `evtap serve --scenario FILE`.\n\nformat = 1\n",
        env!("CARGO_PKG_VERSION")
    );
    let mut before = 0;
    for event in events {
        let event_type: Cow<'_, str> = match event.kind {
            Some(kind) => kind.spec().event_type.into(),
            None if is_name(&event.event_type) => (&*event.event_type).into(),
            None => {
                distillate.types += 1;
                inventor.name(&event.event_type, &[]).into()
            }
        };
        let payload = inventor.payload(event);
        toml.push_str("\n[[event]]\n");
        if event.at > before {
            let _ = writeln!(toml, "after = {}", event.at - before);
        }
        let _ = writeln!(toml, "type = \"{event_type}\"");
        if event.kind.is_none() && event.stream == Stream::Observer {
            toml.push_str("stream = \"observer\"\n");
        }
        if event.kind.is_none() || has_drift(&event_type, &payload) {
            toml.push_str("unchecked = true\n");
        }
        // The payload has no apostrophe and no control character.
        let _ = writeln!(toml, "data = '{payload}'");
        before = event.at;
        distillate.events += 1;
    }
    distillate.replaced = inventor.replaced;
    distillate.names = inventor.names;
    distillate
}

/// Returns whether the model does not expect a payload, given that it expects the variables in it.
fn has_drift(event_type: &str, payload: &str) -> bool {
    let payload = payload
        .replace("\"{{start_seconds}}\"", "0")
        .replace("{{now}}", "2026-05-05T09:41:27.123Z")
        .replace("{{call_sid}}", DEMO_CALL)
        .replace("{{workspace_id}}", DEMO_WORKSPACE);
    Event::from_sse(Some(event_type), payload.as_bytes())
        .map_or(true, |event| !event.drift().is_empty())
}
