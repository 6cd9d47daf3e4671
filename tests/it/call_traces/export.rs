//! `--otlp`: what a collector receives, whatever it answers.

use std::collections::BTreeMap;

use evtap::emulator::{DEMO_CALL, Fault, Ledger, Options};
use evtap::model::{Class, Kind, Stream};
use serde_json::{Map, Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::decoded::{Spans, attribute};
use super::ledger::assert_agrees;
use crate::canaries::{SECRETS, canaries, events_with_canaries};
use crate::support::{
    Posts, RunOutput, bodies, closed_port, emulator, endpoint, events, evtap, fast, observe,
    status, watch, websocket_server,
};
use crate::timeline::SID;
use crate::traces::Traces;

/// Starts a collector. Returns its base URL and the requests.
async fn collector(answer: impl Fn(usize) -> String + Send + Sync + 'static) -> (String, Posts) {
    let (url, posts) = endpoint(answer).await;
    (url.strip_suffix("/in?x=y").expect("the path of the endpoint").to_owned(), posts)
}

fn accept(_: usize) -> String {
    status(200, "")
}

/// Returns the last status message of a run with `--status json`.
fn done(ran: &RunOutput) -> Value {
    events(&ran.stderr()).pop().expect("a last line")
}

#[tokio::test]
async fn a_live_call_is_exported_when_it_ends() {
    let ledger = Ledger::default();
    let base = emulator(Options { ledger: Some(ledger.clone()), ..fast() }).await;
    let (url, posts) = collector(accept).await;
    let ran = observe(&base, &format!("--status json --otlp {url}")).run().await;
    let recording = ran.ended(0);
    let head = posts.lock().expect("no panic")[0].head.to_ascii_lowercase();
    assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/json\r\n"), "{head}");
    let spans = Spans::decode(&bodies(&posts));
    assert_agrees(&spans, &ledger.observed());
    let sent = ledger.observed();
    let start = sent.iter().find(|event| event.kind == Kind::SessionStart).expect("a beginning");
    let trace = u128::from_str_radix(start.payload["trace_id"].as_str().expect("an id"), 16);
    assert_eq!(spans.only("call").trace_id, trace.expect("hexadecimal digits").to_be_bytes());
    let done = done(&ran);
    assert_eq!(done["exported"], spans.0.len(), "{done}");
    assert_eq!((&done["refused"], &done["dropped"]), (&json!(0), &json!(0)), "{done}");
    assert_eq!(timeline(&recording, DEMO_CALL).await, bodies(&posts));
}

/// Returns the times at which the calls of a recording start and end by the platform's clock, by SID
/// and type.
fn call_times(recording: &str) -> BTreeMap<(String, String), u64> {
    let time = |event: Value| {
        let (sid, event_type) = (event["call_sid"].as_str()?, event["event_type"].as_str()?);
        let id = event["_tap"]["id"].as_str()?.parse().ok()?;
        Some(((sid.to_owned(), event_type.to_owned()), id))
    };
    events(recording).into_iter().filter_map(time).collect()
}

async fn timeline(recording: &str, sid: &str) -> String {
    evtap(&format!("timeline {sid} - -o otlp")).stdin(recording).run().await.ended(0)
}

#[tokio::test]
async fn the_calls_of_a_workspace_are_exported_as_their_recordings_say() {
    // Some observers are disconnected, of which some find their call again.
    let faults = (0..40).map(|number| if number % 4 == 1 { Fault::Cut(6000) } else { Fault::None });
    let faults = faults.collect();
    let base = emulator(Options { rate: 500.0, seed: 3, faults, ..Options::default() }).await;
    let (url, posts) = collector(accept).await;
    let options = format!("--auto-observe 4 -n 3000 --status json --otlp {url}");
    let ran = watch(&base, &options).run().await;
    let recording = ran.ended(0);
    let exported = Spans::decode(&bodies(&posts));
    assert_eq!(done(&ran)["exported"], exported.0.len());
    let mut observed = 0;
    let time_of = call_times(&recording);
    let is_observed = |spans: &Spans| !spans.named("turn").is_empty();
    for (sid, spans) in exported.by_call().into_iter().filter(|(_, spans)| is_observed(spans)) {
        let recorded = Spans::decode(&timeline(&recording, &sid).await);
        assert_eq!(spans, recorded, "{sid}");
        let call = spans.only("call");
        let missing = attribute(call, "evtap.trace.missing").unwrap_or_default();
        observed += usize::from(!missing.contains("observer") && !missing.contains("end"));
        let has_gap = call.events.iter().any(|event| event.name == "tap.gap");
        assert_eq!(has_gap, missing.contains("gap"), "{sid}");
        for (event_type, nanos) in
            [("call.started", call.start_time_unix_nano), ("call.ended", call.end_time_unix_nano)]
        {
            let known = time_of.get(&(sid.clone(), event_type.to_owned()));
            assert!(known.is_none_or(|millis| millis * 1_000_000 == nanos), "{sid} {event_type}");
        }
    }
    assert!(observed > 3, "only {observed} calls were observed to their end");
}

#[tokio::test]
async fn temporary_failures_are_retried_and_others_are_not() {
    let base = emulator(fast()).await;
    let answer = |number| match number {
        0 => status(503, ""),
        1 => status(429, "Retry-After: 0\r\n"),
        2 => String::new(),
        3 => status(502, ""),
        4 => status(504, ""),
        _ => status(200, ""),
    };
    let (url, posts) = collector(answer).await;
    let ran = observe(&base, &format!("--otlp {url}/v1/traces")).run().await;
    ran.ended(0);
    let sent = bodies(&posts);
    let sent: Vec<_> = sent.lines().collect();
    assert_eq!(sent.len(), 6);
    assert!(sent.iter().all(|body| *body == sent[0]), "the same request is sent again");
    for why in ["the collector answered 503", "the collector answered 429", "connection closed"] {
        let expected = format!("cannot export now: {why}; trying again in ");
        assert!(ran.stderr().contains(&expected), "{}", ran.stderr());
    }
    for (code, why) in [
        (400, "the collector answered 400"),
        (401, "the collector requires authentication (401); see --otlp-header"),
        (404, "the URL does not accept traces (404); check --otlp"),
        (307, "the collector answered with a redirect (307), which evtap does not follow"),
        (500, "the collector answered 500"),
    ] {
        let (url, posts) = collector(move |_| status(code, "Location: /x\r\n")).await;
        let ran = observe(&base, &format!("--fail-on-gap --otlp {url}")).run().await;
        ran.ended(8);
        assert_eq!(posts.lock().expect("no panic").len(), 1, "{code}");
        let stderr = ran.stderr();
        assert!(stderr.contains(&format!("spans: {why}; they are not sent again")), "{stderr}");
        assert!(
            stderr.contains("0 spans exported, ") && stderr.contains(" refused by the collector"),
            "{stderr}"
        );
        assert!(!stderr.contains("Canary"), "{stderr}");
    }
}

#[tokio::test]
async fn a_partial_success_is_reported() {
    let body = r#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"Canary"}}"#;
    let answer =
        move |_| format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let (url, posts) = collector(answer).await;
    let base = emulator(fast()).await;
    let ran = observe(&base, &format!("--status json --otlp {url}")).run().await;
    ran.ended(0);
    let spans = Spans::decode(&bodies(&posts)).0.len();
    let done = done(&ran);
    assert_eq!((&done["exported"], &done["refused"]), (&json!(spans - 3), &json!(3)), "{done}");
    assert!(!ran.stderr().contains("Canary"), "{}", ran.stderr());
}

#[tokio::test]
async fn a_collector_that_is_down_neither_stops_the_run_nor_hides_the_loss() {
    let base = emulator(fast()).await;
    let (_port, url) = closed_port();
    let mut running = observe(&base, &format!("--status json --otlp {url}")).start();
    while !running.status_line().await.contains("\"ended\"") {}
    // The events are printed before evtap waits for the collector, which a signal shortens.
    while !running.line().await.contains("session_end") {}
    running.signal("INT");
    let ran = running.end().await;
    ran.ended(130);
    let done = done(&ran);
    assert_eq!((&done["exported"], &done["refused"]), (&json!(0), &json!(0)), "{done}");
    assert!(done["dropped"].as_u64().is_some_and(|dropped| dropped > 10), "{done}");
    let status = events(&ran.stderr());
    let unsent = status.iter().find(|line| line["result"] == "unsent").expect("a message");
    assert_eq!(unsent["spans"], done["dropped"]);
}

#[tokio::test]
async fn a_signal_exports_the_calls_that_are_not_over() {
    let base = emulator(Options { rate: 50.0, ..fast() }).await;
    let (url, posts) = collector(accept).await;
    let mut running = observe(&base, &format!("--otlp {url}")).start();
    while !running.line().await.contains("tool_call_started") {}
    running.signal("INT");
    let ran = running.end().await;
    let rest = ran.ended(130);
    assert!(ran.stderr().contains(" spans exported"), "{}", ran.stderr());
    let spans = Spans::decode(&bodies(&posts));
    let call = spans.only("call");
    assert_eq!(attribute(call, "evtap.unfinished").as_deref(), Some("true"));
    assert_eq!(attribute(call, "evtap.trace.missing").as_deref(), Some("end"));
    let tool = spans.named("execute_tool")[0];
    let was_answered = rest.contains("tool_call_completed");
    assert_eq!(attribute(tool, "evtap.unfinished").is_none(), was_answered);
}

#[tokio::test]
async fn headers_are_sent_and_not_shown() {
    let (url, posts) = collector(accept).await;
    let base = emulator(fast()).await;
    let ran = observe(&base, &format!("--otlp {url} --otlp-header @secret"))
        .file("secret", "Authorization: Bearer canary-7\nX-Scope: clinic\n")
        .mode("secret", 0o600)
        .run()
        .await;
    ran.ended(0);
    let head = posts.lock().expect("no panic")[0].head.to_ascii_lowercase();
    assert!(head.contains("authorization: bearer canary-7\r\nx-scope: clinic\r\n"), "{head}");
    assert!(!ran.all().contains("canary-7"));
}

#[tokio::test]
async fn the_options_are_checked_before_anything_connects() {
    for (options, why) in [
        ("watch -w demo --otlp http://127.0.0.1:4318", "no call is observed"),
        ("observe -c demo --otlp http://collector.example:4318", "in the clear"),
        ("observe -c demo --otlp ws://127.0.0.1:4318", "a WebSocket does not accept posts"),
        ("observe -c demo --otlp 127.0.0.1", "it is not a URL"),
        ("observe -c demo --otlp-header X:y", "--otlp"),
    ] {
        let ran = evtap(options).run().await;
        ran.ended(2);
        assert!(ran.stderr().contains(why), "{options}: {}", ran.stderr());
    }
}

/// Returns the events of a stream with canaries in all fields that are not open, and in undeclared
/// ones.
fn canary_events(stream: Stream) -> Vec<Map<String, Value>> {
    let with_type = |(event_type, mut event): (String, Map<String, Value>)| {
        let spec = Kind::ALL.iter().map(|kind| kind.spec()).find(|it| it.event_type == event_type);
        for field in spec.into_iter().flat_map(|spec| spec.fields) {
            if field.class != Class::Open {
                event.insert(field.name.to_owned(), canaries()[0].clone());
            }
        }
        event.insert("event_type".to_owned(), event_type.into());
        event
    };
    events_with_canaries(stream).into_iter().map(with_type).collect()
}

fn assert_hidden(text: &str, how: &str) {
    let found = Traces::new(SECRETS).find(text).map(|(trace, line)| format!("{trace} in {line}"));
    assert_eq!(found, None, "{how}");
    assert!(!text.contains("Canary") && !text.contains("4081516234"), "{how}");
    assert!(!evtap::text::terminal::has_hostile(&text.replace('\n', "")), "{how}");
}

#[tokio::test]
async fn traces_of_recordings_hide_canaries() {
    let events = [canary_events(Stream::Workspace), canary_events(Stream::Observer)].concat();
    let mut lines = String::new();
    let is_end = |event: &Map<String, Value>| {
        matches!(event["event_type"].as_str(), Some("call.ended" | "session_end"))
    };
    let (ends, others): (Vec<_>, Vec<_>) = events.into_iter().partition(is_end);
    for (number, mut event) in others.into_iter().chain(ends).enumerate() {
        if event.get("call_sid").is_some_and(Value::is_string) {
            event.insert("call_sid".to_owned(), json!(SID));
        }
        let time = format!("2026-05-05T10:{:02}:{:02}.000Z", number / 60, number % 60);
        let tap = json!({"time": time, "received_at": time, "call_sid": SID});
        event.insert("_tap".to_owned(), tap);
        lines += &(Value::from(event).to_string() + "\n");
    }
    for options in ["", "--reveal all", "--phi partial", "--phi drop", "--scrub all"] {
        let ran = evtap(&format!("timeline {SID} - -o otlp {options}"))
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "full")
            .stdin(lines.clone())
            .run()
            .await;
        let printed = ran.ended(0);
        assert!(Spans::decode(&printed).0.len() > 20, "too little came out to say anything");
        assert_hidden(&printed, options);
    }
}

#[tokio::test]
async fn traces_of_live_calls_hide_canaries() {
    for options in ["--status json", "--reveal all --status json"] {
        let (url, posts) =
            collector(|number| status(if number == 0 { 503 } else { 200 }, "")).await;
        let message = |event: Map<String, Value>| {
            let mut event = event;
            let event_type = event.remove("event_type").expect("a type");
            event.insert("type".to_owned(), event_type);
            event.insert("call_sid".to_owned(), json!(DEMO_CALL));
            Value::from(event)
        };
        let mut messages: Vec<_> =
            canary_events(Stream::Observer).into_iter().map(message).collect();
        let (ends, others): (Vec<_>, Vec<_>) =
            messages.drain(..).partition(|message| message["type"] == "session_end");
        let messages = others.into_iter().chain(ends);
        let base =
            websocket_server(messages.map(|it| Message::text(it.to_string())).collect()).await;
        let ran = observe(&base, &format!("{options} --otlp {url}"))
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "full")
            .run()
            .await;
        assert!(Spans::decode(bodies(&posts).lines().next_back().expect("a request")).0.len() > 20);
        assert_hidden(&bodies(&posts), options);
        assert_hidden(&ran.stderr(), options);
    }
}
