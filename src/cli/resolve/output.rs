//! How events are written to stdout, and the times that people see.

use std::io::IsTerminal;

use jiff::tz::TimeZone;

use super::expression::ExpressionCompiler;
use crate::cli::args::{OutputArgs, Timestamps};
use crate::error::{Error, Result};
use crate::output::TimeDisplay;
use crate::output::columns::{Columns, PAYLOAD};
use crate::output::jq::Jq;
use crate::output::{Encoder, EncoderOptions, FormatChoice, OutputFormat, ndjson, pretty, status};
use crate::query::check::Kinds;
use crate::query::{GrepFilter, OutputProgram, suggest};

/// Returns the encoder that the output options select.
pub(super) fn encoder(
    output: &OutputArgs,
    program: Option<OutputProgram>,
    has_several_workspaces: bool,
    grep: Option<GrepFilter>,
) -> Result<Box<dyn Encoder>> {
    let terminal = std::io::stdout().is_terminal();
    let default = if terminal { &pretty::FORMAT } else { &ndjson::FORMAT };
    let default = FormatChoice { format: default, argument: String::new() };
    let FormatChoice { format, argument } = output.output.clone().unwrap_or(default);
    let times = times(output, program.is_none().then_some(format))?;
    if let Some(program) = program {
        return Ok(Box::new(Jq::new(program, output.raw_strings, terminal)));
    }
    let columns = (!output.fields.is_empty()).then(|| Columns::new(output.fields.clone()));
    if let Some(why) = format.refuses_fields
        && columns.is_some()
        && !output.config_defaults.contains("fields")
    {
        let advice = "omit --fields, or give -o ndjson";
        return Err(Error::usage("cannot use --fields", why, advice).with_setting("--fields"));
    }
    (format.encoder)(EncoderOptions {
        argument,
        columns,
        cut: terminal && !output.wrap,
        times,
        workspaces: has_several_workspaces,
        grep,
    })
    .map_err(|error| error.with_setting("--output"))
}

/// Checks the parts of events that `--fields` or a template names, against the events in `kinds`.
pub(super) fn check_parts(
    output: &OutputArgs,
    expressions: &ExpressionCompiler<'_>,
    kinds: Kinds,
) -> Result<()> {
    // The configuration is not written for the events that one command selects.
    let is_default = output.config_defaults.contains("fields");
    let kinds_of_fields = if is_default { Kinds::matching(true, |_| true) } else { kinds };
    for name in output.fields.iter().filter(|name| *name != PAYLOAD) {
        expressions.field("--fields", name, kinds_of_fields)?;
    }
    if let Some(FormatChoice { format, argument }) = &output.output
        && let Some(declared) = &format.argument
    {
        for name in (declared.parts)(argument).map_err(|error| error.with_setting("--output"))? {
            expressions
                .field("the template variable", &name, kinds)
                .map_err(|error| error.with_setting("--output"))?;
        }
    }
    Ok(())
}

/// Returns how times are shown to people. Formats for machines always use RFC 3339 in UTC.
fn times(output: &OutputArgs, format: Option<&OutputFormat>) -> Result<TimeDisplay> {
    let is_for_people = format.is_some_and(|format| format.shows_local_times);
    let times = match output.timestamps.unwrap_or_default() {
        // Looking up the system time zone can take longer than replaying a short recording.
        Timestamps::Local if !is_for_people && output.tz.is_none() => TimeDisplay::Nothing,
        Timestamps::Local => TimeDisplay::Day(zone(output.tz.as_deref())?),
        other if output.tz.is_some() && !output.config_defaults.contains("tz") => {
            let why = if other == Timestamps::Utc {
                "--timestamps is utc"
            } else {
                "--timestamps shows no time of day"
            };
            return Err(
                Error::usage("cannot use --tz", why, "omit one of them").with_setting("--tz")
            );
        }
        Timestamps::Utc => TimeDisplay::Day(TimeZone::UTC),
        Timestamps::Relative => TimeDisplay::Relative,
        Timestamps::Delta => TimeDisplay::Delta,
        Timestamps::None => TimeDisplay::Nothing,
    };
    let given = [
        (
            "--timestamps",
            output.timestamps.is_some() && !output.config_defaults.contains("timestamps"),
        ),
        ("--tz", output.tz.is_some() && !output.config_defaults.contains("tz")),
    ];
    if let Some((option, _)) = given.into_iter().find(|(_, given)| *given && !is_for_people) {
        let why = "only -o pretty has times for people; other formats use RFC 3339 in UTC";
        status::warning(
            output.status,
            &Error::usage(format!("{option} has no effect"), why, "give -o pretty, or omit it"),
        );
    }
    Ok(times)
}

/// Looks up a time zone in the time zone database. Without a name, returns the system time zone.
pub(super) fn zone(name: Option<&str>) -> Result<TimeZone> {
    let Some(name) = name else { return Ok(TimeZone::system()) };
    TimeZone::get(name).map_err(|_| {
        let known: Vec<_> = jiff::tz::db().available().map(|known| known.to_string()).collect();
        let advice = match suggest::nearest(name, known.iter().map(String::as_str)) {
            _ if known.is_empty() => {
                "this machine has no time zone database; install its tzdata".to_owned()
            }
            Some(meant) => format!("did you mean {meant}?"),
            None => {
                "give a name of the time zone database, such as Europe/Berlin or UTC".to_owned()
            }
        };
        Error::invalid_value("--tz", name, "no such time zone", advice)
    })
}
