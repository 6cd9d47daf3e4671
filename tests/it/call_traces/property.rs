//! Whatever arrives, the spans of a live run are well-formed, and those of its recording are the
//! same.

use std::collections::BTreeMap;

use evtap::internals::analysis::stats::json::time;
use evtap::internals::analysis::timeline::collect::{self, TimelineCollector};
use evtap::internals::analysis::traces::{
    CallSpans, TraceCollector, TracedStreams, otlp, recorded_trace,
};
use evtap::internals::output::Observer;
use evtap::model::FrameFormat;
use evtap::model::decode::Decoder;
use evtap::query::EventContext;
use evtap::redact::{Policy, Redactor};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::decoded::{Spans, attribute};
use crate::decode_redact::frame;
use crate::timeline::BEGAN;

const SIDS: [&str; 2] =
    ["CA00000000000000000000000000000001", "CA00000000000000000000000000000002"];

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Numbers that durations may be.
fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => (0.0..3000.0_f64).prop_map(|number| json!(number)),
        1 => select(vec![json!(1e308), json!(-5), json!(null), json!("12"), json!(0)]),
    ]
}

fn id() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => (0..6_u8).prop_map(|number| json!(format!("t{number}"))),
        1 => select(vec![json!(null), json!(7), json!("")]),
    ]
}

/// An event of a call's observer.
fn observed() -> impl Strategy<Value = Value> {
    let role = select(vec![json!("caller"), json!("operator"), json!(null)]);
    let flag = select(vec![json!(true), json!(false), json!(null), json!("true")]);
    prop_oneof![
        3 => (role, flag.clone()).prop_map(|(role, barge_in)| json!({"event_type": "user_transcript", "speaker_role": role, "is_barge_in": barge_in, "transcript": "x"})),
        3 => (flag.clone(), select(vec!["answer", "filler"])).prop_map(|(interrupted, action)| json!({"event_type": "agent_transcript", "interrupted": interrupted, "action": action, "transcript": "x"})),
        3 => Just(json!({"event_type": "agent_transcript_delta", "delta": "x"})),
        3 => (number(), number(), number(), number(), flag.clone()).prop_map(|(engine, part, audio, total, continues)| json!({"event_type": "latency", "engine_ms": engine, "nav_ms": part, "render_ms": part, "audio_ttfb_ms": audio, "e2e_ttfb_ms": total, "continuation": continues})),
        1 => (id(), number()).prop_map(|(model, tokens)| json!({"event_type": "nav_timing", "model": model, "input_tokens": tokens, "output_tokens": 5})),
        4 => (id(), id()).prop_map(|(id, parent)| json!({"event_type": "tool_call_started", "call_id": id, "parent_call_id": parent, "tool_name": id})),
        4 => (id(), number(), flag).prop_map(|(id, millis, succeeded)| json!({"event_type": "tool_call_completed", "call_id": id, "tool_name": id, "duration_ms": millis, "succeeded": succeeded})),
        1 => id().prop_map(|state| json!({"event_type": "state_transition", "previous_state": "a", "next_state": state})),
        1 => Just(json!({"event_type": "barge_in", "total_barge_ins": 1})),
        1 => number().prop_map(|seconds| json!({"event_type": "session_info", "duration_seconds": seconds, "direction": "inbound"})),
        1 => select(vec![json!(TRACE), json!("x"), json!(null)]).prop_map(|trace| json!({"event_type": "session_start", "trace_id": trace})),
        1 => Just(json!({"event_type": "session_end", "completion_reason": "error"})),
    ]
}

/// An event of the workspace.
fn published() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({"event_type": "call.started", "direction": "outbound"})),
        Just(json!({"event_type": "call.escalated", "trigger": "ai"})),
        Just(json!({"event_type": "operator.joined_call", "mode": "listen"})),
        Just(
            json!({"event_type": "call.ended", "completion_reason": "completed", "duration_seconds": 5})
        ),
        Just(json!({"event_type": "operator.wrap_up"})),
    ]
}

#[derive(Debug, Clone)]
enum Step {
    Observed(usize, Value),
    Published(usize, Value),
    /// A gap in the stream of the workspace or of an observer, of this length.
    Gap(Option<usize>, i64),
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let step = prop_oneof![
        10 => (0..2_usize, observed()).prop_map(|(call, event)| Step::Observed(call, event)),
        3 => (0..2_usize, published()).prop_map(|(call, event)| Step::Published(call, event)),
        1 => (proptest::option::of(0..2_usize), 0..9000_i64)
            .prop_map(|(call, length)| Step::Gap(call, length)),
    ];
    // This machine's clock may be set back.
    proptest::collection::vec((-300..3000_i64, step), 0..60)
}

/// Returns a recording of the steps. The platform's clock is behind this machine's.
fn recording(steps: Vec<(i64, Step)>) -> Vec<String> {
    let mut now = BEGAN;
    let line = |(passed, step)| {
        now += passed;
        let event = match step {
            Step::Observed(call, mut event) => {
                event["_tap"] =
                    json!({"received_at": time(now), "stream": "observer", "call_sid": SIDS[call]});
                event
            }
            Step::Published(call, mut event) => {
                event["call_sid"] = json!(SIDS[call]);
                event["_tap"] = json!({"id": (now - 700).to_string(), "time": time(now - 700), "received_at": time(now), "stream": "workspace"});
                event
            }
            Step::Gap(call, length) => {
                let (stream, sid) = match call {
                    Some(call) => ("observer", Some(SIDS[call])),
                    None => ("workspace", None),
                };
                json!({"event_type": "tap.gap", "from": time(now - length), "to": time(now), "certain": false, "reason": "replay_late", "_tap": {"stream": stream, "call_sid": sid}})
            }
        };
        event.to_string()
    };
    steps.into_iter().map(line).collect()
}

fn request(spans: &CallSpans) -> String {
    otlp::request(otlp::resource_spans(spans).iter().map(|part| &*part.json))
}

/// Returns the requests of a live run, in the order in which they are sent.
fn live(lines: &[String]) -> Vec<String> {
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(Policy::default()));
    let mut collector = TraceCollector::new(TracedStreams::All);
    let mut built = Vec::new();
    for line in lines {
        let frame = frame(FrameFormat::Record, None, line.as_bytes());
        let shown = redactor.decode_and_redact(&mut decoder, frame.as_frame());
        built.extend(collector.observe(&shown, Timestamp::UNIX_EPOCH));
    }
    built.extend(collector.finish());
    built.iter().map(request).collect()
}

/// Returns the request of a recorded call, if it has events.
fn recorded(lines: &[String], sid: &str) -> Option<String> {
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(Policy::default()));
    let (mut collector, collected) = TimelineCollector::new(Some(sid.to_owned()));
    for line in lines {
        let frame = frame(FrameFormat::Record, None, line.as_bytes());
        let shown = redactor.decode_and_redact(&mut decoder, frame.as_frame());
        collector.event(&EventContext::new(&shown)).expect("it only collects");
    }
    recorded_trace(&collect::lock(&collected), sid).map(|spans| request(&spans))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn live_and_recorded_spans_are_well_formed_and_the_same(steps in steps()) {
        let lines = recording(steps);
        let mut by_call = BTreeMap::new();
        for request in live(&lines) {
            let spans = Spans::decode(&request);
            let sid = attribute(spans.only("call"), "evtap.call_sid").expect("a SID");
            prop_assert!(by_call.insert(sid, request).is_none(), "one trace per call");
        }
        for sid in SIDS {
            prop_assert_eq!(recorded(&lines, sid), by_call.get(sid).cloned());
        }
    }
}
