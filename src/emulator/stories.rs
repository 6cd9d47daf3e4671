//! What can happen in the clinic. A plot draws one story: a few events in order, with the pauses between them.
//!
//! Every workspace event type is in the story of some plot of [`OPENING`], so that a day shows all of them soon.

pub mod call;
pub mod dialogue;
pub mod forms;
pub mod messages;
pub mod office;
pub mod script;

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::Value;

use self::call::CallStory;
use super::cast::Clinic;
use crate::model::Kind;

/// Draws one story.
pub type Plot = fn(&mut Clinic, &mut StdRng) -> Story;

/// How each day begins: with a call, and with short stories among the long ones, so that there is something to see at once.
pub const OPENING: &[Plot] = &[
    call::resolved,
    office::trigger,
    office::sync,
    forms::rejected_then_approved,
    messages::email_bounced,
    office::brief,
    call::escalated,
    office::simulation,
    office::batch_review,
    messages::email_rejected,
    call::abandoned,
    messages::email_answered,
    forms::approved,
    office::trigger_fails,
    messages::text_session,
    call::forwarded,
    office::shift,
    forms::ignored,
    office::member,
    office::sync_fails,
    messages::email_complained,
    call::voicemail,
    messages::email_delayed,
    call::escalated,
];

/// What the rest of the day is made of, and how often.
pub const USUAL: &[(u32, Plot)] = &[
    (12, call::resolved),
    (5, call::escalated),
    (2, call::forwarded),
    (3, call::abandoned),
    (3, call::voicemail),
    (6, forms::approved),
    (2, forms::rejected_then_approved),
    (2, forms::ignored),
    (6, messages::text_session),
    (4, messages::email_answered),
    (2, messages::email_delayed),
    (2, messages::email_bounced),
    (1, messages::email_complained),
    (1, messages::email_rejected),
    (4, office::sync),
    (1, office::sync_fails),
    (4, office::trigger),
    (1, office::trigger_fails),
    (2, office::simulation),
    (4, office::brief),
    (2, office::shift),
    (1, office::member),
    (2, office::batch_review),
];

/// One event, and when in its story, or its call, it happens.
#[derive(Debug, Clone)]
pub struct StoryStep {
    /// Since the beginning.
    pub at: Duration,
    /// Which event.
    pub kind: Kind,
    /// Its fields: an object.
    pub payload: Value,
    /// The call that begins or ends with it.
    pub call: Option<Arc<CallStory>>,
}

/// Events in order of time.
#[derive(Debug, Default)]
pub struct Story {
    now: Duration,
    /// The events.
    pub steps: Vec<StoryStep>,
}

impl Story {
    /// Lets time pass, in seconds.
    pub fn wait(&mut self, seconds: f64) -> &mut Self {
        self.now += Duration::try_from_secs_f64(seconds).unwrap_or_default();
        self
    }

    /// Lets an uncertain time pass, in seconds.
    pub fn pause(&mut self, low: f64, high: f64, rng: &mut StdRng) -> &mut Self {
        self.wait(rng.random_range(low..high))
    }

    /// Goes to a moment, in seconds since the beginning, unless that has passed.
    pub fn go_to(&mut self, seconds: f64) -> &mut Self {
        self.now = self.now.max(Duration::try_from_secs_f64(seconds).unwrap_or_default());
        self
    }

    /// Lets something happen now. What happens without a pause between has one id on the wire.
    pub fn tell(&mut self, kind: Kind, payload: Value) -> &mut Self {
        self.steps.push(StoryStep { at: self.now, kind, payload, call: None });
        self
    }

    /// Lets a call begin or end now.
    pub fn mark(&mut self, kind: Kind, payload: Value, call: &Arc<CallStory>) -> &mut Self {
        self.steps.push(StoryStep { at: self.now, kind, payload, call: Some(Arc::clone(call)) });
        self
    }
}
