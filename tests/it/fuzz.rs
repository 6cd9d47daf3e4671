//! Runs the bodies of the fuzz targets on generated input.

mod bodies;

use proptest::prelude::*;

/// Generates input close to what a body expects: pieces of it in random order, or random bytes.
fn similar_to(pieces: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let glued = prop::collection::vec(prop::sample::select(pieces), 0..20)
        .prop_map(|pieces| pieces.concat().into_bytes());
    let noise = prop::collection::vec(any::<u8>(), 0..64);
    (any::<u8>(), prop_oneof![3 => glued, 1 => noise])
        .prop_map(|(first, rest)| [&[first][..], &rest].concat())
}

const EVENT: &[&str] = &[
    "{",
    "}",
    ",",
    ":",
    "\"",
    "\"event_type\":\"call.started\"",
    "\"type\":\"user_transcript\"",
    "\"data\":{",
    "\"caller_id\":",
    "\"reason\":",
    "\"call 202-555-0123\"",
    "\"event_type\":\"call.escalated\"",
    "\"_tap\":{\"redacted\":[\"caller_id\",\"x\"]}",
    "\"x\":",
    "\"[redacted]\"",
    "\"[redacted ..23]\"",
    "[1,\"a\"]",
    "null",
    "12025550123",
    " ",
    "\u{9b}",
    "\\u0035",
    "\"scores\":[{\"who\":1}]",
];
const TEXT: &[&str] = &[
    "202",
    "555",
    "0123",
    "-",
    " ",
    ".",
    "(",
    ")",
    "+1",
    "@",
    "example.org",
    "jane",
    "MRN ",
    "born ",
    "May 3",
    ", 1980",
    "4111",
    "1111",
    "://",
    "?",
    "[phone]",
    "\u{200b}",
    "\u{ff12}",
    "\u{660}",
    "::",
    "1.2.3.4",
    "\u{202e}",
    "\n",
    "/",
    "call ",
];
const STREAM: &[&str] = &[
    "data:", "data: {}", "id: 1", "id:", "event: x", "retry: 5", "\n", "\n\n", "\r", "\r\n", ":",
    " ", "\u{feff}", "é", "\0",
];
const PREDICATE: &[&str] = &[
    ".",
    "..",
    "|",
    ",",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    "?",
    "//",
    "=",
    "==",
    "!=",
    "<",
    "and",
    "or",
    "not",
    " ",
    "\"",
    "\\(",
    "$x",
    "if",
    "then",
    "else",
    "end",
    "try",
    "reduce",
    "foreach",
    "as",
    "def f:",
    ";",
    ".event_type",
    ".caller_id",
    "._tap.id",
    "\"call.ended\"",
    "\"in\"",
    ".direction",
    ".duration_seconds",
    "60",
    "null",
    "true",
    "select(",
    "test(\"x\")",
    "IN(",
    "any",
    "to_entries",
    "has(\"x\")",
    "é",
    "\u{202e}",
];
const RECORD: &[&str] = &[
    "\n",
    "{\"event_type\":",
    "{\"event_type\":\"call.started\",\"_tap\":{\"id\":\"17\"}}",
    "{\"event",
    "{",
    "somebody's notes",
    "\r",
    "\u{feff}",
    "{\"event_type\":\"tap.gap\",\"_tap\":{}}\n",
    "é",
];

proptest! {
    #[test]
    fn predicate(data in similar_to(PREDICATE)) {
        bodies::predicate(&data[1..]);
    }

    #[test]
    fn record(data in similar_to(RECORD)) {
        bodies::record(&data[1..]);
    }

    #[test]
    fn decode_and_redact(data in similar_to(EVENT)) {
        bodies::decode_and_redact(&data);
    }

    #[test]
    fn scrub_text(data in similar_to(TEXT)) {
        bodies::scrub_text(&data);
    }

    #[test]
    fn framing(data in similar_to(STREAM)) {
        bodies::framing(&data);
    }
}

/// Names that `_tap` did not recognise as field names, so that a replay hid their values again; and
/// open fields with values inside, which `--phi drop` left as a mask, so that a replay dropped
/// them.
#[test]
fn earlier_findings_of_the_fuzzer_stay_fixed() {
    for name in ["event_type.", ".a", "a..b", "a.1", "v1.2", ".", "a.b"] {
        for choice in [0, 1, 2, 0x80] {
            let line = format!(
                r#"{{"{name}":"surface.updated","x":{{"{name}":[{{"{name}":"abcdefgh"}}]}},"_tap":{{"id":"1"}}}}"#
            );
            bodies::decode_and_redact(&[&[choice], line.as_bytes()].concat());
            let nested = format!(
                r#"{{"type":"compound_emotion","compounds":[{{"name":"joy","score":1,"{name}":"abcdefgh"}}]}}"#
            );
            bodies::decode_and_redact(&[&[choice], nested.as_bytes()].concat());
        }
    }
    for inside in [r#"{"id":"1"}"#, "[1]", "{}", r#"["x",null]"#] {
        let line = format!(
            r#"{{"event_type":"surface.delivered","surface_id":"x","channel":{inside},"fields_submitted":{inside}}}"#
        );
        bodies::decode_and_redact(&[&[2], line.as_bytes()].concat());
    }
}
