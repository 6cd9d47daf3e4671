//! Builds the stages of `verify`, which has no options of its own.

use crate::analysis::verify::VerifyCollector;
use crate::output::status::StatusFormat;
use crate::pipeline::Stages;
use crate::pipeline::stop::conditions::Conditions;
use crate::query::EventFilter;
use crate::redact::Policy;

/// Builds the stages, which only collect.
pub fn verify(collector: VerifyCollector) -> Stages {
    Stages {
        policy: Policy::default(),
        filter: EventFilter::default(),
        writer: None,
        observers: vec![Box::new(collector)],
        alerts: None,
        limit: None,
        stop: Box::new(Conditions::default()),
        status: StatusFormat::Text,
    }
}
