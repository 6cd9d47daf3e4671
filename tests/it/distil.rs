//! `evtap distil`: a recorded call becomes a scenario that plays the same call with other people.

use std::path::Path;
use std::sync::Arc;

use evtap::emulator::{DEMO_CALL, Options, ScenarioOptions, read_scenario};
use evtap::model::Stream;
use serde_json::{Map, Value, json};

use crate::canaries::{SECRETS, events_with_canaries};
use crate::support::{emulator, events, evtap, fast, observe, watch};

const SID: &str = "CA0123456789abcdef0123456789abcdef";

/// Distils a call from a recording, and returns the scenario and what was reported.
async fn distil(call: &str, recording: &str, options: &str) -> (String, String) {
    let line = format!("distil {call} all.ndjson {options}");
    let ran = evtap(&line).file("all.ndjson", recording).run().await;
    (ran.ended(0), ran.stderr())
}

/// Starts an emulator that plays a scenario, and returns its base URL.
async fn play(scenario: &str) -> String {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), scenario).expect("written");
    play_file(file.path()).await
}

async fn play_file(path: &Path) -> String {
    let scenario = Arc::new(read_scenario(path).expect("a scenario"));
    let scenario = Some(ScenarioOptions { scenario, speed: 1.0, repeats: false });
    emulator(Options { scenario, ..Options::default() }).await
}

/// Returns the events of a stream in a recording.
fn on_stream<'a>(events: &'a [Value], stream: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["_tap"]["stream"] == stream).collect()
}

fn types<'a>(events: &[&'a Value]) -> Vec<&'a str> {
    events.iter().map(|event| event["event_type"].as_str().expect("a type")).collect()
}

/// Returns the ids of workspace events in milliseconds since the first one.
fn offsets(events: &[&Value]) -> Vec<u64> {
    let id = |event: &Value| {
        event["_tap"]["id"].as_str().and_then(|id| id.parse::<u64>().ok()).expect("an id")
    };
    events.iter().map(|event| id(event) - id(events[0])).collect()
}

/// Returns the names of an event's fields, and what is the same about their values after distilling.
fn shapes(event: &Value) -> Vec<(&str, Value)> {
    let fields = event.as_object().expect("an object").iter();
    let fields = fields.filter(|(name, _)| *name != "_tap");
    fields.map(|(name, value)| (name.as_str(), shape(value))).collect()
}

/// Returns what is the same about a value after distilling: JSON types, the lengths of strings and
/// keys, and the numbers of items.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(key, value)| json!([key.len(), shape(value)])).collect()
        }
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::String(text) => json!(text.len()),
        Value::Number(_) => json!("number"),
        other => other.clone(),
    }
}

/// Calls `look` with each string in a value.
fn strings(value: &Value, look: &mut impl FnMut(&str)) {
    match value {
        Value::Object(members) => members.values().for_each(|value| strings(value, look)),
        Value::Array(items) => items.iter().for_each(|value| strings(value, look)),
        Value::String(text) => look(text),
        _ => {}
    }
}

/// Returns a call that was recorded on both streams, with everything revealed: its SID, its events
/// and the whole recording.
async fn recorded_call() -> (String, Vec<Value>, String) {
    let base = emulator(Options { rate: 400.0, seed: 3, ..fast() }).await;
    let line = "-n 1200 --auto-observe 50 --reveal all -o ndjson";
    let recording = watch(&base, line).run().await.ended(0);
    let all = events(&recording);
    let of_call = |sid: &Value| {
        let is_of_call =
            |event: &&Value| event["call_sid"] == *sid || event["_tap"]["call_sid"] == *sid;
        all.iter().filter(is_of_call).cloned().collect::<Vec<_>>()
    };
    let is_complete = |events: &Vec<Value>| {
        let has = |name: &str| events.iter().any(|event| event["event_type"] == name);
        has("call.started") && has("session_info") && has("session_end") && has("call.ended")
    };
    let started = all.iter().filter(|event| event["event_type"] == "call.started");
    let calls = started.map(|event| (event["call_sid"].clone(), of_call(&event["call_sid"])));
    let (sid, call) =
        calls.max_by_key(|(_, call)| (is_complete(call), call.len())).expect("a call");
    assert!(is_complete(&call) && call.len() > 20, "{} events", call.len());
    (sid.as_str().expect("a SID").to_owned(), call, recording)
}

#[tokio::test]
async fn a_distilled_call_plays_with_the_same_types_order_pauses_and_sizes() {
    let (sid, original, recording) = recorded_call().await;
    let (scenario, report) = distil(&sid, &recording, "").await;
    assert!(
        report.starts_with(&format!("evtap: distilled {} events: ", original.len())),
        "{report}"
    );
    assert!(!scenario.contains("unchecked") && !scenario.contains(&sid), "{scenario}");

    let base = play(&scenario).await;
    let line = format!("-n {} --auto-observe 1 --reveal all -o ndjson", original.len());
    let played_recording = watch(&base, &line).run().await.ended(0);
    let played = events(&played_recording);
    for stream in ["workspace", "observer"] {
        let (before, after) = (on_stream(&original, stream), on_stream(&played, stream));
        assert_eq!(types(&before), types(&after), "{stream}");
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(shapes(before), shapes(after));
            assert_eq!(after["_tap"].get("drift"), before["_tap"].get("drift"));
        }
    }
    let [before, after] = [&original, &played].map(|all| offsets(&on_stream(all, "workspace")));
    assert_eq!(before, after, "the pauses are the same to the millisecond");

    // Whoever was one person before is one person now, and somebody else.
    let caller = |all: &[Value], name: &str| {
        let event = all.iter().find(|event| event["event_type"] == name).expect("an event");
        event["caller_id"].as_str().expect("a number").to_owned()
    };
    assert_eq!(caller(&played, "call.started"), caller(&played, "session_info"));
    assert_ne!(caller(&played, "call.started"), caller(&original, "call.started"));

    // `diff` knows what was kept, and names nothing.
    let diff = format!("diff a.ndjson b.ndjson --call {sid} --call {DEMO_CALL} -o json");
    let diff = evtap(&diff).file("a.ndjson", &recording).file("b.ndjson", &played_recording);
    let report: Value = serde_json::from_str(&diff.run().await.ended(0)).expect("JSON");
    assert_eq!(report["differences"], json!([]));

    // What is played and recorded as usual is safe to share.
    let base = play(&scenario).await;
    let line = format!("-n {} --auto-observe 1 -o ndjson", original.len());
    let masked = watch(&base, &line).run().await.ended(0);
    evtap("audit a.ndjson").file("a.ndjson", &masked).run().await.ended(0);
}

#[tokio::test]
async fn no_hidden_value_of_the_original_is_in_a_scenario() {
    let base = emulator(fast()).await;
    let recording = observe(&base, "-o ndjson --reveal all").run().await.ended(0);
    let masked = events(&observe(&base, "-o ndjson").run().await.ended(0));
    let mut hidden = Vec::new();
    for (event, masked) in events(&recording).iter().zip(&masked) {
        for (name, value) in event.as_object().expect("an object") {
            if name != "_tap" && masked[name] != *value && masked[name] == "[redacted]" {
                strings(value, &mut |text| hidden.push(text.to_lowercase()));
            }
        }
    }
    hidden.retain(|text| text.len() >= 8);
    assert!(hidden.len() > 20, "{hidden:?}");
    for seed in 0..20 {
        let (scenario, _) = distil("demo", &recording, &format!("--seed {seed}")).await;
        let scenario = scenario.to_lowercase();
        for text in &hidden {
            assert!(!scenario.contains(text.trim()), "seed {seed} has {text}");
        }
    }
    let of_seed = |seed: u32| {
        let recording = recording.clone();
        async move { distil("demo", &recording, &format!("--seed {seed}")).await.0 }
    };
    assert_eq!(of_seed(5).await, of_seed(5).await);
    assert_ne!(of_seed(5).await, of_seed(6).await.replace("seed 6", "seed 5"));
}

/// Returns every event of both streams with a canary at each place that is hidden, undeclared or of
/// another type, as the events of one call.
fn canaries() -> (String, usize) {
    let mut recording = String::new();
    let mut count = 0;
    for stream in [Stream::Workspace, Stream::Observer] {
        for (name, mut event) in events_with_canaries(stream) {
            event.insert("call_sid".into(), SID.into());
            let mut line = Map::new();
            line.insert("event_type".into(), name.into());
            line.extend(event);
            recording += &Value::from(line).to_string();
            recording.push('\n');
            count += 1;
        }
    }
    (recording, count)
}

#[tokio::test]
async fn canaries_in_any_value_key_or_type_do_not_get_into_a_scenario() {
    let (recording, count) = canaries();
    let (scenario, report) = distil(SID, &recording, "").await;
    let all = scenario.clone() + &report;
    for secret in SECRETS.iter().chain(&["Canary", "Jane", "408151", SID]) {
        assert!(!all.to_lowercase().contains(&secret.to_lowercase()), "{secret} is shown");
    }
    assert_eq!(scenario.matches("[[event]]").count(), count);
    assert!(report.contains("undeclared keys replaced") && report.contains("types replaced"));
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), &scenario).expect("written");
    assert_eq!(read_scenario(file.path()).expect("a scenario").len(), count);
}

#[tokio::test]
async fn ids_and_names_are_replaced_by_others_of_their_form() {
    let event = |name: &str, fields: Value| {
        let mut event = json!({"event_type": name, "call_sid": SID});
        event.as_object_mut().expect("an object").extend(fields.as_object().cloned().expect("one"));
        format!("{event}\n")
    };
    let recording = event(
        "session_info",
        json!({"caller_id": "+14155552671", "start_time": 1.5e9}),
    ) + &event(
        "tool_call_started",
        json!({"tool_name": "canary_tool", "call_id": "call_canary1"}),
    ) + &event(
        "tool_call_completed",
        json!({"tool_name": "canary_tool", "call_id": "call_canary1", "duration_ms": 120.5, "output": "https://canary.example.net/records/77"}),
    ) + &event(
        "participant_joined",
        json!({"display_name": "Canary Roe", "participant_role": "caller", "conference_sid": "CFcccccccccccccccccccccccccccccccc", "participant_id": "PA1"}),
    ) + &event(
        "user_transcript",
        json!({"transcript": "I am Canary Roe, naïve as ever", "state": "identify"}),
    );
    let (scenario, _) = distil(SID, &recording, "").await;
    let tools = scenario.matches("\"tool_name\":\"canary_tool\"").count();
    assert_eq!(tools, 2, "the vocabulary of the agent is kept: {scenario}");
    let rest = scenario.replace("canary_tool", "");
    assert!(!rest.to_lowercase().contains("canary") && !rest.contains("2671"), "{rest}");
    assert!(rest.contains("120.5,") && rest.contains("{{start_seconds}}"), "{rest}");
    let id = rest.split("\"call_id\":\"").nth(1).and_then(|rest| rest.split('"').next());
    let id = id.expect("an id");
    assert_eq!((id.len(), rest.matches(id).count()), ("call_canary1".len(), 2));
    assert!(rest.contains("https://example.com/") && rest.contains("55501"), "{rest}");
}

#[tokio::test]
async fn pauses_are_those_of_the_platform_and_of_the_observer() {
    let tap = |event: Value, tap: Value| {
        let mut event = event;
        event["_tap"] = tap;
        format!("{event}\n")
    };
    let workspace = |name: &str, millis: u64| {
        let id = 1_767_000_000_000 + millis;
        let at = format!("2025-12-29T09:20:{:02}.{:03}Z", millis / 1000, millis % 1000);
        // It took 20 milliseconds to arrive.
        let late = format!("2025-12-29T09:20:{:02}.{:03}Z", millis / 1000, millis % 1000 + 20);
        let about =
            json!({"id": id.to_string(), "time": at, "received_at": late, "stream": "workspace"});
        tap(json!({"event_type": name, "call_sid": SID}), about)
    };
    let observer = |name: &str, at: &str| {
        let about = json!({"received_at": at, "stream": "observer", "call_sid": SID});
        tap(json!({"event_type": name}), about)
    };
    let recording = workspace("call.started", 0)
        + &workspace("call.ended", 900)
        + &observer("session_start", "2025-12-29T09:20:00.1205Z")
        + &observer("session_end", "2025-12-29T09:20:00.9Z");
    let (scenario, _) = distil(SID, &recording, "").await;
    let lines: Vec<_> = scenario
        .lines()
        .filter(|line| line.starts_with("after") || line.starts_with("type"))
        .collect();
    assert_eq!(
        lines,
        [
            "type = \"call.started\"",
            "after = 100",
            "type = \"session_start\"",
            "after = 780",
            "type = \"session_end\"",
            "after = 20",
            "type = \"call.ended\"",
        ]
    );
}

#[tokio::test]
async fn masks_are_replaced_by_values_of_their_type() {
    let base = emulator(fast()).await;
    for options in ["", "--phi drop", "--phi hash", "--phi partial"] {
        let recording = observe(&base, &format!("-o ndjson {options}")).run().await.ended(0);
        let (scenario, _) = distil("demo", &recording, "").await;
        for mask in ["redacted", "phi:", "unchecked", "_tap"] {
            assert!(!scenario.contains(mask), "{options}: {mask} in {scenario}");
        }
        let types: Vec<_> =
            scenario.lines().filter_map(|line| line.strip_prefix("type = ")).collect();
        let seen = events(&recording);
        assert_eq!(types.len(), seen.len());
        for (name, event) in types.iter().zip(&seen) {
            assert_eq!(name.trim_matches('"'), event["event_type"]);
        }
    }
}

#[tokio::test]
async fn a_call_that_is_not_there_and_no_recording_are_errors() {
    let recording = json!({"event_type": "call.started", "call_sid": SID}).to_string();
    let run = |line: &str| evtap(line).file("all.ndjson", &recording).run();
    let missing = run("distil CAffff all.ndjson").await;
    assert_eq!(missing.ended(4), "");
    assert!(missing.stderr().contains("cannot distil the call CAffff: no event of that call"));
    run("distil CA0123 none.ndjson").await.ended(1);
    run("distil CA0123").await.ended(2);
    assert!(run("distil CA0123 all.ndjson").await.ended(0).contains("call.started"));
}
