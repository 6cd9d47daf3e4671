//! `evtap verify`: what recordings cover, and what is missing.

use serde_json::{Value, json};

use crate::support::{Evtap, emulator, evtap, fast, watch};

const WORKSPACE: &str = "6f1f2d3c-0000-4000-8000-000000000001";

/// A line of a recording; times are minutes after ten.
fn line(minute: u32, mut event: Value) -> String {
    let time = at(minute);
    event["_tap"] = json!({"time": time, "received_at": time, "stream": "workspace", "workspace_id": WORKSPACE});
    event.to_string() + "\n"
}

fn at(minute: u32) -> String {
    format!("2026-05-05T10:{minute:02}:00.000Z")
}

fn event(minute: u32) -> String {
    line(minute, json!({"event_type": "call.ended", "call_sid": format!("CA{minute:032}")}))
}

fn events(minutes: std::ops::Range<u32>) -> String {
    minutes.map(event).collect()
}

fn gap(from: Option<u32>, to: u32, tap: Option<&str>) -> String {
    let mut gap = json!({"event_type": "tap.gap", "from": from.map(at), "to": at(to),
        "certain": true, "reason": "away_too_long"});
    if let Some(tap) = tap {
        gap["tap"] = tap.into();
    }
    line(to, gap)
}

fn verify(files: &[(&str, String)]) -> Evtap {
    let names: Vec<_> = files.iter().map(|(name, _)| *name).collect();
    let run = evtap(&format!("verify -o json {}", names.join(" ")));
    files.iter().fold(run, |run, (name, lines)| run.file(name, lines))
}

async fn report(status: i32, files: &[(&str, String)]) -> Value {
    let report = verify(files).run().await.ended(status);
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["complete"], status == 0);
    report["workspaces"][0].clone()
}

#[tokio::test]
async fn a_stream_that_was_followed_is_complete() {
    let base = emulator(fast()).await;
    let lines = watch(&base, "-n 300").run().await.ended(0);
    let text = evtap("verify x.ndjson").file("x.ndjson", &lines).run().await.ended(0);
    assert!(text.contains(": 300 events\n") && text.ends_with("\nno gap remains\n"), "{text}");
}

#[tokio::test]
async fn a_record_says_where_a_run_did_not_continue_the_one_before() {
    let base = emulator(fast()).await;
    let home = tempfile::tempdir().expect("a directory");
    let path = |name: &str| home.path().join(name).display().to_string();
    let (appended, continued) = (path("appended"), path("continued"));
    for _ in 0..2 {
        let shown = watch(&base, &format!("-n 30 --record {appended}")).run().await.ended(0);
        assert_eq!(shown.lines().count(), 30, "only the record has the gap");
        let cursor = path("cursor");
        let record = format!("-n 30 --record {continued} --cursor {cursor}");
        watch(&base, &record).run().await.ended(0);
    }
    let lines = std::fs::read_to_string(&appended).expect("a record");
    assert_eq!(lines.lines().count(), 61);
    let gap: Value = serde_json::from_str(lines.lines().nth(30).expect("a line")).expect("JSON");
    assert_eq!((&gap["event_type"], &gap["reason"]), (&json!("tap.gap"), &json!("no_position")));
    assert_eq!(gap["certain"], false);
    let report = evtap(&format!("verify -o json {appended}")).run().await.ended(8);
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["workspaces"].as_array().map(Vec::len), Some(1), "{report}");
    let found = &report["workspaces"][0];
    assert_eq!(found["gaps"].as_array().map(Vec::len), Some(1), "{report}");
    assert_eq!((&found["gaps"][0]["from"], &found["gaps"][0]["to"]), (&gap["from"], &gap["to"]));
    let text = evtap(&format!("verify {continued}")).run().await.ended(0);
    assert!(text.contains(": 60 events\n"), "{text}");
}

#[tokio::test]
async fn a_gap_of_a_whole_recording_is_one_of_each_of_its_workspaces() {
    let whole = |reason: &str| {
        let gap = json!({"event_type": "tap.gap", "from": at(10), "to": at(20), "certain": true,
            "reason": reason, "_tap": {"received_at": at(20)}});
        gap.to_string() + "\n"
    };
    let removed = events(0..10) + &whole("removed");
    let gap = json!([{"from": at(10), "to": at(20), "certain": true, "reasons": ["removed"]}]);
    assert_eq!(report(8, &[("a", removed.clone())]).await["gaps"], gap, "at the end too");
    let found = report(8, &[("a", removed.clone() + &events(22..30))]).await;
    assert_eq!(found["gaps"][0]["to"], at(22), "nothing is known before the next event");
    report(0, &[("a", removed + &events(22..30)), ("b", events(5..25))]).await;
    // Between two runs, nothing is missing of a workspace that has no events later.
    let again = events(0..10) + &whole("no_position");
    report(0, &[("a", again.clone())]).await;
    let once = report(8, &[("a", again.clone() + &event(20))]).await;
    let expected =
        json!([{"from": at(10), "to": at(20), "certain": false, "reasons": ["no_position"]}]);
    assert_eq!(once["gaps"], expected, "one event shows that the workspace was still read");
    let found = report(8, &[("a", again + &events(20..30))]).await;
    assert_eq!(
        (&found["gaps"][0]["from"], &found["gaps"][0]["to"]),
        (&json!(at(9)), &json!(at(20)))
    );
}

#[tokio::test]
async fn a_gap_remains_unless_another_recording_covers_it() {
    let broken = events(0..10) + &gap(Some(10), 20, None) + &events(20..30);
    let only = report(8, &[("a", broken.clone())]).await;
    assert_eq!(
        only["gaps"],
        json!([{"from": at(10), "to": at(20), "certain": true, "reasons": ["away_too_long"]}])
    );
    let both = report(0, &[("a", broken.clone()), ("b", events(5..25))]).await;
    assert_eq!((&both["gaps"], &both["taps"][0]["gaps"][0]["to"]), (&json!([]), &json!(at(20))));
    // Most of it is covered, but not all.
    let most = report(8, &[("a", broken), ("b", events(5..19))]).await;
    assert_eq!(
        (&most["gaps"][0]["from"], &most["gaps"][0]["to"]),
        (&json!(at(18)), &json!(at(20)))
    );
}

#[tokio::test]
async fn a_gap_at_the_beginning_or_of_unknown_length_remains() {
    let early = report(8, &[("a", gap(Some(1), 5, None) + &events(5..9))]).await;
    assert_eq!(early["gaps"][0]["from"], at(1));
    let unknown = report(8, &[("a", gap(None, 5, None) + &events(5..9))]).await;
    assert_eq!(
        (&unknown["gaps"][0]["from"], &unknown["gaps"][0]["to"]),
        (&json!(at(5)), &json!(at(5)))
    );
    let alone = report(8, &[("a", gap(Some(1), 5, None))]).await;
    assert_eq!(alone["gaps"][0]["to"], at(5));
}

#[tokio::test]
async fn taps_say_what_they_cover() {
    let own = |minute, kind: &str, tap: &str, position: u32| {
        let mut own = json!({"event_type": kind, "tap": tap});
        own[if kind == "tap.connected" { "from" } else { "position" }] = at(position).into();
        if kind == "tap.ended" {
            own["reason"] = "stopped".into();
        }
        line(minute, own)
    };
    // One tap is killed after minute 8. The other one begins at 12 and has a gap of its own.
    let lines = own(0, "tap.connected", "a", 0)
        + &event(3)
        + &own(8, "tap.position", "a", 8)
        + &own(12, "tap.connected", "b", 12)
        + &gap(Some(20), 22, Some("b"))
        + &event(25)
        + &own(30, "tap.ended", "b", 30);
    let found = report(8, &[("a", lines)]).await;
    let periods = |at: usize| found["taps"][at]["covered"].clone();
    let period = |from, to| json!({"from": at(from), "to": at(to)});
    assert_eq!(found["taps"].as_array().map(Vec::len), Some(2));
    assert_eq!(periods(0), json!([period(0, 8)]));
    assert_eq!(periods(1), json!([period(12, 20), period(22, 30)]));
    assert_eq!(
        found["gaps"],
        json!([
            {"from": at(8), "to": at(12), "certain": false, "reasons": []},
            {"from": at(20), "to": at(22), "certain": true, "reasons": ["away_too_long"]},
        ])
    );
}

#[tokio::test]
async fn a_tap_that_continues_covers_what_came_before_but_no_gap() {
    let own = |minute, kind: &str, name: &str, time: u32| {
        let mut own = json!({"event_type": kind, "tap": "a", "continues": kind == "tap.connected"});
        own[name] = at(time).into();
        line(minute, own)
    };
    // It connects again after minute 6. After the gap, it connects before an event has come.
    let lines = own(0, "tap.connected", "from", 0)
        + &own(2, "tap.position", "position", 2)
        + &event(6)
        + &own(7, "tap.connected", "from", 6)
        + &event(8)
        + &own(16, "tap.connected", "from", 8)
        + &gap(Some(8), 16, Some("a"))
        + &own(17, "tap.connected", "from", 8)
        + &own(20, "tap.position", "position", 20);
    let found = report(8, &[("a", lines)]).await;
    let period = |from, to| json!({"from": at(from), "to": at(to)});
    assert_eq!(found["taps"][0]["covered"], json!([period(0, 8), period(16, 20)]));
    assert_eq!(found["gaps"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_gap_in_a_call_is_reported_with_the_call() {
    let call = line(
        3,
        json!({"event_type": "tap.gap", "from": at(2), "to": at(3), "certain": true, "reason": "observer_down"}),
    );
    let call = call.replace(
        "\"workspace\"",
        "\"observer\",\"call_sid\":\"CA00000000000000000000000000000001\"",
    );
    let found = report(8, &[("a", events(0..5) + &call)]).await;
    assert_eq!(found["call_gaps"][0]["call_sid"], "CA00000000000000000000000000000001");
    assert_eq!(found["gaps"], json!([]));
}

#[tokio::test]
async fn equal_events_have_an_equal_digest_in_any_order() {
    let backwards: String = (0..30).rev().map(event).collect();
    let changed = events(0..30).replace(&format!("CA{:032}", 7), &format!("CA{:032}", 99));
    let files = [("a", events(0..30)), ("b", backwards), ("c", changed)];
    let hours = report(0, &files).await["hours"].clone();
    let digest = |at: usize| hours[at]["sha256"].as_str().expect("a digest").to_owned();
    assert_eq!(hours.as_array().map(Vec::len), Some(3));
    assert_eq!(digest(0), digest(1));
    assert_ne!(digest(0), digest(2));
}

#[tokio::test]
async fn hidden_values_are_not_in_the_report() {
    let lines = line(1, json!({"event_type": "call.started", "caller_id": "Canary 555"}))
        + &line(
            2,
            json!({"event_type": "tap.gap", "from": at(1), "to": at(2), "certain": true, "reason": "Canary 555"}),
        );
    for options in ["", "-o json"] {
        let run = evtap(&format!("verify {options} a")).file("a", &lines).run().await;
        assert!(!run.all().contains("Canary") && run.status() == 8, "{}", run.all());
    }
}

#[tokio::test]
async fn events_without_a_time_and_damaged_lines_are_counted() {
    let lines = events(0..3) + "{\"event_type\":\"call.ended\"}\n{\"event_type\":\n";
    for (options, undated, malformed) in [
        ("", "UNDATED  1 event", "DAMAGED  1 frame"),
        ("-o json", "\"undated\":1", "\"malformed\":1"),
    ] {
        let report = evtap(&format!("verify {options} a")).file("a", &lines).run().await.ended(8);
        assert!(report.contains(undated) && report.contains(malformed), "{report}");
        assert!(!report.contains("no gap remains"), "{report}");
    }
}
