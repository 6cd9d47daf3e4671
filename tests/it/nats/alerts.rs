//! `evtap alert` with `--from` and `--publish`: alerts of what the broker holds, stored as events.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::WORKSPACE;
use super::server::{NatsServer, is_installed};
use crate::support::{events, evtap};

const RULES: &str = r#"
[rule.nobody-joined]
per = ".call_sid"
after = '.event_type == "call.escalated"'
want = '.event_type == "operator.joined_call"'
within = "60s"
"#;

/// Returns escalated calls, one each ten seconds. Somebody joins every third.
fn recording() -> String {
    let line = |second: u64, event_type: &str, call: u64| {
        let id = 1_777_975_200_000 + second * 1000;
        let time = format!("2026-05-05T10:{:02}:{:02}.000Z", second / 60, second % 60);
        json!({
            "event_type": event_type, "call_sid": format!("CA{call:032}"),
            "_tap": {"id": id.to_string(), "time": time, "stream": "workspace", "workspace_id": WORKSPACE},
        })
        .to_string()
            + "\n"
    };
    let call = |number: u64| {
        let joined =
            number.is_multiple_of(3).then(|| line(number * 10 + 5, "operator.joined_call", number));
        line(number * 10, "call.escalated", number) + &joined.unwrap_or_default()
    };
    (0..60).map(call).collect()
}

/// Returns rule, key, state and time of alerts.
fn told<'a>(alerts: impl IntoIterator<Item = &'a Value>) -> BTreeSet<[String; 4]> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let told = |alert: &Value| {
        [&alert["rule"], &alert["key"], &alert["state"], &alert["_tap"]["time"]].map(text)
    };
    alerts.into_iter().map(told).collect()
}

#[tokio::test]
async fn alerts_of_a_broker_are_those_of_the_recording_and_are_published() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    let from = server.url("evtap");
    let publish = format!("replay - --create-stream --publish {from}");
    evtap(&publish).stdin(recording()).run().await.ended(0);

    let alert = |options: &str| {
        evtap(&format!("alert --rules rules.toml {options}")).file("rules.toml", RULES)
    };
    let expected = alert("x.ndjson").file("x.ndjson", recording()).run().await.ended(0);
    let expected = events(&expected);
    let raised: Vec<_> = expected.iter().filter(|alert| alert["state"] == "raised").collect();
    assert!(raised.len() > 30, "{expected:?}");

    let table = alert(&format!("--test --from {from}")).run().await.ended(0);
    let of_recording = alert("--test x.ndjson").file("x.ndjson", recording()).run().await.ended(0);
    assert_eq!(table, of_recording);

    // They can be stored next to the events; the run that reads both does not take them for new.
    let live = format!("--from {from} --since all --publish {from}");
    let mut running = alert(&live).start();
    let mut shown = String::new();
    for _ in 0..raised.len() {
        shown.push_str(&running.line().await);
    }
    running.signal("INT");
    shown.push_str(&running.end().await.ended(130));
    let shown = events(&shown);
    let is_raised = |alert: &&Value| alert["state"] == "raised";
    assert_eq!(told(shown.iter().filter(is_raised)), told(raised));

    let subject = format!("evtap.{WORKSPACE}.tap.alert");
    let mut stored = server.stored("evtap").await;
    stored.retain(|message| message.subject == subject);
    assert_eq!(stored.len(), shown.len());
    let again = evtap(&format!("replay --from {from} -e tap.alert")).run().await.ended(0);
    assert_eq!(told(&events(&again)), told(&shown));
}
