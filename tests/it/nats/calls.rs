//! One tap owns a call, and another takes over when it dies.

use async_nats::jetstream::stream;
use evtap::emulator::{DEMO_CALL, DEMO_WORKSPACE, Options};
use jiff::Timestamp;

use super::server::{NatsServer, Stored, is_installed};
use super::taps::wait_for;
use crate::support::{Evtap, emulator, evtap};

fn observe(base: &str, server: &NatsServer, rest: &str) -> Evtap {
    let url = server.url("evtap");
    let publish = format!("--publish {url} {rest}");
    evtap(&format!("observe -w {DEMO_WORKSPACE} -c {DEMO_CALL} -q .event_type {publish}")).at(base)
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

#[tokio::test]
async fn another_tap_takes_a_call_over_when_its_owner_is_killed_and_reports_the_gap() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    let base = emulator(Options { rate: 5.0, seed: 1, ..Options::default() }).await;
    let subject = |rest: &str| format!("evtap.{DEMO_WORKSPACE}.observer.{DEMO_CALL}.{rest}");
    let mut east = observe(&base, &server, "--create-stream --tap-name east").start();
    wait_for(&server, &subject("*"), |_| true).await;
    let west = observe(&base, &server, "--tap-name west").start();
    // The owner is killed after it has renewed its lease.
    let lease = format!("$KV.evtap_calls.call.{DEMO_CALL}");
    let context = server.context().await;
    let bucket = context.get_stream("KV_evtap_calls").await.expect("a bucket");
    let renewal = loop {
        let renewal = bucket.get_last_raw_message_by_subject(&lease).await.expect("a lease");
        if renewal.sequence > 1 {
            break renewal;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    east.child.kill().await.expect("killed");
    wait_for(&server, &subject("tap.gap.west"), |_| true).await;
    west.signal("INT");
    west.end().await.ended(130);

    let stored = server.stored("evtap").await;
    let is_gap = |message: &Stored| message.subject == subject("tap.gap.west");
    let at = stored.iter().position(is_gap).expect("a gap");
    let (before, after) = (&stored[..at], &stored[at + 1..]);
    assert!(before.iter().all(|message| message.header("Evtap-Tap") == "east"));
    assert!(after.iter().all(|message| message.header("Evtap-Tap") == "west"));
    let epoch = |message: &Stored| message.header("Evtap-Epoch").parse::<u64>().expect("an epoch");
    assert!(before.iter().all(|message| epoch(message) == 1));
    assert!(after.iter().all(|message| epoch(message) > renewal.sequence));
    let gap = &stored[at];
    let (from, to) = (gap.data("from").as_str(), gap.data("to").as_str());
    let (from, to) = (time(from.expect("a time")), time(to.expect("a time")));
    let renewed = i64::try_from(renewal.time.unix_timestamp_nanos() / 1_000_000).expect("a time");
    assert!(from.as_millisecond() >= renewed && from < to, "{from} {to}");
    assert_eq!(gap.data("reason"), "observer_down");
}

#[tokio::test]
async fn a_missing_bucket_is_explained() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    server.create(stream::Config::default()).await;
    let base = emulator(Options::default()).await;
    let ran = observe(&base, &server, "").run().await;
    ran.ended(4);
    let stderr = ran.stderr();
    assert!(stderr.contains("the broker has no bucket evtap_calls"), "{stderr}");
    assert!(stderr.contains("kv add evtap_calls --history 1 --ttl 24h"), "{stderr}");
}
