//! Recordings generated from a seed.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use evtap::emulator::samples::sample;
use evtap::model::Kind;
use evtap::text::scrub;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value};

/// Event types in the recording. A type that is listed twice is twice as frequent.
pub const KINDS: &[Kind] = &[
    Kind::CallStarted,
    Kind::CallEnded,
    Kind::CallEnded,
    Kind::TextStarted,
    Kind::TextCompleted,
    Kind::SurfaceCreated,
    Kind::SurfaceSubmitted,
    Kind::ChannelEmailDelivered,
    Kind::OperatorJoinedCall,
    Kind::TriggerFired,
    Kind::UserTranscript,
    Kind::UserTranscript,
    Kind::AgentTranscript,
    Kind::AgentTranscript,
    Kind::StateTransition,
    Kind::Latency,
    Kind::ToolCallStarted,
    Kind::ToolCallCompleted,
];
/// Largest part of a recording that is generated, in bytes; a longer one repeats it.
const GENERATED: usize = 100_000_000;

/// Generates at least `size` bytes of lines, and the same events as a capture of a stream.
fn events(size: usize) -> (Vec<u8>, Vec<u8>) {
    let mut rng = StdRng::seed_from_u64(1);
    let (mut lines, mut frames) = (Vec::with_capacity(size + 4096), Vec::new());
    let mut id = 1_700_000_000_000u64;
    while lines.len() < size {
        let kind = KINDS[rng.random_range(0..KINDS.len())];
        let mut event = Map::from_iter([("event_type".to_owned(), kind.spec().event_type.into())]);
        event.extend(sample(kind.spec(), &mut rng));
        // The other tools do not search free text for identifiers, so the recording has none.
        for value in event
            .values_mut()
            .filter(|value| value.as_str().is_some_and(|text| scrub::scrub(text).is_some()))
        {
            let field_is_searched = value.as_str().is_some_and(|text| text.contains(' '));
            if field_is_searched {
                *value = "Nothing to add.".into();
            }
        }
        id += rng.random_range(1..40);
        lines.extend(Value::from(event.clone()).to_string().bytes());
        lines.push(b'\n');
        // The platform leaves the type out of the payload.
        event.shift_remove("event_type");
        frames.extend(
            format!(
                "id: {id}\nevent: {}\ndata: {}\n\n",
                kind.spec().event_type,
                Value::from(event)
            )
            .bytes(),
        );
    }
    (lines, frames)
}

/// Writes a recording of about that size, and the same events as a capture.
pub fn both(ndjson: &Path, sse: &Path, size: usize) {
    let (lines, frames) = events(size);
    std::fs::write(ndjson, lines).expect("there is space");
    std::fs::write(sse, frames).expect("there is space");
}

/// Writes a recording of any size.
pub fn long(path: &Path, size: usize) {
    let (lines, _) = events(size.min(GENERATED));
    let mut file = File::create(path).expect("a file");
    let mut left = size;
    while left > 0 {
        file.write_all(&lines).expect("there is space");
        left = left.saturating_sub(lines.len());
    }
}

/// Writes events of `each` bytes, half of them with hidden text and half with free text that is
/// searched, up to `size` bytes in total.
pub fn large(path: &Path, size: usize, each: usize) {
    let sentence = "The caller asks for another appointment and will call again. ";
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    let begins = [
        "{\"event_type\":\"user_transcript\",\"transcript\":\"",
        "{\"event_type\":\"pipeline.error\",\"error\":\"",
    ];
    for begin in begins.iter().cycle().take(size.div_ceil(each)) {
        let prose: String =
            sentence.chars().cycle().take(each.saturating_sub(begin.len() + 3)).collect();
        writeln!(file, "{begin}{prose}\"}}").expect("there is space");
    }
    file.flush().expect("there is space");
}
