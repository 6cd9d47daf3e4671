//! What no client can do: end the server, make a result too large, or wait for ever.

use serde_json::{Value, json};

use super::session::{Session, is_error, lines, text};
use super::{calls, time};
use crate::support::evtap;

/// The largest page, in bytes, with room for what accompanies it.
const MAX_RESULT: usize = 72 << 10;

#[tokio::test]
async fn a_message_that_is_wrong_does_not_end_the_server() {
    let mut session =
        Session::start(evtap("mcp calls.ndjson").file("calls.ndjson", calls(1))).await;
    for line in [
        "",
        "no JSON",
        "{",
        "[]",
        "null",
        "{\"jsonrpc\":\"2.0\"}",
        "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"no/such\",\"params\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"tools/call\",\"params\":{\"name\":\"find\",\"arguments\":[]}}",
        "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"tools/call\",\"params\":null}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":99}}",
        "{\"jsonrpc\":\"2.0\",\"id\":10,\"result\":{}}",
    ] {
        session.write(line).await;
    }
    session.write(&"x".repeat(2 << 20)).await;
    let id = session.send_call("find", json!({})).await;
    loop {
        let message = session.next().await;
        if message["id"] == id && message["result"].is_object() {
            assert_eq!(lines(&message["result"]).len(), 2);
            break;
        }
        assert!(message["error"].is_object(), "{message}");
    }
    session.ends_well().await;
}

/// Two calls run at a time and each would take a minute, so the last one only gets its turn in time
/// because the others were cancelled.
#[tokio::test]
async fn a_cancelled_call_makes_room() {
    let mut session = Session::start(evtap("mcp")).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        let never = json!({"source": "demo", "seconds": 60, "query": ".duration_seconds < -5"});
        ids.push(session.send_call("tail", never).await);
    }
    for id in ids {
        session.notify("notifications/cancelled", json!({"requestId": id})).await;
    }
    let counted = session.call("schema", json!({"type": "call.ended"})).await;
    assert_eq!(lines(&counted).len(), 1);
    session.ends_well().await;
}

#[tokio::test]
async fn a_signal_ends_the_server_while_a_call_runs() {
    let mut session = Session::start(evtap("mcp")).await;
    session.send_call("tail", json!({"source": "demo", "seconds": 60, "limit": 1000})).await;
    let ran = session.signal("TERM").await;
    assert_eq!((ran.ended(143).as_str(), ran.stderr().as_str()), ("", ""));
}

#[tokio::test]
async fn too_many_calls_at_a_time_are_refused() {
    let mut session = Session::start(evtap("mcp")).await;
    for _ in 0..20 {
        let never = json!({"source": "demo", "seconds": 60, "query": ".duration_seconds < -5"});
        session.send_call("tail", never).await;
    }
    for _ in 0..4 {
        let refused = session.next().await;
        let result = &refused["result"];
        assert!(is_error(result) && text(result).contains("running or waiting"), "{refused}");
    }
}

#[tokio::test]
async fn a_result_is_bounded_whatever_the_events_are() {
    let long = "y".repeat(30_000);
    let event = |size: usize| {
        let tool = &"z".repeat(size);
        format!(
            "{{\"event_type\":\"tool_call_started\",\"tool_name\":\"{tool}\",\"call_id\":\"{long}\"}}\n"
        )
    };
    let recording: String = (0..9).map(|number| event(number * 9_000)).collect();
    let mut session =
        Session::start(evtap("mcp big.ndjson").file("big.ndjson", recording + &calls(900))).await;
    let mut arguments = json!({"limit": 1000});
    let (mut events, mut left_out) = (0, 0);
    loop {
        let found = session.call("find", arguments.clone()).await;
        assert!(text(&found).len() <= MAX_RESULT, "{}", text(&found).len());
        let page = lines(&found);
        events += page.len();
        left_out += page.iter().filter(|event| event["left_out"].is_string()).count();
        let next = found["structuredContent"]["next"].clone();
        if next.is_null() {
            break;
        }
        arguments["cursor"] = next;
    }
    assert_eq!(events, 9 + 1800, "all of them, on several pages");
    assert!(left_out > 0 && left_out < 9, "{left_out} do not fit on any page");
    for (tool, arguments) in [
        ("stats", json!({})),
        ("timeline", json!({})),
        ("tail", json!({"source": "big.ndjson", "limit": 1000})),
        ("schema", json!({"type": "*"})),
    ] {
        let result = session.call(tool, arguments).await;
        assert!(text(&result).len() <= MAX_RESULT, "{tool}: {}", text(&result).len());
    }
    session.ends_well().await;
}

#[tokio::test]
async fn timelines_and_the_schema_have_pages_too() {
    let mut session =
        Session::start(evtap("mcp calls.ndjson").file("calls.ndjson", calls(900))).await;
    for (tool, items, mut arguments, expected) in [
        ("timeline", "calls", json!({}), Some(900)),
        ("schema", "events", json!({"type": "*"}), None),
    ] {
        let mut all: Vec<Value> = Vec::new();
        let mut pages = 0;
        loop {
            let result = session.call(tool, arguments.clone()).await;
            let content = &result["structuredContent"];
            all.extend(content[items].as_array().expect("items").iter().cloned());
            pages += 1;
            if content["next"].is_null() {
                break;
            }
            arguments["cursor"] = content["next"].clone();
        }
        assert!(pages > 1, "{tool}");
        assert!(expected.is_none_or(|expected| expected == all.len()), "{tool}: {}", all.len());
        let mut unique: Vec<_> = all.iter().map(Value::to_string).collect();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), all.len(), "{tool}");
    }
    session.ends_well().await;
}

/// Nothing that a call or the environment says reveals anything, and no option exists that would.
#[tokio::test]
async fn nothing_reveals_a_hidden_field() {
    for line in ["mcp --reveal all", "mcp --phi partial", "mcp --scrub none"] {
        let ran = evtap(line).run().await;
        assert_eq!(ran.ended(2), "", "{line}");
    }
    for config in ["reveal = [\"all\"]\n", "phi = \"partial\"\n", "scrub = \"none\"\n"] {
        let ran = evtap("mcp").config(config).run().await;
        assert_eq!(ran.ended(2), "", "{config}");
    }
    let secret = "Jane Doe of 5 Elm Street";
    let event = format!(
        "{{\"event_type\":\"call.escalated\",\"call_sid\":\"CA{:032}\",\"caller_id\":\"{secret}\",\
         \"reason\":\"{secret}\",\"_tap\":{{\"id\":\"1777975200000\",\"time\":\"{}\"}}}}\n",
        1,
        time(1_777_975_200_000)
    );
    let evtap = evtap("mcp one.ndjson")
        .env("EVTAP_REVEAL", "all")
        .env("EVTAP_PHI", "drop")
        .file("one.ndjson", event);
    let mut session = Session::start(evtap).await;
    let found = session.call("find", json!({})).await;
    assert_eq!(lines(&found)[0]["caller_id"], "[redacted]");
    assert_eq!(lines(&found)[0]["reason"], "[redacted]", "free text too");
    for arguments in [
        json!({"reveal": ["all"]}),
        json!({"phi": "partial"}),
        json!({"query": ".reason | test(\"Elm\")"}),
        json!({"query": "tojson | contains(\"Jane\")"}),
    ] {
        let found = session.call("find", arguments.clone()).await;
        assert!(is_error(&found) || lines(&found).is_empty(), "{arguments}: {found}");
    }
    assert!(!session.seen.contains("Jane") && !session.seen.contains("Elm"), "{}", session.seen);
    session.ends_well().await;
}
