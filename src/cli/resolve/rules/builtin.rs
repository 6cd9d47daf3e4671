//! The built-in rules, which are behind the list of what needs attention.

use std::path::PathBuf;
use std::time::Duration;

use toml_edit::{Table, TableLike};

use super::super::expression::ExpressionCompiler;
use super::compile::{CompiledRule, RuleCompiler};
use super::pool::RulePool;
use super::table::RuleTable;
use crate::analysis::alerts::{Availability, EventRole, Rhythm, millis};
use crate::cli::config::TomlFile;
use crate::error::Result;
use crate::output::status::StatusFormat;

/// The rules that a file can express.
const RULES: &str = include_str!("builtin.toml");

/// The time by which a pipeline may always be late.
const TOLERANCE: Duration = Duration::from_secs(30);

/// The longest time that the rhythm of a pipeline looks back.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Adds the built-in rules.
pub(super) fn add(
    expressions: &ExpressionCompiler<'_>,
    memory: usize,
    pool: &mut RulePool,
    rules: &mut Vec<CompiledRule>,
) -> Result<()> {
    let file = file();
    let document = file.document("report this as a bug")?;
    for (name, table) in missing(&document, rules) {
        let mut compiler =
            RuleCompiler { expressions, pool: &mut *pool, memory, index: rules.len() };
        rules.push(compile(&mut compiler, &RuleTable::new(&file, name, 1, table))?);
    }
    Ok(())
}

/// Adds the built-in rules for the live screen, whose alerts are no events. A rule that depends on a
/// field that is hidden in this run cannot be applied, and is left out without a message.
pub(super) fn add_for_screen(
    expressions: &ExpressionCompiler<'_>,
    memory: usize,
    pool: &mut RulePool,
    rules: &mut Vec<CompiledRule>,
) {
    let (named, policy) = (expressions.named, expressions.policy);
    let variables = Vec::new();
    let format = StatusFormat::None;
    let expressions = &ExpressionCompiler { variables, policy, format, check: true, named };
    let file = file();
    let Ok(document) = file.document("report this as a bug") else { return };
    for (name, table) in missing(&document, rules) {
        let mut compiler =
            RuleCompiler { expressions, pool: &mut *pool, memory, index: rules.len() };
        if let Ok(mut rule) = compile(&mut compiler, &RuleTable::new(&file, name, 1, table)) {
            rule.config.is_reported = false;
            rules.push(rule);
        }
    }
}

fn file() -> TomlFile {
    TomlFile { path: PathBuf::from("the built-in rules"), text: RULES.to_owned(), is_private: true }
}

/// Returns the tables of the built-in rules whose place no rule of the file takes.
fn missing<'a>(document: &'a Table, rules: &[CompiledRule]) -> Vec<(&'a str, &'a dyn TableLike)> {
    let tables = document.iter().filter_map(|(name, item)| Some((name, item.as_table_like()?)));
    let is_known = |name: &str| rules.iter().any(|rule| *rule.config.name == *name);
    tables.filter(|(name, _)| !is_known(name)).collect()
}

fn compile(compiler: &mut RuleCompiler<'_>, table: &RuleTable<'_>) -> Result<CompiledRule> {
    match table.name() {
        "pipeline-late" => {
            let tolerance = millis(TOLERANCE);
            let conditions = [("after", EventRole::Trigger)];
            compiler.rule(table, &conditions, &["after"], LONGEST, Rhythm { tolerance })
        }
        "no-operator" => {
            let conditions = [("after", EventRole::Trigger), ("want", EventRole::Want)];
            let mut rule =
                compiler.rule(table, &conditions, &["want"], Duration::ZERO, Availability)?;
            rule.expressions.subject = rule.expressions.value.take();
            Ok(rule)
        }
        _ => compiler.compile(table),
    }
}
