//! The native evaluator: runs common predicates on the bytes of an event, without jq values.
//!
//! [`Native::compile`] accepts paths, literals, variables, comparisons, `and`, `or`, `not`, `//`,
//! `select`, `test`, `startswith`, `endswith`, `contains`, `ascii_downcase`, `in`, `IN`, `any` and
//! `all`, as far as each part gives at most one value. Everything else is left to
//! [`Program`](super::program::Program). For what it accepts, it gives what jq gives, errors
//! included; a test compares the two.

mod compile;
mod eval;
mod value;

use jaq_core::load::parse::Term;
use jaq_core::ops::Cmp;
use jaq_json::Val;
use regex::Regex;

use crate::redact::RedactedEvent;
pub(super) use compile::regex;
use value::NativeValue;

/// A predicate that the native evaluator can run.
#[derive(Debug)]
pub struct Native(Expr);

impl Native {
    /// Compiles a term; `None` if it must be run as a jq program.
    #[must_use]
    pub fn compile(term: &Term<&str>, variables: &[(String, Val)]) -> Option<Self> {
        compile::compile(term, variables).map(Self)
    }

    /// Returns whether the predicate gives a value that is neither false nor null.
    ///
    /// # Errors
    ///
    /// Fails if jq would fail.
    pub fn holds(&self, event: &RedactedEvent<'_>) -> Result<bool, EvalError> {
        if let Some(is_true) = self.0.compare_fields(event) {
            return Ok(is_true);
        }
        Ok(self.0.eval(event, NativeValue::Event)?.is_some_and(|value| value.is_true()))
    }
}

/// The error of an expression that would fail in jq.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvalError;

/// An expression that gives one value, none (jq's `empty`) or an error.
#[derive(Debug)]
enum Expr {
    Input,
    Constant(Val),
    /// `.a`, `.["a"]`, `.[0]`. If the flag is set (`?`), an error becomes no value.
    Step(Box<Expr>, PathStep, bool),
    Compare(Box<Expr>, Cmp, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not,
    /// `f // g`
    Alternative(Box<Expr>, Box<Expr>),
    Pipe(Box<Expr>, Box<Expr>),
    Select(Box<Expr>),
    /// `in(object)`
    In(Box<Expr>),
    /// `IN(a, b)`
    OneOf(Vec<Expr>),
    Test(Regex),
    StartsWith(Box<Expr>),
    EndsWith(Box<Expr>),
    Contains(String),
    AsciiDowncase,
    /// `any` (true) or `all` (false) over the values of a generator.
    AnyOrAll(bool, Generator, Box<Expr>),
}

/// A step into an object or array.
#[derive(Debug)]
enum PathStep {
    Name(String),
    Index(isize),
}

/// An expression that gives several values.
#[derive(Debug)]
enum Generator {
    /// `f, g`
    List(Vec<Expr>),
    /// `f[]`
    Items(Box<Expr>),
}

impl Expr {
    /// Returns the value of a constant; null of anything else.
    fn constant(&self) -> &Val {
        match self {
            Self::Constant(value) => value,
            _ => &Val::Null,
        }
    }
}
