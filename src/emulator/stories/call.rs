//! Calls: how each goes is settled when it begins, so that the workspace stream and an observer of the call tell the same
//! story. Here is what the workspace sees; [`script`](super::script) is what the observer does.

use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng, RngExt};
use serde_json::json;

use super::Story;
use super::dialogue::{CallTopic, TOPICS};
use crate::emulator::cast::{Clinic, Person, pick, sid, uuid};
use crate::model::Kind;

/// When the demo call is handed over, and for how long an operator stays, in seconds.
const DEMO_HANDOVER: (f64, f64) = (50.0, 22.0);
const DEMO_SECONDS: f64 = 75.0;

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

/// How one call goes. Times are in seconds since it began.
#[derive(Debug, Clone)]
pub struct CallStory {
    /// Its SID.
    pub sid: String,
    /// Which way it goes.
    pub direction: &'static str,
    /// The other party.
    pub caller: Person,
    /// The service that answers.
    pub service_id: String,
    /// What it is about.
    pub topic: &'static CallTopic,
    /// How long it takes.
    pub seconds: f64,
    /// How it ends.
    pub reason: &'static str,
    /// When and to whom it is handed over.
    pub handover: Option<Handover>,
    /// Whether it is forwarded to another number.
    pub forwarded: bool,
    /// What the details of the observer's script are drawn from.
    pub seed: u64,
}

/// An operator takes part in a call.
#[derive(Debug, Clone)]
pub struct Handover {
    /// Who does.
    pub operator: Person,
    /// When the call is escalated.
    pub escalated: f64,
    /// When the operator begins to listen.
    pub joined: f64,
    /// When the operator begins to speak.
    pub takeover: f64,
    /// When the operator leaves.
    pub left: f64,
    /// How many turns the operator speaks.
    pub turns: u32,
}

impl CallStory {
    fn draw(clinic: &Clinic, reason: &'static str, seconds: f64, rng: &mut StdRng) -> Self {
        Self {
            sid: sid("CA", rng),
            direction: "inbound",
            caller: Person::draw(rng),
            service_id: clinic.service(rng),
            topic: &TOPICS[rng.random_range(0..TOPICS.len())],
            seconds,
            reason,
            handover: None,
            forwarded: false,
            seed: rng.next_u64(),
        }
    }

    /// The call that is always there to be observed. Everything that can happen in a call happens in it.
    pub fn demo(sid: &str, rng: &mut StdRng) -> Self {
        let clinic = &mut Clinic::draw(rng);
        let (escalated, stays) = DEMO_HANDOVER;
        let handover = Handover::new(clinic, escalated, stays);
        let call = Self::draw(clinic, "escalated", DEMO_SECONDS, rng);
        Self {
            sid: sid.to_owned(),
            topic: &TOPICS[0],
            handover: Some(handover),
            forwarded: true,
            ..call
        }
    }

    fn begin(self) -> (Story, Arc<Self>) {
        let call = Arc::new(self);
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

    fn end(self: &Arc<Self>, story: &mut Story) {
        let ended = json!({
            "call_sid": self.sid,
            "completion_reason": self.reason,
            "direction": self.direction,
            "duration_seconds": self.seconds,
            "escalated": self.handover.is_some(),
        });
        story.go_to(self.seconds).mark(Kind::CallEnded, ended, self);
    }
}

impl Handover {
    fn new(clinic: &mut Clinic, escalated: f64, stays: f64) -> Self {
        Self {
            operator: clinic.next_operator(),
            escalated,
            joined: escalated + 1.5,
            takeover: escalated + 3.5,
            left: escalated + stays,
            turns: 3,
        }
    }
}

/// The agent helps.
pub fn resolved(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    let seconds = tenths(180, 320, rng);
    let (mut story, call) = CallStory::draw(clinic, "completed", seconds, rng).begin();
    call.end(&mut story);
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
    let (mut story, call) = CallStory { handover: Some(handover.clone()), ..call }.begin();
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
    call.end(&mut story);
    let summary = json!({ "call_sid": call.sid, "wrap_up_reason": pick(WRAP_UP, rng) });
    story.pause(1.0, 3.0, rng).tell(Kind::OperatorWrapUp, summary);
    story.tell(Kind::OperatorStatusChanged, status("online"));
    story
}

/// The caller is put through to another number.
pub fn forwarded(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    let seconds = tenths(120, 200, rng);
    let call = CallStory::draw(clinic, "forwarded", seconds, rng);
    let (mut story, call) = CallStory { forwarded: true, ..call }.begin();
    call.end(&mut story);
    story
}

/// The caller gives up.
pub fn abandoned(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    let seconds = tenths(25, 80, rng);
    let (mut story, call) =
        CallStory::draw(clinic, pick(&["abandoned", "caller_hangup"], rng), seconds, rng).begin();
    call.end(&mut story);
    story
}

/// Nobody picks up, and a message is left, or is not.
pub fn voicemail(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    let seconds = tenths(60, 120, rng);
    let status = pick(&["delivered", "delivered", "skipped", "failed", "not_delivered"], rng);
    let reason = if status == "delivered" { "voicemail" } else { "no_answer" };
    let call = CallStory::draw(clinic, reason, seconds, rng);
    let (mut story, call) = CallStory { direction: "outbound", ..call }.begin();
    call.end(&mut story);
    let message = json!({ "recipient_phone_number": call.caller.phone, "status": status, "voicemail_id": uuid(rng) });
    story.tell(Kind::ChannelVoicemailStatus, message);
    story
}

/// Tenths of a second, so that durations read well.
fn tenths(low: u32, high: u32, rng: &mut StdRng) -> f64 {
    f64::from(rng.random_range(low..high)) / 10.0
}
