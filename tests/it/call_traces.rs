//! Traces of calls: `timeline -o otlp` and `--otlp`, decoded by the official definitions.

mod decoded;
mod export;
mod ledger;
mod property;

use serde_json::{Value, json};

use self::decoded::{Spans, attribute};
use crate::support::evtap;
use crate::timeline::{BEGAN, SID, both, observer, workspace};

/// The ids that a backend may have given the call, and what becomes of them.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

async fn trace(lines: &str, options: &str) -> String {
    evtap(&format!("timeline {SID} - -o otlp {options}")).stdin(lines).run().await.ended(0)
}

#[tokio::test]
async fn a_call_is_one_trace_of_nested_spans() {
    let [one, two] = both();
    let printed = trace(&(two + &one), "").await;
    let spans = Spans::decode(&printed);
    insta::assert_snapshot!(spans.outline(BEGAN));
}

fn session(trace: &Value) -> String {
    let start = json!({"event_type": "session_start", "call_sid": SID, "trace_id": trace, "workspace_id": "0b0d0e0f-1111-4222-8333-444455556666"});
    let end =
        json!({"event_type": "session_end", "call_sid": SID, "completion_reason": "completed"});
    observer(10, SID, start) + &observer(900, SID, end)
}

#[tokio::test]
async fn the_trace_id_is_that_of_the_session_if_it_is_valid() {
    let id = |printed: &str| Spans::decode(printed).only("call").trace_id.clone();
    let given = u128::from_str_radix(TRACE, 16).expect("hexadecimal digits");
    assert_eq!(id(&trace(&session(&json!(TRACE)), "").await), given.to_be_bytes());
    let derived = id(&trace(&session(&json!(null)), "").await);
    for invalid in
        [json!("0".repeat(32)), json!(TRACE.to_uppercase()), json!("5489a845-cbc5-4e26"), json!(7)]
    {
        assert_eq!(id(&trace(&session(&invalid), "").await), derived, "{invalid}");
    }
    let hidden = trace(&session(&json!(TRACE)), "--redact trace_id").await;
    assert_eq!(id(&hidden), derived, "a hidden id is not used");
}

#[tokio::test]
async fn a_call_without_times_has_no_trace() {
    let line = json!({"event_type": "call.ended", "call_sid": SID}).to_string();
    let ran = evtap(&format!("timeline {SID} - -o otlp")).stdin(line).run().await;
    assert_eq!(ran.ended(1), "");
    assert!(ran.stderr().contains("cannot write the trace: its events have no time"));
    let ran = evtap("timeline - -o otlp").stdin(workspace(0, json!({}))).run().await;
    ran.ended(2);
    assert!(ran.stderr().contains("no call is named"), "{}", ran.stderr());
}

#[tokio::test]
async fn only_open_fields_are_exported_whatever_is_revealed() {
    let [one, two] = both();
    let lines = two + &one;
    let plain = trace(&lines, "").await;
    assert_eq!(trace(&lines, "--reveal all").await, plain);
    let hidden = trace(&lines, "--redact tool_name").await;
    let spans = Spans::decode(&hidden);
    let tools = spans.named("execute_tool");
    assert_eq!(tools.len(), 2);
    for tool in tools {
        assert_eq!(
            (tool.name.as_str(), attribute(tool, "gen_ai.tool.name")),
            ("execute_tool", None)
        );
    }
}
