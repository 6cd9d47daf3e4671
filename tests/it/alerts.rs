//! `evtap alert` and `--rules`: events that should have happened and did not.

mod notifications;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use evtap::emulator::{DEMO_WORKSPACE, Options};
use serde_json::{Value, json};

use crate::support::{Evtap, emulator, events, evtap, fast, watch};

/// Rules with times so short that the emulator at full speed breaks them.
const SHORT: &str = r#"
[rule.nobody-joined]
per = ".call_sid"
after = '.event_type == "call.escalated"'
want = '.event_type == "operator.joined_call"'
unless = '.event_type == "call.ended"'
within = "5ms"

[rule.many-calls]
when = '.event_type == "call.started"'
count = 3
within = "20ms"

[rule.long-calls]
per = ".direction"
when = '.event_type == "call.ended"'
value = ".duration_seconds"
p50_over = 1
within = "200ms"
min_count = 5

[rule.pipeline-late]
per = ".data_source_id"
after = '.event_type == "pipeline.sync_completed"'
silent_for = "100ms"
"#;

/// A rule about escalated calls.
const JOINED: &str = r#"
[rule.nobody-joined]
per = ".call_sid"
after = '.event_type == "call.escalated"'
want = '.event_type == "operator.joined_call"'
unless = '.event_type == "call.ended"'
within = "60s"
"#;

fn at(second: usize) -> String {
    format!("2026-05-05T{:02}:{:02}:{:02}.000Z", second / 3600, second / 60 % 60, second % 60)
}

/// Returns a line of a recording.
fn line(second: usize, mut event: Value) -> String {
    event["_tap"] =
        json!({"time": at(second), "stream": "workspace", "workspace_id": DEMO_WORKSPACE});
    event.to_string() + "\n"
}

fn call(second: usize, event_type: &str, number: u32) -> String {
    line(second, json!({"event_type": event_type, "call_sid": format!("CA{number:032}")}))
}

fn gap(from: usize, to: usize) -> String {
    let mut gap = json!({"event_type": "tap.gap", "from": at(from), "to": at(to), "certain": true,
        "reason": "away_too_long"});
    gap["_tap"] =
        json!({"received_at": at(to), "workspace_id": DEMO_WORKSPACE, "stream": "workspace"});
    gap.to_string() + "\n"
}

/// Prepares `evtap alert` with rules.
fn alert(rules: &str, options: &str) -> Evtap {
    evtap(&format!("alert --rules rules.toml {options}")).file("rules.toml", rules)
}

/// Returns the alerts in NDJSON: second, key, state and reason.
fn told(ndjson: &str) -> Vec<String> {
    let text = |event: &Value, name: &str| event[name].as_str().expect("a text").to_owned();
    let alerts = events(ndjson).into_iter().filter(|event| event["event_type"] == "tap.alert");
    alerts
        .map(|event| {
            let time = event["_tap"]["time"].as_str().expect("a time")[11..19].to_owned();
            let key = text(&event, "key").trim_start_matches(['C', 'A', '0']).to_owned();
            format!("{time} {key} {}: {}", text(&event, "state"), text(&event, "reason"))
        })
        .collect()
}

/// Returns the alerts of a run, whatever their order.
fn alerts(ndjson: &str) -> BTreeSet<String> {
    let is_alert = |line: &&str| line.starts_with(r#"{"event_type":"tap.alert""#);
    ndjson.lines().filter(is_alert).map(str::to_owned).collect()
}

#[tokio::test]
async fn an_event_that_does_not_follow_is_an_alert() {
    let recording = [
        call(0, "call.escalated", 1),
        call(10, "call.escalated", 2),
        call(60, "operator.joined_call", 1),
        call(65, "call.escalated", 3),
        call(80, "operator.joined_call", 2),
        call(100, "call.ended", 3),
        call(110, "call.escalated", 4),
    ]
    .concat();
    let output = alert(JOINED, "x.ndjson").file("x.ndjson", &recording).run().await.ended(0);
    let expected = [
        "00:01:10 2 raised: not_followed",
        "00:01:20 2 resolved: followed",
        "00:01:50 4 pending: input_ended",
    ];
    assert_eq!(told(&output), expected);
    let first: Value = events(&output)[0].clone();
    let expected = json!({
        "event_type": "tap.alert", "rule": "nobody-joined", "key": format!("CA{:032}", 2),
        "state": "raised", "since": at(10), "count": 1, "reason": "not_followed",
        "_tap": {"time": at(70), "workspace_id": DEMO_WORKSPACE},
    });
    assert_eq!(first, expected);
    // The alerts are events like others, and are not taken for those of another run.
    let again = evtap("replay a.ndjson").file("a.ndjson", &output).run().await.ended(0);
    assert_eq!(again, output);
    let both = alert(JOINED, "x.ndjson a.ndjson").file("x.ndjson", &recording);
    assert_eq!(both.file("a.ndjson", &output).run().await.ended(0), output);
    let table = alert(JOINED, "--test x.ndjson").file("x.ndjson", &recording).run().await.ended(0);
    let last = table.lines().find(|line| line.starts_with("nobody-joined")).expect("a line");
    assert_eq!(last.split_whitespace().collect::<Vec<_>>(), ["nobody-joined", "1", "1", "0", "1"]);
    let raised = alert(JOINED, "x.ndjson -f").arg(r#".state == "raised""#);
    let raised = raised.file("x.ndjson", &recording).run().await.ended(0);
    assert_eq!(raised.lines().count(), 1);
    let failed = alert(JOINED, "x.ndjson --fail-if").arg(r#".state == "raised""#);
    let failed = failed.file("x.ndjson", &recording).run().await.ended(7);
    assert_eq!(failed, raised);
}

#[tokio::test]
async fn nothing_is_raised_where_events_are_missing() {
    let recording = [
        call(0, "call.escalated", 1),
        gap(30, 50),
        call(40, "call.escalated", 2),
        call(60, "call.escalated", 3),
        call(200, "call.started", 4),
    ]
    .concat();
    let output = alert(JOINED, "-").stdin(recording).run().await.ended(0);
    let expected =
        ["00:01:00 1 unknown: gap", "00:01:40 2 unknown: gap", "00:02:00 3 raised: not_followed"];
    assert_eq!(told(&output), expected);
}

/// A rule by which each event of the platform waits for one that never comes.
const ALL_WAIT: &str = r#"
[rule.waits]
per = "._tap.id"
after = '.event_type | startswith("tap.") | not'
want = '.event_type == "workspace.member_added"'
within = "20ms"
"#;

#[tokio::test]
async fn a_gap_of_a_live_run_is_unknown_in_it_and_in_its_replays() {
    let faults = ["cut=200000", "forget"].map(|fault| fault.parse().expect("a fault")).to_vec();
    let base = emulator(Options { faults, ..fast() }).await;
    let run = watch(&base, "--rules rules.toml --record x.ndjson");
    let record = run.path("x.ndjson");
    let mut run = run.file("rules.toml", ALL_WAIT).start();
    let (mut output, mut after_gap) = (String::new(), 0);
    while after_gap < 1000 {
        let line = run.line().await;
        after_gap += usize::from(after_gap > 0 || line.contains("\"tap.gap\""));
        output.push_str(&line);
    }
    run.signal("INT");
    let (ended, recorded) = run.end_and_read(&record).await;
    output.push_str(&ended.ended(130));

    let millis = |time: &Value| {
        let time: jiff::Timestamp = time.as_str().expect("a time").parse().expect("RFC 3339");
        time.as_millisecond()
    };
    let all = events(&output);
    let at = all.iter().position(|event| event["event_type"] == "tap.gap").expect("a gap");
    let (from, to) = (millis(&all[at]["from"]), millis(&all[at]["to"]));
    let of_state = |events: &[Value], state: &str| -> Vec<i64> {
        let alerts = events.iter().filter(|event| event["event_type"] == "tap.alert");
        alerts
            .filter(|alert| alert["state"] == state)
            .map(|alert| millis(&alert["since"]))
            .collect()
    };
    let unknown = of_state(&all[at..], "unknown");
    assert!(
        unknown.iter().all(|since| *since <= to && since + 20 >= from),
        "{from} {to} {unknown:?}"
    );
    assert!(!unknown.is_empty());
    let raised = of_state(&all[at..], "raised");
    assert!(raised.iter().all(|since| *since > to || since + 20 < from), "{from} {to} {raised:?}");
    assert!(raised.iter().any(|since| *since > to));

    let live = alerts(&output);
    for options in ["--speed 1", "--speed 10", "--threads 1", "--threads 4"] {
        let options = format!("{options} x.ndjson");
        let recorded = recorded.as_ref().expect("a record");
        let replayed = alert(ALL_WAIT, &options).file("x.ndjson", recorded).run().await.ended(0);
        let replayed = alerts(&replayed);
        let different: Vec<_> = replayed.symmetric_difference(&live).collect();
        assert!(different.is_empty(), "{options}: {different:?}");
    }
}

#[tokio::test]
async fn rules_are_checked_before_anything_is_read() {
    let refused = async |rules: &str, message: &str| {
        let run = alert(rules, "missing.ndjson").run().await;
        run.ended(2);
        assert!(run.stderr().contains(message), "{}", run.stderr());
    };
    refused("", "it has no rules").await;
    refused("[rules.x]\n", "no such setting here; did you mean rule?").await;
    refused("[rule.x]\nper = \".a\"\n", "it has none of want, count, value and silent_for").await;
    let with = |old: &str, new: &str| JOINED.replace(old, new);
    refused(&with("within = \"60s\"", ""), "line 2 (nobody-joined): a setting is missing").await;
    refused(&with("within", "withing"), "did you mean within?").await;
    refused(&with("60s", "soon"), "line 7 (nobody-joined.within): invalid duration").await;
    let misspelt = "rules.toml, line 4 (nobody-joined.after): unknown event type";
    refused(&with("call.escalated", "call.escalate"), misspelt).await;
    refused(&with("call.escalated", "call.escalate"), "^^^^").await;
    refused(&with("\".call_sid\"", "\".call_id\""), "line 3 (nobody-joined.per)").await;
    refused(&with("\".call_sid\"", "\".\""), "it may read every field").await;
    let alerted = with("call.escalated", "tap.alert");
    refused(&alerted, "no selected event").await;
    let hidden = "[rule.x]\nwhen = '.event_type == \"call.started\"'\nper = \".caller_id\"\n\
                  count = 2\nwithin = \"1s\"\n";
    refused(hidden, "`.caller_id` is hidden, so all events have the same mask").await;
    let prose = hidden.replace("call.started", "call.escalated").replace(".caller_id", ".reason");
    refused(&prose, "`.reason` is free text").await;
    let run = alert(hidden, "x.ndjson --reveal caller_id").file("x.ndjson", "").run().await;
    run.ended(2);
    assert!(run.stderr().contains("keys are always shown"), "{}", run.stderr());
    // A field that no event declares is hidden until it is revealed.
    let undeclared = "[rule.x]\nwhen = '.event_type | startswith(\"call.\")'\n\
                      per = \".call_sid // .nickname\"\ncount = 2\nwithin = \"1s\"\n";
    for (names, status) in
        [("nickname", 2), ("call.ended.nickname", 2), ("all", 2), ("caller_id", 0)]
    {
        let line = format!("x.ndjson --no-check --reveal {names}");
        let run = alert(undeclared, &line).file("x.ndjson", "").run().await;
        assert_eq!(run.status(), status, "{names}: {}", run.stderr());
        assert_eq!(run.stderr().contains("where it is not declared"), status == 2, "{names}");
    }
    let run = evtap("alert x.ndjson").run().await;
    run.ended(2);
    assert!(run.stderr().contains("it has no rules; give a file to --rules"), "{}", run.stderr());
    let run = watch("http://127.0.0.1:1", "-e call.* --builtin").run().await;
    run.ended(2);
    assert!(run.stderr().contains("the filters leave out `tap.alert`"), "{}", run.stderr());
}

/// Returns the first events of the emulator's day, with faults.
async fn day(count: usize, faults: &[&str]) -> Vec<Value> {
    let faults = faults.iter().map(|fault| fault.parse().expect("a fault")).collect();
    let base = emulator(Options { faults, ..fast() }).await;
    events(&watch(&base, &format!("-n {count}")).run().await.ended(0))
}

/// Returns a recording in which each event is one second after the previous one.
fn slow_motion(day: &[Value]) -> String {
    let mut text = String::new();
    for (second, event) in day.iter().enumerate() {
        let mut event = event.clone();
        event["_tap"].as_object_mut().expect("an object").retain(|name, _| name == "workspace_id");
        event["_tap"]["time"] = at(second).into();
        event["_tap"]["stream"] = "workspace".into();
        let _ = writeln!(text, "{event}");
    }
    text
}

#[tokio::test]
async fn exactly_the_absent_events_are_missed() {
    let whole = day(4003, &[]).await;
    let lacking = day(4000, &["absent=operator.joined_call:3"]).await;
    let calls = |day: &[Value], event_type: &str| -> Vec<String> {
        let of_type = day.iter().filter(|event| event["event_type"] == event_type);
        of_type.map(|event| event["call_sid"].as_str().expect("a call").to_owned()).collect()
    };
    let joined = calls(&whole, "operator.joined_call");
    assert_eq!(joined[3..], calls(&lacking, "operator.joined_call"));
    assert!(joined.len() > 3);
    let rules = JOINED.replace("60s", "10h").replace("unless", "# unless");
    let pending = async |day: &[Value]| -> BTreeSet<String> {
        let run = alert(&rules, "x.ndjson").file("x.ndjson", slow_motion(day)).run().await;
        let alerts = events(&run.ended(0));
        assert!(alerts.iter().all(|alert| alert["state"] == "pending"));
        alerts.iter().map(|alert| alert["key"].as_str().expect("a key").to_owned()).collect()
    };
    let escalated: BTreeSet<_> = calls(&whole, "call.escalated").into_iter().collect();
    let missing: BTreeSet<_> =
        joined[..3].iter().filter(|call| escalated.contains(*call)).cloned().collect();
    let (before, after) = (pending(&whole).await, pending(&lacking).await);
    assert_eq!(after.difference(&before).cloned().collect::<BTreeSet<_>>(), missing);
    assert!(!missing.is_empty());
}

#[tokio::test]
async fn a_recording_gives_the_alerts_of_the_run_that_made_it() {
    let base = emulator(fast()).await;
    let run = watch(&base, "--rules rules.toml --record x.ndjson --auto-observe 3");
    let record = run.path("x.ndjson");
    let mut run = run.file("rules.toml", SHORT).start();
    let mut output = String::new();
    while output.lines().count() < 5000 {
        output.push_str(&run.line().await);
    }
    run.signal("INT");
    let (ended, recorded) = run.end_and_read(&record).await;
    output.push_str(&ended.ended(130));
    let recorded = recorded.expect("a record");
    assert_eq!(String::from_utf8_lossy(&recorded), output);
    let live = alerts(&output);
    for rule in ["nobody-joined", "many-calls", "long-calls", "pipeline-late"] {
        assert!(live.iter().any(|alert| alert.contains(rule)), "{rule}");
    }
    for options in ["--threads 1", "--threads 2", "--threads 8", "--speed 10", "--speed 100"] {
        let options = format!("{options} x.ndjson");
        let replayed = alert(SHORT, &options).file("x.ndjson", &recorded).run().await.ended(0);
        let replayed = alerts(&replayed);
        let different: Vec<_> = replayed.symmetric_difference(&live).collect();
        assert!(different.is_empty(), "{options}: {different:?}");
    }
}

#[tokio::test]
async fn the_alerts_of_a_replay_or_an_observed_call_are_among_its_events() {
    let recording =
        [call(0, "call.escalated", 1), call(30, "call.started", 2), call(70, "call.started", 3)]
            .concat();
    let reported = alert(JOINED, "x.ndjson").file("x.ndjson", &recording).run().await.ended(0);
    assert!(reported.contains("raised"), "{reported}");
    for options in ["--threads 1", "--threads 8", "--speed 100000"] {
        let run = evtap(&format!("replay x.ndjson --rules rules.toml {options}"));
        let run = run.file("rules.toml", JOINED).file("x.ndjson", &recording);
        assert_eq!(run.run().await.ended(0), recording.clone() + &reported, "{options}");
    }
    let rule =
        "[rule.talks]\nwhen = '.event_type == \"agent_transcript\"'\ncount = 1\nwithin = \"1h\"";
    let run = evtap("observe -c demo --demo-rate 1000 --rules rules.toml -e tap.alert -n 1");
    let output = run.file("rules.toml", rule).run().await.ended(0);
    assert_eq!(events(&output)[0]["rule"], "talks");
}

#[tokio::test]
async fn heartbeats_let_time_pass() {
    let rules = r#"
lateness = "1ms"
[rule.silence]
after = '.event_type | startswith("tap.") | not'
silent_for = "1ms"
"#;
    // The first events are published at once, and the next ones much later.
    let options =
        Options { rate: 0.001, heartbeat: std::time::Duration::from_millis(50), ..fast() };
    let base = emulator(options).await;
    let line = format!("alert --rules rules.toml -w {DEMO_WORKSPACE}");
    let mut run = evtap(&line).at(&base).file("rules.toml", rules).start();
    let alert: Value = serde_json::from_str(&run.line().await).expect("JSON");
    assert_eq!((&alert["state"], &alert["reason"]), (&json!("raised"), &json!("silent")));
    run.signal("INT");
    assert!(run.end().await.ended(130).is_empty(), "nothing is pending");
}

#[tokio::test]
async fn the_real_pace_gives_the_same_alerts() {
    let base = emulator(fast()).await;
    let output = watch(&base, "-n 1000").run().await.ended(0);
    let mut all = BTreeSet::new();
    for options in ["--speed 1", "--speed 10", ""] {
        let options = format!("x.ndjson {options}");
        all.insert(alert(SHORT, &options).file("x.ndjson", &output).run().await.ended(0));
    }
    assert_eq!(all.len(), 1);
    assert!(!all.first().expect("an output").is_empty());
}

#[tokio::test]
async fn waits_go_on_in_the_next_run() {
    let base = emulator(fast()).await;
    let home = tempfile::tempdir().expect("a directory");
    let path = |name: &str| home.path().join(name).display().to_string();
    std::fs::write(path("rules.toml"), SHORT).expect("written");
    let options = format!(
        "--rules {} --cursor {} --record {} -n",
        path("rules.toml"),
        path("cursor"),
        path("x.ndjson")
    );
    let mut live = BTreeSet::new();
    for count in [500, 700, 900] {
        let output = watch(&base, &format!("{options} {count}")).run().await.ended(0);
        live.extend(alerts(&output));
    }
    let cursor = std::fs::read_to_string(path("cursor")).expect("a cursor");
    assert!(cursor.contains("nobody-joined") && !cursor.contains("duration_seconds\":"));
    let recorded = std::fs::read(path("x.ndjson")).expect("a record");
    let decided = r#".state != "pending""#;
    let last = String::from_utf8_lossy(&recorded).lines().last().expect("a line").to_owned();
    let last: Value = serde_json::from_str(&last).expect("JSON");
    let last = last["_tap"]["time"].as_str().expect("a time");
    let replayed = alert(SHORT, "x.ndjson -f").arg(decided).file("x.ndjson", recorded);
    let replayed = alerts(&replayed.run().await.ended(0));
    // A run that ends by an alert leaves others of that time to the next run.
    let left: Vec<_> = replayed.difference(&live).filter(|alert| !alert.contains(last)).collect();
    assert!(live.len() > 10 && live.is_subset(&replayed) && left.is_empty(), "{left:?}");
    // A rule that changes begins anew.
    let changed = SHORT.replace("5ms", "6ms");
    std::fs::write(path("rules.toml"), changed).expect("written");
    let run = watch(&base, &format!("{options} 1")).run().await;
    run.ended(0);
    let message = "these rules have changed since the last run and begin anew: nobody-joined";
    assert!(run.stderr().contains(message), "{}", run.stderr());
}

#[tokio::test]
async fn the_built_in_rules_are_valid_and_can_be_replaced() {
    let base = emulator(fast()).await;
    let output = watch(&base, "-n 2000 --auto-observe 5").run().await.ended(0);
    let run = evtap("alert --builtin --test x.ndjson").file("x.ndjson", &output).run().await;
    let table = run.ended(0);
    for rule in [
        "nobody-joined",
        "tool-keeps-failing",
        "call-silent",
        "pipeline-late",
        "no-operator",
        "gap",
    ] {
        assert!(table.contains(&format!("\n{rule} ")), "{table}");
    }
    let run = alert(JOINED, "--builtin --test x.ndjson").file("x.ndjson", &output).run().await;
    assert_eq!(run.ended(0).matches("\nnobody-joined ").count(), 1);
    let lines = gap(10, 20) + &call(30, "call.started", 1) + &call(400, "call.started", 2);
    let run = evtap("alert --builtin x.ndjson").file("x.ndjson", lines).run().await;
    let alerts = told(&run.ended(0));
    assert_eq!(alerts, ["00:00:20  raised: too_many", "00:05:20  resolved: fewer_again"]);
}
