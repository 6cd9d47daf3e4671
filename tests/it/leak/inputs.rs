//! Captures, messages and recordings with canaries in every hidden field.

use std::fmt::Write;

use evtap::model::Stream;
use serde_json::{Map, Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::canaries::events_with_canaries;

/// Invalid events that contain a canary.
const BROKEN: &[&str] = &[
    r#"{"caller_id":"Jane CanaryQzvxkwjh"#,
    r#"{"caller_id":"Jane CanaryQzvxkwjh""#,
    r#"["Jane CanaryQzvxkwjh",4081516234]"#,
    r#""Jane CanaryQzvxkwjh""#,
    "4081516234",
    "Jane CanaryQzvxkwjh",
    r#"{"caller_id":"Jane CanaryQzvxkwjh" "x"}"#,
    r#"{"caller_id":"Jane CanaryQzvxkwjh \ud800"}"#,
    r#"{"Jane CanaryQzvxkwjh":4081516234,}"#,
];

/// Returns a capture of the workspace stream. Half of the events have their type in the `event:`
/// line, the others in the data.
pub fn sse() -> String {
    let mut text = "retry: 1\n\n: Jane CanaryQzvxkwjh\n\n".to_owned();
    for (index, (event_type, mut payload)) in
        events_with_canaries(Stream::Workspace).into_iter().enumerate()
    {
        let _ = writeln!(text, "id: {index}");
        if index % 2 == 0 {
            let _ = writeln!(text, "event: {event_type}");
        } else {
            payload.insert("event_type".to_owned(), event_type.into());
        }
        let _ = write!(text, "data: {}\n\n", Value::from(payload));
    }
    for broken in BROKEN {
        let _ = write!(text, "id: Jane CanaryQzvxkwjh\nevent: call.started\ndata: {broken}\n\n");
    }
    text + "Canary: Jane CanaryQzvxkwjh\ndata: {}\n\n"
}

/// Returns the number of frames that have data.
pub fn frames(sse: &str) -> usize {
    sse.lines().filter(|line| line.starts_with("data:")).count()
}

/// Returns messages of an observer in both envelopes: flat, and with the payload in `data`.
pub fn messages() -> Vec<Message> {
    let mut messages = Vec::new();
    for (index, (event_type, payload)) in
        events_with_canaries(Stream::Observer).into_iter().enumerate()
    {
        let mut message = Map::from_iter([("type".to_owned(), event_type.clone().into())]);
        if index % 2 == 0 {
            message.extend(payload);
        } else {
            message.insert("data".to_owned(), payload.into());
        }
        // `session_end` ends the observation, so it must not come early.
        if event_type != "session_end" || index > 100 {
            messages.push(Message::text(Value::from(message).to_string()));
        }
    }
    let broken = BROKEN
        .iter()
        .map(|text| Message::text(*text))
        .chain([Message::binary(b"Jane CanaryQzvxkwjh \xff".to_vec())]);
    messages.splice(0..0, broken);
    messages
}

/// Returns a recording: bare events of both streams, observer messages in both envelopes,
/// CloudEvents, and lines with forged `_tap` members.
pub fn ndjson() -> Vec<u8> {
    let mut lines = Vec::new();
    let mut line = |text: &[u8]| lines.extend_from_slice(&[text, b"\n"].concat());
    for (event_type, payload) in
        [events_with_canaries(Stream::Workspace), events_with_canaries(Stream::Observer)].concat()
    {
        let mut flat = Map::from_iter([("event_type".to_owned(), event_type.into())]);
        flat.extend(payload);
        line(Value::from(flat).to_string().as_bytes());
    }
    for message in messages() {
        line(&message.into_data());
    }
    for (event_type, payload) in events_with_canaries(Stream::Workspace) {
        let canary = "Jane CanaryQzvxkwjh";
        let attributes = json!({"specversion": "1.0", "id": canary, "source": canary, "subject": canary, "time": canary,
            "type": event_type, "patient": canary, canary: 4_081_516_234_u64, "datacontenttype": canary, "data": payload});
        line(attributes.to_string().as_bytes());
    }
    for tap in [
        r#"{"id":"Jane CanaryQzvxkwjh"}"#,
        r#"{"redacted":["Jane CanaryQzvxkwjh"]}"#,
        r#"{"redacted":["Jane-CanaryQzvxkwjh-1980-03-04"]}"#,
        r#"{"redacted":["caller_id","[redacted 4081516234]"]}"#,
        r#"{"scrubbed":["caller_id.CanaryQzvxkwjh-1980"]}"#,
        r#"{"drift":[{"kind":"unknown_field","field":"CanaryQzvxkwjh.mrnA-123-456"}]}"#,
        r#"{"time":"Jane CanaryQzvxkwjh","stream":"Canary"}"#,
        r#"{"Jane CanaryQzvxkwjh":4081516234}"#,
        r#""Jane CanaryQzvxkwjh""#,
    ] {
        line(
            format!(
                r#"{{"event_type":"call.started","caller_id":"Jane CanaryQzvxkwjh","_tap":{tap}}}"#
            )
            .as_bytes(),
        );
        line(
            format!(
                r#"{{"event_type":"call.started","_tap":{tap},"caller_id":"Jane CanaryQzvxkwjh"}}"#
            )
            .as_bytes(),
        );
    }
    lines
}
