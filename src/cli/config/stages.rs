//! What the options say of selecting, writing and stopping, as stages of a walk.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Instant;

use jaq_json::Val;
use jiff::tz::TimeZone;

use super::{colour, duration, policy, reveal};
use crate::analysis::stats::sink::SummarySink;
use crate::cli::args::{
    ExpectArgs as ExpectOptions, FilterArgs, OutputArgs, OutputFormat, StopArgs, Timestamps,
};
use crate::error::{Error, Result};
use crate::model::Kind;
use crate::output::cloudevents::CloudEvents;
use crate::output::columns::Columns;
use crate::output::discard::Discard;
use crate::output::jq::Jq;
use crate::output::json::Json;
use crate::output::ndjson::Ndjson;
use crate::output::pretty::{Pretty, PrettyLayout, TimeDisplay};
use crate::output::table::Table;
use crate::output::template::Template;
use crate::output::{EventSink, Out, Writer, status};
use crate::pipeline::Stages;
use crate::pipeline::stop::conditions::Conditions;
use crate::pipeline::stop::expect::{self, ExpectStep, Expectation};
use crate::query::check::{Kinds, check};
use crate::query::program::{ParsedProgram, Program, parse};
use crate::query::suggest;
use crate::query::{EventFilter, GrepFilter, Predicate, TypeFilter, resolve_named_filter, value};
use crate::redact::Policy;
use crate::transport::recording::cause;

/// The stages of a stream command. `several` streams are merged in it.
pub fn stages(
    filter: &FilterArgs,
    output: &OutputArgs,
    stop: &StopArgs,
    several: bool,
) -> Result<Stages> {
    colour(output.color);
    let policy = policy(&output.privacy, output.status)?;
    let variables = variables(&filter.args, &filter.json_args)?;
    let expressions = ExpressionCompiler {
        variables: &variables,
        policy: &policy,
        format: output.status,
        check: !filter.no_check,
        named: &filter.named,
    };
    let judge = Box::new(conditions(stop, &expressions)?);
    let FilterSetup { select, kinds, grep } = kept(filter, &expressions)?;
    let program = output
        .jq
        .as_deref()
        .map(|source| expressions.program("--jq", source, kinds))
        .transpose()?;
    let mut sink = sink(output, program, several, grep.as_ref())?;
    if output.stats {
        sink = Box::new(SummarySink::new(sink, output.status));
    }
    Ok(Stages { select, policy, sink, limit: output.limit, judge, status: output.status })
}

/// What the options of selecting say.
pub(super) struct FilterSetup {
    pub select: EventFilter,
    /// The events that can be among what is kept.
    pub kinds: Kinds,
    pub grep: Option<GrepFilter>,
}

pub(super) fn kept(
    filter: &FilterArgs,
    expressions: &ExpressionCompiler<'_>,
) -> Result<FilterSetup> {
    let types = types(filter)?;
    let mut kinds = Kinds::from_filter(&types);
    let file = filter.filter_file.as_deref().map(read).transpose()?;
    let sources = filter
        .filters
        .iter()
        .map(|source| ("--filter", source))
        .chain(file.iter().map(|source| ("--filter-file", source)));
    let filters = sources
        .map(|(option, source)| expressions.predicate(option, source, &mut kinds))
        .collect::<Result<_>>()?;
    let grep = filter.grep.as_deref().map(GrepFilter::new).transpose()?;
    Ok(FilterSetup { select: EventFilter::new(types, filters, grep.clone()), kinds, grep })
}

pub(super) fn conditions(
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
        reason: None,
    })
}

/// The stages of `expect`.
pub fn expectations(options: &ExpectOptions, live: bool) -> Result<Stages> {
    let variables = variables(&options.args, &[])?;
    let mut policy = Policy::default();
    reveal(&mut policy, &options.reveal, options.status)?;
    let expressions = ExpressionCompiler {
        variables: &variables,
        policy: &policy,
        format: options.status,
        check: !options.no_check,
        named: &options.named,
    };
    let compile = |option: &str, source: &str| {
        expressions.predicate(option, source, &mut Kinds::from_filter(&TypeFilter::default()))
    };
    let steps = match &options.file {
        Some(path) => expect::read_file(&path.display().to_string(), &read(path)?, compile)?,
        None => options
            .then
            .iter()
            .map(|step| ExpectStep::read("--then", step, &compile))
            .collect::<Result<_>>()?,
    };
    let judge = Box::new(Expectation::new(steps, live));
    Ok(Stages {
        policy,
        select: EventFilter::default(),
        sink: Box::new(Discard),
        limit: None,
        judge,
        status: options.status,
    })
}

/// The variables of `--arg` and `--argjson`, which come in pairs.
pub(super) fn variables(texts: &[String], json: &[String]) -> Result<Vec<(String, Val)>> {
    let mut variables = Vec::new();
    for pair in texts.chunks_exact(2) {
        variables.push((pair[0].clone(), value::text(&pair[1])));
    }
    for pair in json.chunks_exact(2) {
        if serde_json::from_str::<serde::de::IgnoredAny>(&pair[1]).is_err() {
            return Err(Error::usage(
                format!("cannot use --argjson {}", pair[0]),
                "its value is no JSON",
                "use --arg for a string",
            ));
        }
        variables.push((pair[0].clone(), value::json(&pair[1])));
    }
    Ok(variables)
}

/// Compiles expressions, and holds them against the model first.
pub(super) struct ExpressionCompiler<'a> {
    pub variables: &'a [(String, Val)],
    pub policy: &'a Policy,
    pub format: status::StatusFormat,
    pub check: bool,
    /// Those that have names, from the configuration.
    pub named: &'a BTreeMap<String, String>,
}

impl ExpressionCompiler<'_> {
    /// A predicate on the events in `kinds`; leaves in it those that can satisfy the predicate.
    fn predicate(&self, option: &str, source: &str, kinds: &mut Kinds) -> Result<Predicate> {
        let (option, source) = match resolve_named_filter(self.named, option, source)? {
            Some((label, expression)) => (label, expression),
            None => (option.to_owned(), source),
        };
        let parsed = parse(&option, source)?;
        let predicate = Predicate::compile(&parsed, self.variables)?;
        *kinds = self.check(&parsed, *kinds, true)?;
        Ok(predicate)
    }

    /// A program whose outputs are printed.
    pub fn program(&self, option: &str, source: &str, kinds: Kinds) -> Result<Program> {
        let parsed = parse(option, source)?;
        let program = Program::compile(&parsed, self.variables)?;
        self.check(&parsed, kinds, false)?;
        Ok(program)
    }

    fn check(&self, parsed: &ParsedProgram<'_>, kinds: Kinds, predicate: bool) -> Result<Kinds> {
        if !self.check {
            return Ok(kinds);
        }
        let (satisfied, findings) = check(parsed, kinds, self.policy, predicate);
        let mut fatal = None;
        for finding in &findings {
            let error = finding.error(parsed);
            if finding.fatal && fatal.is_none() {
                fatal = Some(error);
            } else {
                status::warning(self.format, &error);
            }
        }
        fatal.map_or(Ok(satisfied), Err)
    }
}

/// The event types that are kept. A pattern that matches none is a typing error.
fn types(filter: &FilterArgs) -> Result<TypeFilter> {
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
                    [] => "`evtap schema` lists the events; --no-check takes it all the same"
                        .to_owned(),
                    likely => format!("did you mean {}?", likely.join(" or ")),
                };
                return Err(Error::usage(
                    format!("cannot use --event {pattern}"),
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
            "it leaves no event of the model",
            "leave one of the patterns out",
        ));
    }
    Ok(types)
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| {
        Error::usage(format!("cannot read {}", path.display()), cause(&error), "check the path")
    })
}

/// The sink that the options ask for, on stdout.
fn sink(
    output: &OutputArgs,
    program: Option<Program>,
    several: bool,
    grep: Option<&GrepFilter>,
) -> Result<Box<dyn EventSink>> {
    let terminal = std::io::stdout().is_terminal();
    let out: Out = Box::new(std::io::stdout()) as Box<dyn Write + Send>;
    let times = times(output)?;
    if let Some(program) = program {
        return Ok(Box::new(Writer::new(out, Jq::new(program, output.raw_strings, terminal))));
    }
    let columns = (!output.fields.is_empty()).then(|| Columns::new(output.fields.clone()));
    let usual = if terminal { OutputFormat::Pretty } else { OutputFormat::Ndjson };
    Ok(match output.output.as_ref().unwrap_or(&usual) {
        OutputFormat::Ndjson => Box::new(Writer::new(out, Ndjson::new(columns))),
        OutputFormat::Json => Box::new(Json::new(out, columns)),
        OutputFormat::CloudEvents
            if columns.is_some() && !output.config_defaults.contains("fields") =>
        {
            let advice = "leave --fields out, or give -o ndjson";
            return Err(Error::usage(
                "cannot use --fields",
                "a CloudEvent holds the whole event",
                advice,
            ));
        }
        OutputFormat::CloudEvents => Box::new(CloudEvents::new(out)),
        OutputFormat::Csv => {
            Box::new(Table::new(out, columns.unwrap_or_else(Columns::usual), false))
        }
        OutputFormat::Tsv => {
            Box::new(Table::new(out, columns.unwrap_or_else(Columns::usual), true))
        }
        OutputFormat::Template(source) => Box::new(Template::new(out, source)?),
        OutputFormat::Pretty => {
            let layout = PrettyLayout {
                cut: terminal && !output.wrap,
                times,
                workspaces: several,
                columns,
                grep: grep.cloned(),
            };
            Box::new(Pretty::new(out, layout))
        }
    })
}

/// The times that people are shown. Those of machines are RFC 3339 in UTC, whatever is asked for.
fn times(output: &OutputArgs) -> Result<TimeDisplay> {
    let is_for_people = match &output.output {
        _ if output.jq.is_some() => false,
        Some(output) => *output == OutputFormat::Pretty,
        None => std::io::stdout().is_terminal(),
    };
    let times = match output.timestamps.unwrap_or_default() {
        // To find the machine's zone takes longer than some recordings.
        Timestamps::Local if !is_for_people && output.tz.is_none() => TimeDisplay::Nothing,
        Timestamps::Local => TimeDisplay::Day(zone(output.tz.as_deref())?),
        other if output.tz.is_some() && !output.config_defaults.contains("tz") => {
            let why = if other == Timestamps::Utc {
                "--timestamps asks for UTC"
            } else {
                "--timestamps asks for no time of day"
            };
            return Err(Error::usage("cannot use --tz", why, "leave one of them out"));
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
        let why = "only the times of -o pretty are for people, and others stay RFC 3339 in UTC";
        status::warning(
            output.status,
            &Error::usage(
                format!("{option} changes nothing"),
                why,
                "give -o pretty, or leave it out",
            ),
        );
    }
    Ok(times)
}

/// A zone by its name in the time zone database; this machine's if none is named.
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
        Error::usage(format!("cannot use --tz {name}"), "there is no such time zone", advice)
    })
}
