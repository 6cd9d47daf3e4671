//! The expressions of the native evaluator.

use jaq_core::ops::Cmp;
use regex::Regex;

use crate::query::value::JqValue;

/// The error of an expression that would fail in jq.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvalError;

/// An expression that gives one value, none (jq's `empty`) or an error.
#[derive(Debug)]
pub enum Expr {
    Input,
    Constant(JqValue),
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
pub enum PathStep {
    Name(String),
    Index(isize),
}

/// An expression that gives several values.
#[derive(Debug)]
pub enum Generator {
    /// `f, g`
    List(Vec<Expr>),
    /// `f[]`
    Items(Box<Expr>),
}

impl Expr {
    /// Returns the value of a constant; null of anything else.
    pub fn constant(&self) -> &JqValue {
        match self {
            Self::Constant(value) => value,
            _ => &JqValue::Null,
        }
    }
}
