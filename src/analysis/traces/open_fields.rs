//! The only fields of an event that traces read: those of class open that are shown.

use std::borrow::Cow;

use crate::analysis::byte_budget::{MAX_NAME_BYTES, truncate};
use crate::model::{Class, Type, is_choice, is_uuid};
use crate::redact::{RedactedEvent, RedactedField};

/// Reads the open fields of an event.
///
/// A field that is hidden, prose or undeclared counts as absent, and so does a value that does not
/// match the declaration, whatever the user reveals.
pub struct OpenFields<'e, 'a>(pub &'e RedactedEvent<'a>);

impl<'a> OpenFields<'_, 'a> {
    fn field(&self, name: &str) -> Option<(RedactedField<'a>, Type)> {
        let field = self.0.field(name)?;
        let spec = field.spec.filter(|spec| spec.class == Class::Open)?;
        // A recording contains a mask in place of the value.
        let is_hidden =
            field.hidden || self.0.tap().redacted.iter().any(|hidden| hidden == spec.name);
        (!is_hidden).then_some((field, spec.ty))
    }

    /// Returns a text, of which at most [`MAX_NAME_BYTES`] are kept.
    pub fn text(&self, name: &str) -> Option<String> {
        let mut text = self.whole_text(name)?.into_owned();
        truncate(&mut text, MAX_NAME_BYTES);
        Some(text)
    }

    /// Returns a text in full.
    pub fn whole_text(&self, name: &str) -> Option<Cow<'a, str>> {
        let (field, ty) = self.field(name)?;
        let text = field.text()?;
        match ty {
            Type::Text => Some(text),
            Type::Uuid => is_uuid(&text).then_some(text),
            Type::Choice(choices) => is_choice(field.json, choices).then_some(text),
            _ => None,
        }
    }

    /// Returns a number.
    pub fn number(&self, name: &str) -> Option<f64> {
        let (field, ty) = self.field(name)?;
        let number = field.number().filter(|number| number.is_finite())?;
        matches!(ty, Type::Number | Type::Integer).then_some(number)
    }

    /// Returns an integer.
    pub fn integer(&self, name: &str) -> Option<i64> {
        let (field, ty) = self.field(name)?;
        let integer = field.json.parse().ok()?;
        (ty == Type::Integer).then_some(integer)
    }

    /// Returns whether a field is true.
    pub fn is_true(&self, name: &str) -> bool {
        self.boolean(name) == Some(true)
    }

    /// Returns a boolean.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        let (field, ty) = self.field(name)?;
        let value = field.json.parse().ok()?;
        (ty == Type::Bool).then_some(value)
    }
}
