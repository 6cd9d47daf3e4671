//! `--since` and `--before`: exactly the events of a range are read, by every command, on any number
//! of threads, whatever the order and the format of the recording.

use std::fmt::Write as _;

use evtap::emulator::DEMO_WORKSPACE;
use jiff::Timestamp;
use serde_json::Value;

use crate::support::{emulator, events, evtap, fast, watch};

/// The time of the first event of [`recording`], in milliseconds.
const BEGIN: i64 = 1_700_000_000_000;

fn time(millis: i64) -> String {
    format!("{:.3}", Timestamp::from_millisecond(millis).expect("a time"))
}

/// Returns a recording of an event per second, in the order of `seconds`.
fn recording(seconds: impl Iterator<Item = i64>) -> String {
    let mut text = String::new();
    for second in seconds {
        let id = BEGIN + 1000 * second;
        let at = time(id);
        writeln!(
            text,
            r#"{{"event_type":"text.started","session_id":"00000000-0000-4000-8000-{second:012}","_tap":{{"id":"{id}","time":"{at}","stream":"workspace"}}}}"#
        )
        .expect("written");
    }
    text
}

/// Returns the seconds of the events in NDJSON.
fn seconds(ndjson: &str) -> Vec<i64> {
    let id = |event: &Value| event["_tap"]["id"].as_str().expect("an id").parse::<i64>();
    events(ndjson).iter().map(|event| (id(event).expect("a number") - BEGIN) / 1000).collect()
}

#[tokio::test]
async fn a_replay_has_the_events_of_the_range_whatever_their_order() {
    let count = 20_000;
    let orders: [(&str, Vec<i64>); 3] = [
        ("sorted", (0..count).collect()),
        ("backwards", (0..count).rev().collect()),
        // Two sorted recordings, one after the other, and some events out of order.
        ("concatenated", (count / 2..count).chain(0..count / 2).map(|at| at ^ 3).collect()),
    ];
    for (name, order) in orders {
        let text = recording(order.iter().copied());
        for (since, before) in [(7_000, 7_003), (0, 1), (9_990, 10_010), (19_999, 30_000)] {
            let expected: Vec<_> =
                order.iter().copied().filter(|at| (since..before).contains(at)).collect();
            for threads in [1, 4] {
                let range = format!(
                    "--since {} --before {}",
                    time(BEGIN + since * 1000),
                    time(BEGIN + before * 1000)
                );
                let ran = evtap(&format!("replay r.ndjson --threads {threads} {range}"))
                    .file("r.ndjson", &text)
                    .run()
                    .await;
                assert_eq!(seconds(&ran.ended(0)), expected, "{name} {range}");
            }
        }
    }
}

#[tokio::test]
async fn every_format_has_the_same_range() {
    let text = recording(0..10);
    let capture: String = (0..10).fold(String::new(), |text, at| {
        let id = BEGIN + 1000 * at;
        text + &format!("id: {id}\nevent: text.started\ndata: {{\"session_id\":\"{at}\"}}\n\n")
    });
    let array = evtap("replay - -o json").stdin(text.clone()).run().await.ended(0);
    let cloudevents = evtap("replay - -o cloudevents").stdin(text.clone()).run().await.ended(0);
    for input in [text, capture, array, cloudevents] {
        let line = format!("replay - --since {} --before {}", BEGIN + 2000, BEGIN + 5000);
        assert_eq!(seconds(&evtap(&line).stdin(input).run().await.ended(0)), [2, 3, 4]);
    }
}

#[tokio::test]
async fn an_event_without_a_time_is_left_out_and_what_is_no_event_is_reported() {
    let text = format!("{{\"event_type\":\"text.started\"}}\nnot an event\n{}", recording(0..3));
    let ran = evtap(&format!("replay - --since {BEGIN}")).stdin(text).run().await;
    assert_eq!(seconds(&ran.ended(0)), [0, 1, 2]);
    assert!(ran.stderr().contains("1 malformed"), "{}", ran.stderr());
    let none = evtap("replay - --since today").stdin(recording(0..3)).run().await;
    assert_eq!(none.ended(0), "");
}

#[tokio::test]
async fn every_command_reads_the_range_only() {
    let range = format!("--since {} --before {}", time(BEGIN + 3000), time(BEGIN + 6000));
    let text = recording(0..10);
    let stats = evtap(&format!("stats r.ndjson -o json {range}")).file("r.ndjson", &text);
    let stats: Value = serde_json::from_str(&stats.run().await.ended(0)).expect("JSON");
    assert_eq!(stats["events"], 3);

    for (step, expected) in [(3, 0), (5, 0), (2, 7), (6, 7)] {
        let step = format!("._tap.id == \"{}\"", BEGIN + 1000 * step);
        let ran = evtap(&format!("expect --replay r.ndjson {range} --then"))
            .arg(&step)
            .file("r.ndjson", &text)
            .run()
            .await;
        assert_eq!(ran.status(), expected, "{step}: {}", ran.all());
    }

    let phone = text.replace("000000000007\",", "000000000007\",\"x\":\"+1 202 555 0123\",");
    assert_ne!(phone, text);
    for threads in [1, 4] {
        for (range, expected, events) in [
            (&*range, 0, "in 3 events"),
            ("", 7, "in 10 events"),
            ("--since 2023-11-15", 0, "0 events"),
        ] {
            let line = format!("audit r.ndjson --threads {threads} {range}");
            let ran = evtap(&line).file("r.ndjson", &phone).run().await;
            assert!(ran.ended(expected).contains(events), "{range}: {}", ran.all());
        }
    }

    let call = |at: i64| {
        let id = BEGIN + 1000 * at;
        format!(
            "{{\"event_type\":\"call.started\",\"call_sid\":\"CA{at:032}\",\"_tap\":{{\"id\":\"{id}\",\"time\":\"{}\"}}}}\n",
            time(id)
        )
    };
    let calls: String = (0..10).map(call).collect();
    let list = evtap(&format!("timeline r.ndjson -o json {range}")).file("r.ndjson", calls);
    let list = list.run().await.ended(0);
    let listed: Vec<_> = (0..10).filter(|at| list.contains(&format!("CA{at:032}"))).collect();
    assert_eq!(listed, [3, 4, 5]);
}

#[tokio::test]
async fn recordings_can_be_merged_by_time() {
    let merge = |line: &str| {
        evtap(line)
            .file("a.ndjson", recording((0..3000).filter(|at| at % 3 == 0)))
            .file("b.ndjson", recording((0..3000).filter(|at| at % 3 == 1)))
            .file("c.ndjson", recording((0..3000).filter(|at| at % 3 == 2)))
            .run()
    };
    let all: Vec<_> = (0..3000).collect();
    assert_eq!(
        seconds(&merge("replay --order time a.ndjson b.ndjson c.ndjson").await.ended(0)),
        all
    );
    assert_eq!(seconds(&merge("replay --order time .").await.ended(0)), all);
    let first = merge("replay --order time c.ndjson a.ndjson b.ndjson -n 5").await.ended(0);
    assert_eq!(seconds(&first), [0, 1, 2, 3, 4]);
    let missing = merge("replay --order time none.ndjson a.ndjson neither.ndjson").await;
    assert_eq!(seconds(&missing.ended(1)).len(), 1000);
    for name in ["none.ndjson", "neither.ndjson"] {
        assert!(missing.stderr().contains(&format!("cannot read {name}")), "{}", missing.stderr());
    }
    // The order within a recording stays.
    let backwards = evtap("replay --order time a.ndjson b.ndjson")
        .file("a.ndjson", recording([5, 4].into_iter()))
        .file("b.ndjson", recording([3, 6].into_iter()));
    assert_eq!(seconds(&backwards.run().await.ended(0)), [3, 5, 4, 6]);
}

#[tokio::test]
async fn what_is_no_range_is_refused() {
    for (line, expected) in [
        ("replay r.ndjson --since soon", "not a time, a date, an age or an event id"),
        ("replay r.ndjson --since today --before yesterday", "it is not after --since"),
        ("stats -w demo --before today", "a live stream goes on"),
        ("expect -c demo --then true --no-check --since 1m", "keeps no events of a call"),
        ("timeline demo --since 1m", "followed from its beginning"),
    ] {
        let ran = evtap(line).run().await;
        assert_eq!(ran.ended(2), "", "{line}");
        assert!(ran.stderr().contains(expected), "{line}: {}", ran.stderr());
    }
}

#[tokio::test]
async fn a_live_check_can_begin_in_the_past() {
    let base = emulator(fast()).await;
    let seen = watch(&base, "-n 50").run().await.ended(0);
    let first = events(&seen)[0]["_tap"]["id"].as_str().expect("an id").to_owned();
    let step = format!("._tap.id == \"{first}\"");
    for command in ["expect --then", "stats --until"] {
        let (command, option) = command.split_once(' ').expect("an option");
        let line = format!("{command} -w {DEMO_WORKSPACE} --since {first} --no-check {option}");
        assert_ne!(evtap(&line).arg(&step).at(&base).run().await.ended(0), "", "{command}");
    }
}

/// Returns the lines of a recording that is large enough for an index, out of order here and there.
fn large_recording() -> String {
    let count = 60_000;
    let order = (count / 2..count).chain(0..count / 2).map(|at| at ^ 3);
    let text = recording(order);
    assert!(text.len() > 8 << 20);
    text
}

#[tokio::test]
async fn with_an_index_of_its_times_a_range_of_a_recording_is_the_same() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("day.ndjson");
    let long = format!("{{\"event_type\":\"{}\"}}\n", "x".repeat(2 << 20));
    let text = large_recording();
    let middle = text[..text.len() / 3].rfind('\n').expect("a line") + 1;
    // Too large only with a lower limit.
    let wide =
        recording(5..6).replace("\"_tap\"", &format!("\"x\":\"{}\",\"_tap\"", "y".repeat(2000)));
    // What is no event, or too large, or has no time, is reported whatever the range.
    let text = format!(
        "{}not an event\n{long}{{\"event_type\":\"text.started\"}}\n{}{wide}",
        &text[..middle],
        &text[middle..]
    );
    let path = path.to_str().expect("text");
    std::fs::write(path, &text).expect("written");
    let cache = home.path().join("cache");
    let run = |command: String| {
        let cache = cache.clone();
        async move { evtap(&command).env("XDG_CACHE_HOME", cache.to_str().expect("text")).run().await }
    };
    let range = |since: i64, before: i64| {
        format!("--since {} --before {}", time(BEGIN + since * 1000), time(BEGIN + before * 1000))
    };
    let commands = |since, before| {
        let range = range(since, before);
        [
            format!("replay {path} {range} --threads 1"),
            format!("replay {path} {range} --threads 4 -o cloudevents"),
            format!("stats {path} {range} -o json"),
            format!("audit {path} {range}"),
            format!("replay {path} {range} --max-frame 1KiB"),
        ]
    };
    let written = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    let set_modified = |time| {
        let file = std::fs::File::options().append(true).open(path).expect("a file");
        file.set_modified(time).expect("a time");
    };
    set_modified(written + std::time::Duration::from_secs(3600));
    let indexes = || std::fs::read_dir(cache.join("evtap/times")).map_or(0, Iterator::count);
    let mut before = Vec::new();
    for (since, until) in [(7_000, 7_003), (29_990, 30_010), (59_999, 70_000), (90_000, 90_001)] {
        for command in commands(since, until) {
            let ran = run(command.clone()).await;
            before.push((command, ran.status(), ran.stdout(), ran.stderr()));
        }
    }
    run(before[0].0.clone()).await;
    assert_eq!(indexes(), 0, "a file that was written just now may still change without a trace");
    set_modified(written);
    run(before[0].0.clone()).await;
    assert_eq!(indexes(), 1);
    for (command, status, stdout, stderr) in &before {
        let ran = run(command.clone()).await;
        assert_eq!((ran.status(), &ran.stdout()), (*status, stdout), "{command}");
        assert_eq!(&ran.stderr(), stderr, "{command}");
    }
    // Proof that the index is used: a change that it cannot know of is not seen.
    let first = recording(59_999..60_000);
    let changed = first.clone() + &text[first.len()..];
    assert_eq!(changed[first.len() - 1..].find('{'), Some(1));
    std::fs::write(path, &changed).expect("written");
    set_modified(written);
    let command = format!("replay {path} {}", range(59_999, 70_000));
    assert_eq!(seconds(&run(command.clone()).await.stdout()), [59_999]);
    set_modified(written + std::time::Duration::from_millis(1));
    assert_eq!(seconds(&run(command.clone()).await.stdout()), [59_999, 59_999]);
    // A file that has grown is read again as a whole.
    std::fs::write(path, text.clone() + &first).expect("written");
    assert_eq!(seconds(&run(command).await.stdout()), [59_999, 59_999]);
}
