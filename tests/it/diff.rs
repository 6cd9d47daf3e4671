//! `evtap diff`: what is different between two runs is named, and nothing else.

use evtap::emulator::{Fault, Options};
use serde_json::{Value, json};

use crate::html_page::{HOSTILE, assert_inert};
use crate::support::{emulator, evtap, fast, observe};
use crate::terminal::hostile;

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

#[tokio::test]
async fn a_page_shows_what_json_shows() {
    let (a, b) = (call(&[]).await, call(&["slow=find_slots:4", "absent=barge_in"]).await);
    let diff = |line: &str| {
        evtap(&format!("diff a.ndjson b.ndjson {line}"))
            .file("a.ndjson", &a)
            .file("b.ndjson", &b)
            .run()
    };
    let page = assert_inert(&diff("-o html").await.ended(0));
    for (title, count) in [("Slower in B", "▲ 1"), ("Faster in B", "none"), ("Only in A", "1")] {
        assert!(page.text.contains(&format!("{title}{count}")), "{title}: {}", page.text);
    }
    assert!(page.text.contains("toolfind_slots p50") && page.text.contains("+300 %"));
    assert!(page.text.contains("eventbarge_in"), "{}", page.text);
    // The bar of B has the whole width, and that of A a quarter.
    let widths: Vec<_> = page.values("width").collect();
    assert!(widths.contains(&"25%") && widths.contains(&"100%"), "{widths:?}");
    diff("-o html --fail-slower 250").await.ended(7);
    let same = evtap("diff a.ndjson a.ndjson -o html").file("a.ndjson", &a).run().await.ended(0);
    assert!(assert_inert(&same).text.contains("No difference"), "{same}");
}

#[tokio::test]
async fn a_page_treats_every_name_as_text() {
    let mut lines = String::new();
    for text in HOSTILE.iter().map(|text| (*text).to_owned()).chain(hostile()) {
        for event in [
            json!({"event_type": "session_start", "call_sid": "CA1", "initial_state": text}),
            json!({"event_type": "tool_call_completed", "call_id": "1", "tool_name": text, "succeeded": false}),
            json!({"event_type": "call.ended", "call_sid": "CA1", "completion_reason": text}),
            json!({"event_type": text}),
        ] {
            lines.push_str(&event.to_string());
            lines.push('\n');
        }
    }
    for files in ["a.ndjson b.ndjson", "b.ndjson a.ndjson"] {
        let one = json!({"event_type": "session_start", "call_sid": "CA1", "initial_state": "x"});
        let diff = evtap(&format!("diff {files} -o html")).file("a.ndjson", &lines);
        let diff = diff.file("b.ndjson", format!("{one}\n"));
        let page = assert_inert(&diff.run().await.ended(0));
        for hostile in ["<script>alert(1)</script>", "<!-- -->", "<svg/onload=alert(1)>"] {
            assert!(page.text.contains(hostile), "{hostile}: {}", page.text);
        }
    }
}
