//! What an agent gets from `evtap mcp`, whatever it asks for.

use std::sync::atomic::{AtomicUsize, Ordering};

use evtap::model::Stream;
use serde_json::{Value, json};

use super::inputs::{ndjson, sse};
use super::{CANARIES, assert_no_trace_in};
use crate::canaries::events_with_canaries;
use crate::mcp::session::{Session, is_error, lines, text};
use crate::support::evtap;

/// Queries that take events apart, or ask for what the mask covers.
const QUERIES: &[&str] = &[
    "[.. | strings] | any(test(\"Canary|4081516234\"))",
    "tojson | contains(\"Canary\")",
    ".caller_id | error",
    "(.transcript // .caller_id // .undeclared) | error",
    "error(tojson)",
    ".caller_id.a.b",
    ".[\"Jane CanaryQzvxkwjh\"] != null",
    "keys | any(contains(\"Canary\"))",
];

/// Gets all pages of a result.
async fn pages(session: &mut Session, tool: &str, mut arguments: Value) -> usize {
    for page in 1.. {
        let result = session.call(tool, arguments.clone()).await;
        assert!(!is_error(&result), "{tool}: {}", text(&result));
        let next = result["structuredContent"]["next"].clone();
        if next.is_null() {
            return page;
        }
        arguments["cursor"] = next;
    }
    0
}

#[tokio::test]
async fn an_agent_gets_no_canary_from_any_tool() {
    let recording = evtap("mcp day.ndjson day.sse")
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
        .env("EVTAP_REVEAL", "all")
        .file("day.ndjson", ndjson())
        .file("day.sse", sse());
    let mut session = Session::start(recording).await;
    for source in ["recordings", "day.ndjson", "day.sse"] {
        let found = pages(&mut session, "find", json!({"source": source, "limit": 1000})).await;
        assert!(found > 1, "{source}: too little came out to say anything");
        pages(&mut session, "stats", json!({"source": source})).await;
        pages(&mut session, "timeline", json!({"source": source})).await;
        let last = session.call("tail", json!({"source": source, "limit": 1000})).await;
        assert!(lines(&last).len() > 20);
        let calls = session.call("timeline", json!({"source": source})).await;
        for call in calls["structuredContent"]["calls"].as_array().expect("calls") {
            let call = json!({"source": source, "call": call["call_sid"]});
            session.call("timeline", call).await;
        }
        for call in ["Jane CanaryQzv", "CA", "4081516234"] {
            session.call("timeline", json!({"source": source, "call": "CA"})).await;
            session.call("find", json!({"source": source, "call": call})).await;
        }
    }
    let seen = session.seen.len();
    assert!(seen > 1 << 20, "{seen}");
    assert_no_trace_in(&session.seen, "mcp");
    for query in QUERIES {
        // The response quotes a query that cannot be used, so only the events are searched.
        let found = session.call("find", json!({"query": query, "limit": 1000})).await;
        let is_named = |line: &Value| CANARIES.iter().any(|it| line.to_string().contains(it));
        assert!(is_error(&found) || !lines(&found).iter().any(is_named), "{query}: {found}");
    }
    let ran = session.end().await;
    ran.ended(0);
    assert_no_trace_in(&ran.stderr(), "mcp");
}

/// Free text is masked as a whole: a name in it is not found by any detector.
#[tokio::test]
async fn an_agent_gets_no_free_text() {
    let name = "Zebulon";
    let count = AtomicUsize::new(0);
    let recording: String = [Stream::Workspace, Stream::Observer]
        .into_iter()
        .flat_map(events_with_canaries)
        .filter_map(|(event_type, mut payload)| {
            let spec = evtap::model::Kind::ALL.iter().map(|kind| kind.spec());
            let spec = spec.into_iter().find(|spec| spec.event_type == event_type)?;
            for field in spec.fields.iter().filter(|it| it.class == evtap::model::Class::Free) {
                payload.insert(field.name.to_owned(), json!(format!("{name} will call back")));
                count.fetch_add(1, Ordering::Relaxed);
            }
            payload.insert("event_type".to_owned(), event_type.into());
            Some(Value::from(payload).to_string() + "\n")
        })
        .collect();
    assert!(count.into_inner() > 10);
    let plain = evtap("replay day.ndjson -o ndjson").file("day.ndjson", &recording);
    assert!(plain.run().await.ended(0).contains(name), "others see it");
    let mut session = Session::start(evtap("mcp day.ndjson").file("day.ndjson", &recording)).await;
    pages(&mut session, "find", json!({"limit": 1000})).await;
    pages(&mut session, "timeline", json!({})).await;
    let calls = session.call("timeline", json!({})).await;
    for call in calls["structuredContent"]["calls"].as_array().expect("calls") {
        session.call("timeline", json!({"call": call["call_sid"]})).await;
    }
    pages(&mut session, "stats", json!({})).await;
    let found = session.call("find", json!({"query": "tojson | test(\"ebulo\")"})).await;
    assert!(lines(&found).is_empty(), "{found}");
    assert!(!session.seen.contains(name), "free text came out");
    session.ends_well().await;
}
