//! Raw transport frames as NDJSON, with `event`, `id`, `retry` and `data`.
//!
//! Frames are neither interpreted nor redacted: `data` contains PHI in the clear.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::text::terminal;
use crate::transport::raw_frames::RawMessage;

/// Returns a frame as one line, including the line end.
#[must_use]
pub fn line(raw: &RawMessage) -> Vec<u8> {
    let object = match raw {
        RawMessage::Sse { event, id, retry, data } => {
            json!({"event": event, "id": id, "retry": retry, "data": data})
        }
        RawMessage::Text(text) => message(Some(text)),
        RawMessage::Binary(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => with(message(Some(text)), "binary", json!(true)),
            Err(_) => with(message(None), "base64", json!(BASE64_STANDARD.encode(bytes))),
        },
        RawMessage::TooLarge(bytes) => with(message(None), "too_large", json!(bytes)),
    };
    let mut line = String::new();
    terminal::push_json(&object.to_string(), &mut line);
    line.push('\n');
    line.into_bytes()
}

fn message(data: Option<&str>) -> Value {
    json!({"event": null, "id": null, "retry": null, "data": data})
}

fn with(mut object: Value, key: &str, value: Value) -> Value {
    object[key] = value;
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_is_one_line_of_json() {
        let sse = |data: &str| RawMessage::Sse {
            event: Some("x".into()),
            id: None,
            retry: Some(3000),
            data: data.into(),
        };
        for (raw, expected) in [
            (
                sse("no json\n\u{9b}"),
                r#"{"event":"x","id":null,"retry":3000,"data":"no json\n\u009b"}"#,
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
