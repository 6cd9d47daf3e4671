//! The workspace stream.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;

use super::{AT_ONCE, DEMO_WORKSPACE, Emulator, Options, TOKEN, client, faulty};
use crate::emulator::{ServedWorkspaces, demo_workspace};
use crate::model::{Kind, Stream};
use crate::transport::credential::Credential;

const RETRY: &str = "retry: 3000\n\n";

fn request(emulator: &Emulator, workspace: &str) -> RequestBuilder {
    client().get(format!("http://{}/v1/{workspace}/events/stream", emulator.address))
}

async fn open(emulator: &Emulator) -> Response {
    request(emulator, DEMO_WORKSPACE).bearer_auth(TOKEN).send().await.expect("an answer")
}

async fn resume(emulator: &Emulator, id: u64) -> Response {
    let request = request(emulator, DEMO_WORKSPACE).bearer_auth(TOKEN).header("last-event-id", id);
    request.send().await.expect("an answer")
}

/// Reads until the body has so many frames, comments among them, at least.
async fn frames(response: &mut Response, count: usize) -> Vec<String> {
    let mut text = String::new();
    while text.matches("\n\n").count() < count {
        let chunk = response.chunk().await.expect("a whole body").expect("more frames");
        text.push_str(std::str::from_utf8(&chunk).expect("text"));
    }
    text.split_terminator("\n\n").map(str::to_owned).collect()
}

fn field<'a>(frame: &'a str, name: &str) -> Option<&'a str> {
    frame.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn id(frame: &str) -> u64 {
    field(frame, "id").and_then(|id| id.parse().ok()).expect("an id")
}

#[tokio::test]
async fn lets_nobody_in_without_the_credential() {
    let key = Credential::new(TOKEN, "a test").expect("legal");
    let emulator = Emulator::start(Options { api_key: Some(key), ..Options::default() }).await;
    let without = request(&emulator, DEMO_WORKSPACE).send().await.expect("an answer");
    assert_eq!(without.status(), StatusCode::UNAUTHORIZED);
    for wrong in ["Bearer other-key", "Bearer ", "Basic test-key", TOKEN] {
        let answer = request(&emulator, DEMO_WORKSPACE)
            .header("authorization", wrong)
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{wrong}");
    }
    assert_eq!(open(&emulator).await.status(), StatusCode::OK);
    emulator.stop().await;
}

#[tokio::test]
async fn any_legal_credential_will_do_where_none_is_set() {
    let emulator = Emulator::start(Options::default()).await;
    assert_eq!(open(&emulator).await.status(), StatusCode::OK);
    let illegal =
        request(&emulator, DEMO_WORKSPACE).bearer_auth("a b").send().await.expect("an answer");
    assert_eq!(illegal.status(), StatusCode::UNAUTHORIZED);
    emulator.stop().await;
}

#[tokio::test]
async fn has_no_other_workspace() {
    let other = "00000000-0000-4000-8000-000000000009";
    let any = Emulator::start(Options::default()).await;
    let one = Emulator::start(Options {
        workspaces: ServedWorkspaces::One(DEMO_WORKSPACE.into()),
        ..Options::default()
    })
    .await;
    for (emulator, workspace, status) in [
        (&any, "demo", StatusCode::NOT_FOUND),
        (&any, other, StatusCode::OK),
        (&one, other, StatusCode::NOT_FOUND),
        (&one, DEMO_WORKSPACE, StatusCode::OK),
    ] {
        let answer =
            request(emulator, workspace).bearer_auth(TOKEN).send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{workspace}");
    }
    any.stop().await;
    one.stop().await;
}

#[tokio::test]
async fn the_first_frame_is_retry_and_the_first_event_a_call() {
    let emulator = Emulator::start(Options::default()).await;
    let mut answer = open(&emulator).await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let frames = frames(&mut answer, 2).await;
    assert_eq!(frames[0], RETRY.trim_end());
    assert_eq!(field(&frames[1], "event"), Some("call.started"));
    emulator.stop().await;
}

#[tokio::test]
async fn a_day_has_every_type_ends_the_body_and_the_emulator() {
    let emulator =
        Emulator::start(Options { once: true, rate: AT_ONCE, ..Options::default() }).await;
    let text = open(&emulator).await.text().await.expect("a whole body");
    let events: Vec<_> =
        text.strip_prefix(RETRY).expect("retry first").split_terminator("\n\n").collect();
    let seen: BTreeSet<_> =
        events.iter().filter_map(|frame| Kind::from_name(field(frame, "event")?)).collect();
    let all = Kind::ALL.iter().copied().filter(|kind| kind.spec().stream == Stream::Workspace);
    assert_eq!(seen, all.collect());
    assert!(events.is_sorted_by_key(|frame| id(frame)));
    emulator.ends().await;
}

#[tokio::test]
async fn the_same_seed_gives_the_same_events() {
    let mut days = Vec::new();
    for seed in [1, 1, 2] {
        let emulator =
            Emulator::start(Options { once: true, rate: AT_ONCE, seed, ..Options::default() })
                .await;
        let text = open(&emulator).await.text().await.expect("a whole body");
        let events: Vec<_> = text
            .split("\n\n")
            .filter_map(|frame| {
                let mut data: Value = serde_json::from_str(field(frame, "data")?).expect("JSON");
                for name in ["timestamp", "submitted_at"] {
                    data.as_object_mut().map(|fields| fields.remove(name));
                }
                Some((field(frame, "event")?.to_owned(), data))
            })
            .collect();
        days.push(events);
        emulator.ends().await;
    }
    assert!(days[0].len() > 100);
    assert_eq!(days[0], days[1]);
    assert_ne!(days[0], days[2]);
}

#[tokio::test]
async fn replays_what_is_greater_than_the_last_id() {
    let emulator = Emulator::start(Options { rate: 500.0, ..Options::default() }).await;
    let first = id(&frames(&mut open(&emulator).await, 2).await[1]);
    let from_before = frames(&mut resume(&emulator, first - 1).await, 2).await;
    assert_eq!(field(&from_before[1], "event"), Some("call.started"));
    assert_eq!(id(&from_before[1]), first);
    let from_there = frames(&mut resume(&emulator, first).await, 2).await;
    assert!(id(&from_there[1]) > first, "what has the same id is not replayed");
    emulator.stop().await;
}

#[tokio::test]
async fn no_more_streams_than_there_may_be() {
    let emulator = Emulator::start(Options { max_streams: 1, ..Options::default() }).await;
    let _first = open(&emulator).await;
    let second = open(&emulator).await;
    assert_eq!(second.status(), StatusCode::OK);
    let text = second.text().await.expect("a whole body");
    let frame = text.strip_prefix(RETRY).expect("retry first");
    assert_eq!(field(frame, "event"), Some("error"));
    assert_eq!(field(frame, "id"), None);
    let data: Value = serde_json::from_str(field(frame, "data").expect("data")).expect("JSON");
    assert_eq!(
        (&data["code"], &data["max_streams"]),
        (&Value::from("too_many_streams"), &Value::from(1))
    );
    assert!(data["message"].is_string());
    emulator.stop().await;
}

#[tokio::test]
async fn faults_come_in_order_and_then_none() {
    let emulator = Emulator::start(faulty(&[
        "status=429:retry-after=2",
        "status=503",
        "none",
        "error=stream_error",
    ]))
    .await;
    let limited = open(&emulator).await;
    assert_eq!(limited.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(limited.headers()["retry-after"], "2");
    let unavailable = open(&emulator).await;
    assert_eq!(
        (unavailable.status(), unavailable.headers().get("retry-after")),
        (StatusCode::SERVICE_UNAVAILABLE, None)
    );
    assert!(frames(&mut open(&emulator).await, 2).await[1].contains("call.started"));
    let text = open(&emulator).await.text().await.expect("a whole body");
    assert!(
        text.ends_with("\n\n")
            && text.contains("event: error\ndata: {\"code\":\"stream_error\",\"message\":"),
        "{text}"
    );
    assert!(!text.contains("max_streams"));
    assert!(frames(&mut open(&emulator).await, 1).await[0].contains("retry"));
    emulator.stop().await;
}

#[tokio::test]
async fn a_refused_client_uses_no_fault_up() {
    let emulator = Emulator::start(faulty(&["status=500"])).await;
    assert_eq!(
        request(&emulator, DEMO_WORKSPACE).send().await.expect("an answer").status(),
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(open(&emulator).await.status(), StatusCode::INTERNAL_SERVER_ERROR);
    emulator.stop().await;
}

#[tokio::test]
async fn a_body_ends_or_breaks_after_so_many_bytes() {
    let emulator =
        Emulator::start(Options { rate: 500.0, ..faulty(&["end=200", "cut=300", "cut=0"]) }).await;
    assert_eq!(open(&emulator).await.text().await.expect("a whole body").len(), 200);
    for expected in [300, 0] {
        let mut answer = open(&emulator).await;
        let mut bytes = 0;
        let broken = loop {
            match answer.chunk().await {
                Ok(Some(chunk)) => bytes += chunk.len(),
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        assert!(broken, "the body did not end well");
        assert_eq!(bytes, expected);
    }
    emulator.stop().await;
}

#[tokio::test]
async fn who_was_cut_off_gets_the_rest_of_the_day() {
    let emulator =
        Emulator::start(Options { once: true, rate: AT_ONCE, ..faulty(&["cut=500"]) }).await;
    assert!(open(&emulator).await.text().await.is_err());
    let text = resume(&emulator, 0).await.text().await.expect("a whole body");
    assert!(text.starts_with(RETRY) && text.matches("event: call.ended").count() > 2);
    emulator.ends().await;
}

#[tokio::test]
async fn heartbeats_are_comments_that_repeat_the_position() {
    let heartbeat = Duration::from_millis(1);
    let emulator = Emulator::start(Options { heartbeat, rate: 0.001, ..Options::default() }).await;
    let mut answer = open(&emulator).await;
    let mut seen = frames(&mut answer, 2).await;
    while !seen.iter().any(|frame| frame.contains("event: call.started")) {
        seen.extend(frames(&mut answer, 1).await);
    }
    seen.extend(frames(&mut answer, 3).await);
    let first = seen.iter().find(|frame| frame.contains("event: ")).expect("an event");
    assert_eq!(seen.last(), Some(&format!(": heartbeat\nid: {}", id(first))));
    emulator.stop().await;
}

#[tokio::test]
async fn a_shutdown_ends_the_bodies_well() {
    let emulator = Emulator::start(Options::default()).await;
    let mut answer = open(&emulator).await;
    frames(&mut answer, 2).await;
    emulator.stop().await;
    while answer.chunk().await.expect("a whole body").is_some() {}
}

#[tokio::test]
async fn each_workspace_has_its_own_clinic() {
    let emulator =
        Emulator::start(Options { rate: AT_ONCE, once: true, ..Options::default() }).await;
    let read = async |workspace: &str| {
        let answer = request(&emulator, workspace).bearer_auth(TOKEN).send().await;
        answer.expect("an answer").text().await
    };
    let (one, two) = (demo_workspace(1), demo_workspace(2));
    let (one, two) = tokio::join!(read(&one), read(&two));
    let sids = |text: String| -> BTreeSet<String> {
        let sids = text.split("\"call_sid\":\"").skip(1);
        sids.map(|rest| rest[..34].to_owned()).collect()
    };
    let (one, two) = (sids(one.expect("a body")), sids(two.expect("a body")));
    assert!(!one.is_empty() && !two.is_empty());
    assert!(one.is_disjoint(&two), "no call is in two clinics");
    emulator.ends().await;
}
