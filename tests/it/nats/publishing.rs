//! Publishing while something changes: the broker stops, the stream is deleted, other taps come, and
//! workspaces go.

use std::fs;
use std::path::Path;

use async_nats::jetstream::stream;
use evtap::emulator::{DEMO_CALL, DEMO_WORKSPACE, Options, demo_workspace};
use serde_json::Value;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::server::{NatsServer, Stored, is_installed};
use super::taps::wait_for;
use crate::support::{Running, STREAM, emulator, evtap, read_head, watch};

/// The number of events of the platform while the broker is away, and the size of the longest field
/// of each, in bytes. Their sum is many times what evtap may keep.
const EVENTS: usize = 6000;
const SIZE: usize = 16 << 10;

/// The maximum growth of evtap's memory meanwhile, in KiB. The channel of arrived events takes up to
/// 16 MiB, and those that wait to be published 4 MiB.
const MAX_GROWTH: usize = 40 << 10;

/// Returns the peak memory of a process in KiB.
fn peak_memory(run: &Running) -> usize {
    let id = run.child.id().expect("it runs");
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Waits for a line of stderr that contains a text.
async fn status_with(run: &mut Running, text: &str) -> String {
    loop {
        let line = run.status_line().await;
        assert!(!line.is_empty(), "no line says {text}");
        if line.contains(text) {
            return line;
        }
    }
}

async fn accept(platform: &TcpListener) -> BufReader<TcpStream> {
    let (socket, _) = platform.accept().await.expect("a connection");
    let mut socket = BufReader::new(socket);
    read_head(&mut socket).await;
    socket.write_all(STREAM.as_bytes()).await.expect("the client reads");
    socket
}

fn event(number: usize, size: usize) -> String {
    let (id, filler) = (1_700_000_000_000 + number, "x".repeat(size));
    format!("id: {id}\nevent: call.started\ndata: {{\"call_sid\":\"{number}-{filler}\"}}\n\n")
}

#[tokio::test]
async fn memory_is_limited_while_the_broker_hangs_and_everything_is_stored_afterwards() {
    if !is_installed() || !Path::new("/proc/self/status").exists() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    let platform = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", platform.local_addr().expect("an address"));
    let publish = format!("--create-stream --publish {}", server.url("evtap"));
    let mut run = watch(&base, &format!("-q empty --status json {publish}")).start();
    let mut socket = accept(&platform).await;
    socket.write_all(event(0, 0).as_bytes()).await.expect("the client reads");
    // The tap has announced its connection too.
    server.wait_for("evtap", 2).await;
    let before = peak_memory(&run);
    server.signal("STOP");
    let sending = tokio::spawn(async move {
        for number in 1..=EVENTS {
            socket.write_all(event(number, SIZE).as_bytes()).await.expect("the client reads");
        }
        socket
    });
    status_with(&mut run, "\"again\"").await;
    assert!(!sending.is_finished(), "the platform waits for evtap, which waits for the broker");
    let meanwhile = peak_memory(&run);
    server.signal("CONT");
    // The connection stays open, so that no event is sent again.
    let socket = sending.await.expect("no panic");
    let calls = |stored: &[Stored]| -> Vec<usize> {
        let call = |message: &Stored| {
            let call = message.data("call_sid").as_str().expect("a text");
            call.split('-').next().expect("a part").parse().expect("a number")
        };
        stored.iter().map(call).collect()
    };
    server.wait_for("evtap", EVENTS as u64 + 2).await;
    let after = peak_memory(&run);
    run.signal("INT");
    run.end().await.ended(130);
    drop(socket);
    assert!(calls(&server.stored("evtap").await).into_iter().eq(0..=EVENTS), "each one, in order");
    for peak in [meanwhile, after] {
        assert!(peak < before + MAX_GROWTH, "{before} KiB before, {peak} KiB at most");
    }
}

#[tokio::test]
async fn a_deleted_stream_is_explained_and_publishing_goes_on_when_it_is_created_again() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    let base = emulator(Options { rate: 50.0, seed: 1, ..Options::default() }).await;
    let publish = format!("--create-stream --publish {}", server.url("evtap"));
    let mut run = watch(&base, &format!("-o cloudevents --status json {publish}")).start();
    server.wait_for("evtap", 5).await;
    let context = server.context().await;
    context.delete_stream("evtap").await.expect("deleted");
    let line = status_with(&mut run, "\"again\"").await;
    let line: Value = serde_json::from_str(&line).expect("JSON");
    let why = line["reason"].as_str().expect("a text");
    assert!(why.starts_with("the stream was deleted, with everything in it; "), "{why}");
    assert!(why.contains("nats --server nats://127.0.0.1:"), "{why}");
    assert!(why.contains("stream add evtap --subjects 'evtap.>'"), "{why}");
    server.create(stream::Config::default()).await;
    server.wait_for("evtap", 5).await;
    run.signal("INT");
    let ran = run.end().await;
    let shown = crate::support::events(&ran.ended(130));
    let stored = server.stored("evtap").await;
    // Nothing is missing after the first event that is stored now.
    let begin = shown.iter().position(|shown| *shown == stored[0].body).expect("it was shown");
    assert!(stored.iter().map(|message| &message.body).eq(&shown[begin..]));
    assert!(begin > 0, "the others were deleted");
}

#[tokio::test]
async fn a_tap_announces_itself_again_in_a_stream_that_has_lost_everything() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    let base = emulator(Options { rate: 50.0, seed: 1, ..Options::default() }).await;
    let publish = format!("--publish {} --tap-name east --heartbeat 1s", server.url("evtap"));
    let options = format!("-q empty --status json --create-stream {publish}");
    let mut run = watch(&base, &options).start();
    let connected = format!("evtap.{DEMO_WORKSPACE}.tap.connected.east");
    let position = format!("evtap.{DEMO_WORKSPACE}.tap.position.east");
    wait_for(&server, &connected, |_| true).await;
    let context = server.context().await;
    // The tap may notice that the stream is missing, or only that its numbers begin anew.
    for waits in [true, false] {
        wait_for(&server, &position, |_| true).await;
        server.wait_for("evtap", 100).await;
        context.delete_stream("evtap").await.expect("deleted");
        if waits {
            status_with(&mut run, "\"again\"").await;
        }
        server.create(stream::Config::default()).await;
        wait_for(&server, &connected, |data| data["from"].is_string()).await;
        let stored = server.read("evtap").await;
        let at = stored.iter().position(|stored| stored.subject == connected).expect("connected");
        let from = stored[at].data("from").as_str().expect("a time");
        // What came before this is not complete, and what comes after it is.
        let mut before = stored[..at].iter().filter(|stored| !stored.is_about_tap()).peekable();
        assert!(before.peek().is_some(), "events were stored before");
        assert!(before.all(|stored| stored.body["time"].as_str().expect("a time") < from));
        let taps = evtap(&format!("taps --from {}", server.url("evtap"))).run().await.ended(0);
        assert!(taps.contains("east") && taps.contains("connected"), "{taps}");
    }
    run.signal("INT");
    run.end().await.ended(130);
}

#[tokio::test]
async fn an_error_that_evtap_does_not_know_ends_the_run_after_some_attempts() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    // Such a stream only takes messages that count something. The client does not know the setting.
    let config = serde_json::json!({
        "name": "evtap",
        "subjects": ["evtap.>"],
        "storage": "file",
        "duplicate_window": 15 * 60 * 1_000_000_000_i64,
        "allow_msg_counter": true,
    });
    let created: Value =
        server.context().await.request("STREAM.CREATE.evtap", &config).await.expect("an answer");
    assert!(created["error"].is_null(), "{created}");
    let base = emulator(Options { rate: 50.0, seed: 1, ..Options::default() }).await;
    let run = watch(&base, &format!("--status json --publish {}", server.url("evtap")));
    let ran = run.run().await;
    ran.ended(1);
    let stderr = ran.stderr();
    let retries = stderr.lines().filter(|line| line.contains("\"again\"")).count();
    assert!(retries > 0, "{stderr}");
    let error = stderr.lines().find(|line| line.contains("cannot publish"));
    let error = error.expect("an error");
    assert!(
        error.contains("the broker answered with JetStream error 10169, 7 times; 0 "),
        "{error}"
    );
    assert!(error.contains("look the number up"), "{error}");
}

#[tokio::test]
async fn taps_with_other_options_are_noticed_whenever_they_start() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    let base = emulator(Options { rate: 5.0, seed: 1, ..Options::default() }).await;
    let tap = |name: &str, rest: &str| {
        let publish =
            format!("--create-stream --publish {} --tap-name {name}", server.url("evtap"));
        watch(&base, &format!("--status json {publish} {rest}")).start()
    };
    let subject = |name: &str| format!("evtap.{DEMO_WORKSPACE}.tap.connected.{name}");
    let mut first = tap("first", "-e call.*");
    wait_for(&server, &subject("first"), |_| true).await;
    let same = tap("same", "-e call.*");
    wait_for(&server, &subject("same"), |_| true).await;
    let mut second = tap("second", "-e text.*");
    for run in [&mut first, &mut second] {
        status_with(run, "from a tap with other filters").await;
    }
    wait_for(&server, &subject("second"), |_| true).await;
    let third = tap("third", "-e surface.*");
    for run in [&mut first, &mut second] {
        status_with(run, "from a tap with other filters").await;
    }
    for run in [first, same, second, third] {
        run.signal("INT");
        run.end().await.ended(130);
    }
}

#[tokio::test]
async fn a_call_is_given_up_when_its_owner_is_interrupted() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    let base = emulator(Options { rate: 5.0, seed: 1, ..Options::default() }).await;
    let publish = format!("--create-stream --publish {} --tap-name east", server.url("evtap"));
    let observe = format!("observe -w {DEMO_WORKSPACE} -c {DEMO_CALL} -q .event_type {publish}");
    let run = evtap(&observe).at(&base).start();
    let subject = format!("evtap.{DEMO_WORKSPACE}.observer.{DEMO_CALL}.tap.connected.east");
    wait_for(&server, &subject, |_| true).await;
    run.signal("INT");
    run.end().await.ended(130);
    let bucket = server.context().await.get_stream("KV_evtap_calls").await.expect("a bucket");
    let subject = format!("$KV.evtap_calls.call.{DEMO_CALL}");
    let lease = bucket.get_last_raw_message_by_subject(&subject).await.expect("a lease");
    let lease: Value = serde_json::from_slice(&lease.payload).expect("JSON");
    assert_eq!(lease["state"], "released");
    let stored = server.stored_from("evtap", 1).await;
    let last = stored.last().expect("events");
    assert!(last.subject.ends_with(".tap.ended.east"), "{}", last.subject);
    assert_eq!(last.data("reason"), "run_ended");
}

#[tokio::test]
async fn a_removed_workspace_ends_on_the_broker_while_the_run_goes_on() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    let base = emulator(Options { rate: 5.0, seed: 1, ..Options::default() }).await;
    let list = |numbers: &[u32]| {
        let ids = numbers.iter().map(|number| format!("\"{}\"", demo_workspace(*number)));
        format!("workspaces = [{}]\n", ids.collect::<Vec<_>>().join(", "))
    };
    let publish = format!("--create-stream --publish {} --tap-name east", server.url("evtap"));
    let run = evtap(&format!("watch --workspaces-file clinics.toml -q empty {publish}"));
    let run = run.file("clinics.toml", list(&[1, 2])).env("AMIGO_API_KEY", "any").at(&base);
    let path = run.path("clinics.toml");
    let run = run.start();
    let subject =
        |number: u32, kind: &str| format!("evtap.{}.tap.{kind}.east", demo_workspace(number));
    for number in [1, 2] {
        wait_for(&server, &subject(number, "connected"), |_| true).await;
    }
    let new = path.with_extension("new");
    fs::write(&new, list(&[1])).expect("written");
    fs::rename(&new, &path).expect("renamed");
    wait_for(&server, &subject(2, "ended"), |data| data["reason"] == "removed").await;
    assert!(
        server
            .stored_from("evtap", 1)
            .await
            .iter()
            .all(|stored| stored.subject != subject(1, "ended")),
        "the other one goes on"
    );
    run.signal("INT");
    run.end().await.ended(130);
}
