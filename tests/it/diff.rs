//! `evtap diff`: what is different between two runs is named, and nothing else.

use evtap::emulator::{Fault, Options};
use serde_json::{Value, json};

use crate::support::{emulator, evtap, fast, observe};

/// Returns the recording of the demo call by an emulator with these faults.
async fn call(faults: &[&str]) -> String {
    let faults = faults.iter().map(|fault| fault.parse::<Fault>().expect("a fault")).collect();
    let base = emulator(Options { faults, ..fast() }).await;
    observe(&base, "-o ndjson").run().await.ended(0)
}

/// Returns the changes in a report as JSON: change, subject, name, percentile.
fn changes(report: &str) -> Vec<(String, String, String)> {
    let report: Value = serde_json::from_str(report).expect("JSON");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let changes = report["differences"].as_array().expect("an array").iter();
    changes.map(|it| (text(&it["change"]), text(&it["subject"]), text(&it["name"]))).collect()
}

fn change(change: &str, subject: &str, name: &str) -> (String, String, String) {
    (change.to_owned(), subject.to_owned(), name.to_owned())
}

#[tokio::test]
async fn a_slower_tool_is_named_and_nothing_else() {
    let (a, b) = (call(&[]).await, call(&["slow=find_slots:4"]).await);
    let diff =
        |line: &str| evtap(&format!("diff {line}")).file("a.ndjson", &a).file("b.ndjson", &b).run();
    assert_eq!(changes(&diff("a.ndjson a.ndjson -o json").await.ended(0)), []);
    let report = diff("a.ndjson b.ndjson -o json").await.ended(0);
    assert_eq!(changes(&report), [change("slower", "tool", "find_slots")]);
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let tool = &report["differences"][0];
    let [before, after] = ["a_ms", "b_ms"].map(|key| tool[key].as_f64().expect("a number"));
    assert!((after / before - 4.0).abs() < 1e-6, "{tool}");
    let steps = report["steps"].as_array().expect("the steps of a call");
    assert!(!steps.is_empty() && steps.iter().all(|step| step["in"] == "both"));

    let text = diff("a.ndjson b.ndjson").await.ended(0);
    assert!(text.contains("Slower in B\n  tool       find_slots "), "{text}");
    assert!(text.contains("+300 %"), "{text}");
    let other = diff("b.ndjson a.ndjson").await.ended(0);
    assert!(other.contains("Faster in B\n  tool       find_slots "), "{other}");

    diff("a.ndjson b.ndjson --fail-slower 250%").await.ended(7);
    diff("a.ndjson b.ndjson --fail-slower 350").await.ended(0);
    diff("b.ndjson a.ndjson --fail-slower 250%").await.ended(0);
    diff("a.ndjson b.ndjson --fail-slower 5 -e call.*").await.ended(0);
}

#[tokio::test]
async fn steps_and_types_that_only_one_call_has_are_named() {
    let (a, b) = (call(&[]).await, call(&["absent=state_transition:1", "absent=barge_in"]).await);
    let diff = evtap("diff a.ndjson b.ndjson -o json").file("a.ndjson", &a).file("b.ndjson", &b);
    let report = diff.run().await.ended(0);
    assert!(changes(&report).contains(&change("disappeared", "event", "barge_in")), "{report}");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let only = |side: &str| {
        let steps = report["steps"].as_array().expect("steps").iter();
        let steps = steps.filter(|step| step["in"] == side);
        steps.map(|step| step["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((only("a"), only("b")), (vec!["identify".to_owned()], vec![]));
}

/// Returns calls that ended for a reason, each with its own SID.
fn ended(reason: &str, from: u32, count: u32) -> String {
    let call = |number| {
        let event = json!({
            "event_type": "call.ended",
            "call_sid": format!("CA{number:032x}"),
            "completion_reason": reason,
            "direction": "inbound",
            "duration_seconds": 60.0,
        });
        format!("{event}\n")
    };
    (from..from + count).map(call).collect()
}

#[tokio::test]
async fn outcomes_with_another_share_are_named() {
    let a = ended("completed", 0, 80) + &ended("escalated", 80, 20);
    let b = ended("completed", 0, 55) + &ended("escalated", 55, 22) + &ended("timeout", 77, 23);
    let diff = |line: &str| {
        let diff = evtap(line);
        for dir in ["a", "b"] {
            std::fs::create_dir(diff.path(dir)).expect("a directory");
        }
        diff.file("a/1.ndjson", &a).file("b/1.ndjson", &b).file("c.ndjson", "").run()
    };
    let report = diff("diff a b -o json").await.ended(0);
    assert_eq!(
        changes(&report),
        [change("share", "outcome", "completed"), change("share", "outcome", "timeout")]
    );
    let report = diff("diff a b").await.ended(0);
    assert!(report.contains("80.0 % → 55.0 %  80 of 100, 55 of 100"), "{report}");
    // One call of many, and the same call as another one.
    let one = format!("CA{:032x}", 3);
    let report = diff(&format!("diff a b --call {one}")).await.ended(0);
    assert!(report.contains("1 event, 1 call ended") && report.contains("No difference"));
    let other = format!("CA{:032x}", 99);
    let report = diff(&format!("diff a b --call {one} --call {other} -o json")).await.ended(0);
    assert_eq!(
        changes(&report),
        [change("share", "outcome", "completed"), change("share", "outcome", "timeout")]
    );
    let missing = diff("diff a b --call CAffffffffffffffffffffffffffffffff").await;
    missing.ended(1);
    assert!(missing.stderr().contains("the call is not in it"), "{}", missing.stderr());
    diff("diff a b --threshold much").await.ended(2);
    diff("diff a c.ndjson").await.ended(0);
}

#[tokio::test]
async fn a_gap_is_mentioned_and_names_are_made_safe() {
    let gap = r#"{"event_type":"tap.gap","from":"2026-05-05T10:00:00Z","to":"2026-05-05T10:01:00Z","reason":"disconnected","certain":true}"#;
    let tool = r#"{"event_type":"tool_call_completed","call_id":"1","tool_name":"x\u001b[31m","duration_ms":5.0}"#;
    let ran = evtap("diff a.ndjson b.ndjson")
        .file("a.ndjson", format!("{tool}\n"))
        .file("b.ndjson", format!("{gap}\n"))
        .run()
        .await;
    let text = ran.ended(0);
    assert!(text.contains("B has 1 gap"), "{text}");
    assert!(!text.contains('\u{1b}') && text.contains("Only in A"), "{text}");
}
