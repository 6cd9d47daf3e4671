//! The expressions of the native evaluator.

use jaq_core::ops::{Cmp, Math};
use regex::Regex;

use crate::query::program::UnaryFilter;
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
    /// `if … then … elif … end`; without `else`, the input.
    If(Vec<(Expr, Expr)>, Option<Box<Expr>>),
    /// `{…}`
    Object(Vec<MemberExpr>),
    /// `[…]`
    Array(Box<Flow>),
    /// `"\(…)"`
    Interpolated(Vec<TextPart>),
    /// `f + g`
    Calculate(Box<Expr>, Math, Box<Expr>),
    /// A filter that works on a value of its input.
    Apply(UnaryFilter),
    /// `tostring`
    ToText,
    /// `has("name")`
    Has(String),
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

/// A member of an object that is built.
#[derive(Debug)]
pub struct MemberExpr {
    pub key: Key,
    pub value: Expr,
}

/// The key of a member that is built.
#[derive(Debug)]
pub enum Key {
    /// A name, and as JSON with a colon. No other member of the object has it.
    Name { name: String, token: String },
    /// `(f)`
    Computed(Expr),
}

impl Key {
    /// Returns whether this is the given name.
    pub fn is_name(&self, text: &str) -> bool {
        matches!(self, Self::Name { name, .. } if name == text)
    }
}

/// A part of a string.
#[derive(Debug)]
pub enum TextPart {
    /// Text, and as the contents of a JSON string.
    Text { text: String, contents: String },
    /// `\(f)`
    Value(Expr),
}

/// An expression that gives any number of values.
#[derive(Debug)]
pub enum Flow {
    /// The value of an expression.
    One(Expr),
    /// `f, g`
    List(Vec<Flow>),
    /// `f | g`
    Pipe(Box<Flow>, Box<Flow>),
    /// `f[]`. If the flag is set (`?`), an error becomes no value.
    Items(Expr, bool),
    /// `if … then … elif … end`; without `else`, the input.
    If(Vec<(Expr, Flow)>, Option<Box<Flow>>),
    /// `f // g`
    Alternative(Expr, Box<Flow>),
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
