//! Calls as the workspace stream sees them; [`script`](super::script) is what an observer sees. The
//! course of a call is drawn when it begins, so that both agree.

use std::sync::Arc;

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::json;

use super::call_story::{CallStory, Handover};
use super::story::Story;
use crate::emulator::cast::{Clinic, pick, uuid};
use crate::model::Kind;

const REASONS: &[&str] = &[
    "Caller asks for a nurse.",
    "Caller has been asked for the same thing twice.",
    "Chest pain mentioned; protocol demands a person.",
    "Caller wants to be called back at 503-555-0117 by a person.",
];
const WRAP_UP: &[&str] = &[
    "Appointment moved, nothing left to do.",
    "Refill sent to the pharmacy; caller was worried about the dose.",
    "Caller will write to billing@example.org.",
];

fn begin(call: CallStory) -> (Story, Arc<CallStory>) {
    let call = Arc::new(call);
    let mut story = Story::default();
    let started = json!({
        "call_sid": call.sid,
        "caller_id": call.caller.phone,
        "direction": call.direction,
        "service_id": call.service_id,
    });
    story.mark(Kind::CallStarted, started, &call);
    (story, call)
}

fn end(call: &Arc<CallStory>, story: &mut Story) {
    let ended = json!({
        "call_sid": call.sid,
        "completion_reason": call.reason,
        "direction": call.direction,
        "duration_seconds": call.seconds,
        "escalated": call.handover.is_some(),
    });
    story.go_to(call.seconds).mark(Kind::CallEnded, ended, call);
}

/// The agent helps.
pub fn resolved(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    let seconds = tenths(180, 320, rng);
    let (mut story, call) = begin(CallStory::draw(clinic, "completed", seconds, rng));
    end(&call, &mut story);
    if rng.random_bool(0.4) {
        let encounter = json!({ "encounter_entity_id": uuid(rng), "session_id": uuid(rng) });
        story.tell(Kind::EncounterUpdated, encounter);
    }
    story
}

/// An operator listens in, takes over, and sums up.
pub fn escalated(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    let (at, stays) = (tenths(80, 140, rng), tenths(90, 140, rng));
    let handover = Handover::new(clinic, at, stays);
    let call = CallStory::draw(clinic, "escalated", at + stays + 1.0, rng);
    let (mut story, call) = begin(CallStory { handover: Some(handover.clone()), ..call });
    let Handover { operator, escalated, joined, takeover, left, turns } = handover;
    let operator = operator.entity_id;

    let why = json!({
        "call_sid": call.sid,
        "escalation_id": uuid(rng),
        "reason": pick(REASONS, rng),
        "trigger": pick(&["caller", "ai", "operator"], rng),
    });
    let part = |mode: &str| json!({ "call_sid": call.sid, "mode": mode, "operator_id": operator });
    let status = |status: &str| json!({ "operator_id": operator, "status": status });
    story.go_to(escalated).tell(Kind::CallEscalated, why);
    story.go_to(joined).tell(Kind::OperatorStatusChanged, status("busy"));
    story.tell(Kind::OperatorJoinedCall, part("listen"));
    story.go_to(takeover).tell(Kind::OperatorModeChanged, part("takeover"));
    let leaves =
        json!({ "call_sid": call.sid, "human_segment_turn_count": turns, "operator_id": operator });
    story.go_to(left).tell(Kind::OperatorLeftCall, leaves);
    end(&call, &mut story);
    let summary = json!({ "call_sid": call.sid, "wrap_up_reason": pick(WRAP_UP, rng) });
    story.pause(1.0, 3.0, rng).tell(Kind::OperatorWrapUp, summary);
    story.tell(Kind::OperatorStatusChanged, status("online"));
    story
}

/// The caller is put through to another number.
pub fn forwarded(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    let seconds = tenths(120, 200, rng);
    let call = CallStory::draw(clinic, "forwarded", seconds, rng);
    let (mut story, call) = begin(CallStory { forwarded: true, ..call });
    end(&call, &mut story);
    story
}

/// The caller gives up.
pub fn abandoned(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    let seconds = tenths(25, 80, rng);
    let (mut story, call) =
        begin(CallStory::draw(clinic, pick(&["abandoned", "caller_hangup"], rng), seconds, rng));
    end(&call, &mut story);
    story
}

/// Nobody picks up, and a message is left, or is not.
pub fn voicemail(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    let seconds = tenths(60, 120, rng);
    let status = pick(&["delivered", "delivered", "skipped", "failed", "not_delivered"], rng);
    let reason = if status == "delivered" { "voicemail" } else { "no_answer" };
    let call = CallStory::draw(clinic, reason, seconds, rng);
    let (mut story, call) = begin(CallStory { direction: "outbound", ..call });
    end(&call, &mut story);
    let message = json!({
        "recipient_phone_number": call.caller.phone,
        "status": status,
        "voicemail_id": uuid(rng),
    });
    story.tell(Kind::ChannelVoicemailStatus, message);
    story
}

/// Tenths of a second, so that durations read well.
fn tenths(low: u32, high: u32, rng: &mut StdRng) -> f64 {
    f64::from(rng.random_range(low..high)) / 10.0
}
