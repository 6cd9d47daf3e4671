//! `--from`: every stored event is read once and in order, whatever happens to the server, to the
//! connection and to the members of a consumer, and what the server removed is reported.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream::{consumer, stream};
use serde_json::{Value, json};

use super::server::{NatsServer, is_installed};
use super::{WORKSPACE, lines};
use crate::support::{Running, closed_port, events, evtap, kill, types};

/// Returns CloudEvents as evtap publishes them.
pub async fn bodies(count: usize) -> Vec<String> {
    let ran = evtap("replay - -o cloudevents").stdin(lines(count)).run().await;
    ran.ended(0).lines().map(str::to_owned).collect()
}

/// Stores messages with the subject of an event.
pub async fn store(server: &NatsServer, event_type: &str, bodies: &[String]) {
    let context = server.context().await;
    for chunk in bodies.chunks(500) {
        let mut stored = Vec::new();
        for body in chunk {
            let subject = format!("evtap.{WORKSPACE}.{event_type}");
            stored.push(context.publish(subject, body.clone().into()).await.expect("sent"));
        }
        for stored in stored {
            stored.await.expect("stored");
        }
    }
}

/// Starts a server with a stream of that many events.
pub async fn filled(count: usize) -> NatsServer {
    let server = NatsServer::start(&[]).await;
    server.create(stream::Config::default()).await;
    store(&server, "call.started", &bodies(count).await).await;
    server
}

/// Returns the number of a shown event of [`lines`].
pub(super) fn number(line: &str) -> u64 {
    let event: Value = serde_json::from_str(line).expect("JSON");
    let id = event["_tap"]["id"].as_str().expect("an id");
    id.parse::<u64>().expect("a number") - 1_795_932_465_000
}

pub(super) async fn until_status(running: &mut Running, wanted: &str) -> String {
    loop {
        let line = running.status_line().await;
        assert_ne!(line, "", "it ended before {wanted}");
        if line.contains(wanted) {
            return line;
        }
    }
}

#[tokio::test]
async fn stored_events_are_read_from_the_beginning_and_as_they_come() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    let url = server.url("evtap");
    let publish = format!("replay - --create-stream --publish {url}");
    let first = evtap(&publish).stdin(lines(700)).run().await.ended(0);
    let mut watching = evtap(&format!("watch --from {url}")).start();
    until_status(&mut watching, "connected").await;
    let all = evtap(&publish).stdin(lines(900)).run().await.ended(0);
    for line in all.lines().skip(700) {
        assert_eq!(watching.line().await.trim_end(), line);
    }
    for threads in [1, 2, 8] {
        let ran = evtap(&format!("replay --threads {threads} --from {url}")).run().await;
        assert_eq!(ran.ended(0), all, "the lines of the recording, {threads} threads");
    }
    assert!(all.starts_with(&first) && !all.contains("Canary"));
    // All that was stored by 250 ms and later is read; the events have one time each.
    let late = evtap(&format!("replay --from {url} --since 1795932465250")).run().await.ended(0);
    assert_eq!(late.lines().map(number).collect::<Vec<_>>(), (250..900).collect::<Vec<_>>());
    let stats = evtap(&format!("stats -o json --from {url}")).run().await.ended(0);
    assert_eq!(serde_json::from_str::<Value>(&stats).expect("JSON")["events"], 900, "{stats}");
    let step = r#".event_type == "call.started" and (.call_sid | endswith("0384"))"#;
    let expect = |sid: &str| {
        let step = step.replace("0384", sid);
        evtap(&format!("expect --from {url} --then")).arg(&step)
    };
    expect("0383").run().await.ended(0);
    expect("0384").run().await.ended(7);
    let timeline = evtap(&format!("timeline --from {url} -o json")).run().await.ended(0);
    assert!(timeline.contains("CA00000000000000000000000000000383"), "{timeline}");
    watching.signal("INT");
    watching.end().await.ended(130);
}

#[tokio::test]
async fn the_broker_selects_by_type_and_workspace() {
    if !is_installed() {
        return;
    }
    let server = filled(300).await;
    store(&server, "surface.created", &bodies(300).await).await;
    let ended: Vec<_> =
        bodies(5).await.iter().map(|body| body.replace("started", "ended")).collect();
    store(&server, "call.ended", &ended).await;
    let watch = format!("watch --from {} --since all", server.url("evtap"));
    let options = format!("--workspace {WORKSPACE} -e call.ended");
    let ran = evtap(&format!("{watch} {options} -n 5 --consumer one")).run().await;
    assert_eq!(types(&ran.ended(0)), ["call.ended"; 5]);
    let stream = server.context().await.get_stream("evtap").await.expect("a stream");
    let info = stream.consumer_info("one").await.expect("a consumer");
    assert_eq!(info.delivered.consumer_sequence, 5, "the broker sent nothing else");
    assert_eq!((info.num_pending, info.num_ack_pending), (0, 0), "all are acknowledged");

    let other = evtap(&format!("{watch} -e call.started --consumer one")).run().await;
    assert_eq!(other.ended(2), "");
    assert!(other.stderr().contains("selects other events"), "{}", other.stderr());
    let nobody = "--workspace 00000000-0000-0000-0000-000000000000";
    let ran = evtap(&format!("stats --from {} {nobody}", server.url("evtap"))).run().await;
    assert!(ran.ended(0).starts_with("0 events"), "{}", ran.stdout());
}

#[tokio::test]
async fn no_event_is_lost_when_a_member_of_a_consumer_is_killed() {
    if !is_installed() {
        return;
    }
    let server = filled(6000).await;
    let stream = server.context().await.get_stream("evtap").await.expect("a stream");
    let config = consumer::pull::Config {
        durable_name: Some("team".to_owned()),
        ack_policy: consumer::AckPolicy::Explicit,
        ack_wait: Duration::from_secs(1),
        max_ack_pending: 20_000,
        ..Default::default()
    };
    stream.create_consumer(config).await.expect("a consumer");
    let member = || evtap(&format!("watch --from {} --consumer team", server.url("evtap"))).start();
    // Nobody reads the output of the first one, so it holds messages when it dies.
    let mut killed = member();
    let mut seen = BTreeSet::from([number(&killed.line().await)]);
    let mut other = member();
    seen.insert(number(&other.line().await));
    killed.child.start_kill().expect("it runs");
    let left = killed.rest().await;
    // It may have died within a line.
    let whole = left.rsplit_once('\n').map_or("", |(whole, _)| whole);
    seen.extend(whole.lines().map(number));
    assert!(seen.len() < 6000, "it died too late");
    while seen.len() < 6000 {
        seen.insert(number(&other.line().await));
    }
    // It also gets what the first one has written and not acknowledged.
    let process = other.child.id().expect("it runs");
    let ending = tokio::spawn(other.end());
    loop {
        let info = stream.consumer_info("team").await.expect("a consumer");
        if (info.num_pending, info.num_ack_pending) == (0, 0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    kill(process, "INT");
    ending.await.expect("no panic").ended(130);
}

#[tokio::test]
async fn the_broker_selects_for_replay_and_by_call() {
    if !is_installed() {
        return;
    }
    let server = filled(3).await;
    let context = server.context().await;
    let other = "00000000-0000-0000-0000-000000000001";
    let sid = |n: usize| format!("CA{n:032x}");
    let bodies = bodies(5).await;
    for (subject, body) in [
        (format!("evtap.{other}.call.started"), &bodies[0]),
        (format!("evtap.{WORKSPACE}.observer.{}.call.started", sid(3)), &bodies[3]),
        (format!("evtap.{WORKSPACE}.observer.{}.call.started", sid(4)), &bodies[4]),
    ] {
        let stored = context.publish(subject, body.clone().into()).await.expect("sent");
        stored.await.expect("stored");
    }
    let url = server.url("evtap");
    let numbers = async |options: &str| {
        let shown = evtap(&format!("replay --from {url} {options}")).run().await.ended(0);
        shown.lines().map(number).collect::<Vec<_>>()
    };
    assert_eq!(numbers("").await, [0, 1, 2, 0, 3, 4]);
    assert_eq!(numbers(&format!("-w {other}")).await, [0]);
    assert_eq!(numbers(&format!("-w {WORKSPACE},{other}")).await, [0, 1, 2, 0, 3, 4]);
    assert_eq!(numbers(&format!("--call {}", sid(3))).await, [3]);
    assert_eq!(numbers(&format!("--call {} -e call.*", sid(4))).await, [4]);
    let watch = format!("watch --from {url} --since all -n 1 -c {} --consumer one", sid(4));
    assert_eq!(number(evtap(&watch).run().await.ended(0).trim_end()), 4);
    let stream = context.get_stream("evtap").await.expect("a stream");
    let info = stream.consumer_info("one").await.expect("a consumer");
    assert_eq!(info.delivered.consumer_sequence, 1, "the broker sent nothing else");
    // A workspace of the environment is a default for the platform.
    let ran = evtap(&format!("stats --from {url} -o json")).env("AMIGO_WORKSPACE_ID", other);
    let stats: Value = serde_json::from_str(&ran.run().await.ended(0)).expect("JSON");
    assert_eq!(stats["events"], 6);
    for (command, why) in [
        ("replay - --call CA", "exclude each other"),
        ("replay - -w demo", "exclude each other"),
        ("verify - -w demo", "exclude each other"),
        ("watch -w demo --call CA", "--from"),
    ] {
        let ran = evtap(command).run().await;
        ran.ended(2);
        assert!(ran.stderr().contains(why), "{}", ran.stderr());
    }
}

#[tokio::test]
async fn what_taps_say_of_themselves_is_shown_only_if_asked_for_but_gaps_always_are() {
    if !is_installed() {
        return;
    }
    let server = filled(1).await;
    let context = server.context().await;
    let own = |event_type: &str| {
        let data = json!({"event_type": event_type, "tap": "east", "from": null,
            "to": "2026-11-29T06:07:45.000Z", "certain": true, "reason": "away_too_long",
            "position": null, "last_id": null,
            "_tap": {"stream": "workspace", "workspace_id": WORKSPACE}});
        json!({"specversion": "1.0", "type": event_type, "data": data}).to_string()
    };
    for event_type in ["tap.connected", "tap.position", "tap.gap", "tap.ended"] {
        let subject = format!("evtap.{WORKSPACE}.{event_type}.east");
        let stored = context.publish(subject, own(event_type).into()).await.expect("sent");
        stored.await.expect("stored");
    }
    let url = server.url("evtap");
    let shown = async |options: &str| {
        types(&evtap(&format!("replay --from {url} {options}")).run().await.ended(0))
    };
    assert_eq!(shown("").await, ["call.started", "tap.gap"]);
    let all = ["call.started", "tap.connected", "tap.position", "tap.gap", "tap.ended"];
    // The connection of this run comes first, and its end last.
    assert_eq!(shown("--status inline").await[1..6], all);
    assert_eq!(shown("-e tap.connected").await, ["tap.connected"]);
    let ran = evtap(&format!("replay --from {url} -e call.* --fail-on-gap")).run().await;
    assert_eq!(types(&ran.ended(8)), ["call.started"]);
    let stats = evtap(&format!("stats --from {url} -o json")).run().await.ended(0);
    let stats: Value = serde_json::from_str(&stats).expect("JSON");
    assert_eq!(stats["events"], 2, "the event and the gap: {stats}");
    // A member of a consumer acknowledges what it does not show.
    let watch = format!("watch --from {url} --since all --consumer one -n 1 -E tap.gap");
    assert_eq!(types(&evtap(&watch).run().await.ended(0)), ["call.started"]);
}

#[tokio::test]
async fn late_events_are_put_in_their_place() {
    if !is_installed() {
        return;
    }
    let server = filled(0).await;
    let bodies = bodies(6).await;
    let order = [1, 0, 4, 5, 2, 3].map(|at: usize| bodies[at].clone());
    store(&server, "call.started", &order).await;
    let url = server.url("evtap");
    let numbers = async |options: &str| {
        let watch = format!("watch --from {url} --since all {options} -n 6");
        evtap(&watch).run().await.ended(0).lines().map(number).collect::<Vec<_>>()
    };
    assert_eq!(numbers("").await, [1, 0, 4, 5, 2, 3]);
    assert_eq!(numbers("--order time").await, [0, 1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn reading_is_given_up_after_so_many_attempts() {
    if !is_installed() {
        return;
    }
    let mut server = filled(1).await;
    let watch = format!("watch --from {} --since all --max-reconnects 2", server.url("evtap"));
    let mut running = evtap(&watch).start();
    running.line().await;
    server.kill();
    let ran = running.end().await;
    ran.ended(5);
    assert!(ran.stderr().contains("(attempt 2)"), "{}", ran.stderr());
    assert!(!ran.stderr().contains("(attempt 3)"), "{}", ran.stderr());
}

#[tokio::test]
async fn a_slow_reader_holds_the_broker_back() {
    if !is_installed() {
        return;
    }
    let server = filled(0).await;
    let large = |n: usize| {
        let reason = "word ".repeat(20_000);
        json!({
            "specversion": "1.0", "type": "call.escalated",
            "data": {"event_type": "call.escalated", "call_sid": format!("CA{n:032x}"), "reason": reason},
        })
        .to_string()
    };
    store(&server, "call.escalated", &(0..1000).map(large).collect::<Vec<_>>()).await;
    let mut slow = evtap(&format!("watch --from {} --since all", server.url("evtap"))).start();
    slow.line().await;
    let stream = server.context().await.get_stream("evtap").await.expect("a stream");
    let name = loop {
        use futures_util::StreamExt;
        if let Some(name) = stream.consumer_names().next().await {
            break name.expect("a name");
        }
    };
    let (mut delivered, mut unchanged) = (0, 0);
    while unchanged < 20 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = stream.consumer_info(&name).await.expect("it").delivered.consumer_sequence;
        unchanged = if now == delivered { unchanged + 1 } else { 0 };
        delivered = now;
    }
    assert!(
        delivered < 300,
        "{delivered} of 1000 messages were sent to a reader that stands still"
    );
    for _ in 1..1000 {
        slow.line().await;
    }
    slow.signal("INT");
    slow.end().await.ended(130);
}

#[tokio::test]
async fn reading_goes_on_after_the_broker_was_killed() {
    if !is_installed() {
        return;
    }
    let mut server = filled(20_000).await;
    let watch = format!("watch --from {} --since all", server.url("evtap"));
    let mut running = evtap(&watch).start();
    for expected in 0..1000 {
        assert_eq!(number(&running.line().await), expected);
    }
    server.restart().await;
    for expected in 1000..20_000 {
        assert_eq!(number(&running.line().await), expected, "in order, each once");
    }
    let lost = until_status(&mut running, "lost the stream").await;
    assert!(lost.contains("trying again in"), "{lost}");
    until_status(&mut running, "connected").await;
    store(&server, "call.started", &bodies(1).await).await;
    assert_eq!(number(&running.line().await), 0, "it follows the stream");

    server.kill();
    let given_up = evtap(&watch).run().await;
    given_up.ended(1);
    drop(running);
}

#[tokio::test]
async fn what_is_not_an_event_is_reported_in_its_place() {
    if !is_installed() {
        return;
    }
    let server = filled(1).await;
    let wrong = ["", "canary", "{}", "[1]", r#"{"specversion":"1.0","type":"x","data":7}"#];
    store(&server, "call.started", &wrong.map(str::to_owned)).await;
    let revealing = json!({
        "specversion": "1.0", "type": "call.started", "extra": "canary",
        "data": {"event_type": "call.started", "caller_id": "canary", "note": "canary",
            "_tap": {"id": "canary"}},
    });
    store(&server, "call.started", &[revealing.to_string(), "x".repeat(5000)]).await;
    store(&server, "call.started", &bodies(1).await).await;
    let ran = evtap(&format!("replay --max-frame 4KiB --from {}", server.url("evtap"))).run().await;
    let shown = types(&ran.ended(0));
    assert_eq!((shown.len(), &*shown[0], &*shown[8]), (9, "call.started", "call.started"));
    assert_eq!(shown[1..5], ["tap.malformed"; 4], "{shown:?}");
    assert_eq!(events(&ran.stdout())[7]["category"], "too_large");
    assert!(!ran.all().contains("canary"), "{}", ran.all());
}

#[tokio::test]
async fn removed_messages_are_a_gap() {
    if !is_installed() {
        return;
    }
    let mut server = NatsServer::start(&[]).await;
    server.create(stream::Config { max_messages: 50, ..Default::default() }).await;
    let bodies = bodies(400).await;
    store(&server, "call.started", &bodies[..20]).await;
    let watch = format!("watch --from {} --status json", server.url("evtap"));
    let mut running = evtap(&format!("{watch} --since all --fail-on-gap -n 70")).start();
    for expected in 0..20 {
        assert_eq!(number(&running.line().await), expected);
    }
    // While it stands still, it loses its connection and 330 messages.
    running.signal("STOP");
    server.restart().await;
    store(&server, "call.started", &bodies[20..]).await;
    running.signal("CONT");
    let ran = running.end().await;
    let shown = events(&ran.ended(8));
    let gap = &shown[0];
    assert_eq!((&gap["event_type"], &gap["reason"]), (&json!("tap.gap"), &json!("removed")));
    assert_eq!(gap["from"], "2026-11-29T06:07:45.019Z", "the last event before");
    assert_eq!(shown.len(), 51);
    assert_eq!(shown[1]["_tap"]["id"], "1795932465350");

    // A message in the middle is missed for certain.
    let stream = server.context().await.get_stream("evtap").await.expect("a stream");
    stream.delete_message(380).await.expect("deleted");
    let ran = evtap(&format!("replay --from {}", server.url("evtap"))).run().await;
    let shown = events(&ran.ended(0));
    let gaps: Vec<_> = shown.iter().filter(|event| event["event_type"] == "tap.gap").collect();
    assert_eq!((shown.len(), gaps.len()), (50, 1));
    assert_eq!(gaps[0]["certain"], true);
    assert_eq!(gaps[0]["from"], "2026-11-29T06:07:45.378Z");
    assert_eq!(gaps[0]["to"], "2026-11-29T06:07:45.380Z");
}

#[tokio::test]
async fn streams_that_cannot_be_read_are_explained() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&["--user", "u", "--pass", "p"]).await;
    let ran = evtap(&format!("watch --from {}", server.url("evtap"))).run().await;
    ran.ended(3);
    assert!(ran.stderr().contains("refused the credentials"), "{}", ran.stderr());

    let server = NatsServer::start(&[]).await;
    let url = server.url("evtap");
    let ran = evtap(&format!("stats --from {url}")).run().await;
    ran.ended(4);
    assert!(ran.stderr().contains("no such stream"), "{}", ran.stderr());
    let (_port, closed) = closed_port();
    let ran = evtap(&format!("replay --from {}/s", closed.replace("http", "nats"))).run().await;
    ran.ended(1);

    server.create(stream::Config::default()).await;
    for (options, why) in [
        ("--consumer a.b", "other characters"),
        ("--order time --consumer a", "only a part"),
        ("--cursor c", "exclude each other"),
    ] {
        let ran = evtap(&format!("watch --from {url} {options}")).run().await;
        ran.ended(2);
        assert!(ran.stderr().contains(why), "{}", ran.stderr());
    }
    let mut running = evtap(&format!("watch --from {url} --consumer gone")).start();
    until_status(&mut running, "connected").await;
    let context = server.context().await;
    let stream = context.get_stream("evtap").await.expect("a stream");
    stream.delete_consumer("gone").await.expect("deleted");
    let ran = running.end().await;
    ran.ended(4);
    assert!(ran.stderr().contains("the consumer gone was deleted"), "{}", ran.stderr());
    let mut running = evtap(&format!("watch --from {url}")).start();
    until_status(&mut running, "connected").await;
    context.delete_stream("evtap").await.expect("deleted");
    let ran = running.end().await;
    ran.ended(4);
    assert!(ran.stderr().contains("the stream was deleted"), "{}", ran.stderr());
}

#[tokio::test]
async fn a_broker_that_starts_later_is_waited_for() {
    if !is_installed() {
        return;
    }
    let mut server = filled(3).await;
    server.kill();
    let url = server.url("evtap");
    let mut running = evtap(&format!("stats --from {url} --wait 1h")).start();
    until_status(&mut running, "connection refused; trying again in").await;
    server.restart().await;
    assert!(running.end().await.ended(0).contains("call.started"));
}
