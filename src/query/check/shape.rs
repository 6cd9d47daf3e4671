//! What the checker knows of a value without having one.

use std::collections::HashSet;

use super::kinds::Kinds;
use crate::json::JsonType;
use crate::model::{Kind, MemberSpec, Type};

/// What a term gives.
#[derive(Debug, Clone, PartialEq)]
pub enum TermType {
    /// The event itself.
    Event,
    /// Its type.
    EventType,
    /// The value of a field, or something inside.
    Field(FieldRef),
    /// A scalar that stands in the expression, as JSON.
    Literal(serde_json::Value),
    /// Anything.
    Any,
}

/// A field of some events.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldRef {
    /// Its name, as a path.
    pub path: String,
    /// The events that have it, with its type there.
    pub types: Vec<(Kind, Type)>,
    /// Whether it is hidden in all of them.
    pub hidden: bool,
}

impl FieldRef {
    /// The events that have it.
    pub fn kinds(&self) -> Kinds {
        Kinds::matching(true, |kind| self.types.iter().any(|(has, _)| *has == kind))
    }

    /// Those in which it can be what `fits` says.
    pub fn kinds_where(&self, fits: impl Fn(&Type) -> bool) -> Kinds {
        Kinds::matching(true, |kind| self.types.iter().any(|(has, ty)| *has == kind && fits(ty)))
    }

    /// What it is, in words.
    pub fn nature(&self) -> String {
        let mut natures: Vec<_> = self.types.iter().map(|(_, ty)| nature(ty)).collect();
        natures.dedup();
        natures.truncate(2);
        natures.join(" or ")
    }

    /// The strings that it can be, if they are counted in all events that have it.
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

/// A type in words.
pub fn nature(ty: &Type) -> String {
    match ty {
        Type::Bool => "a boolean".into(),
        Type::Integer | Type::Number => "a number".into(),
        Type::Text | Type::Uuid | Type::Choice(_) => "a string".into(),
        Type::List(_) => "an array".into(),
        Type::Map(_) | Type::Record(_) => "an object".into(),
        Type::OneOf(types) => types.iter().map(nature).collect::<Vec<_>>().join(" or "),
        Type::Any | Type::Unstated => "anything".into(),
    }
}

/// The JSON type of a literal.
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

/// `_tap`, as a type.
pub const TAP: Type = Type::Record(&[
    member("id", Type::Text),
    member("time", Type::Text),
    member("received_at", Type::Text),
    member("stream", Type::Choice(&["workspace", "observer"])),
    member("workspace_id", Type::Text),
    member("call_sid", Type::Text),
    member("redacted", Type::List(&Type::Text)),
    member(
        "drift",
        Type::List(&Type::Record(&[member("kind", Type::Text), member("field", Type::Text)])),
    ),
]);
