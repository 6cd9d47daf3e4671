//! Random events in the envelopes that evtap writes, whole and damaged.

use std::sync::LazyLock;

use evtap::internals::output::cloudevents::cloud_event;
use evtap::model::decode::Decoder;
use evtap::model::{Frame, Kind, Origin};
use evtap::query::EventContext;
use evtap::redact::{Policy, Redactor};
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use super::{by_full_decoding, by_pipeline, event, lines, mutated, policies};

/// Returns each line of a recording in the envelope that evtap writes around it.
fn envelopes(bytes: &[u8], policy: &Policy) -> Vec<String> {
    let (origin, lines) = (Origin::default(), lines(bytes));
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(policy.clone()));
    let envelope = |(number, frame): (usize, Frame<'_>)| {
        let shown = redactor.decode_and_redact(&mut decoder, frame);
        let id = format!("170000000{number:04}-0123456789abcdef");
        let mut out = Vec::new();
        cloud_event(&EventContext::new(&shown).with_id(Some(&id)), &mut out);
        String::from_utf8(out).expect("text")
    };
    lines.frames(&origin).enumerate().map(envelope).collect()
}

/// Returns the line with a part of its envelope replaced by something that evtap does not write, or
/// does not write there.
fn with_other_envelope(line: &str, rng: &mut StdRng) -> String {
    const PARTS: &[(&str, &str)] = &[
        ("{\"specversion\":\"1.0\",", "{\"specversion\":\"1.0\",\"traceparent\":\"00\","),
        ("\"1.0\"", "\"0.3\""),
        ("\"specversion\":\"1.0\",", ""),
        ("\"id\":\"17", "\"id\":\"Jane Roe 17"),
        ("\"source\":\"", "\"source\":\"https://example.com"),
        ("\"type\":\"", "\"type\":\"x"),
        ("\"type\":\"", "\"type\":\" "),
        ("\"subject\":\"", "\"subject\":\"Jane Roe"),
        ("\"subject\":\"", "\"subject\":\"\\u0043"),
        ("\"time\":\"2", "\"time\":\"1"),
        ("\"time\":\"2", "\"time\":\"x2"),
        ("\"datacontenttype\":\"application/json\",", ""),
        ("\"data\":{\"event_type\":", "\"data\":{\"type\":"),
        ("\"data\":{\"event_type\":\"", "\"data\":{\"event_type\":\"x"),
        ("\"data\":{", "\"data\":{\"event_type\":\"call.ended\","),
        ("\"data\":", "\"data_base64\":"),
        ("\"data\":", "\"data\":[],\"data\":"),
        ("\"redacted\":[", "\"redacted\":[\"call_sid\","),
        ("\"_tap\":{", "\"_tap\":{\"odd\":1,"),
    ];
    let (from, to) = PARTS[rng.random_range(0..PARTS.len())];
    line.replacen(from, to, 1)
}

/// The policies of the taps that have written the envelopes.
static WRITERS: LazyLock<Vec<Policy>> = LazyLock::new(policies);

/// Draws a recording of envelopes: some as evtap writes them, some of other spelling, some broken.
fn recording(seed: u64, events: usize) -> Vec<u8> {
    const TAPS: &[&str] = &[
        "\"_tap\":{",
        "\"_tap\":{\"id\":\"1700000000001\",\"time\":\"2023-11-14T22:13:20.001Z\",",
        "\"_tap\":{\"received_at\":\"2023-11-14T22:13:20.001Z\",",
    ];
    const IDS: &str = ",\"workspace_id\":\"1b4e28ba-2fa1-11d2-883f-0016d3cca427\",\"call_sid\":\"CA00000000000000000000000000000001\"";
    let mut rng = StdRng::seed_from_u64(seed);
    let mut bytes = Vec::new();
    for _ in 0..events {
        let kind = Kind::ALL[rng.random_range(0..Kind::ALL.len())];
        let kind = if rng.random_bool(0.7) { Kind::ALL[kind as usize % 6] } else { kind };
        let mut line = event(kind, &mut rng);
        if rng.random_bool(0.8) {
            line = by_full_decoding(line.as_bytes(), &Policy::default()).concat();
            let tap = TAPS[rng.random_range(0..TAPS.len())];
            line = line.replacen("\"_tap\":{", tap, 1);
            if rng.random_bool(0.5) {
                let stream = ["\"stream\":\"workspace\"", "\"stream\":\"observer\""];
                for stream in stream {
                    line = line.replacen(stream, &format!("{stream}{IDS}"), 1);
                }
            }
        }
        let writer = &WRITERS[rng.random_range(0..WRITERS.len())];
        let mut line = envelopes(line.as_bytes(), writer).concat();
        if rng.random_bool(0.3) {
            line = with_other_envelope(&line, &mut rng);
        }
        if rng.random_bool(0.3) {
            bytes.extend(mutated(&line, &mut rng));
        } else {
            bytes.extend(line.as_bytes());
        }
        bytes.push(b'\n');
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn envelopes_give_the_same_lines_on_both_paths(seed in any::<u64>()) {
        let bytes = recording(seed, 150);
        // Invalid UTF-8 or DEL disables the fast path for all lines of a chunk.
        let text = String::from_utf8_lossy(&bytes).replace(['\u{fffd}', '\u{7f}'], "?");
        for policy in policies() {
            for bytes in [&bytes, text.as_bytes()] {
                prop_assert_eq!(by_pipeline(bytes, &policy), by_full_decoding(bytes, &policy));
            }
        }
    }

    /// Whoever reads an envelope gets what the tap has shown, if it hides nothing more.
    #[test]
    fn the_data_of_an_envelope_is_read_as_it_was_shown(seed in any::<u64>()) {
        let mut rng = StdRng::seed_from_u64(seed);
        for kind in Kind::ALL {
            let line = event(*kind, &mut rng);
            for policy in policies() {
                let shown = by_full_decoding(line.as_bytes(), &policy);
                let envelope = envelopes(line.as_bytes(), &policy).concat();
                let read = by_pipeline(envelope.as_bytes(), &policy);
                let from_line = by_pipeline(shown.concat().as_bytes(), &policy);
                prop_assert_eq!(&read, &from_line, "{}", envelope);
                let data = &serde_json::from_str::<Value>(&envelope).expect("JSON")["data"];
                let shown: Value = serde_json::from_str(&shown.concat()).expect("JSON");
                prop_assert_eq!(data, &shown);
            }
        }
    }
}
