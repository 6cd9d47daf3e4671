//! The course of one call. It is drawn when the call begins, so that the workspace stream and an
//! observer of the call agree.

use rand::rngs::StdRng;
use rand::{Rng, RngExt};

use super::dialogue::{CallTopic, TOPICS};
use crate::emulator::cast::{Clinic, Person, sid};

/// When the demo call is handed over, and for how long an operator stays, in seconds.
const DEMO_HANDOVER: (f64, f64) = (50.0, 22.0);
const DEMO_SECONDS: f64 = 75.0;

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
    pub fn draw(clinic: &Clinic, reason: &'static str, seconds: f64, rng: &mut StdRng) -> Self {
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

    /// Draws the demo call, in which every type of observer event occurs.
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
}

impl Handover {
    pub fn new(clinic: &mut Clinic, escalated: f64, stays: f64) -> Self {
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
