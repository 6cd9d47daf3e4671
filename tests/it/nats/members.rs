//! Members of a consumer: what they leave to each other, and what the stream removes before they
//! have read it.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream::{consumer, stream};
use serde_json::json;

use super::reading::{bodies, filled, number, store};
use super::server::{NatsServer, is_installed};
use crate::support::{events, evtap};

/// The number of events that members share.
const COUNT: usize = 3000;

/// Creates a consumer whose messages go to another member only if they are returned.
async fn create_patient(server: &NatsServer, name: &str) {
    let stream = server.context().await.get_stream("evtap").await.expect("a stream");
    let config = consumer::pull::Config {
        durable_name: Some(name.to_owned()),
        ack_policy: consumer::AckPolicy::Explicit,
        ack_wait: Duration::from_secs(24 * 60 * 60),
        max_ack_pending: 20_000,
        ..Default::default()
    };
    stream.create_consumer(config).await.expect("a consumer");
}

#[tokio::test]
async fn a_member_that_ends_returns_what_it_has_not_delivered() {
    if !is_installed() {
        return;
    }
    let server = filled(COUNT).await;
    let url = server.url("evtap");
    create_patient(&server, "team").await;
    let member = |options: &str| evtap(&format!("watch --from {url} --consumer team {options}"));
    // One ends by itself, one by a signal while nobody reads its output.
    let limited = member("-n 5").run().await.ended(0);
    let mut seen: Vec<_> = limited.lines().map(number).collect();
    assert_eq!(seen.len(), 5);
    let mut interrupted = member("").start();
    seen.push(number(&interrupted.line().await));
    interrupted.signal("INT");
    let ran = interrupted.end().await;
    ran.ended(130);
    // The line that was read is not repeated; the last one may be incomplete.
    let rest = ran.stdout();
    let whole = rest.rsplit_once('\n').map_or("", |(whole, _)| whole);
    seen.extend(whole.lines().map(number));
    let found: BTreeSet<_> = seen.iter().copied().collect();
    let left = COUNT - found.len();
    assert!(left > 0, "the others ended too late");
    let mut last = member("").start();
    let mut rest = BTreeSet::new();
    while rest.union(&found).count() < COUNT {
        rest.insert(number(&last.line().await));
    }
    last.signal("INT");
    last.end().await.ended(130);
}

#[tokio::test]
async fn what_the_output_has_accepted_is_acknowledged_also_while_it_accepts_no_more() {
    if !is_installed() {
        return;
    }
    let server = filled(COUNT).await;
    create_patient(&server, "team").await;
    let url = server.url("evtap");
    let mut member = evtap(&format!("watch --from {url} --consumer team")).start();
    // More than are passed on at a time.
    let mut read = 0;
    while read < 600 {
        member.line().await;
        read += 1;
    }
    let stream = server.context().await.get_stream("evtap").await.expect("a stream");
    let acknowledged = loop {
        let info = stream.consumer_info("team").await.expect("a consumer");
        if info.ack_floor.stream_sequence > 0 {
            break info.ack_floor.stream_sequence;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    // The pipe holds more than was read, but not everything.
    assert!(acknowledged < COUNT as u64, "{acknowledged}");
    while read < COUNT {
        member.line().await;
        read += 1;
    }
    while stream.consumer_info("team").await.expect("a consumer").num_ack_pending > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    member.signal("INT");
    member.end().await.ended(130);
}

#[tokio::test]
async fn members_begin_where_the_consumer_does() {
    if !is_installed() {
        return;
    }
    let server = filled(20).await;
    let url = server.url("evtap");
    let member = |options: &str| evtap(&format!("watch --from {url} --consumer team {options}"));
    let first = member("--since 1795932465005 -n 3").run().await.ended(0);
    assert_eq!(first.lines().map(number).collect::<Vec<_>>(), [5, 6, 7]);
    // The position counts, not the age that another member names.
    let second = member("--since 1s -n 12").run().await.ended(0);
    // What the first one returned comes in any order.
    assert_eq!(second.lines().map(number).collect::<BTreeSet<_>>(), (8..20).collect());
}

#[tokio::test]
async fn what_the_stream_removed_before_a_member_read_it_is_a_gap() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    server.create(stream::Config { max_messages: 50, ..Default::default() }).await;
    let url = server.url("evtap");
    let bodies = bodies(300).await;
    store(&server, "call.started", &bodies[..20]).await;
    let member =
        |options: &str| evtap(&format!("watch --from {url} --consumer team --since all {options}"));
    assert_eq!(member("-n 20").run().await.ended(0).lines().count(), 20);
    // Nobody is there while 180 of 230 messages are removed.
    store(&server, "call.started", &bodies[20..250]).await;
    let ran = member("--fail-on-gap -n 50").run().await;
    let shown = events(&ran.ended(8));
    assert_eq!(shown.len(), 51);
    assert_eq!(
        (&shown[0]["event_type"], &shown[0]["reason"], &shown[0]["certain"]),
        (&json!("tap.gap"), &json!("removed"), &json!(true))
    );
    assert_eq!(shown[1]["_tap"]["id"], "1795932465200");

    // A single message in the middle is deleted.
    store(&server, "call.started", &bodies[250..255]).await;
    assert_eq!(member("-n 5").run().await.ended(0).lines().count(), 5);
    let stream = server.context().await.get_stream("evtap").await.expect("a stream");
    store(&server, "call.started", &bodies[255..260]).await;
    stream.delete_message(258).await.expect("deleted");
    let shown = events(&member("-n 4").run().await.ended(0));
    let kinds: Vec<_> = shown.iter().map(|event| event["event_type"].as_str()).collect();
    let call = Some("call.started");
    assert_eq!(kinds, [call, call, Some("tap.gap"), call, call]);
    assert_eq!(shown[2]["certain"], true);
    assert_eq!(shown[2]["from"], "2026-11-29T06:07:45.256Z");
    assert_eq!(shown[2]["to"], "2026-11-29T06:07:45.258Z");
}

#[tokio::test]
async fn removed_messages_of_other_subjects_may_be_a_gap() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    server.create(stream::Config { max_messages: 50, ..Default::default() }).await;
    let url = server.url("evtap");
    let bodies = bodies(300).await;
    store(&server, "call.started", &bodies[..20]).await;
    let member =
        || evtap(&format!("watch --from {url} --consumer team --since all -e call.started -n 20"));
    assert_eq!(member().run().await.ended(0).lines().count(), 20);
    store(&server, "call.ended", &bodies[20..250]).await;
    store(&server, "call.started", &bodies[250..270]).await;
    let ran = member().run().await;
    assert_eq!(ran.ended(0).lines().count(), 20);
    assert!(ran.stderr().contains("1 gap"), "{}", ran.stderr());
}
