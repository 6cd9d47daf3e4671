//! The types of terms, as far as they follow from the expression and the model.

use std::collections::HashSet;

use super::kinds::Kinds;
use crate::json::JsonType;
use crate::model::{Kind, MemberSpec, Type};

/// The type of the value that a term gives.
#[derive(Debug, Clone, PartialEq)]
pub enum TermType {
    /// The whole event.
    Event,
    /// The event type.
    EventType,
    /// The value of a field, or a value inside it.
    Field(FieldRef),
    /// A scalar literal.
    Literal(serde_json::Value),
    /// Any type.
    Any,
}

/// A field, or a value inside one, of some events.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldRef {
    /// The path of the value.
    pub path: String,
    /// The events that have it, each with its type there.
    pub types: Vec<(Kind, Type)>,
    /// The policy hides it in all of them.
    pub hidden: bool,
}

impl FieldRef {
    /// Returns the events that have it, and undeclared events.
    pub fn kinds(&self) -> Kinds {
        Kinds::matching(true, |kind| self.types.iter().any(|(has, _)| *has == kind))
    }

    /// Returns the events in which its type satisfies `fits`, and undeclared events.
    pub fn kinds_where(&self, fits: impl Fn(&Type) -> bool) -> Kinds {
        Kinds::matching(true, |kind| self.types.iter().any(|(has, ty)| *has == kind && fits(ty)))
    }

    /// Describes its types in words.
    pub fn description(&self) -> String {
        let mut types: Vec<_> = self.types.iter().map(|(_, ty)| describe(ty)).collect();
        types.dedup();
        types.truncate(2);
        types.join(" or ")
    }

    /// Returns the strings that it can be, if every event that has it declares them.
    pub fn choices(&self) -> Option<Vec<&'static str>> {
        let mut choices = Vec::new();
        for (_, ty) in &self.types {
            choices.extend_from_slice(ty.choices()?);
        }
        let mut seen = HashSet::new();
        choices.retain(|choice| seen.insert(*choice));
        Some(choices)
    }
}

/// Describes a type in words.
pub fn describe(ty: &Type) -> String {
    match ty {
        Type::Bool => "a boolean".into(),
        Type::Integer | Type::Number => "a number".into(),
        Type::Text | Type::Uuid | Type::Time | Type::Choice(_) => "a string".into(),
        Type::List(_) => "an array".into(),
        Type::Map(_) | Type::Record(_) => "an object".into(),
        Type::OneOf(types) => types.iter().map(describe).collect::<Vec<_>>().join(" or "),
        Type::Any | Type::Unstated => "anything".into(),
    }
}

/// Returns the JSON type of a literal.
pub fn json_type(value: &serde_json::Value) -> JsonType {
    match value {
        serde_json::Value::Null => JsonType::Null,
        serde_json::Value::Bool(_) => JsonType::Bool,
        serde_json::Value::Number(_) => JsonType::Number,
        serde_json::Value::String(_) => JsonType::String,
        serde_json::Value::Array(_) => JsonType::Array,
        serde_json::Value::Object(_) => JsonType::Object,
    }
}

const fn member(name: &'static str, ty: Type) -> MemberSpec {
    MemberSpec { name, ty, required: false, doc: "" }
}

/// The type of `_tap`.
pub const TAP: Type = Type::Record(&[
    member("id", Type::Text),
    member("time", Type::Text),
    member("received_at", Type::Text),
    member("stream", Type::Choice(&["workspace", "observer"])),
    member("workspace_id", Type::Text),
    member("call_sid", Type::Text),
    member("redacted", Type::List(&Type::Text)),
    member("scrubbed", Type::List(&Type::Text)),
    member(
        "drift",
        Type::List(&Type::Record(&[member("kind", Type::Text), member("field", Type::Text)])),
    ),
]);
