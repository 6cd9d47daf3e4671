//! The stages that a command puts together.

use crate::analysis::alerts::AlertStage;
use crate::output::status::StatusFormat;
use crate::output::{Observer, Writer};
use crate::pipeline::stop::StopCondition;
use crate::pipeline::stop::conditions::Conditions;
use crate::query::EventFilter;
use crate::redact::Policy;

/// The stages after decoding.
pub struct Stages {
    /// The policy of what is hidden.
    pub policy: Policy,
    /// The filter that selects the events to show.
    pub filter: EventFilter,
    /// The writer of shown events to stdout; `None` if the command writes none.
    pub writer: Option<Writer>,
    /// The observers, which see each event before it is written.
    pub observers: Vec<Box<dyn Observer>>,
    /// The rules, which see all events and add alerts.
    pub alerts: Option<AlertStage>,
    /// The maximum number of shown events of the platform.
    pub limit: Option<u64>,
    /// The condition that ends the run.
    pub stop: Box<dyn StopCondition>,
    /// The format of status messages.
    pub status: StatusFormat,
}

impl Stages {
    /// Creates stages that show each event to the observers, and write none.
    #[must_use]
    pub fn observing(policy: Policy, observers: Vec<Box<dyn Observer>>) -> Self {
        Self {
            policy,
            filter: EventFilter::default(),
            writer: None,
            observers,
            alerts: None,
            limit: None,
            stop: Box::new(Conditions::default()),
            status: StatusFormat::Text,
        }
    }
}
