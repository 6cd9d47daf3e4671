//! A canary in every field that is hidden, in every type that JSON has: it must not be seen in anything that comes out, by
//! whichever way it went in, unless somebody asked for it by name.

use std::fmt::Write;

use evtap::emulator::samples::sample;
use evtap::event::{Class, EventSpec, Kind, Stream};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Ran, STREAM, evtap, observe, scripted, socket, watch};

/// What a canary can be recognised by: as text, as a number, with a fraction.
const CANARIES: &[&str] = &["Canary", "4081516234", "40815.16234"];

/// A canary in each type of JSON. Text has a space, as what people write does; names of members don't need it to be hidden.
fn canaries() -> [Value; 7] {
    [
        json!("Jane Canary \u{1b}[31m\u{202e}+1 202 555 0123"),
        json!(4_081_516_234_u64),
        json!(40815.16234),
        json!(true),
        json!(["Jane Canary", 4_081_516_234_u64, [{"a": "Canary"}]]),
        json!({"name": "Jane Canary", "inner": {"deep": [40815.16234, "Canary"]}}),
        json!({"Jane Canary": {"CanaryKey": 1, "4081516234": null}}),
    ]
}

/// An event that has the canary in every hidden field, and in two fields that nobody has declared.
fn bearing(spec: &'static EventSpec, canary: &Value, rng: &mut StdRng) -> Map<String, Value> {
    let mut event = sample(spec, rng);
    for field in spec.fields.iter().filter(|field| field.class.is_hidden()) {
        event.insert(field.name.to_owned(), canary.clone());
    }
    event.insert("undeclared".to_owned(), canary.clone());
    event.insert("Jane Canary".to_owned(), canary.clone());
    event
}

/// Every event of a stream with every canary, and events that nobody has declared; type and payload.
fn bearers(stream: Stream) -> Vec<(String, Map<String, Value>)> {
    let mut rng = StdRng::seed_from_u64(5);
    let mut events = Vec::new();
    for canary in &canaries() {
        for kind in Kind::ALL.iter().filter(|kind| kind.spec().stream == stream) {
            events.push((kind.spec().event_type.to_owned(), bearing(kind.spec(), canary, &mut rng)));
        }
        let unknown = json!({"field": canary, "Jane Canary": canary});
        for name in ["brand.new", "Jane Canary", "+1 4081516234"] {
            events.push((name.to_owned(), unknown.as_object().expect("an object").clone()));
        }
    }
    events
}

/// What is no event, around a canary.
const BROKEN: &[&str] = &[
    r#"{"caller_id":"Jane Canary"#,
    r#"{"caller_id":"Jane Canary""#,
    r#"["Jane Canary",4081516234]"#,
    r#""Jane Canary""#,
    "4081516234",
    "Jane Canary",
    r#"{"caller_id":"Jane Canary" "x"}"#,
    r#"{"caller_id":"Jane Canary \ud800"}"#,
    r#"{"Jane Canary":4081516234,}"#,
];

/// As `event:` line and data, or with the type in the data.
fn sse() -> String {
    let mut text = "retry: 1\n\n: Jane Canary\n\n".to_owned();
    for (index, (event_type, mut payload)) in bearers(Stream::Workspace).into_iter().enumerate() {
        let _ = writeln!(text, "id: {index}");
        if index % 2 == 0 {
            let _ = writeln!(text, "event: {event_type}");
        } else {
            payload.insert("event_type".to_owned(), event_type.into());
        }
        let _ = write!(text, "data: {}\n\n", Value::from(payload));
    }
    for broken in BROKEN {
        let _ = write!(text, "id: Jane Canary\nevent: call.started\ndata: {broken}\n\n");
    }
    text + "Canary: Jane Canary\ndata: {}\n\n"
}

/// How many frames of it have data.
fn frames(sse: &str) -> usize {
    sse.lines().filter(|line| line.starts_with("data:")).count()
}

/// Messages of both shapes.
fn messages() -> Vec<Message> {
    let mut messages = Vec::new();
    for (index, (event_type, payload)) in bearers(Stream::Observer).into_iter().enumerate() {
        let mut message = Map::from_iter([("type".to_owned(), event_type.clone().into())]);
        if index % 2 == 0 {
            message.extend(payload);
        } else {
            message.insert("data".to_owned(), payload.into());
        }
        // The end of the call comes at the end.
        if event_type != "session_end" || index > 100 {
            messages.push(Message::text(Value::from(message).to_string()));
        }
    }
    let broken = BROKEN.iter().map(|text| Message::text(*text)).chain([Message::binary(b"Jane Canary \xff".to_vec())]);
    messages.splice(0..0, broken);
    messages
}

/// The same as lines: bare events of both streams, as objects of both shapes, and what is none.
fn ndjson() -> Vec<u8> {
    let mut lines = Vec::new();
    let mut line = |text: &[u8]| lines.extend_from_slice(&[text, b"\n"].concat());
    for (event_type, payload) in [bearers(Stream::Workspace), bearers(Stream::Observer)].concat() {
        let mut flat = Map::from_iter([("event_type".to_owned(), event_type.into())]);
        flat.extend(payload);
        line(Value::from(flat).to_string().as_bytes());
    }
    for message in messages() {
        line(&message.into_data());
    }
    for tap in [
        r#"{"id":"Jane Canary"}"#,
        r#"{"redacted":["Jane Canary"]}"#,
        r#"{"time":"Jane Canary","stream":"Canary"}"#,
        r#"{"Jane Canary":4081516234}"#,
        r#""Jane Canary""#,
    ] {
        line(format!(r#"{{"event_type":"call.started","caller_id":"Jane Canary","_tap":{tap}}}"#).as_bytes());
        line(format!(r#"{{"event_type":"call.started","_tap":{tap},"caller_id":"Jane Canary"}}"#).as_bytes());
    }
    lines
}

/// Every way of showing that hides.
const OUTPUTS: &[&str] = &[
    "-o ndjson",
    "-o ndjson --phi drop",
    "-o pretty --color never",
    "-o pretty --color always --wrap",
    "-o pretty --phi drop --status json",
    "-o ndjson --status json",
    "-o ndjson --redact transcript,all",
];

#[track_caller]
fn hides(ran: &Ran, how: &str) {
    let all = ran.ended(0);
    assert!(all.lines().count() > 100, "{how}: too little came out to say anything");
    for line in ran.all().lines() {
        for canary in CANARIES {
            assert!(!line.contains(canary), "{how}: {canary} in {line}");
        }
        let terminal = line.replace("\u{1b}[", "");
        assert!(how.contains("always") || !terminal.chars().any(evtap::sanitize::is_hostile), "{how}: {line:?}");
    }
}

#[tokio::test]
async fn replays_hide() {
    for output in OUTPUTS {
        hides(&evtap(&format!("replay - {output}")).stdin(ndjson()).run().await, output);
        hides(&evtap(&format!("replay - {output}")).stdin(sse()).run().await, output);
    }
}

#[tokio::test]
async fn the_workspace_stream_hides() {
    for output in OUTPUTS {
        let sse = sse();
        let base = scripted([format!("{STREAM}{sse}").into_bytes()]).await;
        hides(&watch(&base, &format!("{output} -n {}", frames(&sse))).run().await, output);
    }
}

#[tokio::test]
async fn the_observer_hides() {
    for output in OUTPUTS {
        let base = socket(messages()).await;
        hides(&observe(&base, output).run().await, output);
    }
}

#[tokio::test]
async fn a_control_frames_prose_and_an_answers_body_are_not_shown() {
    let control =
        "event: error\ndata: {\"code\":\"too_many_streams\",\"message\":\"Jane Canary\",\"max_streams\":\"Canary\"}\n\n";
    let body = "HTTP/1.1 404 Canary\r\nX-Canary: Canary\r\nContent-Type: text/Canary\r\nContent-Length: 6\r\n\r\nCanary";
    let page = "HTTP/1.1 200 Canary\r\nContent-Type: text/html; Canary\r\nContent-Length: 6\r\n\r\nCanary";
    for (answer, status) in [(format!("{STREAM}{control}"), 6), (body.to_owned(), 4), (page.to_owned(), 1)] {
        for format in ["text", "json"] {
            let base = scripted([answer.clone().into_bytes()]).await;
            let ran = watch(&base, &format!("--status {format}")).run().await;
            assert_eq!(ran.ended(status), "");
            assert!(!ran.stderr().is_empty() && !ran.stderr().contains("Canary"), "{}", ran.stderr());
        }
    }
}

#[tokio::test]
async fn each_hidden_field_is_shown_to_who_asks_and_its_mask_to_who_does_not() {
    let mut annotated = 0;
    for spec in Kind::ALL.iter().map(|kind| kind.spec()) {
        for field in spec.fields.iter().filter(|field| field.class.is_hidden()) {
            annotated += usize::from(field.class == Class::Phi);
            let lines: Vec<_> = canaries()
                .into_iter()
                .chain([Value::Null])
                .map(|canary| {
                    let event = json!({"event_type": spec.event_type, field.name: canary});
                    (canary, event.to_string())
                })
                .collect();
            let text = lines.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n");
            let masked = evtap("replay -").stdin(text.clone()).run().await.ended(0);
            let revealed =
                evtap(&format!("replay - --reveal {}.{}", spec.event_type, field.name)).stdin(text).run().await.ended(0);
            for (((canary, _), masked), revealed) in lines.iter().zip(masked.lines()).zip(revealed.lines()) {
                let [masked, revealed] = [masked, revealed].map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
                let mask = if canary.is_null() { Value::Null } else { json!("[redacted]") };
                assert_eq!(masked[field.name], mask, "{}.{}", spec.event_type, field.name);
                assert_eq!(masked["_tap"]["redacted"].is_array(), !canary.is_null());
                assert_eq!(&revealed[field.name], canary, "{}.{}", spec.event_type, field.name);
            }
        }
    }
    assert_eq!(annotated, 28);
}

#[tokio::test]
async fn reveal_all_shows_all() {
    for output in ["ndjson", "pretty --color never"] {
        let base = scripted([format!("{STREAM}{}", sse()).into_bytes()]).await;
        let shown = watch(&base, &format!("--reveal all -o {output} -n 200")).run().await;
        for canary in CANARIES {
            assert!(shown.ended(0).contains(canary), "{output}: {canary}");
        }
        assert!(shown.stderr().contains("revealed by name: all"));
    }
}
