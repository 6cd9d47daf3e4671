//! What the options say of selecting, writing and stopping, as stages of a walk.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Instant;

use jaq_json::Val;

use super::{colour, duration, policy};
use crate::cli::{Expect as ExpectOptions, Output, Pick, Show, Until};
use crate::error::{Error, Result};
use crate::judge::conditions::Conditions;
use crate::judge::expect::{self, Expect, Step};
use crate::redact::Policy;
use crate::select::program::{Program, parse};
use crate::select::{Grep, Predicate, Select, Types, value};
use crate::sink::columns::Columns;
use crate::sink::jq::Jq;
use crate::sink::ndjson::Ndjson;
use crate::sink::none::Nowhere;
use crate::sink::pretty::{Layout, Pretty};
use crate::sink::table::Table;
use crate::sink::template::Template;
use crate::sink::{Out, Sink};
use crate::source::replay::cause;
use crate::walk::Stages;

/// The stages of a stream command. `several` streams are merged in it.
pub fn stages(pick: &Pick, show: &Show, until: &Until, several: bool) -> Result<Stages> {
    colour(show.color);
    let policy = policy(show)?;
    let variables = variables(&pick.args, &pick.json_args)?;
    let now = Instant::now();
    let length = |option, text: &Option<String>| text.as_deref().map(|text| duration(option, text)).transpose();
    let predicate =
        |option, source: &Option<String>| source.as_deref().map(|source| predicate(option, source, &variables)).transpose();
    let judge = Conditions {
        until: predicate("--until", &until.until)?,
        fail_if: predicate("--fail-if", &until.fail_if)?,
        ends_at: length("--duration", &until.duration)?.map(|length| now + length),
        idle: length("--idle-timeout", &until.idle_timeout)?,
        last: Some(now),
        reason: None,
    };
    let grep = pick.grep.as_deref().map(Grep::new).transpose()?;
    let sink = sink(show, &variables, several, grep.as_ref())?;
    Ok(Stages {
        select: select(pick, &policy, &variables, grep)?,
        policy,
        sink,
        limit: show.limit,
        judge: Box::new(judge),
        status: show.status,
    })
}

/// The stages of `expect`.
pub fn expectations(options: &ExpectOptions, live: bool) -> Result<Stages> {
    let variables = variables(&options.args, &[])?;
    let steps = match &options.file {
        Some(path) => expect::read_file(&path.display().to_string(), &read(path)?, &variables)?,
        None => options.then.iter().map(|step| Step::read("--then", step, &variables)).collect::<Result<_>>()?,
    };
    let mut policy = Policy::default();
    for name in &options.reveal {
        policy.reveal.add(name);
    }
    Ok(Stages {
        policy,
        select: Select::default(),
        sink: Box::new(Nowhere),
        limit: None,
        judge: Box::new(Expect::new(steps, live)),
        status: options.status,
    })
}

/// The variables of `--arg` and `--argjson`, which come in pairs.
fn variables(texts: &[String], json: &[String]) -> Result<Vec<(String, Val)>> {
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

fn predicate(option: &str, source: &str, variables: &[(String, Val)]) -> Result<Predicate> {
    Predicate::compile(&parse(option, source)?, variables)
}

fn select(pick: &Pick, _policy: &Policy, variables: &[(String, Val)], grep: Option<Grep>) -> Result<Select> {
    let types = Types::new(&pick.events, &pick.excludes)?;
    let file = pick.filter_file.as_deref().map(read).transpose()?;
    let sources =
        pick.filters.iter().map(|source| ("--filter", source)).chain(file.iter().map(|source| ("--filter-file", source)));
    let filters = sources.map(|(option, source)| predicate(option, source, variables)).collect::<Result<_>>()?;
    Ok(Select::new(types, filters, grep))
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .map_err(|error| Error::usage(format!("cannot read {}", path.display()), cause(&error), "check the path"))
}

/// The sink that the options ask for, on stdout.
fn sink(show: &Show, variables: &[(String, Val)], several: bool, grep: Option<&Grep>) -> Result<Box<dyn Sink>> {
    let terminal = std::io::stdout().is_terminal();
    let out: Out = Box::new(std::io::stdout()) as Box<dyn Write + Send>;
    if let Some(program) = &show.jq {
        let program = Program::compile(&parse("--jq", program)?, variables)?;
        return Ok(Box::new(Jq::new(out, program, show.raw_strings, terminal)));
    }
    let columns = (!show.fields.is_empty()).then(|| Columns::new(show.fields.clone()));
    let usual = if terminal { Output::Pretty } else { Output::Ndjson };
    Ok(match show.output.as_ref().unwrap_or(&usual) {
        Output::Ndjson => Box::new(Ndjson::new(out, columns)),
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
