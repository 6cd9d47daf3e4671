//! Builds the stages of a pipeline, which filter, redact and print events and end the run.

use super::color::apply_color;
use super::expression::{ExpressionCompiler, read_source, variables};
use super::filter::{FilterSetup, event_filter, stop_conditions};
use super::output::{check_parts, encoder};
use super::privacy::{policy, reveal};
use crate::analysis::stats::observer::SummaryObserver;
use crate::cli::args::{ExpectArgs, FilterArgs, OutputArgs, StopArgs};
use crate::error::Result;
use crate::output::{Observer, Writer};
use crate::pipeline::Stages;
use crate::pipeline::stop::expect::{self, ExpectStep, Expectation};
use crate::query::check::Kinds;
use crate::query::{EventFilter, TypeFilter};
use crate::redact::Policy;

/// Builds the stages of a stream command. `has_several_workspaces` adds the workspace to each line.
pub fn stages(
    filter: &FilterArgs,
    output: &OutputArgs,
    stop: &StopArgs,
    has_several_workspaces: bool,
) -> Result<Stages> {
    apply_color(output.color);
    let policy = policy(&output.privacy, output.status)?;
    let expressions = ExpressionCompiler::for_filter(filter, &policy, output.status)?;
    let stop = Box::new(stop_conditions(stop, &expressions)?);
    let FilterSetup { filter, kinds, grep } = event_filter(filter, &expressions)?;
    let program = output
        .jq
        .as_deref()
        .map(|source| expressions.program("--jq", source, kinds))
        .transpose()?;
    check_parts(output, &expressions, kinds)?;
    let writer = Some(Writer::stdout(encoder(output, program, has_several_workspaces, grep)?));
    let summary =
        output.stats.then(|| Box::new(SummaryObserver::new(output.status)) as Box<dyn Observer>);
    Ok(Stages {
        policy,
        filter,
        writer,
        observers: summary.into_iter().collect(),
        limit: output.limit,
        stop,
        status: output.status,
    })
}

/// Builds the stages of `expect`.
pub fn expectations(options: &ExpectArgs, live: bool) -> Result<Stages> {
    let mut policy = Policy::default();
    reveal(&mut policy, &options.reveal, options.status)?;
    let expressions = ExpressionCompiler {
        variables: variables(&options.args, &[])?,
        policy: &policy,
        format: options.status,
        check: !options.no_check,
        named: &options.named,
    };
    let compile = |option: &str, source: &str| {
        expressions.predicate(option, source, &mut Kinds::from_filter(&TypeFilter::default()))
    };
    let steps = match &options.file {
        Some(path) => expect::read_file(&path.display().to_string(), &read_source(path)?, compile)?,
        None => options
            .then
            .iter()
            .map(|step| ExpectStep::read("--then", step, &compile))
            .collect::<Result<_>>()?,
    };
    let stop = Box::new(Expectation::new(steps, live));
    Ok(Stages {
        policy,
        filter: EventFilter::default(),
        writer: None,
        observers: Vec::new(),
        limit: None,
        stop,
        status: options.status,
    })
}
