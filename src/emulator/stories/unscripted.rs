//! Event types that no story has yet. Each happens with a sample payload, so that the emulator has
//! every declared type and a new type needs no story.

use rand::rngs::StdRng;
use serde_json::Value;

use super::story::{Story, StoryStep};
use crate::emulator::samples::sample;
use crate::model::{Kind, Stream};

/// Returns the event types of a stream that are not among these steps.
pub fn missing(stream: Stream, steps: &[StoryStep]) -> Vec<Kind> {
    let is_missing =
        |kind: &Kind| kind.spec().stream == stream && steps.iter().all(|step| step.kind != *kind);
    Kind::ALL.iter().copied().filter(is_missing).collect()
}

/// Adds an event of each type to a story.
pub fn add(kinds: &[Kind], story: &mut Story, rng: &mut StdRng) {
    for kind in kinds {
        let payload = sample(kind.spec(), rng);
        story.pause(0.1, 0.5, rng).tell(*kind, Value::Object(payload));
    }
}
