//! Tests of when the trace of a call is built, and what is kept until then.

use serde_json::{Value, json};

use super::*;
use crate::analysis::traces::span::AttributeValue;
use crate::model::decode::Decoder;
use crate::model::{Frame, FrameFormat, Origin};
use crate::redact::{Policy, Redactor};

/// The arrival of the first event, in milliseconds of Unix time.
const BEGAN: i64 = 1_777_000_000_000;

fn sid(number: usize) -> String {
    format!("CA{number:032}")
}

fn time(at: i64) -> Timestamp {
    Timestamp::from_millisecond(BEGAN + at).expect("a time")
}

/// Gives a collector an event of the call in `call`, which arrives `at` milliseconds after the first
/// one. Returns the SIDs of the calls whose traces it builds.
fn observe(collector: &mut TraceCollector, at: i64, mut event: Value) -> Vec<String> {
    let call = event.as_object_mut().and_then(|event| event.remove("call"));
    event["_tap"] = json!({"received_at": format!("{:.3}", time(at)), "call_sid": call});
    let data = event.to_string();
    let origin = Origin::default();
    let frame = Frame::new(FrameFormat::Record, data.as_bytes(), &origin);
    let mut redactor = Redactor::new(Policy::default());
    let mut decoder = Decoder::default();
    let shown = redactor.decode_and_redact(&mut decoder, frame);
    sids(&collector.observe(&shown, time(at)))
}

fn sids(calls: &[CallSpans]) -> Vec<String> {
    let sid = |call: &CallSpans| {
        let attributes = &call.spans[0].attributes.0;
        let sid = attributes.iter().find(|(name, _)| *name == "evtap.call_sid");
        match sid {
            Some((_, AttributeValue::Text(sid))) => sid.clone(),
            _ => panic!("a call has a SID"),
        }
    };
    calls.iter().map(sid).collect()
}

fn event(event_type: &str, number: usize) -> Value {
    json!({"event_type": event_type, "call": sid(number)})
}

#[test]
fn a_trace_is_built_when_both_streams_have_ended() {
    let mut calls = TraceCollector::new(TracedStreams::All);
    assert!(observe(&mut calls, 0, event("call.started", 1)).is_empty());
    assert!(observe(&mut calls, 10, event("session_info", 1)).is_empty());
    assert!(observe(&mut calls, 20, event("call.ended", 1)).is_empty());
    assert_eq!(observe(&mut calls, 30, event("session_end", 1)), [sid(1)]);
    assert!(observe(&mut calls, 40, event("operator.left_call", 1)).is_empty());
    assert_eq!((calls.late(), calls.finish().len()), (1, 0), "a late event begins no trace");

    let mut calls = TraceCollector::new(TracedStreams::Observers);
    assert!(observe(&mut calls, 0, event("session_info", 1)).is_empty());
    assert_eq!(observe(&mut calls, 30, event("session_end", 1)), [sid(1)]);
}

#[test]
fn a_call_without_the_end_of_one_stream_is_exported_after_a_while() {
    let mut calls = TraceCollector::new(TracedStreams::All);
    observe(&mut calls, 0, event("call.started", 1));
    observe(&mut calls, 0, event("call.started", 2));
    observe(&mut calls, 1000, event("call.ended", 1));
    assert!(calls.expire(time(1000 + LINGER)).is_empty());
    assert_eq!(sids(&calls.expire(time(1001 + LINGER))), [sid(1)]);
    assert!(calls.expire(time(MAX_SILENCE)).is_empty());
    assert_eq!(sids(&calls.expire(time(1 + MAX_SILENCE))), [sid(2)], "without any event");
}

#[test]
fn calls_that_take_too_much_memory_are_exported_early() {
    let one = TracedCall::new("").bytes();
    let mut calls = TraceCollector::with_limit(TracedStreams::All, 8 * one);
    let mut built = Vec::new();
    for number in 0..9 {
        let at = i64::try_from(number).expect("small");
        built.extend(observe(&mut calls, at, event("call.started", number)));
    }
    assert_eq!(built, [sid(0), sid(1)], "those that were silent for the longest time");
    assert_eq!(calls.finish().len(), 7, "and none is lost");
}

#[test]
fn gaps_and_remembered_calls_take_limited_memory() {
    let mut calls = TraceCollector::new(TracedStreams::All);
    for number in 0..5000 {
        let at = i64::try_from(number).expect("small");
        let gap = json!({"event_type": "tap.gap", "from": format!("{:.3}", time(at)), "to": format!("{:.3}", time(at + 1)), "certain": true, "reason": "away_too_long"});
        observe(&mut calls, at, gap);
        observe(&mut calls, at, event("session_info", number));
        observe(&mut calls, at, event("session_end", number));
        observe(&mut calls, at, event("call.ended", number));
    }
    assert!(calls.gap_budget.used() <= MAX_GAP_BYTES && calls.gaps.len() < 5000);
    assert_eq!((calls.ended.order.len(), calls.ended.sids.len()), (MAX_ENDED, MAX_ENDED));
    assert_eq!((calls.calls.len(), calls.budget.used()), (0, 0));
}

#[test]
fn a_call_has_limited_memory_and_says_what_it_dropped() {
    let mut calls = TraceCollector::new(TracedStreams::Observers);
    observe(&mut calls, 0, event("session_start", 1));
    for number in 0..20_000 {
        let mut tool = event("tool_call_started", 1);
        tool["call_id"] = json!(format!("{number}-{}", "x".repeat(190)));
        tool["tool_name"] = json!("y".repeat(250));
        observe(&mut calls, number + 1, tool);
    }
    let used = calls.budget.used();
    assert!(used < 9 << 20, "{used}");
    let spans = calls.finish();
    let attributes = &spans[0].spans[0].attributes.0;
    let dropped = attributes.iter().find(|(name, _)| *name == "evtap.trace.dropped");
    let Some((_, AttributeValue::Integer(dropped))) = dropped else { panic!("some are dropped") };
    let kept = i64::try_from(spans[0].spans.len()).expect("few") - 1;
    assert_eq!(kept + dropped, 20_000);
}
