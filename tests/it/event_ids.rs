//! A CloudEvent has the same id in every run and every process, wherever they stop and resume.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::support::{Evtap, STREAM, bodies, endpoint, events, evtap, read_head, status, watch};

/// Returns a run of events with their ids: several milliseconds, one of which has many events that
/// are equal except for what is hidden or free text, among other events.
fn clinic(start: i64) -> Vec<(i64, String)> {
    let escalated = |id: i64, number: usize, reason: &str| {
        let data = format!(
            "{{\"call_sid\":\"CA1\",\"escalation_id\":\"x\",\"reason\":\"{reason} {number}\",\"trigger\":\"caller\"}}"
        );
        (id, format!("id: {id}\nevent: call.escalated\ndata: {data}\n\n"))
    };
    let started = |id: i64, number: usize| {
        let data = format!("{{\"call_sid\":\"CA1\",\"caller_id\":\"caller {number}\"}}");
        (id, format!("id: {id}\nevent: call.started\ndata: {data}\n\n"))
    };
    let mut run = vec![started(start, 0), started(start, 1), started(start + 3, 2)];
    for number in 0..8 {
        run.push(escalated(start + 4, number, if number % 3 == 0 { "odd" } else { "usual" }));
        run.push(started(start + 4, number));
    }
    run.extend([started(start + 5, 0), started(start + 5, 9)]);
    run
}

/// Starts a server that replays the events after `Last-Event-ID`. `may_send` returns how many
/// events a connection, counted from 0, sends before it is closed. Returns the base URL.
async fn server(
    run: Vec<(i64, String)>,
    may_send: impl Fn(usize) -> usize + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let mut open = Vec::new();
        for number in 0.. {
            let (socket, _) = listener.accept().await.expect("a connection");
            let mut socket = BufReader::new(socket);
            let head = read_head(&mut socket).await.to_ascii_lowercase();
            let after: i64 = head
                .lines()
                .find_map(|line| line.strip_prefix("last-event-id: ")?.parse().ok())
                .unwrap_or(0);
            let most = may_send(number);
            let frames: String = run
                .iter()
                .filter(|(id, _)| *id > after)
                .take(most)
                .map(|(_, frame)| frame.as_str())
                .collect();
            let answer = format!("{STREAM}retry: 1\n\n{frames}");
            socket.write_all(answer.as_bytes()).await.expect("the client reads");
            if most == usize::MAX {
                open.push(socket);
            }
        }
    });
    base
}

fn ids(lines: &str) -> Vec<String> {
    let id = |event: &serde_json::Value| event["id"].as_str().expect("an id").to_owned();
    events(lines).iter().map(id).collect()
}

fn cloudevents(base: &str, since: i64, rest: &str) -> Evtap {
    watch(base, &format!("--since {since} -o cloudevents -E tap.* --status none {rest}"))
}

/// Returns the run, and the ids of its events as one process sees them on one connection.
async fn uninterrupted() -> (Vec<(i64, String)>, i64, Vec<String>) {
    let start = Timestamp::now().as_millisecond() - 1000;
    let run = clinic(start);
    let base = server(run.clone(), |_| usize::MAX).await;
    let whole = cloudevents(&base, start, &format!("-n {}", run.len())).run().await.ended(0);
    let expected = ids(&whole);
    assert_eq!(expected.iter().collect::<HashSet<_>>().len(), run.len(), "{expected:?}");
    assert!(expected.iter().any(|id| id.ends_with("-8")), "{expected:?}");
    (run, start, expected)
}

#[tokio::test]
async fn ids_are_the_same_if_the_process_restarts_after_every_event() {
    let (run, start, expected) = uninterrupted().await;
    let base = server(run.clone(), |_| usize::MAX).await;
    let (url, posts) = endpoint(|_| status(200, "")).await;
    let home = tempfile::tempdir().expect("a directory");
    let cursor = home.path().join("cursor");
    let mut printed = String::new();
    for _ in &run {
        let one = cloudevents(&base, start, "-n 1 --forward-format cloudevents --forward")
            .arg(&url)
            .arg("--cursor")
            .arg(cursor.to_str().expect("text"));
        printed += &one.run().await.ended(0);
    }
    assert_eq!(ids(&printed), expected);
    assert_eq!(ids(&bodies(&posts)), expected, "the endpoint gets the same ids");
}

#[tokio::test]
async fn ids_are_the_same_if_the_connection_breaks_after_every_event() {
    let (run, start, expected) = uninterrupted().await;
    let all = run.len();
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    // Each connection replays what it must and sends one event more.
    let base = server(run, move |number| {
        counter.fetch_add(1, Ordering::Relaxed);
        if number >= all { usize::MAX } else { number + 1 }
    })
    .await;
    let printed = cloudevents(&base, start, &format!("-n {all}")).run().await.ended(0);
    assert_eq!(ids(&printed), expected);
    assert!(connections.load(Ordering::Relaxed) >= all, "the connection broke each time");
}

#[tokio::test]
async fn ids_do_not_depend_on_the_filters() {
    let (run, start, expected) = uninterrupted().await;
    let base = server(run, |_| usize::MAX).await;
    let filtered = cloudevents(&base, start, "-n 3")
        .arg("-f")
        .arg(".reason? // \"\" | startswith(\"odd\")")
        .run()
        .await
        .ended(0);
    let of_one_kind: Vec<_> = expected[3..].iter().step_by(2).take(8).cloned().collect();
    assert_eq!(ids(&filtered), [0, 3, 6].map(|number| of_one_kind[number].clone()));
}

#[tokio::test]
async fn parts_of_a_recording_have_the_ids_of_the_whole() {
    let (run, _, expected) = uninterrupted().await;
    let part = |range: std::ops::Range<usize>| {
        run[range].iter().map(|(_, frame)| frame.as_str()).collect::<String>()
    };
    for cut in 0..run.len() {
        let replay = evtap("replay first second -o cloudevents")
            .file("first", format!("retry: 1\n\n{}", part(0..cut)))
            .file("second", format!("retry: 1\n\n{}", part(cut..run.len())));
        assert_eq!(ids(&replay.run().await.ended(0)), expected, "cut at {cut}");
    }
}
