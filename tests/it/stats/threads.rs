//! Statistics are byte for byte the same with any number of threads.

use std::fmt::Write;

use evtap::internals::analysis::stats::json::time;

use crate::support::evtap;

const BEGAN: i64 = 1_777_000_000_000;

/// Returns a recording of several chunks: calls that begin in one and end in another, more names
/// and groups than are counted separately, times out of order and events without one, escapes, gaps
/// and lines that are no events.
fn recording() -> String {
    let mut lines = String::new();
    let mut line = |millis: Option<i64>, fields: &str, is_observer: bool| {
        let tap = millis.map_or_else(
            || r#"{"stream":"workspace"}"#.to_owned(),
            |millis| {
                let (id, time) = (BEGAN + millis, time(BEGAN + millis));
                if is_observer {
                    format!(r#"{{"received_at":"{time}","stream":"observer"}}"#)
                } else {
                    format!(r#"{{"id":"{id}","time":"{time}","stream":"workspace"}}"#)
                }
            },
        );
        let end = if millis.is_some_and(|millis| millis % 7 == 0) { "\r\n" } else { "\n" };
        let _ = write!(lines, "{{{fields},\"_tap\":{tap}}}{end}");
    };
    for number in 0..2500i64 {
        let now = number * 400;
        let sid = format!("CA{number:032x}");
        line(
            Some(now),
            &format!(
                r#""event_type":"call.started","call_sid":"{sid}","caller_id":"+12025550123","direction":"{}","service_id":"0b0d0e0f-1111-4222-8333-444455556666""#,
                ["inbound", "outbound"][usize::from(number % 3 == 0)]
            ),
            false,
        );
        // Ends some 300 kB after its beginning.
        if let Some(ended) = number.checked_sub(400).filter(|ended| *ended >= 0 && ended % 9 > 0) {
            line(
                Some(now + 5 - (number % 11) * 1000),
                &format!(
                    r#""event_type":"call.ended","call_sid":"CA{ended:032x}","completion_reason":"{}","direction":"inbound","duration_seconds":{}.25"#,
                    ["completed", "abandoned", "\\u0065scalated", "abducted"]
                        [usize::try_from(ended % 4).expect("small")],
                    ended % 301
                ),
                false,
            );
        }
        line(
            (number % 40 > 0).then_some(now + 7),
            &format!(
                r#""event_type":"tool_call_completed","call_id":"{sid}","tool_name":"tool \"{}\"","succeeded":{},"duration_ms":{}"#,
                number % 150,
                number % 5 > 0,
                number * 7 % 1009
            ),
            true,
        );
        line(
            Some(now + 8),
            &format!(
                r#""event_type":"latency","e2e_ttfb_ms":{}.5,"engine_ms":{number},"nav_ms":1e2,"render_ms":0.25,"audio_ttfb_ms":-1,"continuation":false,"is_greeting":false"#,
                number % 700
            ),
            true,
        );
        if number % 3 == 0 {
            line(
                Some(now + 9),
                &format!(
                    r#""event_type":"surface.{}","surface_id":"s{:08x}a","entity_id":"e","new_{}":1"#,
                    ["created", "opened", "submitted"]
                        [usize::try_from(number / 3 % 3).expect("small")],
                    number / 9,
                    number % 700
                ),
                false,
            );
        }
        if number % 4 == 1 {
            line(
                Some(now + 30_000),
                &format!(r#""event_type":"invented.{}","x":"été 😀""#, number % 640),
                false,
            );
        }
        if number % 50 == 2 {
            line(
                Some(now - 200_000),
                r#""event_type":"pipeline.sync_completed","data_source_id":"d","duration_ms":4,"event_count":3"#,
                false,
            );
        }
    }
    let fractional = r#"{"event_type":"pipeline.sync_completed","data_source_id":"d","duration_ms":4,"event_count":0.1}"#;
    let gap = r#"{"event_type":"tap.gap","from":null,"to":"2026-04-24T03:20:00.000Z","certain":false,"reason":"no_position"}"#;
    let at = lines.len() / 5 * 4;
    let at = at + lines[at..].find('\n').map_or(0, |end| end + 1);
    lines.insert_str(at, &format!("{fractional}\n{gap}\n\n{fractional}\nno JSON\n{{\"a\":1,\n"));
    lines
}

#[tokio::test]
async fn statistics_do_not_depend_on_the_number_of_threads() {
    let recording = recording();
    assert!(recording.len() > 5 << 18, "several chunks: {}", recording.len());
    let options = [
        "",
        "-o json",
        "-e call.* -o json",
        "--every 1m",
        "--every 10s -o csv",
        "--every 1s -o csv",
        "--every 1h -o json",
        "--every 30s -o json -e tool_call_completed",
    ];
    let groups = [".event_type", ".call_sid", ".tool_name, .direction"];
    let mut runs = Vec::new();
    for options in options {
        runs.push((options, None));
        runs.extend(groups.map(|group| (options, Some(group))));
    }
    let others = [
        "._tap.stream",
        ".duration_ms / 100 | floor",
        ".tool_name | error",
        "select(.event_type == \"call.started\") | .x",
        "select(.event_type == \"call.started\")",
        "if .tool_name then range(1001) else 1 end",
    ];
    runs.extend(others.map(|group| ("-o json --no-check", Some(group))));
    runs.push(("-o json --status json --grep 99", None));
    runs.push(("--every 1m --redact call_sid --status json -f .direction==\"inbound\"", None));
    for (options, group) in runs {
        let run = |threads: usize| {
            let command = format!("stats day.ndjson --threads {threads} {options}");
            let run = evtap(&command).file("day.ndjson", &recording);
            let run = match group {
                Some(group) => run.arg("--group-by").arg(group),
                None => run,
            };
            run.run()
        };
        let (one, two, eight) = tokio::join!(run(1), run(2), run(8));
        for (threads, other) in [(2, two), (8, eight)] {
            assert_eq!(one.all(), other.all(), "{options} {group:?} with {threads} threads");
            assert_eq!(one.status(), other.status(), "{options} {group:?}");
        }
    }
}

#[tokio::test]
async fn a_summary_does_not_depend_on_the_number_of_threads() {
    let recording = recording();
    for options in ["--status text", "--status json", "-e call.*", "-o csv --fields call_sid"] {
        let run = |threads: usize| {
            let command = format!("replay day.ndjson --stats --threads {threads} {options}");
            evtap(&command).file("day.ndjson", &recording).run()
        };
        let (one, two, eight) = tokio::join!(run(1), run(2), run(8));
        assert!(one.stderr().contains("call.ended"), "{options}: {}", one.stderr());
        for other in [two, eight] {
            assert_eq!((one.stdout(), one.stderr()), (other.stdout(), other.stderr()), "{options}");
        }
    }
}
