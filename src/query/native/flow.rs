//! Evaluates what may give any number of values.

use super::expr::{EvalError, Expr, Flow};
use super::scope::Scope;
use super::value::{EvalResult, NativeValue};
use crate::json::scan;
use crate::query::value::JqValue;

/// Receives an expression and its input, for each value.
///
/// A value that is only written is never built.
pub(super) type Take<'t, 'a> =
    &'t mut dyn FnMut(&'a Expr, NativeValue<'a>) -> Result<(), EvalError>;

/// The expression of a value that is computed already.
const VALUE: &Expr = &Expr::Input;

impl Flow {
    /// Passes the expression of each value to `take`, with its input.
    pub(super) fn visit<'a>(
        &'a self,
        scope: &Scope<'_, 'a>,
        input: NativeValue<'a>,
        take: Take<'_, 'a>,
    ) -> Result<(), EvalError> {
        match self {
            Self::One(expr) => take(expr, input),
            Self::List(flows) => {
                flows.iter().try_for_each(|flow| flow.visit(scope, input.clone(), &mut *take))
            }
            Self::Pipe(left, right) => {
                left.visit(scope, input, &mut |expr, input| match expr.eval(scope, input)? {
                    Some(middle) => right.visit(scope, middle, &mut *take),
                    None => Ok(()),
                })
            }
            Self::Items(container, is_optional) => match container.eval(scope, input)? {
                Some(container) => visit_items(scope, container, *is_optional, take),
                None => Ok(()),
            },
            Self::If(branches, otherwise) => {
                for (condition, then) in branches {
                    match condition.eval(scope, input.clone())? {
                        Some(value) if value.is_true() => return then.visit(scope, input, take),
                        Some(_) => {}
                        None => return Ok(()),
                    }
                }
                match otherwise {
                    Some(otherwise) => otherwise.visit(scope, input, take),
                    None => take(VALUE, input),
                }
            }
            Self::Alternative(left, right) => match left.eval(scope, input.clone())? {
                Some(value) if value.is_true() => take(VALUE, value),
                _ => right.visit(scope, input, take),
            },
        }
    }

    /// Collects the values.
    pub(super) fn collect<'a>(
        &'a self,
        scope: &Scope<'_, 'a>,
        input: NativeValue<'a>,
    ) -> EvalResult<'a> {
        let mut items = Vec::new();
        self.visit(scope, input, &mut |expr, input| {
            items.extend(expr.eval(scope, input)?.map(|value| value.value(scope.event)));
            Ok(())
        })?;
        Ok(Some(NativeValue::Computed(JqValue::array(items))))
    }
}

/// Passes on the items of an array or the values of an object.
fn visit_items<'a>(
    scope: &Scope<'_, 'a>,
    container: NativeValue<'a>,
    is_optional: bool,
    take: Take<'_, 'a>,
) -> Result<(), EvalError> {
    let mut take = |value| {
        scope.pay()?;
        take(VALUE, value)
    };
    match container {
        NativeValue::Json(json) if json.starts_with('[') => {
            scan::iter_entries(json).try_for_each(|(_, item)| take(NativeValue::Json(item)))
        }
        NativeValue::Json(json) if !json.starts_with('{') => {
            if is_optional {
                Ok(())
            } else {
                Err(EvalError)
            }
        }
        NativeValue::Text(_) if is_optional => Ok(()),
        other => match other.value(scope.event) {
            JqValue::Array(items) => {
                items.iter().try_for_each(|item| take(NativeValue::Computed(item.clone())))
            }
            JqValue::Object(object) => {
                object.iter().try_for_each(|(_, item)| take(NativeValue::Computed(item.clone())))
            }
            _ if is_optional => Ok(()),
            _ => Err(EvalError),
        },
    }
}
