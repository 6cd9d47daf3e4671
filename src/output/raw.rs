//! Raw transport frames as NDJSON, with `event`, `id`, `retry` and `data`.
//!
//! Frames are neither interpreted nor redacted: they contain PHI in the clear.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Serialize, Serializer};

use crate::text::terminal;
use crate::transport::raw_frames::{RawMessage, SseBlock};

/// A frame as JSON. Only the first four members are always there.
#[derive(Default, Serialize)]
struct RawLine<'a> {
    event: Option<&'a str>,
    id: Option<&'a str>,
    retry: Option<u64>,
    data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<Lines<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binary: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    too_large: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incomplete: Option<bool>,
}

/// Lines joined by LF, as an array.
struct Lines<'a>(&'a str);

impl Serialize for Lines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.split('\n'))
    }
}

/// Returns a frame as one line, including the line end.
#[must_use]
#[allow(clippy::missing_panics_doc, reason = "text and numbers are always JSON")]
pub fn line(raw: &RawMessage) -> Vec<u8> {
    let object = match raw {
        RawMessage::Sse(SseBlock { event, id, retry, data, other, is_incomplete }) => RawLine {
            event: event.as_deref(),
            id: id.as_deref(),
            retry: *retry,
            data: data.as_deref(),
            other: other.as_deref().map(Lines),
            incomplete: is_incomplete.then_some(true),
            ..RawLine::default()
        },
        RawMessage::Text(text) => RawLine { data: Some(text), ..RawLine::default() },
        RawMessage::Binary(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => RawLine { data: Some(text), binary: Some(true), ..RawLine::default() },
            Err(_) => RawLine { base64: Some(BASE64_STANDARD.encode(bytes)), ..RawLine::default() },
        },
        RawMessage::TooLarge(bytes) => RawLine { too_large: Some(*bytes), ..RawLine::default() },
    };
    let mut line = String::new();
    let json = serde_json::to_string(&object).expect("text and numbers are JSON");
    terminal::push_json(&json, &mut line);
    line.push('\n');
    line.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_is_one_line_of_json() {
        let sse = |data: Option<&str>, other: Option<&str>| {
            RawMessage::Sse(SseBlock {
                event: Some("x".into()),
                retry: Some(3000),
                data: data.map(str::to_owned),
                other: other.map(str::to_owned),
                is_incomplete: other.is_some(),
                ..SseBlock::default()
            })
        };
        for (raw, expected) in [
            (
                sse(Some("no json\n\u{9b}"), None),
                r#"{"event":"x","id":null,"retry":3000,"data":"no json\n\u009b"}"#,
            ),
            (
                sse(None, Some(": a\n\nb: \u{9b}")),
                r#"{"event":"x","id":null,"retry":3000,"data":null,"other":[": a","","b: \u009b"],"incomplete":true}"#,
            ),
            (RawMessage::Text("hi".into()), r#"{"event":null,"id":null,"retry":null,"data":"hi"}"#),
            (
                RawMessage::Binary(b"hi".to_vec()),
                r#"{"event":null,"id":null,"retry":null,"data":"hi","binary":true}"#,
            ),
            (
                RawMessage::Binary(vec![0xff]),
                r#"{"event":null,"id":null,"retry":null,"data":null,"base64":"/w=="}"#,
            ),
            (
                RawMessage::TooLarge(7),
                r#"{"event":null,"id":null,"retry":null,"data":null,"too_large":7}"#,
            ),
        ] {
            assert_eq!(String::from_utf8(line(&raw)).expect("UTF-8"), format!("{expected}\n"));
        }
    }
}
