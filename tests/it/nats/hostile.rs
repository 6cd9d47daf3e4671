//! Hostile events that are published, and hostile messages that are read.

use async_nats::HeaderMap;
use async_nats::jetstream::stream::{self, RetentionPolicy};
use serde_json::json;

use super::WORKSPACE;
use super::server::{NatsServer, is_installed};
use crate::support::{events, evtap};

/// Returns recorded events with identifiers and wildcards wherever a wire can have them.
fn hostile_recording() -> String {
    let call = format!("CA{}", "1".repeat(32));
    let tap = |n: u64| {
        json!({
            "id": (1_795_932_465_000 + n).to_string(),
            "stream": "workspace",
            "workspace_id": WORKSPACE,
        })
    };
    let observer = |sid: &str| {
        json!({
            "received_at": "2026-11-29T10:00:00.000Z",
            "stream": "observer",
            "workspace_id": WORKSPACE,
            "call_sid": sid,
        })
    };
    let workspace =
        json!({"id": "1795932465001", "stream": "workspace", "workspace_id": "Canary > *"});
    let events = [
        json!({"event_type": "call.started", "caller_id": "+1 555 Canary", "_tap": tap(1)}),
        json!({"event_type": "call.escalated", "reason": "Canary, born 1970", "_tap": tap(2)}),
        json!({"event_type": "Canary Roe.*.>", "Canary Roe": "Canary", "_tap": tap(3)}),
        json!({"event_type": format!("x {}", "Canary.".repeat(100_000)), "_tap": tap(4)}),
        json!({"event_type": "", "_tap": tap(5)}),
        json!({"event_type": "é\r\n\0Canary: x\u{202e}", "_tap": tap(6)}),
        json!({"event_type": "a..b", "_tap": tap(7)}),
        json!({"event_type": "5558675309.call", "_tap": tap(8)}),
        json!({"event_type": "call.ended", "completion_reason": "Canary Roe", "_tap": tap(9)}),
        json!({"event_type": "call.started", "_tap": workspace}),
        json!({"event_type": "user_transcript", "transcript": "Canary", "_tap": observer(&call)}),
        json!({"event_type": "user_transcript", "_tap": observer("Canary *")}),
        json!({"event_type": "tap.gap", "reason": "Canary Roe", "certain": true, "_tap": tap(10)}),
        json!({"event_type": "tap.malformed", "category": "Canary Roe", "_tap": tap(11)}),
    ];
    events.map(|event| event.to_string() + "\n").concat() + "{\"event_type\": Canary\nCanary\n"
}

#[tokio::test]
async fn whatever_is_published_subjects_are_legal_and_nothing_hidden_is_stored() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    server.create(stream::Config::default()).await;
    let publish = format!("replay - --publish {}", server.url("evtap"));
    let ran = evtap(&publish).stdin(hostile_recording()).run().await;
    ran.ended(0);
    assert!(!ran.all().contains("Canary"), "{}", ran.all());
    let stored = server.stored("evtap").await;
    assert_eq!(stored.len(), 16, "every event is stored");
    for message in stored {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_%".contains(&byte);
        let subject = &message.subject;
        assert!(
            subject.split('.').all(|token| !token.is_empty() && token.bytes().all(is_plain)),
            "{subject}"
        );
        let all = format!("{subject} {:?} {}", message.headers, message.body);
        assert!(!all.contains("Canary") && !all.contains("8675309"), "{all}");
    }
}

/// Returns subjects and bodies of messages that evtap would never store.
fn hostile_messages() -> Vec<(String, Vec<u8>)> {
    let subject = |rest: &str| format!("evtap.{WORKSPACE}.{rest}");
    let started = || subject("call.started");
    let notice = |kind: &str, members: &str| {
        let tap = format!(r#"{{"stream":"workspace","workspace_id":"{WORKSPACE}"}}"#);
        let body = format!(r#"{{"event_type":"tap.{kind}","tap":"x",{members},"_tap":{tap}}}"#);
        (subject(&format!("tap.{kind}.x")), body.into_bytes())
    };
    let json = |value: serde_json::Value| value.to_string().into_bytes();
    let envelope = json!({
        "specversion": "1.0",
        "id": "Canary",
        "source": "Canary",
        "type": "call.started",
        "subject": "Canary",
        "data": {"caller_id": "Canary"},
    });
    let other_type = json!({
        "specversion": "1.0",
        "type": "Canary Roe",
        "data": "Canary",
        "data_base64": "Canary",
    });
    let forged = json!({"id": "Canary", "workspace_id": "Canary", "redacted": ["Canary"]});
    vec![
        (started(), b"\x00\xff Canary \x1b[31m".to_vec()),
        (started(), Vec::new()),
        (started(), json(json!([1, {"patient": "Canary"}]))),
        (started(), vec![b'{'; 100_000]),
        (started(), br#"{"a":"#.repeat(50_000)),
        (started(), json(envelope)),
        (started(), json(other_type)),
        (started(), json(json!({"event_type": "call.started", "_tap": forged}))),
        (started(), json(json!({"event_type": "call.ended", "pad": "Canary".repeat(150_000)}))),
        ("evtap.Canary.tap.position.%zz".to_owned(), b"Canary".to_vec()),
        notice(
            "gap",
            r#""from":"9999-12-31T23:59:59Z","to":"0000-01-01T00:00:00Z","reason":"\u001bCanary""#,
        ),
        notice("connected", r#""from":"9999-12-30T00:00:00Z""#),
        notice("position", r#""position":"0000-01-01T00:00:00Z","last_id":18446744073709551615"#),
        notice("ended", r#""position":"Canary Roe""#),
        (started(), json(json!({"event_type": "call.started", "call_sid": "CAlast"}))),
    ]
}

#[tokio::test]
async fn whatever_a_stream_contains_it_is_redacted_and_read_to_its_end() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    server.create(stream::Config::default()).await;
    let context = server.context().await;
    let messages = hostile_messages();
    for (subject, body) in messages.clone() {
        let mut headers = HeaderMap::new();
        headers.insert("Evtap-Tap", "Canary \u{1b}[2J");
        headers.insert("Evtap-Version", "Canary Roe");
        headers.insert("Evtap-Heartbeat", u64::MAX.to_string());
        headers.insert("Evtap-Fingerprint", "Canary ".repeat(1000));
        let sent = context.publish_with_headers(subject, headers, body.into()).await;
        sent.expect("sent").await.expect("stored");
    }
    let url = server.url("evtap");
    for (command, status) in [
        ("replay -o ndjson", 0),
        ("replay -o pretty", 0),
        ("replay -o cloudevents", 0),
        ("watch --since all --order time -n 11", 0),
        ("stats", 0),
        ("timeline CAlast", 0),
        ("verify", 8),
        ("verify -o json", 8),
    ] {
        let ran = evtap(&format!("{command} --from {url}")).run().await;
        assert_eq!(ran.status(), status, "{command}: {}", ran.stderr());
        let all = ran.all();
        assert!(!all.contains("Canary") && !all.contains('\u{1b}'), "{command}: {all}");
        if command == "replay -o ndjson" {
            let shown = events(&ran.stdout());
            assert_eq!(shown.len(), messages.len());
            assert_eq!(shown.last().expect("one")["call_sid"], "CAlast");
        }
    }
    // Subjects name workspaces, so they are shown as far as evtap could have written them.
    let taps = evtap(&format!("taps -o json --from {url}")).run().await;
    let shown = taps.ended(0);
    assert!(!shown.contains("Roe") && !shown.contains("Canary "), "{shown}");
}

#[tokio::test]
async fn a_stream_is_not_published_to_itself() {
    let url = "nats://127.0.0.1:1/evtap";
    for command in ["watch", "replay"] {
        let ran = evtap(&format!("{command} --from {url} --publish {url}")).run().await;
        ran.ended(2);
        assert!(ran.stderr().contains("they name the same stream"), "{}", ran.stderr());
    }
}

#[tokio::test]
async fn a_work_queue_is_not_read_by_accident() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    let retention = RetentionPolicy::WorkQueue;
    server.create(stream::Config { retention, ..Default::default() }).await;
    let context = server.context().await;
    let sent = context.publish("evtap.x.call.started", "{}".into()).await;
    sent.expect("sent").await.expect("stored");
    let ran = evtap(&format!("replay --from {}", server.url("evtap"))).run().await;
    ran.ended(1);
    assert!(ran.stderr().contains("the stream is a work queue"), "{}", ran.stderr());
}
