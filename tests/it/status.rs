//! With `--status json`, every line on stderr is JSON under the schema that evtap prints.

use std::collections::BTreeSet;

use evtap::emulator::DEMO_WORKSPACE;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::support::{
    Evtap, RunOutput, STREAM, closed_port, emulator, endpoint, events, evtap, fast, observe,
    scripted, status, watch,
};

/// Returns the schema, in which members that it does not declare are errors.
pub async fn schema() -> Validator {
    let text = evtap("schema --status").run().await.ended(0);
    let mut schema: Value = serde_json::from_str(&text).expect("JSON");
    for line in schema["oneOf"].as_array_mut().expect("the kinds of lines") {
        line["additionalProperties"] = json!(false);
    }
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema)
        .expect("a schema")
}

/// Asserts that each line is valid and that the last one has the exit status. Returns the values of
/// `status` with the result of forwarding.
#[track_caller]
pub fn assert_valid(schema: &Validator, ran: &RunOutput, how: &str) -> Vec<String> {
    let lines = events(&ran.stderr());
    for line in &lines {
        if let Err(error) = schema.validate(line) {
            panic!("{how}: {line}: {error}");
        }
    }
    let last = lines.last().unwrap_or_else(|| panic!("{how}: no line"));
    let status = i32::try_from(last["exit"].as_i64().unwrap_or(-1)).expect("small");
    assert_eq!(status, ran.status(), "{how}: {last}");
    let kind = |line: &Value| {
        let result = line["result"].as_str().map(|result| format!(" {result}")).unwrap_or_default();
        line["status"].as_str().expect("text").to_owned() + &result
    };
    lines.iter().map(kind).collect()
}

const DAY: &str = concat!(
    "{\"event_type\":\"call.started\",\"call_sid\":\"CA1\",\"caller_id\":\"x\",\"_tap\":{\"time\":\"2026-05-05T10:00:00Z\"}}\n",
    "{\"event_type\":\"tap.gap\",\"certain\":true,\"reason\":\"other_reason\",\"from\":\"yesterday\",\"to\":\"2026-05-05T10:00:00Z\"}\n",
    "{\n",
    "{\"event_type\":\"call.ended\",\"call_sid\":\"CA1\",\"duration_seconds\":90,\"_tap\":{\"time\":\"2026-05-05T10:01:30Z\"}}\n",
);

fn replay(options: &[&str]) -> Evtap {
    let run = evtap("replay - --status json").stdin(DAY);
    options.iter().fold(run, |run, option| run.arg(option))
}

/// Runs of which each writes other messages, with the kinds of their lines.
async fn runs() -> Vec<(Evtap, Vec<&'static str>)> {
    let base = emulator(fast()).await;
    let id = jiff::Timestamp::now().as_millisecond();
    let event = |id: i64| format!("id: {id}\nevent: text.completed\ndata: {{}}\n\n");
    let stream = |body: &str| format!("{STREAM}retry: 1\n\n{body}").into_bytes();
    let broken = scripted([stream(&event(id)), stream(&event(id + 5))]).await;
    let refused = scripted([b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n".to_vec()]).await;
    let (retrying, _) = endpoint(|number| status(if number == 0 { 503 } else { 200 }, "")).await;
    let (refusing, _) = endpoint(|_| status(422, "")).await;
    let forward = |url: &str| replay(&["--forward", url]);
    let (_held, closed) = closed_port();
    let ended = ".event_type == \"call.ended\"";
    vec![
        (replay(&[]), vec!["gap", "done"]),
        (watch(&base, "-n 3 --status json"), vec!["connected", "done"]),
        (
            watch(&base, "-n 3 --status json --workspaces-file clinics.toml --shard 1/1")
                .file("clinics.toml", format!("workspaces = [\"{DEMO_WORKSPACE}\"]\n")),
            vec!["workspaces", "connected", "done"],
        ),
        (observe(&base, "--status json"), vec!["connected", "ended", "done"]),
        (
            watch(&broken, "-n 2 --status json --fail-on-gap"),
            vec!["connected", "reconnecting", "connected", "gap", "done"],
        ),
        (watch(&refused, "--status json"), vec!["failed", "done"]),
        (watch(&closed, "--status json --max-reconnects 0"), vec!["failed", "done"]),
        (forward(&retrying), vec!["gap", "forward again", "done"]),
        (forward(&refusing), [&["gap"][..], &["forward refused"; 4], &["done"]].concat()),
        (
            replay(&["--reveal", "caller_id", "--scrub", "none"]),
            vec!["notice", "notice", "gap", "done"],
        ),
        (replay(&["--reveal", "caler_id"]), vec!["warning", "notice", "gap", "done"]),
        (replay(&["-q", ".call_sid | keys", "--no-check"]), vec!["warning", "gap", "done"]),
        (replay(&["-f", ".call_sid | has(1)", "--no-check"]), vec!["warning", "gap", "done"]),
        (replay(&["-e", "surface.*", "--fields", "call_sid"]), vec!["warning", "gap", "done"]),
        (replay(&["-q", ".caller_id == \"x\""]), vec!["gap", "done"]),
        (replay(&["-f", ".caller_id == \"x\""]), vec!["warning", "gap", "done"]),
        (replay(&["--timestamps", "delta"]), vec!["warning", "gap", "done"]),
        (replay(&["--stats"]), vec!["gap", "stats", "done"]),
        (replay(&["--until", ended]), vec!["gap", "verdict", "done"]),
        (replay(&["--until", ended, "-n", "1"]), vec!["verdict", "done"]),
        (replay(&["--fail-if", ended]), vec!["gap", "verdict", "done"]),
        (replay(&["-f", ".durration_seconds > 1"]), vec!["failed"]),
        (replay(&["-f", "("]), vec!["failed"]),
        (replay(&["--fields", "x"]), vec!["failed"]),
        (
            replay(&["-q", "if .call_sid then [limit(1000000000; repeat(1))] else 1 end"]),
            vec!["warning", "gap", "done"],
        ),
        (replay(&["-n", "x"]), vec!["failed"]),
        (replay(&["--bogus"]), vec!["failed"]),
        (replay(&["--record", "/"]), vec!["failed"]),
        (replay(&["-o", "cloudevents", "--fields", "call_sid"]), vec!["failed"]),
        (evtap("replay none --status=json"), vec!["failed", "done"]),
        (evtap("watch --status json -w demo").config("output = 5 5\n"), vec!["failed"]),
        (evtap("watch --status json -w demo --profile none"), vec!["failed"]),
        (evtap("watch --status json"), vec!["failed"]),
        (evtap(&format!("watch --status json -w {}", "1".repeat(36))), vec!["failed"]),
        (watch(&base, "-n x").env("EVTAP_STATUS", "json"), vec!["failed"]),
        (evtap("replay none").config("status = \"json\"\n"), vec!["failed", "done"]),
        (
            evtap("expect --replay - --status json --then").arg(ended).stdin(DAY),
            vec!["gap", "verdict", "done"],
        ),
        (
            evtap("expect --replay - --status json --no-check --then false").stdin(DAY),
            vec!["gap", "verdict", "done"],
        ),
        (
            evtap("stats - --status json --no-check --group-by").arg(".call_sid | keys").stdin(DAY),
            vec!["warning", "gap", "done"],
        ),
        (evtap("stats - --status json --every 1ms").stdin(DAY), vec!["failed"]),
        (evtap("timeline CA1 - --status json").stdin(DAY), vec!["gap", "done"]),
        (evtap("timeline CA2 - --status json").stdin(DAY), vec!["gap", "failed", "done"]),
    ]
}

#[tokio::test]
async fn every_line_is_valid_and_the_last_has_the_exit_status() {
    let schema = schema().await;
    let mut seen = BTreeSet::new();
    for (number, (run, expected)) in runs().await.into_iter().enumerate() {
        let ran = run.run().await;
        let how = format!("run {number}, {expected:?}");
        let kinds = assert_valid(&schema, &ran, &how);
        assert_eq!(kinds, expected, "{how}: {}", ran.stderr());
        seen.extend(kinds);
    }
    let base = emulator(fast()).await;
    let mut run = watch(&base, "--status json --metrics-listen 127.0.0.1:0").start();
    run.line().await;
    run.signal("INT");
    let ran = run.end().await;
    assert_eq!(ran.status(), 130);
    seen.extend(assert_valid(&schema, &ran, "SIGINT"));
    // How many calls find no place depends on the clock, so the order of the lines is not compared.
    let many = "watch -w demo --demo-rate 2000 --auto-observe 1 -n 2000 --status json";
    seen.extend(assert_valid(&schema, &evtap(many).run().await, many));
    let (collector, _) = endpoint(|number| status([503, 400][number.min(1)], "")).await;
    let exporting = observe(&base, &format!("--status json --otlp {collector}")).run().await;
    let kinds = assert_valid(&schema, &exporting, "--otlp");
    let exports = ["export again", "export refused"].map(ToOwned::to_owned);
    assert!(exports.iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    seen.extend(kinds);
    let known: BTreeSet<_> = evtap::internals::output::status_lines::STATUS_LINES
        .iter()
        .map(|line| line.status.to_owned())
        .filter(|status| status != "publish") // needs a server: see `nats`
        .collect();
    let seen: BTreeSet<_> =
        seen.iter().map(|kind| kind.split(' ').next().expect("a kind").to_owned()).collect();
    assert_eq!(seen, known, "a run for each kind");
}

#[tokio::test]
async fn help_explains_topics_and_commands() {
    let text = evtap("help status").run().await.ended(0);
    for line in evtap::internals::output::status_lines::STATUS_LINES {
        assert!(text.contains(&format!("\n{}: {}\n", line.status, line.doc)), "{}", line.status);
        assert!(line.members.iter().all(|member| text.contains(member.doc)), "{}", line.status);
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    for command in ["watch", "config init"] {
        let help = evtap(&format!("help {command}")).run().await.ended(0);
        assert_eq!(help, evtap(&format!("{command} --help")).run().await.ended(0));
    }
    assert_eq!(evtap("help").run().await.ended(0), evtap("--help").run().await.ended(0));
    let ran = evtap("help statuss").run().await;
    assert!(ran.stderr().contains("did you mean status?"), "{}", ran.stderr());
    ran.ended(2);
}
