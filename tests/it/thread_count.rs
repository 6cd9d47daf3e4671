//! The number of threads changes neither the output, nor a record, nor what is reported, whatever
//! options are combined.

use std::fs;

use evtap::model::Kind;
use futures_util::StreamExt as _;
use futures_util::stream;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::fast_path::event;
use crate::support::{Evtap, evtap};

/// The number of runs at a time.
const CONCURRENT: usize = 4;

/// The options of `replay`, by groups of options that exclude each other. `%` separates arguments.
const OPTIONS: &[&[&str]] = &[
    &[
        "-q%{t: .event_type, d: (.duration_seconds + 1)}",
        "-o%json",
        "-o%csv%--fields%event_type,call_sid,duration_seconds",
        "-o%pretty%--timestamps%delta",
        "-o%cloudevents",
    ],
    &["-n%666"],
    &[
        "--until%.call_sid | startswith(\"CA-middle\")",
        "--until%.event_type == \"no.such\" and (.duration_seconds | tostring | length) > 9",
    ],
    &["--fail-if%.duration_seconds > 1e9"],
    &["-f%.call_sid | test(\"^C\")"],
    &["-E%call.started"],
    &["--record%record"],
    &["--phi%drop"],
    &["--scrub%all"],
    &["--stats"],
    &["--status%json%--fail-on-gap"],
    &["--idle-timeout%1h"],
    &["--max-frame%8KiB"],
];

/// Returns lines with events of all types, gaps, drift, lines that are no events, and long and
/// blank ones. Expressions fail only on events of the second half.
fn lines(events: usize) -> Vec<u8> {
    let mut rng = StdRng::seed_from_u64(17);
    let mut lines = Vec::new();
    let call = |sid: &str, seconds: &str| {
        format!(
            "{{\"event_type\":\"call.ended\",\"call_sid\":{sid},\"duration_seconds\":{seconds}}}"
        )
    };
    for number in 0..events {
        let line = match rng.random_range(0..100) {
            0 => "not an event".to_owned(),
            1 => call("\"CA1\"", "\"\\ud800\""),
            2 => String::new(),
            3 if number > events / 2 => call("\"CA1\"", "\"long\""),
            4 if number > events / 2 => call("7", "4"),
            5..10 => call("\"CA2\"", "20"),
            10 => call(&format!("\"{}\"", "C".repeat(20_000)), "40"),
            11 | 12 if number % 3 == 0 => concat!(
                "{\"event_type\":\"tap.gap\",\"from\":\"2023-11-14T22:13:20.001Z\",",
                "\"to\":\"2023-11-14T22:14:20.001Z\",\"certain\":true,\"reason\":\"away_too_long\",",
                "\"_tap\":{}}"
            )
            .to_owned(),
            _ => event(Kind::ALL[number % Kind::ALL.len()], &mut rng),
        };
        lines.extend(line.bytes());
        lines.extend(if number % 7 == 0 { &b"\r\n"[..] } else { b"\n" });
        if number == events * 2 / 3 {
            lines.extend(call("\"CA-middle\"", "5").bytes().chain([b'\n']));
        }
    }
    lines.extend(call("\"CA-last\"", "5").bytes());
    lines
}

/// Everything that a run leaves behind.
#[derive(PartialEq)]
struct Outcome {
    status: i32,
    stdout: String,
    stderr: String,
    record: Option<Vec<u8>>,
}

async fn outcome(command: &str, threads: &str, options: &[&str], input: &[u8]) -> Outcome {
    let call = evtap(command).arg("--threads").arg(threads).stdin(input);
    let record = call.path("record");
    let options = options.iter().flat_map(|option| option.split('%'));
    let running = options.fold(call, Evtap::arg).start();
    let (ran, record) = running.end_and_read(&record).await;
    Outcome { status: ran.status(), stdout: ran.stdout(), stderr: ran.stderr(), record }
}

/// Asserts that the number of threads changes nothing. Returns the exit status.
async fn assert_same(command: &str, options: Vec<&str>, input: &[u8]) -> i32 {
    let one = outcome(command, "1", &options, input).await;
    assert!(one.status != 2, "{options:?}: {}", one.stderr);
    for threads in ["2", "8"] {
        let several = outcome(command, threads, &options, input).await;
        assert_eq!(
            (several.status, &several.stderr),
            (one.status, &one.stderr),
            "{command} {options:?} on {threads} threads"
        );
        assert!(several == one, "{command} {options:?} on {threads} threads: the output differs");
    }
    one.status
}

/// A pipe delivers at most 64 KiB at once, so a short input is several chunks.
#[tokio::test]
async fn no_pair_of_options_depends_on_the_thread_count() {
    let input = lines(1000);
    assert!(input.len() > 3 << 16, "{} bytes are too few chunks", input.len());
    let mut pairs = Vec::new();
    for (number, group) in OPTIONS.iter().enumerate() {
        for one in *group {
            let others = OPTIONS[number + 1..].iter().flat_map(|other| *other);
            pairs.extend(others.map(|other| vec![*one, *other]));
        }
    }
    let statuses: Vec<_> = stream::iter(pairs)
        .map(|pair| assert_same("replay - --no-check", pair, &input))
        .buffer_unordered(CONCURRENT)
        .collect()
        .await;
    for status in [0, 7, 8] {
        assert!(statuses.contains(&status), "no run ends with the status {status}");
    }
}

#[tokio::test]
async fn a_long_recording_does_not_depend_on_the_thread_count() {
    let input = lines(8000);
    assert!(input.len() > 5 << 18, "{} bytes are too few chunks", input.len());
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("long.ndjson");
    fs::write(&path, &input).expect("a file is written");
    let command = format!("replay {} --no-check", path.display());
    stream::iter(OPTIONS.iter().map(|group| group[0]))
        .map(|option| assert_same(&command, vec![option], b""))
        .buffer_unordered(CONCURRENT)
        .collect::<Vec<_>>()
        .await;
}

#[tokio::test]
async fn the_steps_of_a_check_do_not_depend_on_the_thread_count() {
    let input = lines(1500);
    let (middle, last) =
        ("--then%.call_sid == \"CA-middle\"", "--then%within 1h .call_sid == \"CA-last\"");
    let often = ["--then%.event_type | startswith(\"call\")"; 8];
    for options in [
        vec![middle, last],
        vec![last],
        vec![last, middle],
        vec!["--then%.duration_seconds > 1e9"],
        vec!["--then%(.duration_seconds | tostring | length) > 9", last],
        vec![middle, "--then%(.call_sid | startswith(\"CA-la\"))"],
        vec!["--any-order", last, middle],
        vec!["--then%never .call_sid == \"CA-last\"", middle],
        vec!["--then%never .call_sid == \"CA-none\"", middle],
        vec!["--then%500 times .event_type | startswith(\"call\")", last],
        often.into_iter().chain([middle]).chain(often).chain([last]).collect(),
    ] {
        assert_same("expect --replay - --no-check", options, &input).await;
    }
}

/// The times of the events decide, and not the order in which workers see them.
#[tokio::test]
async fn a_step_is_late_in_the_same_event_on_each_thread_count() {
    let event = |number: usize| {
        let time = format!(
            "2026-11-29T{:02}:{:02}:{:02}.000Z",
            number / 3600,
            number / 60 % 60,
            number % 60
        );
        format!(
            "{{\"event_type\":\"call.started\",\"call_sid\":\"CA{number}\",\"_tap\":{{\"time\":\"{time}\"}}}}\n"
        )
    };
    let input: String = (0..5000).map(event).collect();
    for options in [
        vec!["--then%within 4000s .call_sid == \"CA4000\""],
        vec!["--then%within 3999s .call_sid == \"CA4000\""],
        vec!["--then%.call_sid == \"CA3000\"", "--then%within 1000s .call_sid == \"CA4000\""],
        vec!["--then%.call_sid == \"CA3000\"", "--then%within 999s .call_sid == \"CA4000\""],
        vec!["--then%.call_sid == \"CA3000\"", "--then%within 1s .call_sid == \"CA3001\""],
        vec!["--duration%3999s", "--then%.call_sid == \"CA4000\""],
        vec!["--duration%4000s", "--then%.call_sid == \"CA4000\""],
        vec!["--duration%3999s", "--then%never .call_sid == \"CA4000\""],
    ] {
        assert_same("expect --replay - --no-check", options, input.as_bytes()).await;
    }
}

#[tokio::test]
async fn a_deadline_ends_the_run_while_all_threads_wait_for_input() {
    for options in ["--idle-timeout 300ms", "--duration 300ms"] {
        let line = format!("replay - --no-check --threads 8 {options}");
        let ran = evtap(&line).stdin(lines(1000)).stdin_stays_open().run().await;
        assert_eq!(ran.status(), 0, "{options}: {}", ran.stderr());
    }
}
