//! Evaluates the expressions that build values.

use std::borrow::Cow;

use jaq_core::ops::Math;

use super::expr::{EvalError, Expr, Key, MemberExpr, TextPart};
use super::json::{push_contents, push_value};
use super::scope::Scope;
use super::value::{EvalResult, NativeValue};
use crate::query::value::{JqObject, JqText, JqValue, member, push_escaped};

/// Builds an object.
///
/// All members are evaluated, even if one has no value: another could fail.
pub(super) fn object<'a>(
    members: &'a [MemberExpr],
    scope: &Scope<'_, 'a>,
    input: &NativeValue<'a>,
) -> EvalResult<'a> {
    let mut object = JqObject::with_capacity(members.len());
    let mut is_complete = true;
    for member in members {
        let key = match &member.key {
            Key::Name { name, .. } => Some(JqText::from(name.as_str())),
            Key::Computed(key) => match key.eval(scope, input.clone())? {
                Some(key) => Some(JqText::from(&*key.text()?)),
                None => None,
            },
        };
        let value = member.value.eval(scope, input.clone())?;
        match (key, value) {
            (Some(key), Some(value)) => object.insert(key, value.value(scope.event)),
            _ => is_complete = false,
        }
    }
    Ok(is_complete.then_some(NativeValue::Computed(JqValue::Object(object))))
}

/// Builds the text of a string with interpolations.
pub(super) fn text<'a>(
    parts: &'a [TextPart],
    scope: &Scope<'_, 'a>,
    input: &NativeValue<'a>,
) -> EvalResult<'a> {
    let mut text = Vec::new();
    let is_complete = push_parts(parts, scope, input, false, &mut text)?;
    let text = String::from_utf8(text).map_err(|_| EvalError)?;
    Ok(is_complete.then_some(NativeValue::Text(Cow::Owned(text))))
}

/// Appends the text of a string with interpolations, with escapes if it `is_json`. Returns false if
/// a part has no value.
pub(super) fn push_parts<'a>(
    parts: &'a [TextPart],
    scope: &Scope<'_, 'a>,
    input: &NativeValue<'a>,
    is_json: bool,
    out: &mut Vec<u8>,
) -> Result<bool, EvalError> {
    let mut is_complete = true;
    for part in parts {
        let start = out.len();
        match part {
            TextPart::Text { text, contents } => {
                out.extend_from_slice(if is_json { contents } else { text }.as_bytes());
            }
            TextPart::Value(expr) => match expr.eval(scope, input.clone())? {
                Some(value) => push_as_text(&value, scope, is_json, out)?,
                None => is_complete = false,
            },
        }
        scope.pay_bytes((out.len() - start) as u64)?;
    }
    Ok(is_complete)
}

/// Appends the text that `tostring` gives.
fn push_as_text(
    value: &NativeValue<'_>,
    scope: &Scope<'_, '_>,
    is_json: bool,
    out: &mut Vec<u8>,
) -> Result<(), EvalError> {
    let mut push = |text: &str| {
        if is_json {
            push_escaped(text, out, usize::MAX);
        } else {
            out.extend_from_slice(text.as_bytes());
        }
    };
    match value {
        NativeValue::Json(json) => match json.as_bytes()[0] {
            b'"' => return push_contents(&json[1..json.len() - 1], is_json, out),
            b'[' | b'{' => {
                let mut nested = Vec::new();
                push_value(json, &mut nested)?;
                push(str::from_utf8(&nested).map_err(|_| EvalError)?);
            }
            _ => return push_value(json, out),
        },
        value => push(&to_text(value, scope)?),
    }
    Ok(())
}

/// Returns the text that `tostring` gives.
fn to_text<'v>(
    value: &'v NativeValue<'_>,
    scope: &Scope<'_, '_>,
) -> Result<Cow<'v, str>, EvalError> {
    if let Ok(text) = value.text() {
        return Ok(text);
    }
    value.value(scope.event).to_json().map(Cow::Owned).ok_or(EvalError)
}

/// Converts a value to a string, as `tostring` does.
pub(super) fn tostring<'a>(value: NativeValue<'a>, scope: &Scope<'_, 'a>) -> EvalResult<'a> {
    if value.is_text() {
        return Ok(Some(value));
    }
    let text = to_text(&value, scope)?.into_owned();
    Ok(Some(NativeValue::Text(Cow::Owned(text))))
}

/// Calculates with the values of two expressions, both of which are evaluated in any case.
pub(super) fn calculate<'a>(
    left: &'a Expr,
    math: Math,
    right: &'a Expr,
    scope: &Scope<'_, 'a>,
    input: NativeValue<'a>,
) -> EvalResult<'a> {
    let right = right.eval(scope, input.clone())?;
    let left = left.eval(scope, input)?;
    let (Some(left), Some(right)) = (left, right) else { return Ok(None) };
    let result = math.run(left.value(scope.event), right.value(scope.event));
    result.map(|value| Some(NativeValue::Computed(value))).map_err(|_| EvalError)
}

/// Returns whether an object has a member.
pub(super) fn has(
    value: &NativeValue<'_>,
    name: &str,
    scope: &Scope<'_, '_>,
) -> Result<bool, EvalError> {
    match value {
        NativeValue::Event => {
            Ok(matches!(name, "event_type" | "_tap") || scope.event.field(name).is_some())
        }
        NativeValue::Json("null") | NativeValue::Computed(JqValue::Null) => Ok(false),
        NativeValue::Json(json) if json.starts_with('{') => Ok(member(json, name).is_some()),
        NativeValue::Computed(JqValue::Object(object)) => Ok(object.get(name).is_some()),
        _ => Err(EvalError),
    }
}
