//! The native evaluator: runs common programs on the bytes of an event, without jq values.
//!
//! [`Native::compile`] accepts predicates: paths, literals, variables, comparisons, `and`, `or`,
//! `not`, `//`, `select`, `test`, `startswith`, `endswith`, `contains`, `ascii_downcase`, `in`,
//! `IN`, `any` and `all`, as far as each part gives at most one value. For what it accepts, it gives
//! what jq gives, errors included.
//!
//! [`NativeProgram::compile`] also accepts what builds values: objects, arrays, strings with
//! interpolations, `if`, `,`, `.[]`, calculations and filters such as `length`. It writes exactly
//! what jq gives, or fails: where jq might fail, exceed its budget or write something else, the
//! program must be run as a [`Program`](super::program::Program).
//!
//! Tests compare both with jq.

mod build;
mod compile;
mod compile_flow;
mod eval;
mod expr;
mod flow;
mod json;
mod scope;
mod value;
mod write;

use jaq_core::load::parse::Term;

use super::program::StepBudget;
use super::value::budget::Evaluation;
use super::value::{JqValue, OutputStyle};
use crate::redact::RedactedEvent;
pub use expr::EvalError;
use expr::{Expr, Flow};
use scope::Scope;
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
        let value = self.0.eval(&Scope::new(event, 0), NativeValue::Event)?;
        if evaluation.is_exhausted() {
            return Err(EvalError);
        }
        Ok(value.is_some_and(|value| value.is_true()))
    }
}

/// The largest event that a native program runs on, in bytes. The values of a larger one could
/// exceed the memory of a jq program.
const MAX_EVENT_BYTES: usize = 64 << 10;

/// The steps of a native evaluation.
///
/// jq's budget is 64 times as large. For what costs the native evaluator a byte, jq pays at most 64:
/// [`NODE_BYTES`] are 16 of jq's steps for each part of the program, and a regular expression costs
/// up to 64 times the text that it reads.
const NATIVE_STEPS: u32 = StepBudget::BATCH.steps() / 64;

/// The cost of each part of a program, besides reading the event, in bytes.
const NODE_BYTES: usize = 128;

/// A program whose outputs the native evaluator can write.
#[derive(Debug)]
pub struct NativeProgram {
    flow: Flow,
    /// The number of parts of the program.
    size: usize,
}

impl NativeProgram {
    /// Compiles a term; `None` if it must be run as a jq program.
    #[must_use]
    pub fn compile(term: &Term<&str>, variables: &[(String, JqValue)]) -> Option<Self> {
        let (flow, size) = compile_flow::compile(term, variables)?;
        Some(Self { flow, size })
    }

    /// Appends each output and a line feed.
    ///
    /// # Errors
    ///
    /// Fails and appends nothing if jq might fail or write something else.
    pub fn write_lines(
        &self,
        event: &RedactedEvent<'_>,
        style: OutputStyle,
        out: &mut Vec<u8>,
    ) -> Result<(), EvalError> {
        let bytes = event.size();
        if bytes > MAX_EVENT_BYTES {
            return Err(EvalError);
        }
        let start = out.len();
        let evaluation = Evaluation::start(NATIVE_STEPS);
        let scope = Scope::new(event, (self.size * (bytes + NODE_BYTES)) as u64);
        let written = scope.pay().and_then(|()| {
            self.flow.visit(&scope, NativeValue::Event, &mut |expr, input| {
                if expr.write_output(&scope, input, style, out)? {
                    out.push(b'\n');
                }
                Ok(())
            })
        });
        let written = if evaluation.is_exhausted() { Err(EvalError) } else { written };
        if written.is_err() {
            out.truncate(start);
        }
        written
    }
}
