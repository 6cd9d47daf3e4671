//! `evtap serve --trigger`: the clients of a running emulator receive one event now.

use evtap::emulator::{DEMO_CALL, Options, demo_workspace};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Evtap, closed_port, emulator, evtap, observe, watch};

/// Starts a clinic in which hardly anything happens after its first event.
async fn quiet() -> String {
    emulator(Options { rate: 0.001, ..Options::default() }).await
}

/// Prepares `evtap serve --trigger` with these words, for the emulator at `base`.
fn trigger(base: &str, words: &[&str]) -> Evtap {
    let address = base.strip_prefix("http://").expect("an address");
    let start = evtap(&format!("serve --listen {address} --trigger"));
    words.iter().fold(start, |command, word| command.arg(word))
}

fn event(line: &str) -> Value {
    serde_json::from_str(line).expect("JSON")
}

#[tokio::test]
async fn streams_receive_an_event_of_the_workspace() {
    let base = quiet().await;
    let mut stream = watch(&base, "-o ndjson").start();
    let started = event(&stream.line().await);
    let words = ["call.escalated", "reason=chest pain", "trigger=ai"];
    let sent = trigger(&base, &words).run().await;
    assert_eq!(sent.ended(0), "");
    assert_eq!(sent.stderr(), "evtap: 1 client received the event\n");
    let escalated = event(&stream.line().await);
    assert_eq!(escalated["event_type"], "call.escalated");
    assert_eq!((&escalated["reason"], &escalated["trigger"]), (&json!("chest pain"), &json!("ai")));
    assert_eq!(escalated["call_sid"], started["call_sid"], "the call that began last");
    assert!(escalated["escalation_id"].is_string() && escalated["_tap"].get("drift").is_none());

    // Only the clients of one workspace.
    let mut other = evtap(&format!("watch -w {} -o ndjson", demo_workspace(2))).at(&base).start();
    other.line().await;
    let words = ["review.submitted", "--workspace", &demo_workspace(2)];
    assert!(trigger(&base, &words).run().await.stderr().starts_with("evtap: 1 client"));
    assert_eq!(event(&other.line().await)["event_type"], "review.submitted");
    let sent = trigger(&base, &["call.ended", "duration_seconds=2.5"]).run().await;
    assert_eq!(sent.stderr(), "evtap: 2 clients received the event\n");
    let (first, second) = (event(&stream.line().await), event(&other.line().await));
    assert_eq!(
        (&first["duration_seconds"], &second["event_type"]),
        (&json!(2.5), &json!("call.ended"))
    );
}

#[tokio::test]
async fn observers_receive_an_event_of_their_call() {
    let base = quiet().await;
    let mut observer = observe(&base, "-o ndjson --reveal all").start();
    assert_eq!(event(&observer.line().await)["event_type"], "session_info");
    for (words, field, value) in [
        (
            ["user_transcript", "transcript=Hello {{call_sid}}"],
            "transcript",
            format!("Hello {DEMO_CALL}"),
        ),
        (["emotion", "dominant=calm"], "dominant", "calm".to_owned()),
    ] {
        assert_eq!(trigger(&base, &words).run().await.ended(0), "");
        let seen = event(&observer.line().await);
        assert_eq!((&seen["event_type"], &seen[field]), (&json!(words[0]), &json!(value)));
    }
}

#[tokio::test]
async fn an_event_that_nobody_can_receive_is_an_error() {
    let base = quiet().await;
    let nobody = trigger(&base, &["call.ended"]).run().await;
    assert_eq!(nobody.ended(1), "");
    assert!(nobody.stderr().contains("no client is connected"), "{}", nobody.stderr());
    let wrong = trigger(&base, &["call.end"]).run().await;
    assert_eq!(wrong.ended(2), "");
    assert!(wrong.stderr().contains("did you mean call.ended?"), "{}", wrong.stderr());
    let wrong = trigger(&base, &["call.ended", "duration=1"]).run().await;
    assert_eq!(wrong.ended(2), "");
    assert!(
        wrong.stderr().contains("call.ended has no field duration; did you mean duration_seconds?")
    );

    let (_socket, closed) = closed_port();
    let none = trigger(&closed, &["call.ended"]).run().await;
    assert_eq!(none.ended(1), "");
    assert!(none.stderr().contains("no emulator listens on 127.0.0.1:"), "{}", none.stderr());
}

#[tokio::test]
async fn a_request_needs_the_credential() {
    let mut server = evtap("serve --listen 127.0.0.1:0 --rate 0.001 --api-key-file key")
        .file("key", "right\n")
        .start();
    let announcement = server.status_line().await;
    let base = announcement.split_whitespace().find(|word| word.starts_with("http://"));
    let base = base.expect("an address").trim_end_matches(';');
    assert_eq!(trigger(base, &["call.ended"]).run().await.ended(3), "");
    let known = trigger(base, &["call.ended", "--api-key-file", "key"]).file("key", "right\n");
    assert!(known.run().await.stderr().contains("no client is connected"));

    let body = r#"{"event_type":"call.ended","data":{}}"#;
    let request = |headers: &str| {
        let length = body.len();
        format!(
            "POST /_emulator/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        )
    };
    for (headers, expected) in [
        ("", "HTTP/1.1 401 "),
        ("Authorization: Bearer wrong\r\n", "HTTP/1.1 401 "),
        ("Authorization: Bearer right\r\n", "HTTP/1.1 200 "),
    ] {
        let address = base.strip_prefix("http://").expect("an address");
        let mut socket = TcpStream::connect(address).await.expect("a connection");
        socket.write_all(request(headers).as_bytes()).await.expect("sent");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with(expected), "{headers}: {answer}");
    }
}
