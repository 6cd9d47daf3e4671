//! A scenario in memory, and how it is played.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::template::EventTemplate;
use crate::model::{Kind, Stream};

/// The events of a scenario, in order of time.
#[derive(Debug)]
pub struct Scenario {
    pub(super) events: Vec<ScenarioEvent>,
}

/// An event of a scenario.
#[derive(Debug)]
pub(in crate::emulator) struct ScenarioEvent {
    /// The time since the beginning.
    pub at: Duration,
    /// The type on the wire.
    pub event_type: Cow<'static, str>,
    /// The declared type; `None` if the type is not declared.
    pub kind: Option<Kind>,
    /// The stream that carries it.
    pub stream: Stream,
    /// Its fields, as one JSON object.
    pub(super) payload: EventTemplate,
}

impl Scenario {
    /// Returns the number of events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether the scenario has no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

/// How a scenario is played.
#[derive(Debug, Clone)]
pub struct ScenarioOptions {
    /// The events.
    pub scenario: Arc<Scenario>,
    /// The factor by which time passes faster.
    pub speed: f64,
    /// Whether to play it again and again.
    pub repeats: bool,
}
