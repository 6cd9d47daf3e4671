//! Compiles expressions with their variables and names, and checks them against the model.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli::args::FilterArgs;
use crate::error::{Error, Result};
use crate::output::status;
use crate::query::check::{Kinds, check, check_field, check_key};
use crate::query::program::{ParsedProgram, parse};
use crate::query::value::{self, JqValue};
use crate::query::{OutputProgram, Predicate, resolve_named_filter};
use crate::redact::Policy;
use crate::transport::input_file;

/// Reads the source of expressions from a file.
pub(super) fn read_source(path: &Path) -> Result<String> {
    input_file::read_text(path, input_file::TEXT_LIMIT).map_err(|error| {
        Error::usage(
            format!("cannot read {}", path.display()),
            input_file::cause(&error),
            "check the path",
        )
    })
}

/// Returns the variables of `--arg` and `--argjson`. Each takes two values: a name and a value.
pub(super) fn variables(texts: &[String], json: &[String]) -> Result<Vec<(String, JqValue)>> {
    let mut variables = Vec::new();
    for pair in texts.chunks_exact(2) {
        variables.push((pair[0].clone(), JqValue::text(&*pair[1])));
    }
    for pair in json.chunks_exact(2) {
        if serde_json::from_str::<serde::de::IgnoredAny>(&pair[1]).is_err() {
            return Err(Error::usage(
                format!("cannot use --argjson {}", pair[0]),
                "its value is not JSON",
                "use --arg for a string",
            ));
        }
        variables.push((pair[0].clone(), value::json(&pair[1])));
    }
    Ok(variables)
}

/// Rejects an expression that does not end even on an event without fields.
fn reject_endless(option: &str, ends: bool) -> Result<()> {
    if ends {
        return Ok(());
    }
    Err(Error::usage(
        format!("cannot use {option}"),
        "it exceeds the limit of steps or memory on an event without fields",
        "look for an endless loop in it",
    ))
}

/// Compiles expressions and checks them against the model.
pub(super) struct ExpressionCompiler<'a> {
    pub variables: Vec<(String, JqValue)>,
    pub policy: &'a Policy,
    pub format: status::StatusFormat,
    pub check: bool,
    /// The named filters of the configuration.
    pub named: &'a BTreeMap<String, String>,
}

impl<'a> ExpressionCompiler<'a> {
    /// Creates a compiler that provides the variables and named filters of the filter options.
    pub fn for_filter(
        filter: &'a FilterArgs,
        policy: &'a Policy,
        format: status::StatusFormat,
    ) -> Result<Self> {
        Ok(Self {
            variables: variables(&filter.args, &filter.json_args)?,
            policy,
            format,
            check: !filter.no_check,
            named: &filter.named,
        })
    }

    /// Compiles a predicate, and narrows `kinds` to the events that can satisfy it.
    pub fn predicate(&self, option: &str, source: &str, kinds: &mut Kinds) -> Result<Predicate> {
        let (option, source) = match resolve_named_filter(self.named, option, source)? {
            Some((label, expression)) => (label, expression),
            None => (option.to_owned(), source),
        };
        let parsed = parse(&option, source)?;
        let predicate = Predicate::compile(&parsed, &self.variables)?;
        reject_endless(&option, predicate.ends())?;
        *kinds = self.check(&parsed, *kinds, true)?;
        Ok(predicate)
    }

    /// Compiles a program that produces values, such as that of `--jq`.
    pub fn program(&self, option: &str, source: &str, kinds: Kinds) -> Result<OutputProgram> {
        let parsed = parse(option, source)?;
        let program = OutputProgram::compile(&parsed, &self.variables)?;
        reject_endless(option, program.ends())?;
        self.check(&parsed, kinds, false)?;
        Ok(program)
    }

    /// Compiles a program whose values are kept as keys or measured, for events of each of several
    /// `sets`, which must have the fields that it reads. They must not be hidden.
    pub fn key(&self, option: &str, source: &str, sets: &[Kinds]) -> Result<OutputProgram> {
        let parsed = parse(option, source)?;
        let program = OutputProgram::compile(&parsed, &self.variables)?;
        reject_endless(option, program.ends())?;
        let all = sets.iter().fold(Kinds::NONE, |all, kinds| all.or(*kinds));
        self.check(&parsed, all, false)?;
        for kinds in sets {
            if let Some(finding) = check_key(&parsed, *kinds, self.policy) {
                return Err(finding.error(&parsed));
            }
        }
        Ok(program)
    }

    /// Checks a part of an event that `option` names, such as `call_sid` or `_tap.time`.
    pub fn field(&self, option: &'static str, name: &str, kinds: Kinds) -> Result<()> {
        let wrong =
            |why: String, advice: String| Err(Error::invalid_value(option, name, why, advice));
        if name.is_empty() {
            let what = format!("cannot use {option}");
            let advice = "give names such as call_sid,direction";
            return Err(Error::usage(what, "a name is empty", advice).with_setting(option));
        }
        if !self.check {
            return Ok(());
        }
        if let Some(rest) = name.strip_prefix('.') {
            let advice = format!("did you mean {rest}?");
            return wrong("a field has no dot before its name".to_owned(), advice);
        }
        if name.contains(['*', '[', ']', '|', ' ']) {
            let advice = "give the names of fields, or a program to --jq";
            return wrong("it is not the name of a field".to_owned(), advice.to_owned());
        }
        for finding in check_field(name, kinds, self.policy) {
            if finding.fatal {
                return wrong(finding.why, finding.advice);
            }
            let what = format!("{option} {name} may surprise");
            status::warning(self.format, &Error::usage(what, finding.why, finding.advice));
        }
        Ok(())
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
