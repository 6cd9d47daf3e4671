//! Values of labels: bounded in number and in bytes, and never from a hidden or a free-text field.

use std::fmt::Write;
use std::sync::Arc;

use evtap::emulator::samples::sample;
use evtap::internals::cli::metrics::collector::RunCollector;
use evtap::internals::cli::metrics::events::EventMetrics;
use evtap::internals::cli::metrics::format::TextFormat;
use evtap::internals::cli::metrics::registry::registry;
use evtap::model::decode::Decoder;
use evtap::model::{Class, FrameFormat, Kind, Stream};
use evtap::redact::{Policy, Redactor};
use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use super::{LISTEN, start};
use crate::canaries::{SECRETS, canaries, events_with_canaries};
use crate::decode_redact::frame;
use crate::support::{STREAM, curl, scripted, watch};
use crate::traces::Traces;

/// Returns both text formats after these events.
pub fn texts<'e>(events: impl Iterator<Item = &'e Value>, policy: &Policy) -> [String; 2] {
    let collector =
        RunCollector { meter: Arc::default(), deliveries: Vec::new(), spans: Vec::new() };
    let (registry, mut metrics) = registry(collector, Timestamp::now);
    observe(&mut metrics, events, policy);
    [TextFormat::Prometheus, TextFormat::OpenMetrics]
        .map(|format| format.encode(&registry).expect("every metric has a form"))
}

/// Decodes, redacts and counts events.
pub fn observe<'e>(
    metrics: &mut EventMetrics,
    events: impl Iterator<Item = &'e Value>,
    policy: &Policy,
) {
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(policy.clone()));
    for event in events {
        let text = event.to_string();
        let raw = frame(FrameFormat::Record, None, text.as_bytes());
        metrics.observe(&redactor.redact(&decoder.decode(raw.as_frame())), true);
    }
}

/// Puts canaries into every field of every event, also into those that are shown.
#[test]
fn no_value_comes_from_a_field_that_may_hold_text() {
    let mut rng = StdRng::seed_from_u64(3);
    let mut events = Vec::new();
    for canary in canaries() {
        for kind in Kind::ALL.iter().chain(Kind::OWN) {
            let mut event = Map::new();
            event.insert("event_type".to_owned(), kind.spec().event_type.into());
            for (name, _) in sample(kind.spec(), &mut rng) {
                event.insert(name, canary.clone());
            }
            events.push(Value::from(event));
        }
        events.push(json!({"event_type": canary, "tool_name": canary}));
        events.push(json!({"event_type": "CanaryQzvxkwjh.started", "tool_name": canary}));
    }
    let mut revealing = Policy::default();
    revealing.reveal.add("all");
    for policy in [Policy::default(), revealing] {
        for text in texts(events.iter(), &policy) {
            assert_eq!(Traces::new(SECRETS).find(&text), None);
            assert!(!text.contains("Canary") && !text.contains("Jane"), "{text}");
        }
    }
}

#[test]
fn the_number_and_the_length_of_values_are_bounded() {
    let tool = |name: String| json!({"event_type": "tool_call_completed", "tool_name": name, "call_id": "1", "duration_ms": 5.0});
    let letters = |number: usize| {
        let digit = |at: u32| {
            char::from(b'a' + u8::try_from(number / 26_usize.pow(at) % 26).expect("a letter"))
        };
        (0..3).map(digit).collect::<String>()
    };
    let mut events: Vec<_> = (0..5000).map(|number| tool(letters(number))).collect();
    events.push(tool("x".repeat(65)));
    events.push(tool(letters(0)));
    for text in texts(events.iter(), &Policy::default()) {
        let counts: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("evtap_tool_duration_seconds_count"))
            .collect();
        assert_eq!(counts.len(), 101);
        let other = "evtap_tool_duration_seconds_count{tool=\"other\"} 4901";
        assert!(counts.contains(&other), "{counts:?}");
        assert!(counts.contains(&"evtap_tool_duration_seconds_count{tool=\"aaa\"} 2"));
        assert!(text.lines().all(|line| line.len() < 200));
    }
    let alert = |rule: String| json!({"event_type": "tap.alert", "rule": rule, "key": "Jane", "state": "raised"});
    let mut alerts: Vec<_> = (0..5000).map(|number| alert(letters(number))).collect();
    alerts.push(alert("of Jane Roe".to_owned()));
    alerts.push(json!({"event_type": "tap.alert", "rule": "aaa", "state": "Jane"}));
    for text in texts(alerts.iter(), &Policy::default()) {
        let counts: Vec<_> =
            text.lines().filter(|line| line.starts_with("evtap_alerts_total{")).collect();
        assert_eq!(counts.len(), 202, "{counts:?}");
        for (rule, state, count) in
            [("aaa", "raised", 1), ("aaa", "other", 1), ("other", "raised", 4801)]
        {
            let line = format!("evtap_alerts_total{{rule=\"{rule}\",state=\"{state}\"}} {count}");
            assert!(counts.contains(&&*line), "{line}: {counts:?}");
        }
        assert!(!text.contains("Jane"));
    }
    let mut undeclared = String::new();
    for number in 0..3 {
        let _ = write!(undeclared, "a{number}.");
    }
    let events = [json!({"event_type": undeclared.clone()})];
    let [text, _] = texts(events.iter(), &Policy::default());
    assert!(
        !text.contains(&undeclared) && text.contains("evtap_events_total{event_type=\"other\"} 1")
    );
}

/// Scrapes a live run whose stream has canaries in every hidden and every free-text field.
#[tokio::test]
async fn nothing_hidden_can_be_scraped() {
    let mut body = String::new();
    let mut rng = StdRng::seed_from_u64(3);
    let mut id = 1_795_932_465_001_u64;
    let mut add = |event_type: &str, mut event: Map<String, Value>| {
        event.insert("event_type".to_owned(), event_type.into());
        let _ = write!(body, "id: {id}\ndata: {}\n\n", Value::from(event));
        id += 1;
    };
    for stream in [Stream::Workspace, Stream::Observer] {
        for (event_type, event) in events_with_canaries(stream) {
            add(&event_type.replace('\n', " "), event);
        }
        for kind in Kind::ALL.iter().filter(|kind| kind.spec().stream == stream) {
            let mut event = sample(kind.spec(), &mut rng);
            for field in kind.spec().fields.iter().filter(|field| field.class == Class::Free) {
                event.insert(field.name.to_owned(), canaries()[0].clone());
            }
            add(kind.spec().event_type, event);
        }
    }
    add("text.started", json!({"session_id": "the-last"}).as_object().expect("an object").clone());
    let answer = format!("{STREAM}{body}").into_bytes();
    for options in ["", "--reveal all", "--phi drop", "--builtin"] {
        let base = scripted([answer.clone()]).await;
        let (mut run, metrics) = start(watch(&base, &format!("{LISTEN} {options}"))).await;
        while !run.line().await.contains("the-last") {}
        for accept in ["", "Accept: application/openmetrics-text;version=1.0.0\r\n"] {
            let (head, text) = curl(&metrics, "/metrics", accept, |_| false).await;
            let counted = "evtap_events_total{event_type=\"text.started\"}";
            assert!(text.contains(counted), "{text}");
            for text in [head, text] {
                assert_eq!(Traces::new(SECRETS).find(&text), None, "{options}");
                assert!(!text.contains("Canary") && !text.contains("Jane"), "{options}: {text}");
            }
        }
    }
}
