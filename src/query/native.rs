//! The fast path: predicates of the common kind, run on the bytes of an event without making jq values of it.
//!
//! What [`Native::compile`] takes gives what jq gives, errors included; a test holds the two together. It takes paths, literals and
//! variables, comparisons, `and`, `or`, `not`, `//`, `select`, `test`, `startswith`, `endswith`, `contains`, `ascii_downcase`,
//! `in`, `IN`, `any` and `all`. Everything else is for [`Program`](super::program::Program).

use std::borrow::Cow;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::ops::Cmp;
use jaq_core::path::{Opt, Part};
use jaq_json::{Num, Val};
use regex::Regex;

use super::value;
use crate::json::string::unquote;
use crate::json::{JsonType, scan};
use crate::redact::RedactedEvent;

/// A predicate on the fast path.
#[derive(Debug)]
pub struct Native(Expr);

impl Native {
    /// Compiles a term, if it is of the common kind.
    #[must_use]
    pub fn compile(term: &Term<&str>, variables: &[(String, Val)]) -> Option<Self> {
        compile(term, variables).map(Self)
    }

    /// Whether the event is kept: a value that is true.
    pub fn holds(&self, shown: &RedactedEvent<'_>) -> Result<bool, EvalError> {
        if let Some(held) = self.0.peek(shown) {
            return Ok(held);
        }
        Ok(self.0.eval(shown, NativeValue::Event)?.is_some_and(|seen| seen.is_true()))
    }
}

/// A predicate, or a part of one, that gives one value, none, or an error.
#[derive(Debug)]
enum Expr {
    /// The input.
    Input,
    /// A value known beforehand.
    Constant(Val),
    /// A step into an object or array: `.a`, `.["a"]`, `.[0]`; with `?`, an error is no value.
    Step(Box<Expr>, PathStep, bool),
    Compare(Box<Expr>, Cmp, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not,
    Else(Box<Expr>, Box<Expr>),
    Pipe(Box<Expr>, Box<Expr>),
    Select(Box<Expr>),
    In(Box<Expr>),
    OneOf(Vec<Expr>),
    Test(Regex),
    Starts(Box<Expr>),
    Ends(Box<Expr>),
    Contains(String),
    Lower,
    /// `any` (true) or `all` (false) of what a generator gives.
    Any(bool, Generator, Box<Expr>),
}

/// A step into a value.
#[derive(Debug)]
enum PathStep {
    Name(String),
    Index(isize),
}

/// What gives several values.
#[derive(Debug)]
enum Generator {
    /// `f, g`
    Of(Vec<Expr>),
    /// `f[]`
    In(Box<Expr>),
}

/// A value of an event: still its bytes, where that will do.
#[derive(Clone)]
enum NativeValue<'a> {
    Event,
    Json(&'a str),
    Text(Cow<'a, str>),
    Known(&'a Val),
    Made(Val),
}

/// The expression failed, as jq's would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvalError;

/// `None` is jq's `empty`.
type EvalResult<'a> = Result<Option<NativeValue<'a>>, EvalError>;

fn compile(term: &Term<&str>, variables: &[(String, Val)]) -> Option<Expr> {
    let sub = |term: &Term<&str>| compile(term, variables).map(Box::new);
    Some(match term {
        Term::Id => Expr::Input,
        Term::Num(number) => Expr::Constant(value::json(number)).checked(number)?,
        Term::Str(None, parts) => Expr::Constant(value::text(&literal(parts)?)),
        Term::Var(name) => Expr::Constant(
            variables
                .iter()
                .find(|(known, _)| Some(known.as_str()) == name.strip_prefix('$'))?
                .1
                .clone(),
        ),
        Term::Path(base, path) => {
            path.0.iter().try_fold(compile(base, variables)?, |base, (part, opt)| {
                let key = match part {
                    Part::Index(Term::Str(None, parts)) => PathStep::Name(literal(parts)?),
                    Part::Index(Term::Num(number)) => PathStep::Index(number.parse().ok()?),
                    _ => return None,
                };
                Some(Expr::Step(Box::new(base), key, matches!(opt, Opt::Optional)))
            })?
        }
        Term::BinOp(left, BinaryOp::Cmp(op), right) => Expr::Compare(sub(left)?, *op, sub(right)?),
        Term::BinOp(left, BinaryOp::And, right) => Expr::And(sub(left)?, sub(right)?),
        Term::BinOp(left, BinaryOp::Or, right) => Expr::Or(sub(left)?, sub(right)?),
        Term::BinOp(left, BinaryOp::Alt, right) => Expr::Else(sub(left)?, sub(right)?),
        Term::BinOp(left, BinaryOp::Pipe(None), right) => Expr::Pipe(sub(left)?, sub(right)?),
        Term::Call(name, args) => match (*name, args.as_slice()) {
            ("not", []) => Expr::Not,
            ("true", []) => Expr::Constant(Val::Bool(true)),
            ("false", []) => Expr::Constant(Val::Bool(false)),
            ("null", []) => Expr::Constant(Val::Null),
            ("ascii_downcase", []) => Expr::Lower,
            ("select", [condition]) => Expr::Select(sub(condition)?),
            ("in", [object]) => Expr::In(constant(Box::new(constant_object(object)?))?),
            ("startswith", [prefix]) => Expr::Starts(constant(sub(prefix)?)?),
            ("endswith", [suffix]) => Expr::Ends(constant(sub(suffix)?)?),
            ("contains", [Term::Str(None, parts)]) => Expr::Contains(literal(parts)?),
            ("test", [Term::Str(None, pattern)]) => Expr::Test(regex(&literal(pattern)?, "")?),
            ("test", [Term::Str(None, pattern), Term::Str(None, flags)]) => {
                Expr::Test(regex(&literal(pattern)?, &literal(flags)?)?)
            }
            ("IN", [list]) => Expr::OneOf(each(list, variables)?.constants()?),
            ("any", [generator, condition]) => {
                Expr::Any(true, each(generator, variables)?, sub(condition)?)
            }
            ("all", [generator, condition]) => {
                Expr::Any(false, each(generator, variables)?, sub(condition)?)
            }
            _ => return None,
        },
        _ => return None,
    })
}

/// The text of a string without interpolation.
#[must_use]
pub fn literal(parts: &[StrPart<&str, Term<&str>>]) -> Option<String> {
    let mut text = String::new();
    for part in parts {
        match part {
            StrPart::Str(piece) => text.push_str(piece),
            StrPart::Char(character) => text.push(*character),
            StrPart::Term(_) => return None,
        }
    }
    Some(text)
}

fn constant(expr: Box<Expr>) -> Option<Box<Expr>> {
    matches!(*expr, Expr::Constant(_)).then_some(expr)
}

/// An object whose keys and values are literals: `{"a": 1, b: 2}`.
fn constant_object(term: &Term<&str>) -> Option<Expr> {
    let Term::Obj(entries) = term else { return None };
    let mut object = jaq_json::Map::default();
    for (key, entry) in entries {
        let (Term::Str(None, key), Some(Term::Num(number))) = (key, entry) else { return None };
        object.insert(value::text(&literal(key)?), value::json(number));
    }
    Some(Expr::Constant(Val::obj(object)))
}

fn each(term: &Term<&str>, variables: &[(String, Val)]) -> Option<Generator> {
    match term {
        Term::BinOp(left, BinaryOp::Comma, right) => {
            let (Generator::Of(mut left), Generator::Of(right)) =
                (each(left, variables)?, each(right, variables)?)
            else {
                return None;
            };
            left.extend(right);
            Some(Generator::Of(left))
        }
        Term::Path(base, path) => match path.0.split_last() {
            Some(((Part::Range(None, None), Opt::Essential), rest)) => {
                let inner = Term::Path(base.clone(), jaq_core::path::Path(rest.to_vec()));
                Some(Generator::In(Box::new(compile(&inner, variables)?)))
            }
            _ => Some(Generator::Of(vec![compile(term, variables)?])),
        },
        _ => Some(Generator::Of(vec![compile(term, variables)?])),
    }
}

impl Generator {
    /// Its values, if all are known beforehand.
    fn constants(self) -> Option<Vec<Expr>> {
        match self {
            Self::Of(list) if list.iter().all(|expr| matches!(expr, Expr::Constant(_))) => {
                Some(list)
            }
            _ => None,
        }
    }
}

/// A pattern on which this engine and jq's agree: letters, digits, and what both know alike.
pub(super) fn regex(pattern: &str, flags: &str) -> Option<Regex> {
    let plain = |character: char| {
        character.is_ascii_alphanumeric() || " _-.,:@/|()*+?^$".contains(character)
    };
    if !pattern.chars().all(plain) || pattern.contains("(?") {
        return None;
    }
    let pattern = match flags {
        "" => pattern.to_owned(),
        "i" => format!("(?i){pattern}"),
        _ => return None,
    };
    Regex::new(&pattern).ok()
}

impl Expr {
    /// Numbers that jaq's reader and its parser could read in different ways are left to it.
    fn checked(self, number: &str) -> Option<Self> {
        serde_json::from_str::<serde_json::Number>(number).is_ok().then_some(self)
    }

    /// Whether it holds of an event, if comparisons of a field with a constant, each of the type that is usual, tell.
    fn peek(&self, shown: &RedactedEvent<'_>) -> Option<bool> {
        match self {
            Self::And(left, right) => Some(left.peek(shown)? && right.peek(shown)?),
            Self::Or(left, right) => Some(left.peek(shown)? || right.peek(shown)?),
            Self::Compare(left, op, right) => {
                let (Self::Step(event, PathStep::Name(name), _), Self::Constant(constant)) =
                    (&**left, &**right)
                else {
                    return None;
                };
                if !matches!(**event, Self::Input) || name == "_tap" {
                    return None;
                }
                let field = shown.field(name);
                let json = match &field {
                    Some(field) => field.json,
                    None if name == "event_type" => match constant {
                        Val::TStr(text) => {
                            return Some(op.run(&shown.event_type().as_bytes(), &&***text));
                        }
                        _ => return None,
                    },
                    None => return None,
                };
                match (constant, json.as_bytes()) {
                    (Val::TStr(text), [b'"', inside @ .., b'"']) if !inside.contains(&b'\\') => {
                        Some(op.run(&inside, &&***text))
                    }
                    (Val::Num(Num::Int(number)), _) => compare_number(json, *op, *number),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn eval<'a>(&'a self, shown: &RedactedEvent<'a>, input: NativeValue<'a>) -> EvalResult<'a> {
        let bool = |value| Ok(Some(NativeValue::Made(Val::Bool(value))));
        match self {
            Self::Input => Ok(Some(input)),
            Self::Constant(value) => Ok(Some(NativeValue::Known(value))),
            Self::Step(base, key, optional) => {
                let Some(base) = base.eval(shown, input)? else { return Ok(None) };
                match base.step(shown, key) {
                    Err(EvalError) if *optional => Ok(None),
                    stepped => stepped.map(Some),
                }
            }
            // Without a value on either side there is none, whatever the other side does.
            Self::Compare(left, op, right) => {
                match (left.eval(shown, input.clone()), right.eval(shown, input)) {
                    (Ok(None), _) | (_, Ok(None)) => Ok(None),
                    (Ok(Some(left)), Ok(Some(right))) => bool(left.compare(*op, &right, shown)),
                    _ => Err(EvalError),
                }
            }
            Self::And(left, right) => match left.eval(shown, input.clone())? {
                None => Ok(None),
                Some(left) if !left.is_true() => bool(false),
                Some(_) => {
                    right.eval(shown, input)?.map_or(Ok(None), |right| bool(right.is_true()))
                }
            },
            Self::Or(left, right) => match left.eval(shown, input.clone())? {
                None => Ok(None),
                Some(left) if left.is_true() => bool(true),
                Some(_) => {
                    right.eval(shown, input)?.map_or(Ok(None), |right| bool(right.is_true()))
                }
            },
            Self::Not => bool(!input.is_true()),
            Self::Else(left, right) => match left.eval(shown, input.clone()) {
                Ok(Some(left)) if left.is_true() => Ok(Some(left)),
                _ => right.eval(shown, input),
            },
            Self::Pipe(left, right) => {
                left.eval(shown, input)?.map_or(Ok(None), |middle| right.eval(shown, middle))
            }
            Self::Select(condition) => {
                let kept = condition.eval(shown, input.clone())?.is_some_and(|seen| seen.is_true());
                Ok(kept.then_some(input))
            }
            Self::In(object) => match object.value() {
                Val::Obj(object) => bool(object.contains_key(&input.value(shown))),
                _ => Err(EvalError),
            },
            Self::OneOf(list) => {
                let input = input.value(shown);
                bool(list.iter().any(|one| *one.value() == input))
            }
            Self::Test(regex) => bool(regex.is_match(&input.text()?)),
            Self::Starts(prefix) => bool(input.text()?.starts_with(&*prefix.text()?)),
            Self::Ends(suffix) => bool(input.text()?.ends_with(&*suffix.text()?)),
            Self::Contains(part) => {
                bool(input.text().is_ok_and(|text| text.contains(part.as_str())))
            }
            Self::Lower => {
                Ok(Some(NativeValue::Text(Cow::Owned(input.text()?.to_ascii_lowercase()))))
            }
            Self::Any(wanted, each, condition) => {
                let mut decided = false;
                each.visit(shown, input, |seen| {
                    decided =
                        condition.eval(shown, seen)?.is_some_and(|seen| seen.is_true() == *wanted);
                    Ok(decided)
                })?;
                bool(decided == *wanted)
            }
        }
    }

    /// A constant's value.
    fn value(&self) -> &Val {
        match self {
            Self::Constant(value) => value,
            _ => &Val::Null,
        }
    }

    fn text(&self) -> Result<Cow<'_, str>, EvalError> {
        text_of(self.value()).map(Cow::Borrowed).ok_or(EvalError)
    }
}

/// Compares a number, if JSON is one that is whole and has few digits, or that has a fraction.
fn compare_number(json: &str, op: Cmp, with: isize) -> Option<bool> {
    if let Some(number) = whole(json) {
        return Some(op.run(&number, &with));
    }
    let number: f64 = json.contains(['.', 'e', 'E']).then(|| json.parse().ok())??;
    #[expect(clippy::cast_precision_loss, reason = "jq compares so")]
    Some(op.run(&number, &(with as f64)))
}

/// The number that JSON is, if that is a whole one of few digits.
fn whole(json: &str) -> Option<isize> {
    if json.len() < 10 { json.parse().ok() } else { None }
}

fn text_of(value: &Val) -> Option<&str> {
    match value {
        Val::TStr(text) => std::str::from_utf8(text).ok(),
        _ => None,
    }
}

impl Generator {
    /// Hands each value to `visit` until that says that it is decided.
    fn visit<'a>(
        &'a self,
        shown: &RedactedEvent<'a>,
        input: NativeValue<'a>,
        mut visit: impl FnMut(NativeValue<'a>) -> Result<bool, EvalError>,
    ) -> Result<(), EvalError> {
        match self {
            Self::Of(list) => {
                for expr in list {
                    if let Some(seen) = expr.eval(shown, input.clone())?
                        && visit(seen)?
                    {
                        break;
                    }
                }
            }
            Self::In(expr) => {
                let Some(container) = expr.eval(shown, input)? else { return Ok(()) };
                match container {
                    NativeValue::Json(json)
                        if JsonType::from_first_byte(json.as_bytes()[0]) == JsonType::Array =>
                    {
                        for (_, item) in scan::entries(json) {
                            if visit(NativeValue::Json(item))? {
                                break;
                            }
                        }
                    }
                    other => match other.value(shown) {
                        Val::Arr(items) => {
                            for item in items.iter() {
                                if visit(NativeValue::Made(item.clone()))? {
                                    break;
                                }
                            }
                        }
                        Val::Obj(object) => {
                            for item in object.values() {
                                if visit(NativeValue::Made(item.clone()))? {
                                    break;
                                }
                            }
                        }
                        _ => return Err(EvalError),
                    },
                }
            }
        }
        Ok(())
    }
}

impl<'a> NativeValue<'a> {
    fn is_true(&self) -> bool {
        match self {
            Self::Event | Self::Text(_) => true,
            Self::Json(json) => !matches!(*json, "null" | "false"),
            Self::Known(value) => value::is_true(value),
            Self::Made(value) => value::is_true(value),
        }
    }

    fn value(&self, shown: &RedactedEvent<'_>) -> Val {
        match self {
            Self::Event => value::event(shown),
            Self::Json(json) => value::json(json),
            Self::Text(text) => value::text(text),
            Self::Known(value) => (*value).clone(),
            Self::Made(value) => value.clone(),
        }
    }

    fn step(self, shown: &RedactedEvent<'a>, key: &PathStep) -> Result<Self, EvalError> {
        match (self, key) {
            (Self::Known(value), key) => Self::Made(value.clone()).step(shown, key),
            (Self::Event, PathStep::Name(name)) => Ok(match name.as_str() {
                "_tap" => Self::Made(value::json(&shown.tap_json())),
                name => match shown.field(name) {
                    Some(field) => Self::Json(field.json),
                    None if name == "event_type" => Self::Text(shown.name()),
                    None => Self::Json("null"),
                },
            }),
            (Self::Json(json), PathStep::Name(name)) if json.starts_with('{') => {
                Ok(Self::Json(value::member(json, name).unwrap_or("null")))
            }
            // jaq's objects can have numbers for keys; those of JSON don't.
            (Self::Event | Self::Made(Val::Obj(_)), PathStep::Index(_))
            | (Self::Json("null") | Self::Made(Val::Null), _) => Ok(Self::Json("null")),
            (Self::Json(json), PathStep::Index(_)) if json.starts_with('{') => {
                Ok(Self::Json("null"))
            }
            (Self::Json(json), PathStep::Index(index)) if json.starts_with('[') => {
                let items = scan::entries(json);
                let at = if *index < 0 {
                    items.len().checked_add_signed(*index)
                } else {
                    usize::try_from(*index).ok()
                };
                Ok(Self::Json(at.and_then(|at| items.get(at)).map_or("null", |(_, item)| item)))
            }
            (Self::Made(Val::Obj(object)), PathStep::Name(name)) => {
                Ok(Self::Made(object.get(&value::text(name)).cloned().unwrap_or_default()))
            }
            (Self::Made(Val::Arr(items)), PathStep::Index(index)) => {
                let at = if *index < 0 {
                    items.len().checked_add_signed(*index)
                } else {
                    usize::try_from(*index).ok()
                };
                Ok(Self::Made(at.and_then(|at| items.get(at)).cloned().unwrap_or_default()))
            }
            _ => Err(EvalError),
        }
    }

    fn text(&self) -> Result<Cow<'_, str>, EvalError> {
        match self {
            Self::Text(text) => Ok(Cow::Borrowed(text)),
            Self::Json(json) => unquote(json).ok_or(EvalError),
            Self::Known(value) => text_of(value).map(Cow::Borrowed).ok_or(EvalError),
            Self::Made(value) => text_of(value).map(Cow::Borrowed).ok_or(EvalError),
            Self::Event => Err(EvalError),
        }
    }

    fn compare(&self, op: Cmp, other: &Self, shown: &RedactedEvent<'_>) -> bool {
        if let (Some(left), Some(right)) = (self.whole(), other.whole()) {
            return op.run(&left, &right);
        }
        if let (Ok(left), Ok(right)) = (self.text(), other.text()) {
            return op.run(&left, &right);
        }
        op.run(&self.value(shown), &other.value(shown))
    }

    /// The same of what is seen.
    fn whole(&self) -> Option<isize> {
        match self {
            Self::Json(json) => whole(json),
            Self::Known(Val::Num(Num::Int(number))) | Self::Made(Val::Num(Num::Int(number))) => {
                Some(*number)
            }
            _ => None,
        }
    }
}
