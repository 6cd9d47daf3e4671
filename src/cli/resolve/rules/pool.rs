//! The expressions of all rules, each compiled once.

use std::sync::Arc;

use super::super::expression::ExpressionCompiler;
use crate::analysis::alerts::ExpressionPool;
use crate::error::Result;
use crate::model::Kind;
use crate::query::check::Kinds;

/// The expressions that were compiled so far.
#[derive(Default)]
pub(super) struct RulePool {
    expressions: ExpressionPool,
    /// The text of each condition, and the events that can satisfy it.
    conditions: Vec<(String, Kinds)>,
    /// The text of each program, and the events that it was checked for.
    programs: Vec<(String, Vec<Vec<Kinds>>)>,
}

impl RulePool {
    /// Compiles a condition. Returns its number and the events that can satisfy it.
    pub fn condition(
        &mut self,
        compiler: &ExpressionCompiler<'_>,
        place: &str,
        source: &str,
    ) -> Result<(usize, Kinds)> {
        if let Some(known) = self.conditions.iter().position(|(text, _)| text == source) {
            return Ok((known, self.conditions[known].1));
        }
        // Rules are not applied to alerts.
        let mut kinds = Kinds::matching(true, |kind| kind != Kind::TapAlert);
        self.expressions.conditions.push(compiler.predicate(place, source, &mut kinds)?);
        self.conditions.push((source.to_owned(), kinds));
        Ok((self.conditions.len() - 1, kinds))
    }

    /// Compiles a program that gives a key or a value of events in each of several `sets`. Returns
    /// its number.
    pub fn program(
        &mut self,
        compiler: &ExpressionCompiler<'_>,
        place: &str,
        source: &str,
        sets: &[Kinds],
    ) -> Result<usize> {
        let known = self.programs.iter().position(|(text, _)| text == source);
        if let Some(known) = known
            && self.programs[known].1.iter().any(|checked| checked == sets)
        {
            return Ok(known);
        }
        let program = compiler.key(place, source, sets)?;
        if let Some(known) = known {
            self.programs[known].1.push(sets.to_vec());
            return Ok(known);
        }
        self.expressions.programs.push(Arc::new(program));
        self.programs.push((source.to_owned(), vec![sets.to_vec()]));
        Ok(self.programs.len() - 1)
    }

    /// Returns the expressions in the order of their numbers.
    pub fn into_expressions(self) -> ExpressionPool {
        self.expressions
    }
}
