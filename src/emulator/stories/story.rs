//! A story: events in order of time, with the pauses between them.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::Value;

use super::call_story::CallStory;
use crate::model::Kind;

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
    pub now: Duration,
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
