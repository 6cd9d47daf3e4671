//! The values that native expressions work on.

use std::borrow::Cow;

use jaq_core::ops::Cmp;

use super::expr::{EvalError, PathStep};
use crate::json::scan;
use crate::json::string::unquote;
use crate::query::value::{self, JqValue, Number};
use crate::redact::RedactedEvent;

/// A value, or `None` for jq's `empty`.
pub(super) type EvalResult<'a> = Result<Option<NativeValue<'a>>, EvalError>;

/// A value of an event, kept as the bytes of the event where possible.
#[derive(Clone)]
pub(super) enum NativeValue<'a> {
    /// The whole event.
    Event,
    Json(&'a str),
    Text(Cow<'a, str>),
    /// A constant of the expression.
    Constant(&'a JqValue),
    /// A computed value.
    Computed(JqValue),
}

impl<'a> NativeValue<'a> {
    /// Returns whether jq takes the value for true.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Event | Self::Text(_) => true,
            Self::Json(json) => !matches!(*json, "null" | "false"),
            Self::Constant(value) => value.is_true(),
            Self::Computed(value) => value.is_true(),
        }
    }

    /// Returns whether the value is a string.
    pub(super) fn is_text(&self) -> bool {
        match self {
            Self::Event => false,
            Self::Json(json) => json.starts_with('"'),
            Self::Text(_) => true,
            Self::Constant(value) => value.as_text().is_some(),
            Self::Computed(value) => value.as_text().is_some(),
        }
    }

    /// Converts to a jq value.
    pub(super) fn value(&self, event: &RedactedEvent<'_>) -> JqValue {
        match self {
            Self::Event => value::event(event),
            Self::Json(json) => value::json(json),
            Self::Text(text) => JqValue::text(&**text),
            Self::Constant(value) => (*value).clone(),
            Self::Computed(value) => value.clone(),
        }
    }

    /// Steps into the value as jq's `.name` and `.[index]` do.
    pub(super) fn step(self, event: &RedactedEvent<'a>, key: &PathStep) -> Result<Self, EvalError> {
        match (self, key) {
            (Self::Constant(value), key) => Self::Computed(value.clone()).step(event, key),
            (Self::Event, PathStep::Name(name)) => Ok(match name.as_str() {
                "_tap" => match event.tap_json() {
                    Cow::Borrowed(tap) => Self::Json(tap),
                    Cow::Owned(tap) => Self::Computed(value::json(&tap)),
                },
                name => match event.field(name) {
                    Some(field) => Self::Json(field.json),
                    None if name == "event_type" => Self::Text(event.name()),
                    None => Self::Json("null"),
                },
            }),
            (Self::Json(json), PathStep::Name(name)) if json.starts_with('{') => {
                Ok(Self::Json(value::member(json, name).unwrap_or("null")))
            }
            (Self::Json("null") | Self::Computed(JqValue::Null), _) => Ok(Self::Json("null")),
            (Self::Json(json), PathStep::Index(index)) if json.starts_with('[') => {
                let item = if let Ok(at) = usize::try_from(*index) {
                    scan::iter_entries(json).nth(at)
                } else {
                    let items = scan::entries(json);
                    position(items.len(), *index).and_then(|at| items.get(at).copied())
                };
                Ok(Self::Json(item.map_or("null", |(_, item)| item)))
            }
            (Self::Computed(JqValue::Object(object)), PathStep::Name(name)) => {
                Ok(Self::Computed(object.get(name).cloned().unwrap_or_default()))
            }
            (Self::Computed(JqValue::Array(items)), PathStep::Index(index)) => {
                let at = position(items.len(), *index);
                Ok(Self::Computed(at.and_then(|at| items.get(at)).cloned().unwrap_or_default()))
            }
            _ => Err(EvalError),
        }
    }

    /// Returns the text of a string; an error for any other value.
    pub(super) fn text(&self) -> Result<Cow<'_, str>, EvalError> {
        match self {
            Self::Text(text) => Ok(Cow::Borrowed(text)),
            Self::Json(json) => unquote(json).ok_or(EvalError),
            Self::Constant(value) => value.as_text().map(Cow::Borrowed).ok_or(EvalError),
            Self::Computed(value) => value.as_text().map(Cow::Borrowed).ok_or(EvalError),
            Self::Event => Err(EvalError),
        }
    }

    /// Compares two values in the order of jq.
    pub(super) fn compare(&self, op: Cmp, other: &Self, event: &RedactedEvent<'_>) -> bool {
        if let (Some(left), Some(right)) = (self.exact_number(), other.exact_number()) {
            return op.run(&left, &right);
        }
        if let (Ok(left), Ok(right)) = (self.text(), other.text()) {
            return op.run(&left, &right);
        }
        op.run(&self.value(event), &other.value(event))
    }

    /// Returns the value as a float, if it is a number that a float represents exactly.
    fn exact_number(&self) -> Option<f64> {
        match self {
            Self::Json(json) => short_integer(json),
            Self::Constant(JqValue::Number(Number::Exact(number)))
            | Self::Computed(JqValue::Number(Number::Exact(number))) => Some(*number),
            _ => None,
        }
    }
}

/// Returns the position of an array index, which counts from the end if it is negative.
fn position(length: usize, index: isize) -> Option<usize> {
    if index < 0 { length.checked_add_signed(index) } else { usize::try_from(index).ok() }
}

/// Returns the integer that a JSON number is, if it has fewer than ten characters.
pub(super) fn short_integer(json: &str) -> Option<f64> {
    if json.len() < 10 { json.parse::<i32>().ok().map(f64::from) } else { None }
}
