//! The built-in rules, which are behind the list of what needs attention.

use std::path::PathBuf;
use std::time::Duration;

use super::super::expression::ExpressionCompiler;
use super::compile::{CompiledRule, RuleCompiler};
use super::pool::RulePool;
use super::table::RuleTable;
use crate::analysis::alerts::{Availability, EventRole, Rhythm, millis};
use crate::cli::config::TomlFile;
use crate::error::Result;

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
    let file = TomlFile {
        path: PathBuf::from("the built-in rules"),
        text: RULES.to_owned(),
        is_private: true,
    };
    let document = file.document("report this as a bug")?;
    let tables = document.iter().filter_map(|(name, item)| Some((name, item.as_table_like()?)));
    for (name, table) in tables {
        // A rule of the file takes the place of the built-in one.
        if rules.iter().any(|rule| *rule.config.name == *name) {
            continue;
        }
        let table = RuleTable::new(&file, name, 1, table);
        let mut compiler =
            RuleCompiler { expressions, pool: &mut *pool, memory, index: rules.len() };
        rules.push(match name {
            "pipeline-late" => {
                let tolerance = millis(TOLERANCE);
                let conditions = [("after", EventRole::Trigger)];
                compiler.rule(&table, &conditions, &["after"], LONGEST, Rhythm { tolerance })?
            }
            "no-operator" => {
                let conditions = [("after", EventRole::Trigger), ("want", EventRole::Want)];
                let absent = ["want"];
                let mut rule =
                    compiler.rule(&table, &conditions, &absent, Duration::ZERO, Availability)?;
                rule.expressions.subject = rule.expressions.value.take();
                rule
            }
            _ => compiler.compile(&table)?,
        });
    }
    Ok(())
}
