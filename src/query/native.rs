//! The native evaluator: runs common predicates on the bytes of an event, without jq values.
//!
//! [`Native::compile`] accepts paths, literals, variables, comparisons, `and`, `or`, `not`, `//`,
//! `select`, `test`, `startswith`, `endswith`, `contains`, `ascii_downcase`, `in`, `IN`, `any` and
//! `all`, as far as each part gives at most one value. Everything else is left to
//! [`Program`](super::program::Program). For what it accepts, it gives what jq gives, errors
//! included; a test compares the two.

mod compile;
mod eval;
mod expr;
mod value;

use jaq_core::load::parse::Term;

use super::program::StepBudget;
use super::value::JqValue;
use super::value::budget::Evaluation;
use crate::redact::RedactedEvent;
pub use expr::EvalError;
use expr::Expr;
use value::NativeValue;

/// A predicate that the native evaluator can run.
#[derive(Debug)]
pub struct Native(Expr);

impl Native {
    /// Compiles a term; `None` if it must be run as a jq program.
    #[must_use]
    pub fn compile(term: &Term<&str>, variables: &[(String, JqValue)]) -> Option<Self> {
        compile::compile(term, variables).map(Self)
    }

    /// Returns whether the predicate gives a value that is neither false nor null.
    ///
    /// # Errors
    ///
    /// Fails if jq would fail, or if the event is too large.
    pub fn holds(&self, event: &RedactedEvent<'_>) -> Result<bool, EvalError> {
        if let Some(is_true) = self.0.compare_fields(event) {
            return Ok(is_true);
        }
        let evaluation = Evaluation::start(StepBudget::BATCH.steps());
        let value = self.0.eval(event, NativeValue::Event)?;
        if evaluation.is_exhausted() {
            return Err(EvalError);
        }
        Ok(value.is_some_and(|value| value.is_true()))
    }
}
