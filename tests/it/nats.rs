//! `--publish`, against a real NATS server: each event is stored once and in order, whatever happens
//! to the server, to evtap and to the connection, and no hidden value is stored.

mod access;
mod alerts;
mod calls;
mod hostile;
mod members;
mod outages;
mod permissions;
mod publishing;
pub mod reading;
pub mod server;
mod soak;
mod taps;

use std::collections::HashSet;
use std::time::Duration;

use async_nats::jetstream::stream::{self, RetentionPolicy};
use evtap::emulator::{self, Ledger};
use serde_json::json;
use tokio::net::TcpListener;

use crate::status;
use crate::support::{closed_port, events, evtap, fast, watch};
use server::{NatsServer, Stored, is_installed};

const WORKSPACE: &str = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";

/// Returns recorded events, one in each millisecond.
fn lines(count: usize) -> String {
    let line = |n: usize| {
        json!({
            "event_type": "call.started", "call_sid": format!("CA{n:032x}"), "caller_id": "+1 555 Canary",
            "_tap": {"id": (1_795_932_465_000 + n).to_string(), "stream": "workspace", "workspace_id": WORKSPACE},
        })
        .to_string()
            + "\n"
    };
    (0..count).map(line).collect::<Vec<_>>().concat()
}

fn ids(stored: &[Stored]) -> Vec<&str> {
    stored.iter().map(|message| message.body["id"].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn each_event_is_stored_once_and_in_order_however_often_it_is_published() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    let publish = format!("replay - -o cloudevents --publish {}", server.url("evtap"));
    let first = evtap(&format!("{publish} --create-stream")).stdin(lines(700)).run().await;
    let shown = events(&first.ended(0));
    assert!(first.stderr().contains("700 events, 700 published"), "{}", first.stderr());
    let again = evtap(&publish).stdin(lines(900)).run().await;
    assert_eq!(events(&again.ended(0))[..700], shown, "ids are the same in every run");

    let stored = server.stored("evtap").await;
    assert_eq!(stored.len(), 900, "the 700 events are not stored twice");
    for (message, shown) in stored.iter().zip(&shown) {
        assert_eq!(message.body, *shown);
    }
    let Stored { subject, headers, body } = &stored[0];
    assert_eq!(*subject, format!("evtap.{WORKSPACE}.call.started"));
    let header = |name: &str| headers.get(name).map_or("", |value| value.as_str());
    let id = format!(
        "{}#{}",
        body["source"].as_str().expect("text"),
        body["id"].as_str().expect("text")
    );
    assert_eq!(header("Nats-Msg-Id"), id);
    assert_eq!(header("Content-Type"), "application/cloudevents+json");
    assert_eq!(header("Evtap-Version"), env!("CARGO_PKG_VERSION"));
    assert!(header("Evtap-Tap").starts_with("tap-") && header("Evtap-Fingerprint").len() == 16);
    assert_eq!(header("Evtap-Revealed"), "");
    assert!(!first.all().contains("Canary") && !body.to_string().contains("Canary"));
}

#[tokio::test]
async fn free_text_and_hidden_fields_are_published_only_if_asked_for() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    server.create(stream::Config::default()).await;
    let event = json!({
        "event_type": "call.escalated", "call_sid": "CA1", "reason": "asks about her results, 555-867-5309",
    })
    .to_string()
        + "\n"
        + &lines(1);
    let replay = format!("replay - --publish {}", server.url("evtap"));
    let masked = evtap(&replay).stdin(event.clone()).run().await.ended(0);
    assert!(masked.contains(r#""reason":"[redacted]""#), "{masked}");
    let prose = evtap(&format!("{replay} --publish-prose")).stdin(event.clone()).run().await;
    let shown = prose.ended(0);
    assert!(shown.contains("asks about her results") && !shown.contains("5309"), "{shown}");
    assert!(prose.stderr().contains("other filters"), "it warns: {}", prose.stderr());

    let refused = evtap(&format!("{replay} --reveal caller_id")).stdin(event.clone()).run().await;
    assert_eq!(refused.ended(2), "");
    assert!(refused.stderr().contains("--publish-revealed"), "{}", refused.stderr());
    let random = evtap(&format!("{replay} --phi hash")).stdin(event.clone()).run().await;
    assert_eq!(random.ended(2), "");
    assert!(random.stderr().contains("--phi-key-file"), "{}", random.stderr());
    let count = server.stored("evtap").await.len();

    // An event that is stored already is not stored again, so this needs another one.
    let revealed = format!("{replay} --reveal caller_id --publish-revealed");
    let ran = evtap(&revealed).stdin(event + &lines(2)).run().await;
    ran.ended(0);
    assert!(ran.stderr().contains("hidden fields are published"), "{}", ran.stderr());
    let stored = server.stored("evtap").await;
    for (at, message) in stored.iter().enumerate() {
        let is_revealed = at >= count;
        assert_eq!(message.headers.get("Evtap-Revealed").is_some(), is_revealed);
        assert!(is_revealed || !message.body.to_string().contains("Canary"));
    }
    assert!(stored.last().expect("one").body.to_string().contains("Canary"));
}

#[tokio::test]
async fn unsuitable_streams_servers_and_credentials_are_explained() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&["--user", "u", "--pass", "p"]).await;
    let ran =
        evtap(&format!("replay - --publish {}", server.url("evtap"))).stdin(lines(1)).run().await;
    ran.ended(3);
    assert!(ran.stderr().contains("refused the credentials"), "{}", ran.stderr());
    let ran = evtap(&format!("replay - --nats-creds key --publish {}", server.url("evtap")))
        .file("key", "canary")
        .mode("key", 0o600)
        .stdin(lines(1))
        .run()
        .await;
    ran.ended(2);
    assert!(ran.stderr().contains("not a file of NATS credentials"), "{}", ran.stderr());

    let server = NatsServer::start(&[]).await;
    let publish = |rest: &str| format!("replay - --publish {} {rest}", server.url("evtap"));
    let ran = evtap(&publish("")).stdin(lines(1)).run().await;
    ran.ended(4);
    let stderr = ran.stderr();
    assert!(stderr.contains("no such stream") && stderr.contains("nats --server"), "{stderr}");
    assert!(stderr.contains("stream add evtap --subjects 'evtap.>'"), "{stderr}");
    for (config, why) in [
        (
            stream::Config { duplicate_window: Duration::from_secs(120), ..Default::default() },
            "only 120 s",
        ),
        (
            stream::Config { subjects: vec!["evtap.*".to_owned()], ..Default::default() },
            "does not take",
        ),
        (stream::Config { no_ack: true, ..Default::default() }, "does not acknowledge"),
        (
            stream::Config { retention: RetentionPolicy::Interest, ..Default::default() },
            "removes events",
        ),
        (
            stream::Config { retention: RetentionPolicy::WorkQueue, ..Default::default() },
            "removes events",
        ),
    ] {
        let context = server.context().await;
        let subjects =
            if config.subjects.is_empty() { vec!["evtap.>".to_owned()] } else { config.subjects };
        let config = stream::Config {
            name: "evtap".to_owned(),
            subjects,
            duplicate_window: config.duplicate_window.max(Duration::from_secs(120)).max(
                if why == "only 120 s" { Duration::ZERO } else { Duration::from_secs(6 * 60) },
            ),
            ..config
        };
        context.create_stream(config).await.expect("a stream");
        let ran = evtap(&publish("--create-stream")).stdin(lines(1)).run().await;
        ran.ended(1);
        assert!(ran.stderr().contains(why), "{}", ran.stderr());
        context.delete_stream("evtap").await.expect("deleted");
    }
    let ran = evtap(&publish("--create-stream --subject-prefix a.b")).stdin(lines(1)).run().await;
    ran.ended(0);
    assert_eq!(server.stored("evtap").await[0].subject, format!("a.b.{WORKSPACE}.call.started"));

    let (_port, url) = closed_port();
    let url = url.replace("http", "nats");
    let ran = evtap(&format!("replay - --publish {url}/evtap")).stdin(lines(1)).run().await;
    ran.ended(1);
    assert!(ran.stderr().contains("connection refused"), "{}", ran.stderr());
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_alone_and_a_full_stream_is_waited_for() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    server
        .create(stream::Config {
            max_message_size: 2000,
            max_messages: 3,
            discard: stream::DiscardPolicy::New,
            ..Default::default()
        })
        .await;
    let large = json!({"event_type": "call.started", "call_sid": "x".repeat(3000)}).to_string();
    let replay = format!("replay - --fail-on-gap --status json --publish {}", server.url("evtap"));
    let input = format!("{large}\n{}", lines(2));
    let ran = evtap(&replay).stdin(input).run().await;
    ran.ended(8);
    let schema = status::schema().await;
    assert_eq!(status::assert_valid(&schema, &ran, "too large"), ["publish refused", "done"]);
    let status = events(&ran.stderr());
    let refused: Vec<_> = status.iter().filter(|line| line["result"] == "refused").collect();
    assert_eq!(refused.len(), 1, "{status:?}");
    let done = status.last().expect("a line");
    assert_eq!((&done["published"], &done["refused"]), (&json!(2), &json!(1)));

    let mut running = evtap(&replay).stdin(lines(5)).start();
    // The third event still fits, the fourth does not.
    let waiting = loop {
        let line = running.status_line().await;
        if line.contains("again") {
            break line;
        }
    };
    assert!(waiting.contains("the stream is full"), "{waiting}");
    let waiting = serde_json::from_str(&waiting).expect("JSON");
    assert!(schema.is_valid(&waiting), "{waiting}");
    server.context().await.get_stream("evtap").await.expect("it").purge().await.expect("emptied");
    let ran = running.end().await;
    ran.ended(0);
    let stored = server.stored_from("evtap", 4).await;
    assert_eq!(stored.len(), 2);

    let home = tempfile::tempdir().expect("a directory");
    let limits = home.path().join("limits.conf");
    std::fs::write(&limits, "max_payload: 2000\n").expect("a file");
    let server = NatsServer::start(&["-c", &limits.display().to_string()]).await;
    server.create(stream::Config::default()).await;
    let publish = format!("replay - --publish {}", server.url("evtap"));
    let ran = evtap(&publish).stdin(format!("{large}\n{}", lines(1))).run().await;
    ran.ended(0);
    assert!(ran.stderr().contains("it is larger than the broker allows"), "{}", ran.stderr());
    assert_eq!(server.stored("evtap").await.len(), 1);
}

#[tokio::test]
async fn nothing_is_lost_or_repeated_when_the_broker_is_killed_while_events_are_published() {
    if !is_installed() {
        return;
    }
    let mut server = NatsServer::start(&[]).await;
    let command =
        format!("replay - -o cloudevents --create-stream --publish {}", server.url("evtap"));
    // Its output is read meanwhile, so that a full pipe does not stop it.
    let running = tokio::spawn(evtap(&command).stdin(lines(5000)).start().end());
    let mut published = 0;
    for kills in 1..=3 {
        // Wait for progress, so that each kill hits a run that publishes.
        let last = server.context().await;
        loop {
            let state = match last.get_stream("evtap").await {
                Ok(stream) => stream.cached_info().state.messages,
                Err(_) => 0,
            };
            if state > published || state == 5000 {
                published = state;
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(published < 5000, "kill {kills} came too late");
        server.restart().await;
    }
    let ran = running.await.expect("no panic");
    let shown = events(&ran.ended(0));
    let stored = server.stored("evtap").await;
    let shown: Vec<_> = shown.iter().map(|event| event["id"].as_str().expect("an id")).collect();
    assert_eq!(ids(&stored), shown);
}

#[tokio::test]
async fn two_taps_of_a_workspace_store_each_event_once() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    server.create(stream::Config::default()).await;
    let ledger = Ledger::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let options = emulator::Options { ledger: Some(ledger.clone()), once: true, ..fast() };
    tokio::spawn(emulator::run(listener, options, std::future::pending()));
    let tap = |name: &str| {
        let publish = format!("--publish {} --tap-name {name}", server.url("evtap"));
        tokio::spawn(watch(&base, &format!("--max-reconnects 0 {publish}")).start().end())
    };
    let (one, two) = (tap("one"), tap("two"));
    for tap in [one, two] {
        tap.await.expect("no panic").ended(5);
    }
    let stored = server.stored("evtap").await;
    let unique: HashSet<_> = ids(&stored).into_iter().collect();
    assert_eq!(unique.len(), stored.len(), "no event is stored twice");
    assert_eq!(stored.len(), ledger.ids().len(), "and none is missing");
}
