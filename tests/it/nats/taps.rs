//! What taps tell others about themselves, and taps that stand in for each other.

use std::collections::HashSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_nats::jetstream::stream;
use evtap::emulator::{self, DEMO_WORKSPACE, Ledger};
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use tokio::net::TcpListener;

use super::server::{NatsServer, Stored, is_installed};
use super::{WORKSPACE, lines};
use crate::support::{HANG, evtap, kill, watch};

/// Waits until the stream has a message with this subject that `is_wanted`.
pub async fn wait_for(server: &NatsServer, subject: &str, is_wanted: impl Fn(&Value) -> bool) {
    let context = server.context().await;
    loop {
        if let Ok(stream) = context.get_stream("evtap").await
            && let Ok(message) = stream.get_last_raw_message_by_subject(subject).await
        {
            let body: Value = serde_json::from_slice(&message.payload).expect("JSON");
            if is_wanted(&body["data"]) {
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Starts an emulator that publishes this many events per second, and records them in the ledger.
async fn emulator(rate: f64, ledger: &Ledger) -> String {
    let ledger = Some(ledger.clone());
    emulate(emulator::Options { rate, seed: 1, ledger, ..emulator::Options::default() }).await
}

async fn emulate(options: emulator::Options) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(emulator::run(listener, options, std::future::pending()));
    base
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str().map(|text| text.parse().expect("a time"))
}

/// Returns the time of an event of the platform.
fn moment(message: &Stored) -> Timestamp {
    let id = message.data("_tap")["id"].as_str().expect("an id").parse().expect("a number");
    Timestamp::from_millisecond(id).expect("a time")
}

#[tokio::test]
async fn a_tap_tells_when_it_is_connected_how_far_it_is_and_when_it_ends() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    let base = emulator(100.0, &Ledger::default()).await;
    let publish = format!("--create-stream --publish {}", server.url("evtap"));
    let tap = "-q .event_type --tap-name east.1 --heartbeat 20ms";
    let running = watch(&base, &format!("{tap} {publish}")).start();
    let subject = |name: &str| format!("evtap.{DEMO_WORKSPACE}.tap.{name}.east%2E1");
    wait_for(&server, &subject("position"), |data| data["last_id"].is_i64()).await;
    running.signal("INT");
    let shown = running.end().await.ended(130);
    assert!(!shown.is_empty() && !shown.contains("tap."), "{shown}");

    let stored = server.stored_from("evtap", 1).await;
    let ids: HashSet<_> = stored.iter().map(|message| message.header("Nats-Msg-Id")).collect();
    assert_eq!(ids.len(), stored.len(), "each message has an id of its own");
    assert!(stored.iter().all(|message| message.header("Evtap-Heartbeat") == "20"));
    let (first, last) = (&stored[0], &stored[stored.len() - 1]);
    assert_eq!(first.subject, subject("connected"));
    assert_eq!(first.data("tap"), "east.1");
    assert!(time(first.data("from")).is_some());
    assert_eq!(last.subject, subject("ended"));
    assert_eq!(last.data("tap"), "east.1");
    assert!(time(last.data("position")).is_some());
    // Nothing that comes later is older than what a position says.
    for (at, message) in stored.iter().enumerate().filter(|(_, message)| message.is_about_tap()) {
        let Some(position) = time(message.data("position")) else { continue };
        let later = stored[at..].iter().filter(|message| !message.is_about_tap());
        assert!(later.map(moment).all(|moment| moment >= position), "{:?}", message.body);
    }
}

/// Starts a tap whose output nobody reads.
fn start(base: &str, server: &NatsServer, name: &str, home: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_evtap"))
        .args(["watch", "--workspace", DEMO_WORKSPACE, "--base-url", base, "--status", "none"])
        .args(["--cursor", &format!("cursor-{name}"), "--reveal", Ledger::FIELD])
        .args(["--publish-revealed", "--publish", &server.url("evtap"), "--tap-name", name])
        .args(["--create-stream", "--heartbeat", "100ms"])
        .env_clear()
        .env("AMIGO_API_KEY", "test")
        .env("HOME", home)
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("evtap starts")
}

/// Returns the numbers that the emulator gave to the stored events, in the order of the stream.
async fn numbers(server: &NatsServer) -> Vec<usize> {
    let stored = server.stored("evtap").await;
    let number = |message: &Stored| Ledger::number(message.data(Ledger::FIELD).as_str()?);
    stored.iter().filter_map(number).collect()
}

/// Waits until the taps of the only workspace have these states.
async fn assert_states(url: &str, expected: [&str; 2], is_tapped: bool) {
    loop {
        let listed = evtap(&format!("taps -o json --from {url}")).run().await.ended(0);
        let listed: Value = serde_json::from_str(&listed).expect("JSON");
        let [workspace] = &listed["workspaces"].as_array().expect("a list")[..] else {
            panic!("another number of workspaces: {listed}")
        };
        assert_eq!(workspace["workspace_id"], DEMO_WORKSPACE);
        let taps = workspace["taps"].as_array().expect("a list");
        let states: Vec<_> = taps.iter().map(|tap| tap["state"].as_str()).collect();
        if states == expected.map(Some) {
            assert_eq!(workspace["is_tapped"], is_tapped);
            assert!(taps.iter().all(|tap| tap["position"].is_string()), "{listed}");
            assert!(taps.iter().all(|tap| tap["version"] == env!("CARGO_PKG_VERSION")), "{listed}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn taps_that_cannot_be_listed_are_explained() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    let list = format!("taps --from {}", server.url("evtap"));
    let ran = evtap(&list).run().await;
    ran.ended(4);
    assert!(ran.stderr().contains("the broker has no such stream"), "{}", ran.stderr());
    server.create(stream::Config::default()).await;
    assert_eq!(evtap(&list).run().await.ended(0), "The stream has no events.\n");
    let replay = format!("replay - -q . --publish {}", server.url("evtap"));
    evtap(&replay).stdin(lines(1)).run().await.ended(0);
    let listed = evtap(&list).run().await.ended(0);
    assert_eq!(listed, format!("Nobody taps 1 workspace:\n  {WORKSPACE}\n"));
}

#[tokio::test]
async fn nothing_is_lost_or_stored_twice_while_one_of_two_taps_is_killed_at_random() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    let ledger = Ledger::default();
    let base = emulator(300.0, &ledger).await;
    let home = tempfile::tempdir().expect("a home");
    let mut taps = ["east", "west"].map(|name| start(&base, &server, name, home.path()));
    for name in ["east", "west"] {
        wait_for(&server, &format!("evtap.*.tap.connected.{name}"), |_| true).await;
    }
    let begin = ledger.len();
    let mut rng = StdRng::seed_from_u64(1);
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_millis(rng.random_range(1..250))).await;
        let (at, name) = [(0, "east"), (1, "west")][rng.random_range(0..2)];
        taps[at].kill().expect("killed");
        taps[at].wait().expect("ended");
        // The other tap goes on, and this one returns later.
        tokio::time::sleep(Duration::from_millis(rng.random_range(1..100))).await;
        taps[at] = start(&base, &server, name, home.path());
    }
    let end = ledger.len();
    let is_complete = async {
        loop {
            let stored: HashSet<_> = numbers(&server).await.into_iter().collect();
            if (begin..end).all(|number| stored.contains(&number)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let completed = tokio::time::timeout(HANG, is_complete).await;
    let [east, west] = &mut taps;
    let url = server.url("evtap");
    assert_states(&url, ["connected", "connected"], true).await;
    east.kill().expect("killed");
    east.wait().expect("ended");
    assert_states(&url, ["silent", "connected"], true).await;
    kill(west.id(), "INT");
    west.wait().expect("ended");
    assert_states(&url, ["silent", "ended"], false).await;
    let stored = numbers(&server).await;
    let unique: HashSet<_> = stored.iter().copied().collect();
    assert_eq!(unique.len(), stored.len(), "no event is stored twice");
    let missing: Vec<_> = (begin..end).filter(|number| !unique.contains(number)).collect();
    assert!(completed.is_ok(), "{missing:?} are missing");

    let verified = evtap(&format!("verify -o json --from {url}")).run().await.ended(0);
    let verified: Value = serde_json::from_str(&verified).expect("JSON");
    let workspace = &verified["workspaces"][0];
    let names: Vec<_> =
        workspace["taps"].as_array().expect("a list").iter().map(|tap| &tap["tap"]).collect();
    assert_eq!(names, ["east", "west"]);
    assert_eq!(workspace["events"], stored.len());
}

#[tokio::test]
async fn a_gap_remains_only_where_a_tap_may_have_missed_something() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    let faults = vec!["cut=20000".parse().expect("a fault")];
    let options =
        emulator::Options { rate: 300.0, seed: 1, faults, ..emulator::Options::default() };
    let base = emulate(options).await;
    let home = tempfile::tempdir().expect("a home");
    let cursor = format!("-q .event_type --cursor {}", home.path().join("cursor").display());
    let url = server.url("evtap");
    // No position is due before a run ends.
    let publish = format!("--tap-name east --heartbeat 5m --create-stream --publish {url}");
    // Without a position, a tap claims nothing of its first second.
    let tap = || watch(&base, &format!("{cursor} {publish} -n 600")).run();
    let verify = async |status| {
        let report = evtap(&format!("verify -o json --from {url}")).run().await.ended(status);
        let report: Value = serde_json::from_str(&report).expect("JSON");
        let workspace = &report["workspaces"][0];
        let count = |value: &Value| value.as_array().expect("a list").len();
        (count(&workspace["taps"][0]["covered"]), count(&workspace["gaps"]))
    };

    // It connects again after the fault, and is killed some time later.
    let killed = watch(&base, &format!("{cursor} {publish}")).start();
    let connected = format!("evtap.{DEMO_WORKSPACE}.tap.connected.east");
    wait_for(&server, &connected, |data| data["continues"] == true).await;
    let before = server.stored("evtap").await.len();
    while server.stored("evtap").await.len() < before + 50 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    killed.signal("KILL");
    killed.end().await;
    tap().await.ended(0);
    assert_eq!(verify(0).await, (1, 0), "the cursor had everything");

    // If the stream has lost the newest message that the cursor knows, it may have lost others.
    let killed = watch(&base, &format!("{cursor} {publish}")).start();
    let before = server.stored("evtap").await.len();
    while server.stored("evtap").await.len() < before + 600 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    killed.signal("KILL");
    killed.end().await;
    let file = std::fs::read(home.path().join("cursor")).expect("a cursor");
    let file: Value = serde_json::from_slice(&file).expect("JSON");
    let last = file["last_stored"].as_object().expect("an object").values().next().expect("one");
    let place = last["place"].as_u64().expect("a number");
    let stream = server.context().await.get_stream("evtap").await.expect("a stream");
    assert!(stream.delete_message(place).await.expect("deleted"));
    tap().await.ended(0);
    assert_eq!(verify(8).await, (2, 1));

    // Without --publish, the cursor goes on, but nothing is stored.
    watch(&base, &format!("{cursor} -n 50")).run().await.ended(0);
    tap().await.ended(0);
    assert_eq!(verify(8).await, (3, 2));

    // Another cursor knows nothing of what this tap has stored.
    std::fs::remove_file(home.path().join("cursor")).expect("it exists");
    tap().await.ended(0);
    assert_eq!(verify(8).await, (4, 3));
}
