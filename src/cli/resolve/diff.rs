//! Builds the stages of `diff`.

use super::expression::ExpressionCompiler;
use super::filter::{FilterSetup, event_filter};
use crate::analysis::diff::DiffCollector;
use crate::cli::args::FilterArgs;
use crate::error::Result;
use crate::output::status::StatusFormat;
use crate::pipeline::Stages;
use crate::pipeline::stop::conditions::Conditions;
use crate::redact::Policy;

/// Builds the stages, which only collect the events that pass a filter.
pub fn diff(filter: &FilterArgs, collector: DiffCollector) -> Result<Stages> {
    let policy = Policy::default();
    let expressions = ExpressionCompiler::for_filter(filter, &policy, StatusFormat::Text)?;
    let FilterSetup { filter, .. } = event_filter(filter, &expressions)?;
    Ok(Stages {
        policy,
        filter,
        writer: None,
        observers: vec![Box::new(collector)],
        alerts: None,
        limit: None,
        stop: Box::new(Conditions::default()),
        status: StatusFormat::Text,
    })
}
