//! Resolves the options that select events and that end a run.

use std::time::Instant;

use super::expression::{ExpressionCompiler, read_source};
use super::value::duration;
use crate::cli::args::{FilterArgs, StopArgs};
use crate::error::{Error, Result};
use crate::model::Kind;
use crate::pipeline::stop::conditions::Conditions;
use crate::query::check::Kinds;
use crate::query::{EventFilter, GrepFilter, TypeFilter, suggest};

/// The filters that the options select.
pub(super) struct FilterSetup {
    pub filter: EventFilter,
    /// The kinds of events that can pass the filters.
    pub kinds: Kinds,
    pub grep: Option<GrepFilter>,
}

pub(super) fn event_filter(
    filter: &FilterArgs,
    expressions: &ExpressionCompiler<'_>,
) -> Result<FilterSetup> {
    let types = type_filter(filter)?;
    let mut kinds = Kinds::from_filter(&types);
    let file = filter.filter_file.as_deref().map(read_source).transpose()?;
    let sources = filter
        .filters
        .iter()
        .map(|source| ("--filter", source))
        .chain(file.iter().map(|source| ("--filter-file", source)));
    let filters = sources
        .map(|(option, source)| expressions.predicate(option, source, &mut kinds))
        .collect::<Result<_>>()?;
    let grep = filter.grep.as_deref().map(GrepFilter::new).transpose()?;
    Ok(FilterSetup { filter: EventFilter::new(types, filters, grep.clone()), kinds, grep })
}

pub(super) fn stop_conditions(
    stop: &StopArgs,
    expressions: &ExpressionCompiler<'_>,
) -> Result<Conditions> {
    let now = Instant::now();
    let length = |option, text: &Option<String>| {
        text.as_deref().map(|text| duration(option, text)).transpose()
    };
    let predicate = |option, source: &Option<String>| {
        source
            .as_deref()
            .map(|source| {
                expressions.predicate(
                    option,
                    source,
                    &mut Kinds::from_filter(&TypeFilter::default()),
                )
            })
            .transpose()
    };
    Ok(Conditions {
        until: predicate("--until", &stop.until)?,
        fail_if: predicate("--fail-if", &stop.fail_if)?,
        ends_at: length("--duration", &stop.duration)?.map(|length| now + length),
        idle: length("--idle-timeout", &stop.idle_timeout)?,
        last: Some(now),
        decided: None,
    })
}

/// Returns the filter by event type.
///
/// A pattern that matches no event in the model is an error, because it is probably a mistake.
fn type_filter(filter: &FilterArgs) -> Result<TypeFilter> {
    if !filter.no_check {
        for pattern in &filter.events {
            let alone = TypeFilter::new(std::slice::from_ref(pattern), &[])?;
            if Kinds::from_filter(&alone).has_no_declared() {
                let names: Vec<_> =
                    Kind::ALL.iter().chain(Kind::OWN).map(|kind| kind.spec().event_type).collect();
                let families: Vec<_> = names
                    .iter()
                    .filter_map(|name| Some(format!("{}.*", name.split_once('.')?.0)))
                    .collect();
                let advice = match suggest::similar(
                    pattern,
                    names.into_iter().chain(families.iter().map(String::as_str)),
                )
                .as_slice()
                {
                    _ if pattern.contains(',') && !pattern.contains('{') => {
                        format!("repeat --event for each type, or write {{{pattern}}}")
                    }
                    [] => {
                        "`evtap schema` lists the events; --no-check accepts it anyway".to_owned()
                    }
                    likely => format!("did you mean {}?", likely.join(" or ")),
                };
                return Err(Error::invalid_value(
                    "--event",
                    pattern,
                    "no event in the model matches",
                    advice,
                ));
            }
        }
    }
    let types = TypeFilter::new(&filter.events, &filter.excludes)?;
    if !filter.no_check && Kinds::from_filter(&types).has_no_declared() {
        return Err(Error::usage(
            "cannot use --exclude",
            "it excludes every event of the model",
            "omit one of the patterns",
        )
        .with_setting("--exclude"));
    }
    Ok(types)
}
