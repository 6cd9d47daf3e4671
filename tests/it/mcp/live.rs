//! Live sources: the demo and configured workspaces.

use evtap::emulator::DEMO_WORKSPACE;
use serde_json::{Value, json};

use super::session::{Session, is_error, lines, text};
use crate::support::{KEY, emulator, evtap, fast};

fn ids(result: &Value) -> Vec<u64> {
    let id = |event: &Value| event["_tap"]["id"].as_str().and_then(|id| id.parse().ok());
    lines(result).iter().filter_map(id).collect()
}

/// `next` continues where the result ends: no event twice, and none lost in between.
#[tokio::test]
async fn the_demo_is_followed_without_loss() {
    let mut session = Session::start(evtap("mcp --demo-rate 200")).await;
    let mut arguments = json!({"source": "demo", "limit": 20, "seconds": 60});
    let mut all = Vec::new();
    for _ in 0..4 {
        let heard = session.call("tail", arguments.clone()).await;
        assert_eq!(lines(&heard).len(), 20, "{heard}");
        assert_eq!(heard["structuredContent"]["complete"], true, "{heard}");
        all.extend(ids(&heard));
        arguments["cursor"] = heard["structuredContent"]["next"].clone();
    }
    // What the platform still has is what was heard, in the same order.
    let since = all[0].to_string();
    let kept = json!({"source": "demo", "limit": 80, "seconds": 60, "since": since});
    let kept = ids(&session.call("find", kept).await);
    assert_eq!(kept[..all.len().min(kept.len())], all[..all.len().min(kept.len())]);
    session.ends_well().await;
}

#[tokio::test]
async fn every_tool_reads_the_demo() {
    let mut session = Session::start(evtap("mcp --demo-rate 300")).await;
    for (tool, arguments) in [
        ("tail", json!({"source": "demo", "limit": 100, "seconds": 60})),
        ("find", json!({"limit": 5})),
        ("stats", json!({"seconds": 1})),
        ("timeline", json!({"seconds": 1})),
        ("timeline", json!({"call": "demo", "seconds": 1})),
    ] {
        let result = session.call(tool, arguments.clone()).await;
        assert!(!is_error(&result), "{tool} {arguments}: {result}");
        let content = &result["structuredContent"];
        assert!(content["gaps"].is_array() && content["complete"].is_boolean(), "{result}");
    }
    session.ends_well().await;
}

#[tokio::test]
async fn a_configured_workspace_is_a_source() {
    let base = emulator(fast()).await;
    let line = format!("mcp --workspace {DEMO_WORKSPACE}");
    let mut session = Session::start(evtap(&line).at(&base)).await;
    let heard = session.call("tail", json!({"source": DEMO_WORKSPACE, "limit": 5, "seconds": 60}));
    assert_eq!(lines(&heard.await).len(), 5);
    let found = session.call("find", json!({"limit": 5})).await;
    assert_eq!(lines(&found).len(), 5, "it is the default");
    let refused = session.call("find", json!({"source": "22222222-2222-4222-8222-222222222222"}));
    assert!(is_error(&refused.await), "another workspace is none");
    assert!(!session.seen.contains(KEY));
    session.ends_well().await;
}

/// A refused key is the error of a call, which does not end the server.
#[tokio::test]
async fn a_source_that_cannot_be_reached_is_an_error_of_the_call() {
    let line = format!("mcp --workspace {DEMO_WORKSPACE} --base-url http://127.0.0.1:1");
    let mut session = Session::start(evtap(&line)).await;
    let refused = session.call("find", json!({})).await;
    assert!(is_error(&refused) && text(&refused).contains("no API key"), "{refused}");
    assert!(!is_error(&session.call("schema", json!({})).await));
    session.ends_well().await;
    let mut session = Session::start(evtap(&line).env("AMIGO_API_KEY", KEY)).await;
    let refused = session.call("find", json!({})).await;
    assert!(is_error(&refused) && !text(&refused).contains(KEY), "{refused}");
    assert!(!is_error(&session.call("schema", json!({})).await));
    session.ends_well().await;
}
