//! The spans of a live run, compared with what the emulator sent.

use evtap::emulator::{DEMO_CALL, Ledger, ObservedEvent, Options};
use evtap::model::Kind;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::Value;

use super::decoded::{Spans, attribute, length};
use crate::support::{emulator, evtap, fast, observe};

fn nanos(millis: &Value) -> u64 {
    format!("{:.0}", millis.as_f64().expect("a number") * 1e6).parse().expect("not negative")
}

fn of_kind(events: &[ObservedEvent], kind: Kind) -> Vec<&Value> {
    events.iter().filter(|event| event.kind == kind).map(|event| &event.payload).collect()
}

fn is_within(span: &Span, parent: &Span) -> bool {
    span.start_time_unix_nano >= parent.start_time_unix_nano
        && span.end_time_unix_nano <= parent.end_time_unix_nano
}

/// Checks the spans of one call against the events that its observer was sent.
pub fn assert_agrees(spans: &Spans, events: &[ObservedEvent]) {
    for (name, field) in [
        ("engine", "engine_ms"),
        ("navigation", "nav_ms"),
        ("render", "render_ms"),
        ("speech", "audio_ttfb_ms"),
    ] {
        let sent: Vec<_> =
            of_kind(events, Kind::Latency).iter().map(|it| nanos(&it[field])).collect();
        let parts = spans.named(name);
        let built: Vec<_> = parts.iter().map(|span| length(span)).collect();
        assert_eq!(built, sent, "{name}");
        let expected = if matches!(name, "engine" | "speech") { "turn" } else { "engine" };
        for span in parts {
            let parent = spans.parent(span);
            assert_eq!(parent.name, expected, "{name}");
            // The emulator draws the parts of a latency independently.
            if length(span) <= length(parent) {
                assert!(is_within(span, parent), "{name}");
            }
        }
    }
    let mut completed = of_kind(events, Kind::ToolCallCompleted);
    let tools = spans.named("execute_tool");
    for started in of_kind(events, Kind::ToolCallStarted) {
        let id = started["call_id"].as_str();
        let has_id = |span: &&&_| attribute(span, "gen_ai.tool.call.id").as_deref() == id;
        let tool = tools.iter().find(has_id).expect("a span of each tool call");
        let parent = spans.parent(tool);
        assert!(is_within(tool, parent), "{}", tool.name);
        match started["parent_call_id"].as_str() {
            None => assert_eq!(parent.name, "turn"),
            Some(id) => {
                assert_eq!(attribute(parent, "gen_ai.tool.call.id").as_deref(), Some(id));
            }
        }
        assert_eq!(
            tool.name,
            format!("execute_tool {}", started["tool_name"].as_str().expect("a name"))
        );
        let at = completed.iter().position(|answer| answer["call_id"].as_str() == id);
        let answer = completed.remove(at.expect("the emulator answers"));
        assert_eq!(length(tool), nanos(&answer["duration_ms"]));
        let is_error = tool.status.as_ref().is_some_and(|status| status.code == 2);
        assert_eq!(is_error, answer["succeeded"] == false);
    }
    let names = |name: &str| {
        spans.0.iter().flat_map(|span| &span.events).filter(|event| event.name == name).count()
    };
    assert_eq!(names("state_transition"), of_kind(events, Kind::StateTransition).len());
    assert_eq!(names("barge_in"), of_kind(events, Kind::BargeIn).len());
    let call = spans.only("call");
    assert!(spans.named("turn").iter().all(|turn| turn.parent_span_id == call.span_id));
}

#[tokio::test]
async fn the_trace_of_a_recorded_call_agrees_with_what_was_sent() {
    let ledger = Ledger::default();
    let base = emulator(Options { ledger: Some(ledger.clone()), ..fast() }).await;
    let recording = observe(&base, "").run().await.ended(0);
    let printed =
        evtap(&format!("timeline {DEMO_CALL} - -o otlp")).stdin(recording.clone()).run().await;
    let spans = Spans::decode(&printed.ended(0));
    assert_agrees(&spans, &ledger.observed());
    let latencies = of_kind(&ledger.observed(), Kind::Latency).len();
    assert!(latencies > 3 && spans.named("execute_tool").len() > 3);
    assert_eq!(
        attribute(spans.only("call"), "evtap.trace.missing").as_deref(),
        None,
        "the observer saw all of it"
    );
}
