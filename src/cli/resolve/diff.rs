//! Builds the stages of `diff`.

use super::expression::ExpressionCompiler;
use super::filter::{FilterSetup, event_filter};
use crate::analysis::diff::DiffCollector;
use crate::cli::args::FilterArgs;
use crate::error::Result;
use crate::output::status::StatusFormat;
use crate::pipeline::Stages;
use crate::redact::Policy;

/// Builds the stages, which only collect the events that pass a filter.
pub fn diff(filter: &FilterArgs, collector: DiffCollector) -> Result<Stages> {
    let policy = Policy::default();
    let expressions = ExpressionCompiler::for_filter(filter, &policy, StatusFormat::Text)?;
    let FilterSetup { filter, .. } = event_filter(filter, &expressions)?;
    Ok(Stages { filter, ..Stages::observing(policy, vec![Box::new(collector)]) })
}
