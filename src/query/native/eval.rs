//! Evaluates native expressions.

use std::borrow::Cow;
use std::cmp::Ordering;

use jaq_core::ops::Cmp;

use super::build;
use super::expr::{EvalError, Expr, Generator, PathStep};
use super::scope::Scope;
use super::value::{EvalResult, NativeValue, short_integer};
use crate::json::{JsonType, scan};
use crate::query::value::{JqValue, Number};
use crate::redact::RedactedEvent;

impl Expr {
    /// Returns whether the expression holds, if it only compares fields with constants of the same
    /// type.
    ///
    /// This shortcut covers most predicates and needs no [`NativeValue`]. `None` means that
    /// [`Expr::eval`] must decide.
    pub(super) fn compare_fields(&self, event: &RedactedEvent<'_>) -> Option<bool> {
        match self {
            Self::And(left, right) => {
                Some(left.compare_fields(event)? && right.compare_fields(event)?)
            }
            Self::Or(left, right) => {
                Some(left.compare_fields(event)? || right.compare_fields(event)?)
            }
            Self::Compare(left, op, right) => {
                let (Self::Step(base, PathStep::Name(name), _), Self::Constant(constant)) =
                    (&**left, &**right)
                else {
                    return None;
                };
                if !matches!(**base, Self::Input) || name == "_tap" {
                    return None;
                }
                let field = event.field(name);
                let json = match &field {
                    Some(field) => field.json,
                    None if name == "event_type" => match constant {
                        JqValue::Text(text) => {
                            return Some(op.run(&event.event_type(), &&**text));
                        }
                        _ => return None,
                    },
                    None => "null",
                };
                match (constant, json.as_bytes()) {
                    // jq orders null before numbers, and those before strings.
                    (JqValue::Text(_) | JqValue::Number(_), b"null") => {
                        Some(op.run(&Ordering::Less, &Ordering::Equal))
                    }
                    (JqValue::Text(text), [b'"', inside @ .., b'"'])
                        if !inside.contains(&b'\\') =>
                    {
                        Some(op.run(&inside, &text.as_bytes()))
                    }
                    (JqValue::Number(number), [b'-' | b'0'..=b'9', ..]) => {
                        compare_number(json, *op, number)
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Evaluates the expression on `input`.
    pub(super) fn eval<'a>(
        &'a self,
        scope: &Scope<'_, 'a>,
        input: NativeValue<'a>,
    ) -> EvalResult<'a> {
        let bool = |value| Ok(Some(NativeValue::Computed(JqValue::Bool(value))));
        match self {
            Self::Input => Ok(Some(input)),
            Self::Constant(value) => Ok(Some(NativeValue::Constant(value))),
            Self::Step(base, key, optional) => {
                let Some(base) = base.eval(scope, input)? else { return Ok(None) };
                match base.step(scope.event, key) {
                    Err(EvalError) if *optional => Ok(None),
                    stepped => stepped.map(Some),
                }
            }
            // As in jq, the right side comes first: it decides whether there is a value or an error.
            Self::Compare(left, op, right) => {
                let Some(right) = right.eval(scope, input.clone())? else { return Ok(None) };
                let Some(left) = left.eval(scope, input)? else { return Ok(None) };
                bool(left.compare(*op, &right, scope.event))
            }
            Self::And(left, right) => match left.eval(scope, input.clone())? {
                None => Ok(None),
                Some(left) if !left.is_true() => bool(false),
                Some(_) => {
                    right.eval(scope, input)?.map_or(Ok(None), |right| bool(right.is_true()))
                }
            },
            Self::Or(left, right) => match left.eval(scope, input.clone())? {
                None => Ok(None),
                Some(left) if left.is_true() => bool(true),
                Some(_) => {
                    right.eval(scope, input)?.map_or(Ok(None), |right| bool(right.is_true()))
                }
            },
            Self::Not => bool(!input.is_true()),
            Self::Alternative(left, right) => match left.eval(scope, input.clone())? {
                Some(left) if left.is_true() => Ok(Some(left)),
                _ => right.eval(scope, input),
            },
            Self::Pipe(left, right) => {
                left.eval(scope, input)?.map_or(Ok(None), |middle| right.eval(scope, middle))
            }
            Self::Select(condition) => {
                let holds =
                    condition.eval(scope, input.clone())?.is_some_and(|value| value.is_true());
                Ok(holds.then_some(input))
            }
            Self::In(object) => match object.constant() {
                JqValue::Object(object) => bool(object.get(&input.text()?).is_some()),
                _ => Err(EvalError),
            },
            Self::OneOf(list) => {
                let input = input.value(scope.event);
                bool(list.iter().any(|one| *one.constant() == input))
            }
            Self::Test(regex) => bool(regex.is_match(&input.text()?)),
            Self::StartsWith(prefix) => bool(input.text()?.starts_with(constant_text(prefix)?)),
            Self::EndsWith(suffix) => bool(input.text()?.ends_with(constant_text(suffix)?)),
            Self::Contains(part) => bool(input.text()?.contains(part.as_str())),
            Self::AsciiDowncase => {
                Ok(Some(NativeValue::Text(Cow::Owned(input.text()?.to_ascii_lowercase()))))
            }
            Self::AnyOrAll(wanted, generator, condition) => {
                let mut decided = false;
                generator.visit(scope, input, |value| {
                    decided =
                        condition.eval(scope, value)?.is_some_and(|held| held.is_true() == *wanted);
                    Ok(decided)
                })?;
                bool(decided == *wanted)
            }
            Self::If(branches, otherwise) => {
                for (condition, then) in branches {
                    match condition.eval(scope, input.clone())? {
                        Some(value) if value.is_true() => return then.eval(scope, input),
                        Some(_) => {}
                        None => return Ok(None),
                    }
                }
                match otherwise {
                    Some(otherwise) => otherwise.eval(scope, input),
                    None => Ok(Some(input)),
                }
            }
            Self::Object(members) => build::object(members, scope, &input),
            Self::Array(items) => items.collect(scope, input),
            Self::Interpolated(parts) => build::text(parts, scope, &input),
            Self::Calculate(left, math, right) => {
                build::calculate(left, *math, right, scope, input)
            }
            Self::Apply(filter) => match filter(&input.value(scope.event)) {
                Ok(value) => Ok(Some(NativeValue::Computed(value))),
                Err(_) => Err(EvalError),
            },
            Self::ToText => build::tostring(input, scope),
            Self::Has(name) => bool(build::has(&input, name, scope)?),
        }
    }
}

/// Returns the text of a constant string.
fn constant_text(expr: &Expr) -> Result<&str, EvalError> {
    expr.constant().as_text().ok_or(EvalError)
}

/// Compares a JSON number with a constant.
fn compare_number(json: &str, op: Cmp, with: &Number) -> Option<bool> {
    let order = match (short_integer(json), with) {
        (Some(number), Number::Exact(with)) => number.partial_cmp(with)?,
        _ => Number::parse(json)?.compare(with),
    };
    Some(op.run(&order, &Ordering::Equal))
}

impl Generator {
    /// Passes each value to `visit` until `visit` returns true.
    fn visit<'a>(
        &'a self,
        scope: &Scope<'_, 'a>,
        input: NativeValue<'a>,
        mut visit: impl FnMut(NativeValue<'a>) -> Result<bool, EvalError>,
    ) -> Result<(), EvalError> {
        match self {
            Self::List(list) => {
                for expr in list {
                    if let Some(value) = expr.eval(scope, input.clone())?
                        && visit(value)?
                    {
                        break;
                    }
                }
            }
            Self::Items(expr) => {
                let Some(container) = expr.eval(scope, input)? else { return Ok(()) };
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
                    other => match other.value(scope.event) {
                        JqValue::Array(items) => {
                            for item in items.iter() {
                                if visit(NativeValue::Computed(item.clone()))? {
                                    break;
                                }
                            }
                        }
                        JqValue::Object(object) => {
                            for (_, item) in object.iter() {
                                if visit(NativeValue::Computed(item.clone()))? {
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
