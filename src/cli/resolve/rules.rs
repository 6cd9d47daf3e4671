//! Reads rules and compiles them into the alert stage of the pipeline.

mod builtin;
mod compile;
mod pool;
mod table;

use std::time::Duration;

use super::expression::{ExpressionCompiler, read_source};
use crate::analysis::alerts::{AlertStage, RuleEngine, RuleMatcher};
use crate::cli::args::RulesArgs;
use crate::cli::config::TomlFile;
use crate::error::Result;
use crate::text::units::{BYTE_UNITS, parse_size};
use compile::{CompiledRule, RuleCompiler};
use pool::RulePool;
use table::RuleTable;

/// The time by which an event may be later than others where streams are merged.
const LATENESS: Duration = Duration::from_secs(2);

/// The memory that the keys of a rule may use, in bytes.
const MEMORY: usize = 8 << 20;

const EXAMPLE: &str =
    "write [rule.NAME] and below it lines such as when = \"EXPR\"; see evtap help rules";

/// The memory that the keys of a rule may use that is only for the live screen, in bytes.
const SCREEN_MEMORY: usize = 1 << 20;

/// Reads the rules of a file and, if wanted, the built-in ones, and builds the alert stage. Returns
/// `None` if there are neither.
pub(super) fn alert_stage(
    args: &RulesArgs,
    expressions: &ExpressionCompiler<'_>,
) -> Result<Option<AlertStage>> {
    let RulesArgs { rules: path, builtin, is_only, for_screen, .. } = args;
    if path.is_none() && !builtin && !for_screen {
        return Ok(None);
    }
    let (mut rules, mut pool) = (Vec::new(), RulePool::default());
    let (mut lateness, mut memory) = (LATENESS, MEMORY);
    if let Some(path) = path {
        let text = read_source(path)?;
        let file = TomlFile { path: path.clone(), text, is_private: true };
        (lateness, memory) = read(&file, expressions, &mut pool, &mut rules)?;
    }
    if *builtin {
        builtin::add(expressions, memory, &mut pool, &mut rules)?;
    }
    if *for_screen {
        builtin::add_for_screen(expressions, SCREEN_MEMORY, &mut pool, &mut rules);
    }
    let (expressions, configs): (Vec<_>, _) =
        rules.into_iter().map(|rule| (rule.expressions, rule.config)).unzip();
    let matcher = RuleMatcher::new(pool.into_expressions(), &expressions);
    let engine = RuleEngine::new(configs, lateness);
    Ok(Some(AlertStage::new(matcher, engine, *is_only)))
}

/// Reads the rules of a file. Returns the lateness that is allowed and the memory of each rule.
fn read(
    file: &TomlFile,
    expressions: &ExpressionCompiler<'_>,
    pool: &mut RulePool,
    rules: &mut Vec<CompiledRule>,
) -> Result<(Duration, usize)> {
    let document = file.document(EXAMPLE)?;
    let top = RuleTable::new(file, "", 1, document.as_table());
    top.only(&["rule", "lateness", "memory"])?;
    let lateness = top.duration("lateness")?.unwrap_or(LATENESS);
    let memory = match top.text("memory")? {
        None => MEMORY,
        Some(text) => parse_size(text, BYTE_UNITS)
            .filter(|bytes| (1 << 12..=1 << 32).contains(bytes))
            .ok_or_else(|| {
                top.wrong("memory", "not a size from 4KiB to 4GiB", "write it like \"8MiB\"")
            })?,
    };
    let Some(tables) = document.get("rule").and_then(toml_edit::Item::as_table_like) else {
        return Err(file.wrong(1, "", "it has no rules", EXAMPLE));
    };
    for (name, item) in tables.iter() {
        let line = file.line(tables.key(name).and_then(toml_edit::Key::span));
        let Some(table) = item.as_table_like() else {
            return Err(file.wrong(line, name, "it is not a table", EXAMPLE));
        };
        if !is_rule_name(name) {
            let why = "a rule has a name of letters, digits, - and _, of at most 64 characters";
            return Err(file.wrong(line, "", why, "give it another name"));
        }
        let mut compiler =
            RuleCompiler { expressions, pool: &mut *pool, memory, index: rules.len() };
        rules.push(compiler.compile(&RuleTable::new(file, name, line, table))?);
    }
    if rules.is_empty() {
        return Err(file.wrong(1, "", "it has no rules", EXAMPLE));
    }
    Ok((lateness, memory))
}

fn is_rule_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
