//! Resolves the options of `stats`.

use std::io::IsTerminal;
use std::time::Duration;

use colored::control::SHOULD_COLORIZE;

use super::color::apply_color;
use super::expression::ExpressionCompiler;
use super::filter::{FilterSetup, event_filter, stop_conditions};
use super::privacy::policy;
use super::value::positive_duration;
use crate::analysis::stats::observer::{StatsConfig, StatsFormat, StatsObserver};
use crate::cli::args::{StatsArgs, StatsOutputArgs};
use crate::error::{Error, Result};
use crate::output::Observer;
use crate::pipeline::Stages;

/// The shortest interval that `--every` accepts.
const SHORTEST: Duration = Duration::from_secs(1);

/// Builds the stages of `stats`.
pub fn stats(options: &StatsArgs) -> Result<Stages> {
    apply_color(options.color);
    let policy = policy(&options.privacy, options.status)?;
    let filter = &options.filter;
    let expressions = ExpressionCompiler::for_filter(filter, &policy, options.status)?;
    let stop = Box::new(stop_conditions(&options.stop, &expressions)?);
    let FilterSetup { filter, kinds, .. } = event_filter(filter, &expressions)?;
    let group_by = options
        .group_by
        .as_deref()
        .map(|source| expressions.program("--group-by", source, kinds))
        .transpose()?;
    let every =
        options.every.as_deref().map(|text| positive_duration("--every", text)).transpose()?;
    if every.is_some_and(|every| every < SHORTEST) {
        return Err(Error::usage(
            "cannot use --every",
            "the interval is shorter than one second",
            "give an interval such as 10s, 1m or 1h",
        )
        .with_setting("--every"));
    }
    let format = match options.output {
        StatsOutputArgs::Text => StatsFormat::Text,
        StatsOutputArgs::Json => StatsFormat::Json,
        StatsOutputArgs::Csv if every.is_none() => {
            return Err(Error::usage(
                "cannot use -o csv",
                "a single total is not a table",
                "give --every too, or -o json",
            ));
        }
        StatsOutputArgs::Csv => StatsFormat::Csv,
        StatsOutputArgs::Html if every.is_some() => {
            return Err(Error::usage(
                "cannot use -o html",
                "a page has one total, and chooses the periods of its charts",
                "omit --every, or use -o csv",
            ));
        }
        StatsOutputArgs::Html => StatsFormat::Html,
    };
    let config = StatsConfig {
        format,
        every,
        group_by,
        is_live: options.files.is_empty() && options.source.from.is_none(),
        is_terminal: std::io::stdout().is_terminal(),
        has_colour: SHOULD_COLORIZE.should_colorize(),
        revealed: options.privacy.reveal.clone(),
    };
    let observer = StatsObserver::new(Box::new(std::io::stdout()), config);
    let observers: Vec<Box<dyn Observer>> = vec![Box::new(observer)];
    Ok(Stages { filter, stop, status: options.status, ..Stages::observing(policy, observers) })
}
