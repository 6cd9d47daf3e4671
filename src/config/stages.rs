//! What the options say of selecting, writing and stopping, as stages of a walk.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Instant;

use jaq_json::Val;

use super::{colour, duration, policy, reveal};
use crate::cli::{Expect as ExpectOptions, Output, Pick, Show, Until};
use crate::error::{Error, Result};
use crate::event::Kind;
use crate::judge::conditions::Conditions;
use crate::judge::expect::{self, Expect, Step};
use crate::redact::Policy;
use crate::select::check::{Kinds, check, meant};
use crate::select::program::{Parsed, Program, parse};
use crate::select::{Grep, Predicate, Select, Types, value};
use crate::sink::columns::Columns;
use crate::sink::jq::Jq;
use crate::sink::ndjson::Ndjson;
use crate::sink::none::Nowhere;
use crate::sink::pretty::{Layout, Pretty};
use crate::sink::table::Table;
use crate::sink::template::Template;
use crate::sink::{Out, Sink, Writer};
use crate::source::replay::cause;
use crate::status;
use crate::walk::Stages;

/// The stages of a stream command. `several` streams are merged in it.
pub fn stages(pick: &Pick, show: &Show, until: &Until, several: bool) -> Result<Stages> {
    colour(show.color);
    let policy = policy(show)?;
    let variables = variables(&pick.args, &pick.json_args)?;
    let expressions = Expressions { variables: &variables, policy: &policy, format: show.status, check: !pick.no_check };
    let judge = Box::new(conditions(until, &expressions)?);

    let types = types(pick)?;
    let mut kinds = Kinds::kept(&types);
    let file = pick.filter_file.as_deref().map(read).transpose()?;
    let sources =
        pick.filters.iter().map(|source| ("--filter", source)).chain(file.iter().map(|source| ("--filter-file", source)));
    let filters = sources.map(|(option, source)| expressions.predicate(option, source, &mut kinds)).collect::<Result<_>>()?;
    let grep = pick.grep.as_deref().map(Grep::new).transpose()?;
    let program = show.jq.as_deref().map(|source| expressions.program("--jq", source, kinds)).transpose()?;

    let sink = sink(show, program, several, grep.as_ref())?;
    Ok(Stages { select: Select::new(types, filters, grep), policy, sink, limit: show.limit, judge, status: show.status })
}

fn conditions(until: &Until, expressions: &Expressions<'_>) -> Result<Conditions> {
    let now = Instant::now();
    let length = |option, text: &Option<String>| text.as_deref().map(|text| duration(option, text)).transpose();
    let predicate = |option, source: &Option<String>| {
        source.as_deref().map(|source| expressions.predicate(option, source, &mut Kinds::kept(&Types::default()))).transpose()
    };
    Ok(Conditions {
        until: predicate("--until", &until.until)?,
        fail_if: predicate("--fail-if", &until.fail_if)?,
        ends_at: length("--duration", &until.duration)?.map(|length| now + length),
        idle: length("--idle-timeout", &until.idle_timeout)?,
        last: Some(now),
        reason: None,
    })
}

/// The stages of `expect`.
pub fn expectations(options: &ExpectOptions, live: bool) -> Result<Stages> {
    let variables = variables(&options.args, &[])?;
    let mut policy = Policy::default();
    reveal(&mut policy, &options.reveal, options.status)?;
    let expressions = Expressions { variables: &variables, policy: &policy, format: options.status, check: !options.no_check };
    let compile = |option: &str, source: &str| expressions.predicate(option, source, &mut Kinds::kept(&Types::default()));
    let steps = match &options.file {
        Some(path) => expect::read_file(&path.display().to_string(), &read(path)?, compile)?,
        None => options.then.iter().map(|step| Step::read("--then", step, &compile)).collect::<Result<_>>()?,
    };
    let judge = Box::new(Expect::new(steps, live));
    Ok(Stages { policy, select: Select::default(), sink: Box::new(Nowhere), limit: None, judge, status: options.status })
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
struct Expressions<'a> {
    variables: &'a [(String, Val)],
    policy: &'a Policy,
    format: status::Format,
    check: bool,
}

impl Expressions<'_> {
    /// A predicate on the events in `kinds`; leaves in it those that can satisfy the predicate.
    fn predicate(&self, option: &str, source: &str, kinds: &mut Kinds) -> Result<Predicate> {
        let parsed = parse(option, source)?;
        let predicate = Predicate::compile(&parsed, self.variables)?;
        *kinds = self.check(&parsed, *kinds, true)?;
        Ok(predicate)
    }

    /// A program whose outputs are printed.
    fn program(&self, option: &str, source: &str, kinds: Kinds) -> Result<Program> {
        let parsed = parse(option, source)?;
        let program = Program::compile(&parsed, self.variables)?;
        self.check(&parsed, kinds, false)?;
        Ok(program)
    }

    fn check(&self, parsed: &Parsed<'_>, kinds: Kinds, predicate: bool) -> Result<Kinds> {
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
fn types(pick: &Pick) -> Result<Types> {
    if !pick.no_check {
        for pattern in &pick.events {
            let alone = Types::new(std::slice::from_ref(pattern), &[])?;
            if Kinds::kept(&alone).is_undeclared() {
                let names: Vec<_> = Kind::ALL.iter().chain(Kind::OWN).map(|kind| kind.spec().event_type).collect();
                let families: Vec<_> = names.iter().filter_map(|name| Some(format!("{}.*", name.split_once('.')?.0))).collect();
                let advice = match meant(pattern, names.into_iter().chain(families.iter().map(String::as_str))).as_slice() {
                    [] => "`evtap schema` lists the events; --no-check takes it all the same".to_owned(),
                    likely => format!("did you mean {}?", likely.join(" or ")),
                };
                return Err(Error::usage(format!("cannot use --event {pattern}"), "no event in the model matches", advice));
            }
        }
    }
    let types = Types::new(&pick.events, &pick.excludes)?;
    if !pick.no_check && Kinds::kept(&types).is_undeclared() {
        return Err(Error::usage("cannot use --exclude", "it leaves no event of the model", "leave one of the patterns out"));
    }
    Ok(types)
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .map_err(|error| Error::usage(format!("cannot read {}", path.display()), cause(&error), "check the path"))
}

/// The sink that the options ask for, on stdout.
fn sink(show: &Show, program: Option<Program>, several: bool, grep: Option<&Grep>) -> Result<Box<dyn Sink>> {
    let terminal = std::io::stdout().is_terminal();
    let out: Out = Box::new(std::io::stdout()) as Box<dyn Write + Send>;
    if let Some(program) = program {
        return Ok(Box::new(Writer::new(out, Jq::new(program, show.raw_strings, terminal))));
    }
    let columns = (!show.fields.is_empty()).then(|| Columns::new(show.fields.clone()));
    let usual = if terminal { Output::Pretty } else { Output::Ndjson };
    Ok(match show.output.as_ref().unwrap_or(&usual) {
        Output::Ndjson => Box::new(Writer::new(out, Ndjson::new(columns))),
        Output::Csv => Box::new(Table::new(out, columns.unwrap_or_else(Columns::usual), false)),
        Output::Tsv => Box::new(Table::new(out, columns.unwrap_or_else(Columns::usual), true)),
        Output::Template(source) => Box::new(Template::new(out, source)?),
        Output::Pretty => {
            let layout = Layout {
                cut: terminal && !show.wrap,
                zone: jiff::tz::TimeZone::system(),
                workspaces: several,
                columns,
                grep: grep.cloned(),
            };
            Box::new(Pretty::new(out, layout))
        }
    })
}
