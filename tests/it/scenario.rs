//! `evtap serve --scenario`: a file of events is played as it is written.

use std::sync::Arc;

use evtap::emulator::{DEMO_CALL, DEMO_WORKSPACE, Options, ScenarioOptions, read_scenario};
use serde_json::{Value, json};

use crate::support::{curl, emulator, events, evtap, observe, types, watch};

/// A call with events on both streams.
const CALL: &str = r#"
format = 1

[variables]
caller = "+13035550161"
seconds = 2.50

[[event]]
type = "call.started"
data = '{"call_sid":"{{call_sid}}","caller_id":"{{caller}}","direction":"inbound","service_id":"{{workspace_id}}"}'

[[event]]
type = "session_start"
data = '{"call_sid":"{{call_sid}}","session_id":null}'

[[event]]
after = 40
type = "call.escalated"
data = { reason = "asks for a nurse", trigger = "caller" }

[[event]]
type = "brand.new"
unchecked = true
data = '{"number":1.10,"at":"{{now}}"}'

[[event]]
after = "7ms"
type = "session_end"
data = '{"duration_s":"{{seconds}}","turns":1}'

[[event]]
after = 1
type = "call.ended"
data = '{"call_sid":"{{call_sid}}","completion_reason":"escalated","direction":"inbound","duration_seconds":"{{seconds}}"}'
"#;

/// Starts an emulator that plays a scenario, and returns its base URL.
async fn play(text: &str, speed: f64, repeats: bool, options: Options) -> String {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("written");
    let scenario = Arc::new(read_scenario(file.path()).expect("a scenario"));
    let scenario = Some(ScenarioOptions { scenario, speed, repeats });
    emulator(Options { scenario, ..options }).await
}

/// Returns the ids of events in milliseconds since the first one.
fn offsets(seen: &[Value]) -> Vec<u64> {
    let id = |event: &Value| {
        let id = event["_tap"]["id"].as_str().and_then(|id| id.parse::<u64>().ok());
        id.expect("an id")
    };
    seen.iter().map(|event| id(event) - id(&seen[0])).collect()
}

const WORKSPACE_TYPES: [&str; 4] = ["call.started", "call.escalated", "brand.new", "call.ended"];

#[tokio::test]
async fn types_order_pauses_and_payloads_are_those_of_the_file() {
    let base = play(CALL, 1.0, false, Options::default()).await;
    let seen = watch(&base, "-n 4 -o ndjson --reveal all").run().await.ended(0);
    assert_eq!(types(&seen), WORKSPACE_TYPES);
    assert!(seen.contains(r#""number":1.10,"#), "digits stay as they are: {seen}");
    let seen = events(&seen);
    assert_eq!(offsets(&seen), [0, 40, 40, 48]);
    assert_eq!(seen[0]["call_sid"], DEMO_CALL);
    assert_eq!(seen[0]["caller_id"], "+13035550161");
    assert_eq!(seen[0]["service_id"], DEMO_WORKSPACE);
    assert_eq!(seen[1]["reason"], "asks for a nurse");
    assert_eq!(seen[1]["call_sid"], DEMO_CALL, "a required field is completed");
    assert_eq!(seen[2]["at"], seen[2]["_tap"]["time"]);
    assert_eq!(seen[3]["duration_seconds"], 2.5);

    // An observer who comes late receives everything.
    let observed = events(&observe(&base, "-o ndjson").run().await.ended(0));
    let shown = |event: &Value| (event["event_type"].clone(), event.get("session_id").cloned());
    assert_eq!(
        observed.iter().map(shown).collect::<Vec<_>>(),
        [(json!("session_start"), Some(Value::Null)), (json!("session_end"), None)]
    );
    assert_eq!(observed[1]["turns"], 1);
}

#[tokio::test]
async fn a_client_starts_a_performance_and_one_that_resumes_does_not() {
    let faults = vec!["cut=600".parse().expect("a fault")];
    let base = play(CALL, 1.0, false, Options { faults, ..Options::default() }).await;
    for _ in 0..2 {
        let seen = watch(&base, "-n 4 -o ndjson").run().await.ended(0);
        assert_eq!(types(&seen), WORKSPACE_TYPES);
        assert_eq!(offsets(&events(&seen)), [0, 40, 40, 48]);
    }
    // Another workspace plays it for itself, and an observer alone starts it too.
    let other = "00000000-0000-4000-8000-00000000000b";
    let line = format!("observe --workspace {other} --call {DEMO_CALL} -o ndjson");
    let seen = evtap(&line).at(&base).run().await.ended(0);
    assert_eq!(types(&seen), ["session_start", "session_end"]);
}

#[tokio::test]
async fn a_repeated_scenario_has_another_call_each_time() {
    let base = play(CALL, 100.0, true, Options::default()).await;
    let seen = events(&watch(&base, "-n 12 -o ndjson").run().await.ended(0));
    let sids: Vec<_> = seen.iter().step_by(4).map(|event| event["call_sid"].clone()).collect();
    assert!(seen.chunks(4).all(|play| play[0]["call_sid"] == play[3]["call_sid"]), "{seen:?}");
    assert_eq!(sids[0], DEMO_CALL);
    assert!(sids[1] != sids[0] && sids[2] != sids[1], "{sids:?}");
}

#[tokio::test]
async fn faults_apply_to_a_scenario_too() {
    let faults = ["absent=call.escalated", "absent=session_start", "repeat=3"]
        .map(|fault| fault.parse().expect("a fault"));
    let options = Options { faults: faults.into(), ..Options::default() };
    let base = play(CALL, 1.0, false, options).await;
    let seen = watch(&base, "-n 3 -o ndjson").run().await.ended(0);
    assert_eq!(types(&seen), ["call.started", "brand.new", "call.ended"]);
    assert_eq!(types(&observe(&base, "-o ndjson").run().await.ended(0)), ["session_end"]);
}

#[tokio::test]
async fn the_command_serves_a_scenario_once_and_names_mistakes() {
    let line = "serve --listen 127.0.0.1:0 --once --speed 10 --scenario call.toml";
    let mut server = evtap(line).file("call.toml", CALL).start();
    let announcement = server.status_line().await;
    assert!(announcement.contains("serving a scenario on"), "{announcement}");
    let base = announcement.split_whitespace().find(|word| word.starts_with("http://"));
    let base = base.expect("an address").trim_end_matches(';');
    let path = format!("/v1/{DEMO_WORKSPACE}/events/stream");
    let (_, body) = curl(base, &path, "Authorization: Bearer x\r\n", |_| false).await;
    let seen: Vec<_> = body.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!(seen, WORKSPACE_TYPES);
    assert_eq!(server.end().await.ended(0), "");

    let wrong = CALL.replace("call.escalated", "call.escalatd");
    let refused = evtap(line).file("call.toml", wrong).run().await;
    assert_eq!(refused.ended(2), "");
    assert_eq!(
        refused.stderr(),
        "evtap: cannot use the scenario call.toml, line 18: no such event type; did you mean call.escalated?\n"
    );
    for wrong in [
        "serve --scenario none.toml",
        "serve --scenario call.toml --speed 0",
        "serve --scenario call.toml --rate 5",
        "serve --speed 2",
        "serve --repeat",
    ] {
        assert_eq!(evtap(wrong).file("call.toml", CALL).run().await.ended(2), "", "{wrong}");
    }
}
