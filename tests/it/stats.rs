//! `evtap stats` and `--stats`: the statistics match the events, and their text matches the
//! snapshots.

mod page;
mod threads;

use std::collections::{BTreeMap, BTreeSet};

use evtap::internals::analysis::stats::{EventStats, event_millis, json};
use evtap::model::FrameFormat;
use evtap::model::decode::Decoder;
use evtap::redact::{Policy, Redactor};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::decode_redact::frame;
use crate::support::{emulator, events, evtap, fast, watch};

/// Returns a recording of both streams of the emulator.
async fn day() -> String {
    let workspace =
        evtap("watch -w demo -n 400 --demo-rate 2000 --status none").run().await.ended(0);
    workspace + &evtap("observe -c demo --demo-rate 500 --status none").run().await.ended(0)
}

async fn run_stats(day: &str, options: &str) -> Value {
    let out =
        evtap(&format!("stats - -o json {options}")).stdin(day.to_owned()).run().await.ended(0);
    serde_json::from_str(&out).expect("one object")
}

fn nearest_rank(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() * percent).div_ceil(100) - 1]
}

#[tokio::test]
async fn statistics_match_a_separate_count() {
    let day = day().await;
    let all = events(&day);
    let of_type =
        |name: &str| all.iter().filter(|event| event["event_type"] == name).collect::<Vec<_>>();
    let report = run_stats(&day, "").await;
    assert_eq!(report["events"], all.len());

    let mut types = BTreeMap::<&str, u64>::new();
    for event in &all {
        *types.entry(event["event_type"].as_str().expect("a type")).or_default() += 1;
    }
    let counted: BTreeMap<_, _> = report["types"]
        .as_array()
        .expect("types")
        .iter()
        .map(|row| {
            (row["event_type"].as_str().expect("a name"), row["count"].as_u64().expect("a count"))
        })
        .collect();
    assert_eq!(counted, types);

    assert_eq!(report["calls"]["started"], of_type("call.started").len());
    assert_eq!(report["calls"]["ended"], of_type("call.ended").len());
    assert!(
        report["calls"]["still_on"].as_u64() > Some(0),
        "the recording ends in the middle of the day"
    );
    let mut durations: Vec<_> = of_type("call.ended")
        .iter()
        .map(|event| event["duration_seconds"].as_f64().expect("seconds") * 1000.0)
        .collect();
    for percent in [50, 95, 99] {
        assert_eq!(
            report["calls"]["duration_ms"][format!("p{percent}")],
            nearest_rank(&mut durations, percent)
        );
    }
    let mut tools = of_type("tool_call_completed")
        .iter()
        .map(|event| event["duration_ms"].as_f64().expect("ms"))
        .collect::<Vec<_>>();
    assert!(tools.len() > 1);
    let reported_tools = report["tools"].as_array().expect("tools");
    let sum = |what: &str| {
        reported_tools.iter().map(|tool| tool[what].as_u64().expect("a count")).sum::<u64>()
    };
    assert_eq!(
        (sum("started"), sum("completed")),
        (of_type("tool_call_started").len() as u64, tools.len() as u64)
    );
    assert_eq!(
        sum("failed"),
        of_type("tool_call_completed").iter().filter(|event| event["succeeded"] == false).count()
            as u64
    );
    let mut maxima: Vec<_> =
        reported_tools.iter().filter_map(|tool| tool["duration_ms"]["max"].as_f64()).collect();
    assert_eq!(json!(nearest_rank(&mut maxima, 100)), json!(nearest_rank(&mut tools, 100)));
    assert_eq!(report["latency_ms"]["e2e_ttfb_ms"]["count"], of_type("latency").len());
    assert_eq!(
        report["observed_calls"]["outcomes"],
        json!([{"completion_reason": "escalated", "count": 1}])
    );

    let surfaces = [of_type("surface.created"), of_type("surface.reshaped")].concat();
    let created: BTreeSet<_> =
        surfaces.iter().map(|event| event["surface_id"].to_string()).collect();
    assert_eq!(report["surfaces"]["created"], created.len());
    assert_eq!(report["surfaces"]["not_followed"], 0);
}

/// Returns a recording that is always the same.
fn fixed() -> String {
    let mut day = String::new();
    let mut add = |second: i64, event: Value| {
        let mut event = event;
        let id = 1_700_000_000_000 + second * 1000;
        event["_tap"] = json!({"id": id.to_string(), "time": json::time(id)});
        day += &(event.to_string() + "\n");
    };
    for call in 0..1500i64 {
        let sid = format!("CA{call:032}");
        add(
            call * 7,
            json!({"event_type": "call.started", "call_sid": sid, "caller_id": "+12025550123", "direction": "inbound", "service_id": "0b0d0e0f-1111-4222-8333-444455556666"}),
        );
        let reason = ["completed", "completed", "abandoned", "escalated", "abducted"]
            [usize::try_from(call % 5).expect("small")];
        if call % 9 > 0 {
            add(
                call * 7 + 90,
                json!({"event_type": "call.ended", "call_sid": sid, "completion_reason": reason, "direction": "inbound", "duration_seconds": 30 + call % 300}),
            );
        }
        if call % 50 == 0 {
            add(
                call * 7 + 5,
                json!({"event_type": "tool_call_started", "call_id": sid, "tool_name": format!("tool_{}", call % 3)}),
            );
            add(
                call * 7 + 6,
                json!({"event_type": "tool_call_completed", "call_id": sid, "tool_name": format!("tool_{}", call % 3), "succeeded": call % 100 == 0, "duration_ms": call}),
            );
            add(
                call * 7 + 6,
                json!({"event_type": "surface.created", "surface_id": format!("s{call:08x}a"), "entity_id": "e"}),
            );
        }
        if call % 100 == 0 {
            add(
                call * 7 + 7,
                json!({"event_type": "surface.submitted", "surface_id": format!("s{call:08x}a"), "entity_id": "e"}),
            );
            add(
                call * 7 + 8,
                json!({"event_type": "call.escalated", "call_sid": sid, "escalation_id": "x", "trigger": "ai", "reason": "r"}),
            );
            add(
                call * 7 + 8,
                json!({"event_type": "tap.gap", "from": null, "to": json::time(1_700_000_000_000), "certain": false, "reason": "no_position"}),
            );
            add(call * 7 + 8, json!({"event_type": "invented.\u{1b}[31m", "x": 1}));
        }
    }
    day + "no JSON\n"
}

#[tokio::test]
async fn text_output_matches_the_snapshots() {
    let text = evtap("stats - --color never").stdin(fixed()).run().await.ended(0);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!("stats", text);
    let text = evtap("stats - --color never --group-by .completion_reason -e call.ended")
        .stdin(fixed())
        .run()
        .await
        .ended(0);
    insta::assert_snapshot!("stats_by_group", text);
    let text = evtap("stats - --color never --every 1h").stdin(fixed()).run().await.ended(0);
    insta::assert_snapshot!("stats_by_the_hour", text);
    let coloured = evtap("stats - --color always").stdin(fixed()).run().await.ended(0);
    let colours = regex::Regex::new("\u{1b}\\[[0-9;]*m").expect("a regex");
    assert_eq!(
        colours.replace_all(&coloured, ""),
        evtap("stats -").stdin(fixed()).run().await.ended(0)
    );
    assert!(coloured.contains('\u{1b}'));
}

#[tokio::test]
async fn the_number_of_calls_still_on_is_reported_only_if_it_is_known() {
    let report = run_stats(&fixed(), "").await;
    assert_eq!(report["calls"]["still_on"], 1500_u64.div_ceil(9));
    let report = run_stats(&fixed(), "--redact call_sid").await;
    assert_eq!(report["calls"]["still_on"], Value::Null, "nobody can tell which calls ended");
    let text = evtap("stats - --color never --redact call_sid").stdin(fixed()).run().await.ended(0);
    assert!(text.contains("still on                      not known"), "{text}");
}

#[tokio::test]
async fn an_event_cannot_be_in_any_number_of_groups() {
    let line = json!({"event_type": "call.escalated", "call_sid": "CA1", "trigger": "ai"});
    let lines = format!("{line}\n");
    let run = |expression: &str| {
        evtap("stats - -o json --group-by").arg(expression).stdin(lines.clone()).run()
    };
    let ran = run("range(2000)").await;
    let report: Value = serde_json::from_str(&ran.ended(0)).expect("an object");
    assert_eq!((&report["groups"], &report["events"]), (&json!([]), &json!(1)));
    assert!(ran.stderr().contains("has too many results"), "{}", ran.stderr());
    let report: Value = serde_json::from_str(&run("range(3)").await.ended(0)).expect("an object");
    assert_eq!(report["groups"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn filtered_events_are_not_counted() {
    let day = day().await;
    let report = run_stats(&day, "-e call.*").await;
    let matching = evtap("replay - -e call.*").stdin(day.clone()).run().await.ended(0);
    assert_eq!(report["events"], matching.lines().count());
    let filtered = evtap("stats - -o json -f")
        .arg(".event_type == \"call.ended\" and .escalated")
        .stdin(day)
        .run()
        .await
        .ended(0);
    let filtered: Value = serde_json::from_str(&filtered).expect("an object");
    assert_eq!(filtered["types"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn drift_gaps_and_malformed_frames_are_counted() {
    let day = concat!(
        "{\"event_type\":\"call.ended\",\"call_sid\":\"CA1\",\"completion_reason\":\"abducted\",\"direction\":\"inbound\",\"duration_seconds\":1,\"weather\":\"fine\"}\n",
        "{\"event_type\":\"tap.gap\",\"from\":\"2026-05-05T10:00:00.000Z\",\"to\":\"2026-05-05T10:07:12.345Z\",\"certain\":true,\"reason\":\"replay_late\"}\n",
        "{\"event_type\":\"brand.new\"}\n",
        "no JSON\n",
    );
    let report = run_stats(day, "").await;
    assert_eq!(
        report["drift"],
        json!([
            {"kind": "unknown_event", "event_type": "brand.new", "field": null, "count": 1},
            {"kind": "unknown_field", "event_type": "call.ended", "field": "weather", "count": 1},
            {"kind": "unknown_value", "event_type": "call.ended", "field": "completion_reason", "count": 1},
        ])
    );
    assert_eq!(report["gaps"], json!([{"reason": "replay_late", "certain": 1, "possible": 0}]));
    assert_eq!(report["malformed"], json!([{"category": "not_json", "count": 1}]));
    assert_eq!(report["calls"]["outcomes"], json!([{"completion_reason": "abducted", "count": 1}]));
}

#[tokio::test]
async fn groups_use_redacted_values() {
    let day = day().await;
    let report = run_stats(&day, "-e call.started --group-by .caller_id").await;
    let count = report["events"].clone();
    let group = &report["groups"][0];
    assert_eq!((&group["group"], &group["count"]), (&json!("[redacted]"), &count));
    let revealed =
        evtap("watch -w demo -n 400 --demo-rate 2000 --reveal caller_id").run().await.ended(0);
    let shown =
        run_stats(&revealed, "-e call.started --group-by .caller_id --reveal caller_id").await;
    assert!(shown["groups"].as_array().map(Vec::len) > Some(1));
    let tools = run_stats(&day, "-e tool_call_completed --group-by .tool_name").await;
    assert!(tools["groups"][0]["ms"]["p95"].is_number(), "{tools}");

    let ran = evtap("stats - --group-by .durations").stdin("").run().await;
    ran.ended(2);
    assert!(ran.stderr().contains("did you mean"), "{}", ran.stderr());
    let ran = evtap("stats - -o json --no-check --group-by")
        .arg(".event_type | error")
        .stdin(day)
        .run()
        .await;
    let report: Value = serde_json::from_str(&ran.ended(0)).expect("an object");
    assert_eq!(report["groups"], json!([]));
    assert!(ran.stderr().contains("--group-by fails on"), "{}", ran.stderr());
}

/// Returns an event `second` seconds after a fixed time.
fn at(second: i64) -> String {
    let id = 1_700_000_000_000 + second * 1000;
    format!(
        "{{\"event_type\":\"pipeline.error\",\"data_source_id\":\"d\",\"error\":\"x\",\"_tap\":{{\"id\":\"{id}\",\"time\":\"{}\",\"stream\":\"workspace\"}}}}\n",
        json::time(id)
    )
}

#[tokio::test]
async fn a_series_has_a_row_per_interval_of_event_time() {
    let day: String =
        [0, 30, 41, 39, 3700, 45, 100, 160, 220, 280, 340, 400, 460, 520, 30].map(at).concat();
    let rows = events(&evtap("stats - -o json --every 1m").stdin(day.clone()).run().await.ended(0));
    let report: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["stretch"][0].as_str().expect("a time"),
                row["events"].as_u64(),
                row["late"].as_u64(),
            )
        })
        .collect();
    // The first event is at 22:13:20, so the first interval begins before it.
    assert_eq!(
        report[..3],
        [
            ("2023-11-14T22:13:00.000Z", Some(3), Some(0)),
            ("2023-11-14T22:14:00.000Z", Some(2), Some(0)),
            ("2023-11-14T22:15:00.000Z", Some(1), Some(0))
        ]
    );
    assert_eq!(report.iter().map(|row| row.1.expect("a count")).sum::<u64>(), 15);
    assert_eq!(
        report.iter().map(|row| row.2.expect("a count")).sum::<u64>(),
        1,
        "the last one came after its minute was over"
    );
    assert_eq!(
        report.last().map(|row| row.0),
        Some("2023-11-14T23:15:00.000Z"),
        "an hour of nothing has no rows"
    );

    let csv = evtap("stats - -o csv --every 1m").stdin(day.clone()).run().await.ended(0);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let from: Vec<_> =
        reader.records().map(|record| record.expect("a record")[0].to_owned()).collect();
    assert_eq!(from, report.iter().map(|row| row.0).collect::<Vec<_>>());
    let text = evtap("stats - --every 1m --color never").stdin(day.clone()).run().await.ended(0);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert_eq!(text.lines().count(), report.len() + 1);
    let grouped =
        evtap("stats - -o csv --every 1m --group-by .error").stdin(day).run().await.ended(0);
    assert!(
        grouped.lines().nth(1).is_some_and(|line| line.contains("\"\"\"x\"\"\",3,")),
        "{grouped}"
    );
}

#[tokio::test]
async fn invalid_options_explain_what_to_do() {
    for (options, expected) in [
        ("-o csv", "--every"),
        ("--every 0s", "longer than zero"),
        ("--every 10ms", "shorter than one second"),
        ("--every x", "invalid duration"),
    ] {
        let ran = evtap(&format!("stats - {options}")).stdin("").run().await;
        ran.ended(2);
        assert!(ran.stderr().contains(expected), "{options}: {}", ran.stderr());
    }
    let ran = evtap("stats").run().await;
    ran.ended(2);
    assert!(ran.stderr().contains("demo"), "{}", ran.stderr());
}

#[tokio::test]
async fn stats_at_the_end_go_to_stderr() {
    let day = day().await;
    let plain = evtap("replay - -e call.*").stdin(day.clone()).run().await.ended(0);
    let ran = evtap("replay - -e call.* --stats").stdin(day.clone()).run().await;
    assert_eq!(ran.ended(0), plain);
    assert!(
        ran.stderr().contains("call.ended") && ran.stderr().contains("still on"),
        "{}",
        ran.stderr()
    );
    assert!(!ran.stderr().contains('\u{1b}'));
    let ran = evtap("replay - -n 7 --stats --status json").stdin(day).run().await;
    ran.ended(0);
    let report =
        events(&ran.stderr()).into_iter().find(|line| line["status"] == "stats").expect("a line");
    assert_eq!(report["stats"]["events"], 7);
}

#[tokio::test]
async fn an_interrupted_count_is_printed() {
    let base = emulator(fast()).await;
    let mut run = evtap(&format!("stats --workspace {} -o json", evtap::emulator::DEMO_WORKSPACE))
        .at(&base)
        .start();
    run.status_line().await;
    // Once another stream has delivered events, this one has too.
    watch(&base, "-n 50").run().await.ended(0);
    run.signal("INT");
    let ran = run.end().await;
    let report: Value = serde_json::from_str(&ran.ended(130)).expect("an object");
    assert!(report["events"].as_u64() > Some(0), "{report}");
}

#[tokio::test]
async fn a_live_series_prints_a_row_per_interval() {
    let mut run =
        evtap("stats --workspace demo --demo-rate 50 -o csv --every 1s --status none").start();
    assert!(run.line().await.starts_with("from,to,events,per_second,"));
    let first = run.line().await;
    let second = run.line().await;
    let to = first.split(',').nth(1).expect("a time").to_owned();
    assert_eq!(second.split(',').next(), Some(&*to), "one stretch follows the other");
    run.signal("TERM");
    run.end().await.ended(143);
}

/// Generates events of several types, undeclared ones and invalid lines.
fn lines() -> impl Strategy<Value = Vec<String>> {
    let line = (any::<u8>(), 0i64..100_000, any::<u8>()).prop_map(|(kind, time, value)| {
        let id = 1_700_000_000_000 + time;
        let tap = format!("\"_tap\":{{\"id\":\"{id}\",\"time\":\"{}\"}}", json::time(id));
        match kind % 6 {
            0 => format!("{{\"event_type\":\"call.started\",\"call_sid\":\"CA{}\",{tap}}}", value % 20),
            1 => format!("{{\"event_type\":\"call.ended\",\"call_sid\":\"CA{}\",\"duration_seconds\":{value}.5,{tap}}}", value % 20),
            2 => format!("{{\"event_type\":\"tool_call_completed\",\"tool_name\":\"t{}\",\"succeeded\":false,\"duration_ms\":{value},{tap}}}", value % 3),
            3 => format!("{{\"event_type\":\"surface.opened\",\"surface_id\":\"s{}\",{tap}}}", value % 9),
            4 => format!("{{\"event_type\":\"new.event{}\",{tap}}}", value % 7),
            _ => "no JSON".to_owned(),
        }
    });
    prop::collection::vec(line, 0..600)
}

fn count(mut run_stats: EventStats, lines: &[String]) -> EventStats {
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(Policy::default()));
    for line in lines {
        let frame = frame(FrameFormat::Record, None, line.as_bytes());
        let event = decoder.decode(frame.as_frame());
        let shown = redactor.redact(&event);
        run_stats.observe(&shown, event_millis(&shown));
    }
    run_stats
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn merged_statistics_equal_those_of_the_whole(lines in lines(), at in any::<prop::sample::Index>()) {
        let (first, second) = lines.split_at(at.index(lines.len() + 1));
        let mut merged = count(EventStats::default(), first);
        let part = count(EventStats::part(), second);
        prop_assert!(merged.can_merge(&part));
        merged.merge(&part);
        let whole = count(EventStats::default(), &lines);
        prop_assert_eq!(json::totals(&merged, None), json::totals(&whole, None));
    }
}
