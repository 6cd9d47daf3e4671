//! `evtap expect`: counts, order, what must never happen, ends, and the formats of the report.

use evtap::emulator::DEMO_WORKSPACE;
use serde_json::{Value, json};

use crate::support::{Evtap, emulator, evtap, fast};

/// An event per 10 seconds: a call starts, three texts arrive, the call ends.
const DAY: &str = concat!(
    r#"{"event_type":"call.started","call_sid":"CA1","_tap":{"time":"2026-05-05T10:00:00.000Z"}}"#,
    "\n",
    r#"{"event_type":"text.started","session_id":"a","_tap":{"time":"2026-05-05T10:00:10.000Z"}}"#,
    "\n",
    r#"{"event_type":"text.started","session_id":"b","_tap":{"time":"2026-05-05T10:00:20.000Z"}}"#,
    "\n",
    r#"{"event_type":"text.started","session_id":"c","_tap":{"time":"2026-05-05T10:00:30.000Z"}}"#,
    "\n",
    r#"{"event_type":"call.ended","call_sid":"CA1","_tap":{"time":"2026-05-05T10:00:40.000Z"}}"#,
    "\n",
);

const STARTED: &str = ".event_type == \"call.started\"";
const TEXT: &str = ".event_type == \"text.started\"";
const ENDED: &str = ".event_type == \"call.ended\"";

/// Prepares a check of [`DAY`] with these steps.
fn expect(options: &str, steps: &[&str]) -> Evtap {
    let run = evtap(&format!("expect --replay - {options}")).stdin(DAY);
    steps.iter().fold(run, |run, step| run.arg("--then").arg(step))
}

/// Returns the results of the steps, and how many events matched.
async fn results(options: &str, steps: &[&str], status: i32) -> Vec<(String, u64)> {
    let report = expect(&format!("-o json {options}"), steps).run().await.ended(status);
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["met"], status == 0);
    let result = |step: &Value| {
        let result = step["result"].as_str().expect("a result").to_owned();
        (result, step["matches"].as_u64().expect("a number"))
    };
    report["steps"].as_array().expect("steps").iter().map(result).collect()
}

fn row(result: &str, matches: u64) -> (String, u64) {
    (result.to_owned(), matches)
}

#[tokio::test]
async fn a_step_can_ask_for_several_events() {
    let three = format!("3 times {TEXT}");
    assert_eq!(results("", &[&three, ENDED], 0).await, [row("met", 3), row("met", 1)]);
    let four = format!("4 times {TEXT}");
    let unmet = [row("not_met", 3), row("not_reached", 0)];
    assert_eq!(results("", &[&four, ENDED], 7).await, unmet);
    let late = format!("within 29s 3 times {TEXT}");
    assert_eq!(results("", &[STARTED, &late], 7).await, [row("met", 1), row("not_met", 2)]);
    let in_time = format!("within 30s 3 times {TEXT}");
    assert_eq!(results("", &[STARTED, &in_time], 0).await, [row("met", 1), row("met", 3)]);
}

#[tokio::test]
async fn what_must_never_happen_is_watched_to_the_end() {
    let never = format!("never {ENDED}");
    assert_eq!(results("", &[&never, STARTED], 7).await, [row("not_met", 1), row("met", 1)]);
    let other = "never .event_type == \"call.escalated\"";
    assert_eq!(results("", &[STARTED, other], 0).await, [row("met", 1), row("met", 0)]);
    // The check ends before the call does.
    assert_eq!(results("--duration 30s", &[&never], 0).await, [row("met", 0)]);
    assert_eq!(results("--duration 40s", &[&never], 7).await, [row("not_met", 1)]);
    let live = evtap(&format!("expect -w {DEMO_WORKSPACE} --then")).arg(other).run().await;
    assert_eq!(live.ended(2), "");
    assert!(live.stderr().contains("give --duration too"), "{}", live.stderr());
}

#[tokio::test]
async fn steps_can_be_met_in_any_order() {
    let steps = [ENDED, STARTED, ".event_type | startswith(\"call\")"];
    let met = [row("met", 1), row("met", 1), row("met", 1)];
    assert_eq!(results("--any-order", &steps, 0).await, met);
    assert_eq!(results("", &steps[..2], 7).await[0], row("met", 1));
    let late = format!("within 39s {ENDED}");
    let unmet = [row("not_met", 0), row("met", 1)];
    assert_eq!(results("--any-order", &[&late, STARTED], 7).await, unmet);
}

#[tokio::test]
async fn a_check_ends_after_its_duration() {
    assert_eq!(results("--duration 40s", &[ENDED], 0).await, [row("met", 1)]);
    assert_eq!(results("--duration 39s", &[ENDED], 7).await, [row("not_met", 0)]);
    let base = emulator(fast()).await;
    let live = |step: &str| {
        let line = format!("expect -w {DEMO_WORKSPACE} --duration 300ms --no-check --then");
        evtap(&line).arg(step).at(&base).run()
    };
    live("never .call_sid == \"CA\"").await.ended(0);
    live(".call_sid == \"CA\"").await.ended(7);
    live("never true").await.ended(7);
}

const STEPS: &str = r#"# What a call does.
order = "any"

[[steps]]
name = "three <texts> arrive, 100 %"
expect = '.event_type == "text.started"'
times = 4
within = "1m"

[[steps]]
never = '.event_type == "call.escalated"'

[[steps]]
name = "the call ends"
expect = '.event_type == "call.ended"'
"#;

/// Prepares a check of [`DAY`] with the steps of a file.
fn check_file(options: &str, steps: &str) -> Evtap {
    let line = format!("expect --steps ci.toml --replay - {options}");
    evtap(&line).file("ci.toml", steps).stdin(DAY)
}

#[tokio::test]
async fn every_format_reports_each_step() {
    let text = check_file("", STEPS).run().await;
    assert_eq!(
        text.ended(7),
        concat!(
            "not met               - within 60s     three <texts> arrive, 100 %  (3 of 4)\n",
            "met                   -                never .event_type == \"call.escalated\"\n",
            "met            40.000 s                the call ends\n",
        )
    );
    assert_eq!(text.stderr(), "evtap: step 1 of 3 was not met\n");
    assert_eq!(
        check_file("-o tap", STEPS).run().await.ended(7),
        "TAP version 14\n1..3\nnot ok 1 - three <texts> arrive, 100 %\n  ---\n  message: 3 of 4 events matched within 60s\n  ...\nok 2 - never .event_type == \"call.escalated\"\nok 3 - the call ends\n"
    );
    assert_eq!(
        check_file("-o junit", STEPS).run().await.ended(7),
        concat!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
            "<testsuites tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"0\" time=\"40.000\">\n",
            "  <testsuite name=\"evtap expect\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"0\" time=\"40.000\">\n",
            "    <testcase classname=\"evtap.expect\" name=\"three &lt;texts&gt; arrive, 100 %\" time=\"0.000\">",
            "<failure message=\"3 of 4 events matched within 60s\">.event_type == &quot;text.started&quot;</failure></testcase>\n",
            "    <testcase classname=\"evtap.expect\" name=\"never .event_type == &quot;call.escalated&quot;\" time=\"0.000\"/>\n",
            "    <testcase classname=\"evtap.expect\" name=\"the call ends\" time=\"40.000\"/>\n",
            "  </testsuite>\n</testsuites>\n",
        )
    );
    let json: Value =
        serde_json::from_str(&check_file("-o json", STEPS).run().await.ended(7)).expect("JSON");
    assert_eq!(
        json["steps"][0],
        json!({
            "name": "three <texts> arrive, 100 %",
            "expression": ".event_type == \"text.started\"",
            "result": "not_met",
            "matches": 3,
            "times": 4,
            "never": false,
            "within_ms": 60_000,
            "after_ms": null,
        })
    );
    let skipped = expect("-o tap", &[ENDED, STARTED, TEXT]).run().await.ended(7);
    assert!(skipped.ends_with("# SKIP not reached\n"), "{skipped}");
}

#[tokio::test]
async fn github_shows_a_failed_step_in_its_file() {
    let ran = check_file("-o junit", STEPS).env("GITHUB_ACTIONS", "true").run().await;
    assert!(!ran.ended(7).contains("::error"));
    assert!(
        ran.stderr().starts_with(
            "::error file=ci.toml,line=4,title=step 1 of 3 was not met::three <texts> arrive, 100 %25: 3 of 4 events matched within 60s\n"
        ),
        "{}",
        ran.stderr()
    );
    let json = check_file("--status json", STEPS).env("GITHUB_ACTIONS", "true").run().await;
    assert!(!json.stderr().contains("::error"), "{}", json.stderr());
}

#[tokio::test]
async fn a_mistake_in_the_steps_names_its_line() {
    for (steps, expected) in [
        ("", "it has no steps"),
        (
            "[[steps]]\nexpect = 'true'\nwithn = \"1s\"",
            "line 3 (withn): no such name; did you mean within?",
        ),
        ("[[steps]]\nname = 'x'", "line 1 (steps): the step has no expression"),
        ("[[steps]]\nexpect = 'true'\ntimes = 0", "line 3 (times): not a number from 1"),
        (
            "[[steps]]\nnever = 'true'\nwithin = '1s'",
            "line 1 (never): no event may match at any time",
        ),
        ("order = 'some'", "line 1 (order): no such order"),
        ("steps = 3", "line 1 (steps): not an array"),
        ("[[steps]", "invalid TOML"),
        ("[[steps]]\nexpect = '.durations > 1'", "line 1 of ci.toml: no event has `.durations`"),
    ] {
        let ran = check_file("", steps).run().await;
        assert_eq!(ran.ended(2), "", "{steps}");
        assert!(ran.stderr().contains(expected), "{steps}: {}", ran.stderr());
    }
}
