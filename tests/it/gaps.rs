//! No event is lost without a `tap.gap`, and `watch` resumes, limits, merges and observes as
//! documented.

use std::collections::BTreeSet;

use evtap::emulator::{DEMO_WORKSPACE, Fault, Ledger, Options};
use jiff::Timestamp;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::support::{STREAM, emulator, events, evtap, fast, read_head, scripted, types, watch};

/// Returns an SSE frame with an event count that ID.
fn event(id: i64) -> String {
    format!("id: {id}\nevent: text.completed\ndata: {{\"session_id\":\"s{id}\"}}\n\n")
}

fn stream(body: &str) -> Vec<u8> {
    format!("{STREAM}retry: 1\n\n{body}").into_bytes()
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

#[tokio::test]
async fn a_gap_is_an_event_a_message_and_an_exit_status() {
    let id = now();
    let answers = || [stream(&event(id)), stream(&event(id + 5))];
    let run = watch(&scripted(answers()).await, "-n 2 --fail-on-gap").run().await;
    let out = run.ended(8);
    assert_eq!(types(&out), ["text.completed", "tap.gap", "text.completed"]);
    let time = |id| format!("{:.3}", Timestamp::from_millisecond(id).expect("a time"));
    let gap = &events(&out)[1];
    assert_eq!(
        (gap["from"].as_str(), gap["to"].as_str()),
        (Some(&*time(id - 50)), Some(&*time(id + 55)))
    );
    assert_eq!((&gap["certain"], &gap["reason"]), (&false.into(), &"replay_late".into()));
    assert_eq!(gap["_tap"]["workspace_id"], DEMO_WORKSPACE);
    let expected = format!(
        "gap in workspace {DEMO_WORKSPACE}: events may have been lost between {} and {} (replay_late)",
        time(id - 50),
        time(id + 55)
    );
    assert!(run.stderr().contains(&expected), "{}", run.stderr());
    assert!(run.stderr().contains("1 gap (see the tap.gap lines)"), "{}", run.stderr());

    let again = evtap("replay - -o ndjson --fail-on-gap").stdin(out.clone()).run().await;
    assert_eq!(again.ended(8), out);
    assert_eq!(
        watch(&scripted(answers()).await, "-n 2").run().await.status(),
        0,
        "without --fail-on-gap"
    );
    let json = watch(&scripted(answers()).await, "-n 2 --status json").run().await.stderr();
    assert!(
        json.contains(r#"{"status":"gap","from":""#) && json.contains(r#""gaps":1,"exit":0}"#),
        "{json}"
    );
}

#[tokio::test]
async fn a_recorded_gap_cannot_print_text_on_stderr() {
    let line = r#"{"event_type":"tap.gap","from":"Jane Roe","to":"Jane","certain":true,"reason":"Jane","_tap":{}}"#;
    let run = evtap("replay -").stdin(format!("{line}\n")).run().await;
    assert!(
        !run.stderr().contains("Jane")
            && run.stderr().contains("gap in the stream: events were lost"),
        "{}",
        run.stderr()
    );
}

#[tokio::test]
async fn gives_up_after_max_reconnects() {
    let base = scripted([stream(&event(now())), stream("")]).await;
    // The last connection stays open and sends nothing.
    let run = watch(&base, "--max-reconnects 1 --read-timeout 300ms").run().await;
    assert_eq!(types(&run.ended(5)), ["text.completed"]);
    assert!(
        run.stderr()
            .contains("1 reconnect failed; start again later, or allow more with --max-reconnects"),
        "{}",
        run.stderr()
    );
}

#[tokio::test]
async fn a_frame_over_the_limit_is_reported_and_the_stream_goes_on() {
    let large = format!("id: 1\nevent: a.b\ndata: {}\n\n", "x".repeat(3000));
    let run =
        watch(&scripted([stream(&(large.clone() + &event(2)))]).await, "-n 2 --max-frame 2KiB")
            .run()
            .await;
    assert_eq!(types(&run.ended(0)), ["tap.malformed", "text.completed"]);
    let line = format!(
        "{{\"event_type\":\"a.b\",\"c\":\"{}\"}}\n{{\"event_type\":\"a.b\"}}\n",
        "x".repeat(3000)
    );
    let run = evtap("replay - -o ndjson --max-frame 2KiB").stdin(line).run().await;
    assert_eq!(types(&run.ended(0)), ["tap.malformed", "a.b"]);
    for wrong in ["1", "2GiB", "much"] {
        assert_eq!(
            evtap(&format!("replay - --max-frame {wrong}")).run().await.status(),
            2,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn since_begins_in_the_past() {
    let base = emulator(Options { faults: vec![Fault::None], ..fast() }).await;
    let first = events(&watch(&base, "-n 300").run().await.ended(0));
    let id = first[100]["_tap"]["id"].as_str().expect("an id");
    let since = events(&watch(&base, &format!("-n 50 --since {id}")).run().await.ended(0));
    let begin = first
        .iter()
        .position(|event| event["_tap"]["id"] == id)
        .expect("the first of its millisecond");
    let without_arrival = |event: &serde_json::Value| {
        let mut event = event.clone();
        event["_tap"]["received_at"].take();
        event
    };
    assert_eq!(
        since.iter().map(without_arrival).collect::<Vec<_>>(),
        first[begin..begin + 50].iter().map(without_arrival).collect::<Vec<_>>()
    );
    assert_eq!(evtap("watch --workspace demo --since soon").run().await.status(), 2);
}

/// Starts a server that waits until both workspaces have connected, sends each its events, and then
/// answers 404.
async fn two_workspaces(
    first: (&'static str, Vec<i64>),
    second: (&'static str, Vec<i64>),
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let mut requests = Vec::new();
        for _ in 0..2 {
            let mut socket = BufReader::new(listener.accept().await.expect("a connection").0);
            requests.push((read_head(&mut socket).await, socket));
        }
        for (workspace, ids) in [first, second] {
            let at = requests
                .iter()
                .position(|(head, _)| head.contains(workspace))
                .expect("it was asked for");
            let body = ids.into_iter().map(event).collect::<Vec<_>>().concat();
            requests.swap_remove(at).1.write_all(&stream(&body)).await.expect("it is read");
        }
        while let Ok((socket, _)) = listener.accept().await {
            let mut socket = BufReader::new(socket);
            read_head(&mut socket).await;
            socket
                .write_all(b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n")
                .await
                .expect("it is read");
        }
    });
    base
}

#[tokio::test]
async fn two_workspaces_have_their_own_cursors_and_merge_by_time() {
    let other = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";
    let id = now();
    let base = two_workspaces(
        (other, vec![id + 1, id + 3, id + 5]),
        (DEMO_WORKSPACE, vec![id, id + 2, id + 4]),
    )
    .await;
    let home = tempfile::tempdir().expect("a directory");
    let cursor = home.path().join("cursor");
    // The order window holds all events until both streams have ended.
    let line =
        format!("--workspace {other} --cursor {} --order time --order-window 1h", cursor.display());
    let run = watch(&base, &line).run().await;
    let out = events(&run.ended(4));
    let seen = |event: &serde_json::Value| {
        let tap = &event["_tap"];
        (
            tap["id"].as_str().expect("an id").to_owned(),
            tap["workspace_id"].as_str().expect("a workspace").to_owned(),
        )
    };
    let expected =
        |n: i64| ((id + n).to_string(), if n % 2 == 0 { DEMO_WORKSPACE } else { other }.to_owned());
    assert_eq!(out.iter().map(seen).collect::<Vec<_>>(), (0..6).map(expected).collect::<Vec<_>>());
    let text = std::fs::read_to_string(&cursor).expect("a cursor");
    assert!(text.contains(DEMO_WORKSPACE) && text.contains(other), "{text}");
}

#[tokio::test]
async fn auto_observe_observes_calls_as_they_start() {
    let base = emulator(Options { rate: 50.0, ..fast() }).await;
    let out = events(&watch(&base, "--auto-observe 2 -n 150").run().await.ended(0));
    let count = |stream: &str| out.iter().filter(|event| event["_tap"]["stream"] == stream).count();
    assert!(
        count("workspace") > 0 && count("observer") > 0,
        "{} and {}",
        count("workspace"),
        count("observer")
    );
    let started: BTreeSet<_> = out
        .iter()
        .filter(|event| event["event_type"] == "call.started")
        .map(|e| e["call_sid"].clone().to_string())
        .collect();
    let observed = out
        .iter()
        .filter(|event| event["_tap"]["stream"] == "observer")
        .map(|e| e["_tap"]["call_sid"].to_string());
    assert!(observed.collect::<BTreeSet<_>>().is_subset(&started));
}

#[tokio::test]
async fn a_slow_reader_gets_every_event_in_order() {
    let ledger = Ledger::default();
    let base =
        emulator(Options { rate: 20_000.0, ledger: Some(ledger.clone()), ..Options::default() })
            .await;
    let mut run = watch(&base, &format!("-n 30000 -o ndjson --reveal {}", Ledger::FIELD)).start();
    let first = run.line().await;
    // The pipe is full long before the server has published everything.
    while ledger.len() < 30_000 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let mut out = first;
    for _ in 0..29_000 {
        out += &run.line().await;
    }
    #[cfg(target_os = "linux")]
    {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", run.child.id().expect("it runs")))
                .expect("Linux");
        let most = status.lines().find_map(|line| {
            line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok()
        });
        assert!(
            most.is_some_and(|most| most > 1000 && most < 64 << 10),
            "{most:?} KiB in use at most"
        );
    }
    out += &run.end().await.ended(0);
    let numbers: Vec<_> = events(&out)
        .iter()
        .filter_map(|event| event[Ledger::FIELD].as_str().and_then(Ledger::number))
        .collect();
    assert_eq!(numbers, (0..30_000).collect::<Vec<_>>());
}
