//! Live streams: every event is printed, typed and in order, and replays byte for byte.

use std::collections::BTreeSet;

use evtap::emulator::{DEMO_WORKSPACE, Options};
use evtap::model::{Kind, Stream};
use serde_json::Value;

use crate::support::{
    STREAM, curl, emulator, events, evtap, fast, observe, scripted, types, watch,
};

/// Number of events after which every type has occurred.
const DAY: usize = 400;

fn declared(stream: Stream) -> BTreeSet<String> {
    let is_of_stream = |kind: &&Kind| kind.spec().stream == stream;
    Kind::ALL.iter().filter(is_of_stream).map(|kind| kind.spec().event_type.to_owned()).collect()
}

/// Asserts that a replay of the lines prints them unchanged.
async fn assert_replays_unchanged(lines: &str) {
    let replayed = evtap("replay - -o ndjson").stdin(lines).run().await;
    assert_eq!(replayed.ended(0), lines);
    assert_eq!(replayed.stderr(), "");
}

#[tokio::test]
async fn every_workspace_event_is_printed_and_replays_unchanged() {
    let base = emulator(fast()).await;
    let lines = watch(&base, &format!("-n {DAY}")).run().await.ended(0);
    assert_eq!(events(&lines).len(), DAY);
    assert_eq!(types(&lines).into_iter().collect::<BTreeSet<_>>(), declared(Stream::Workspace));
    for event in events(&lines) {
        let tap = &event["_tap"];
        assert_eq!(
            (&tap["stream"], &tap["workspace_id"]),
            (&"workspace".into(), &DEMO_WORKSPACE.into())
        );
        assert!(
            tap["id"].is_string() && tap["time"].is_string() && tap["received_at"].is_string(),
            "{event}"
        );
        assert_eq!(tap.get("drift"), None, "the emulator keeps to the model: {event}");
        assert_eq!(
            event.as_object().and_then(|event| event.keys().next_back()).map(String::as_str),
            Some("_tap")
        );
    }
    assert_replays_unchanged(&lines).await;
}

#[tokio::test]
async fn every_observer_event_is_printed_and_replays_unchanged() {
    let base = emulator(fast()).await;
    let lines = observe(&base, "").run().await.ended(0);
    let types = types(&lines);
    assert_eq!(
        (types.first().map(String::as_str), types.last().map(String::as_str)),
        (Some("session_info"), Some("session_end"))
    );
    assert_eq!(types.into_iter().collect::<BTreeSet<_>>(), declared(Stream::Observer));
    assert!(
        events(&lines)
            .iter()
            .all(|event| event["_tap"]["stream"] == "observer"
                && event["_tap"].get("drift").is_none())
    );
    assert_replays_unchanged(&lines).await;
}

#[tokio::test]
async fn a_raw_capture_replays_to_what_watch_prints() {
    let base = emulator(fast()).await;
    let lines = watch(&base, &format!("-n {DAY}")).run().await.ended(0);
    let path = format!("/v1/{DEMO_WORKSPACE}/events/stream");
    let enough = |body: &str| body.matches("\ndata: ").count() >= DAY;
    let (_, capture) =
        curl(&base, &path, "Authorization: Bearer x\r\nLast-Event-ID: 0\r\n", enough).await;
    let replayed = evtap(&format!("replay capture.sse -n {DAY}"))
        .file("capture.sse", capture)
        .run()
        .await
        .ended(0);
    let without_arrival = |line: Value| {
        let mut line = line;
        let tap = line["_tap"].as_object_mut().expect("an object");
        tap.shift_remove("received_at");
        tap.shift_remove("workspace_id");
        line.to_string()
    };
    let [watched, replayed] = [lines, replayed]
        .map(|lines| events(&lines).into_iter().map(without_arrival).collect::<Vec<_>>());
    assert_eq!(watched, replayed);
}

#[tokio::test]
async fn the_demos_need_no_account() {
    let watched = evtap("watch --workspace demo --demo-rate 2000 -n 200").run().await;
    assert_eq!(events(&watched.ended(0)).len(), 200);
    let observed = evtap("observe --call demo --demo-rate 2000").run().await;
    assert_eq!(types(&observed.ended(0)).last().map(String::as_str), Some("session_end"));
    let [first, again] = [("watch --workspace demo --demo-rate 2000 -n 1 --demo-seed 9"); 2]
        .map(|line| evtap(line).run());
    let call = |lines: &str| events(lines)[0]["call_sid"].clone();
    assert_eq!(
        call(&first.await.ended(0)),
        call(&again.await.ended(0)),
        "the same seed is the same day"
    );
}

#[tokio::test]
async fn the_limit_counts_events() {
    let base = emulator(fast()).await;
    for limit in [0, 1, 7] {
        assert_eq!(events(&watch(&base, &format!("-n {limit}")).run().await.ended(0)).len(), limit);
    }
}

#[tokio::test]
async fn several_workspaces_merge() {
    let base = emulator(fast()).await;
    let other = "00000000-0000-4000-8000-00000000000a";
    let lines = watch(&base, &format!("--workspace {other} -n 300")).run().await.ended(0);
    let seen: BTreeSet<_> =
        events(&lines).into_iter().map(|event| event["_tap"]["workspace_id"].to_string()).collect();
    assert_eq!(seen, BTreeSet::from([format!("\"{other}\""), format!("\"{DEMO_WORKSPACE}\"")]));
}

#[tokio::test]
async fn a_fault_loses_and_repeats_nothing() {
    let faults = ["cut=3001"].map(|fault| fault.parse().expect("a fault")).to_vec();
    let base = emulator(Options { faults, ..fast() }).await;
    let watched = watch(&base, &format!("-n {DAY} --status json")).run().await;
    let status: Vec<_> =
        events(&watched.stderr()).into_iter().map(|line| line["status"].to_string()).collect();
    assert_eq!(status, [r#""connected""#, r#""reconnecting""#, r#""connected""#, r#""done""#]);
    let lines = watched.ended(0);

    let path = format!("/v1/{DEMO_WORKSPACE}/events/stream");
    let enough = |body: &str| body.matches("\ndata: ").count() >= DAY;
    let (_, published) =
        curl(&base, &path, "Authorization: Bearer x\r\nLast-Event-ID: 0\r\n", enough).await;
    let field = |name: &str| {
        published
            .lines()
            .filter_map(|line| line.strip_prefix(name).map(str::to_owned))
            .take(DAY)
            .collect()
    };
    let published: (Vec<_>, Vec<_>) = (field("id: "), field("event: "));
    let ids = events(&lines)
        .iter()
        .map(|event| event["_tap"]["id"].as_str().expect("an id").to_owned())
        .collect();
    assert_eq!((ids, types(&lines)), published);
}

#[tokio::test]
async fn malformed_frames_are_counted_and_do_not_end_the_stream() {
    let frames = "id: 1\nevent: call.ended\ndata: {\"call_sid\":\n\nid: 2\nevent: call.ended\ndata: [1]\n\nid: 3\nevent: x.y\ndata: {}\n\n";
    let base = scripted([format!("{STREAM}retry: 1\n\n{frames}").into_bytes()]).await;
    let ran = watch(&base, "-n 3").run().await;
    let lines = events(&ran.ended(0));
    let seen: Vec<_> =
        lines.iter().map(|line| (line["event_type"].as_str(), line["category"].as_str())).collect();
    let malformed = Some("tap.malformed");
    assert_eq!(
        seen,
        [(malformed, Some("truncated")), (malformed, Some("not_an_object")), (Some("x.y"), None)]
    );
    assert_eq!(
        (&lines[0]["offset"], &lines[0]["length"], &lines[0]["_tap"]["id"]),
        (&12.into(), &12.into(), &"1".into())
    );
    assert!(
        ran.stderr().contains("3 events, 2 malformed (each is a tap.malformed line)"),
        "{}",
        ran.stderr()
    );
}

#[tokio::test]
async fn resumes_where_the_last_connection_ended() {
    // The second connection repeats the events of the last millisecond.
    let event = |id: u32, name: &str| {
        format!("id: {id}\nevent: text.started\ndata: {{\"session_id\":\"{name}\"}}\n\n")
    };
    let first = format!("{STREAM}retry: 1\n\n{}{}", event(10, "a"), event(20, "b"));
    let second =
        format!("{STREAM}retry: 1\n\n{}{}{}", event(20, "b"), event(20, "c"), event(30, "d"));
    let base = scripted([first.into_bytes(), second.into_bytes()]).await;
    let lines = watch(&base, "-n 4").run().await.ended(0);
    let sessions: Vec<_> = events(&lines)
        .iter()
        .map(|event| event["session_id"].as_str().expect("text").to_owned())
        .collect();
    assert_eq!(sessions, ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn status_inline_prints_connections_as_events() {
    let base = emulator(fast()).await;
    let ran = watch(&base, "-n 3 --status inline").run().await;
    let lines = events(&ran.ended(0));
    assert_eq!(lines[0]["event_type"], "tap.connected");
    assert_eq!(lines[0]["_tap"]["workspace_id"], evtap::emulator::DEMO_WORKSPACE);
    assert!(
        lines[0]["_tap"]["received_at"].is_string() && !ran.stderr().contains("connected to"),
        "{}",
        ran.stderr()
    );
    let ran = observe(&base, "--status inline").run().await;
    let shown = ran.ended(0);
    let (first, last) = (&events(&shown)[0], &events(&shown).pop().expect("a line"));
    assert_eq!(
        (&first["event_type"], &last["event_type"]),
        (&"tap.connected".into(), &"tap.ended".into())
    );
    assert!(
        last["reason"].is_string() && last["_tap"]["call_sid"] == evtap::emulator::DEMO_CALL,
        "{last}"
    );
    assert_eq!(
        evtap("replay -").stdin(shown.clone()).run().await.ended(0),
        shown,
        "and they are recorded"
    );
    assert!(
        !watch(&base, "-n 3").run().await.ended(0).contains("tap.connected"),
        "only when asked for"
    );
}
