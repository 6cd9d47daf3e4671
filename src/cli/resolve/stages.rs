//! Builds the stages of a pipeline, which filter, redact and print events and end the run.

use super::color::apply_color;
use super::expression::{ExpressionCompiler, variables};
use super::filter::{FilterSetup, event_filter, stop_conditions};
use super::output::{check_parts, encoder};
use super::privacy::{policy, reveal};
use super::rules::alert_stage;
use super::steps::{Steps, steps};
use super::value::positive_duration;
use crate::analysis::alerts::AlertBell;
use crate::analysis::stats::observer::SummaryObserver;
use crate::cli::args::{ExpectArgs, FilterArgs, OutputArgs, RulesArgs, StopArgs};
use crate::error::{Error, Result};
use crate::model::Kind;
use crate::output::{Observer, Writer};
use crate::pipeline::Stages;
use crate::pipeline::stop::expect::{ExpectConfig, ExpectStep, Expectation};
use crate::query::TypeFilter;
use crate::query::check::Kinds;
use crate::redact::Policy;

/// Builds the stages of a stream command, which may apply rules. `has_several_workspaces` adds the
/// workspace to each line.
pub fn stages(
    filter: &FilterArgs,
    output: &OutputArgs,
    stop: &StopArgs,
    has_several_workspaces: bool,
    rules: &RulesArgs,
) -> Result<Stages> {
    apply_color(output.color);
    let policy = policy(&output.privacy, output.status)?;
    let expressions = ExpressionCompiler::for_filter(filter, &policy, output.status)?;
    let stop = Box::new(stop_conditions(stop, &expressions)?);
    let FilterSetup { filter, mut kinds, grep } = event_filter(filter, &expressions)?;
    let alerts = alert_stage(rules, &expressions)?;
    if let Some(alerts) = alerts.as_ref().filter(|alerts| alerts.reports_events()) {
        let shown = kinds.and(Kinds::one(Kind::TapAlert));
        if shown.is_empty() {
            let why = "the filters leave out `tap.alert`, so no alert would be shown";
            let advice = "add -e tap.alert, or leave out the rules";
            return Err(Error::usage("cannot apply rules", why, advice).with_setting("--rules"));
        }
        if alerts.is_only() {
            kinds = shown;
        }
    }
    let program = output
        .jq
        .as_deref()
        .map(|source| expressions.program("--jq", source, kinds))
        .transpose()?;
    check_parts(output, &expressions, kinds)?;
    let writer = Some(Writer::stdout(encoder(output, program, has_several_workspaces, grep)?));
    let summary =
        output.stats.then(|| Box::new(SummaryObserver::new(output.status)) as Box<dyn Observer>);
    let bell = rules.bell.then(|| Box::new(AlertBell::default()) as Box<dyn Observer>);
    Ok(Stages {
        policy,
        filter,
        writer,
        observers: summary.into_iter().chain(bell).collect(),
        alerts,
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
    let Steps { specs, any_order } = steps(options)?;
    let is_endless = live && options.duration.is_none();
    if is_endless && specs.iter().all(|step| step.is_never) {
        return Err(Error::usage(
            "cannot expect that nothing happens",
            "a live stream has no end",
            "give --duration too",
        ));
    }
    let steps = specs
        .into_iter()
        .map(|spec| {
            let option = match &spec.place {
                Some((name, number)) => format!("line {number} of {name}"),
                None => "--then".to_owned(),
            };
            let kinds = &mut Kinds::from_filter(&TypeFilter::default());
            let predicate = expressions.predicate(&option, &spec.expression, kinds)?;
            Ok(ExpectStep::new(spec, predicate))
        })
        .collect::<Result<_>>()?;
    let duration = options.duration.as_deref();
    let config = ExpectConfig {
        is_live: live,
        any_order,
        duration: duration.map(|text| positive_duration("--duration", text)).transpose()?,
        style: options.output.style(),
        annotates: std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true"),
    };
    let stop = Box::new(Expectation::new(steps, config));
    Ok(Stages { stop, status: options.status, ..Stages::observing(policy, Vec::new()) })
}
