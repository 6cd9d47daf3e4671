//! The JSON types that fields have, and how the typed structs read them.
//!
//! [`Type`] is a fact of the wire that `schema`, decoding and the predicate checker look at;
//! [`Model`] ties it to the Rust type that a field has in its event's struct, so that the two
//! cannot disagree.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::json::JsonType;
use crate::json::string::{contents, unescape};
use crate::text::MASK;

/// What a field's JSON value may be. Null is apart: see
/// [`FieldSpec::nullable`](super::FieldSpec::nullable).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A number without fraction or exponent.
    Integer,
    /// Any number.
    Number,
    /// Any string.
    Text,
    /// A string holding a UUID.
    Uuid,
    /// A string, one of these. Others do arrive, and are drift.
    Choice(&'static [&'static str]),
    /// An array whose items have one type.
    List(&'static Type),
    /// An object with arbitrary keys, whose values have one type.
    Map(&'static Type),
    /// An object with these members.
    Record(&'static [MemberSpec]),
    /// A value of any of these types.
    OneOf(&'static [Type]),
    /// Any JSON value: the contract says so.
    Any,
    /// Known by name alone: no contract states a type.
    Unstated,
}

/// A member of a [`Type::Record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberSpec {
    /// Its key.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// Whether every record has it; the others may be absent or null.
    pub required: bool,
    /// One sentence on it.
    pub doc: &'static str,
}

impl Type {
    /// Whether a value of that JSON type can be of this type, its inside not looked at.
    #[must_use]
    pub fn accepts(&self, json: JsonType) -> bool {
        match self {
            Self::Bool => json == JsonType::Bool,
            Self::Integer | Self::Number => json == JsonType::Number,
            Self::Text | Self::Uuid | Self::Choice(_) => json == JsonType::String,
            Self::List(_) => json == JsonType::Array,
            Self::Map(_) | Self::Record(_) => json == JsonType::Object,
            Self::OneOf(types) => types.iter().any(|ty| ty.accepts(json)),
            Self::Any | Self::Unstated => true,
        }
    }

    /// What people call it, `schema` prints it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Bool => "boolean".into(),
            Self::Integer => "integer".into(),
            Self::Number => "number".into(),
            Self::Text => "string".into(),
            Self::Uuid => "uuid".into(),
            Self::Choice(_) => "enum".into(),
            Self::List(item) => format!("array of {}", item.name()),
            Self::Map(value) => format!("object of {}", value.name()),
            Self::Record(_) => "object".into(),
            Self::OneOf(types) => types.iter().map(Self::name).collect::<Vec<_>>().join(" or "),
            Self::Any => "any".into(),
            Self::Unstated => "unstated".into(),
        }
    }

    /// The values that a string of this type can have, where they are counted.
    #[must_use]
    pub const fn choices(&self) -> Option<&'static [&'static str]> {
        match self {
            Self::Choice(values) => Some(values),
            _ => None,
        }
    }
}

/// Whether a JSON string is one of the choices.
pub(crate) fn is_choice(json: &str, choices: &[&str]) -> bool {
    // No choice has escapes, so a value mostly compares equal before any are searched for.
    contents(json)
        .is_some_and(|text| choices.contains(&text) || choices.contains(&&*unescape(text)))
}

/// A Rust type that a field of an event can have.
pub trait Model: DeserializeOwned {
    /// The JSON that it is read from.
    const TYPE: Type;

    /// Reads one JSON value; `None` if it is of another type.
    #[must_use]
    fn read(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}

impl Model for bool {
    const TYPE: Type = Type::Bool;
}
impl Model for i64 {
    const TYPE: Type = Type::Integer;
}
impl Model for f64 {
    const TYPE: Type = Type::Number;
}
impl Model for String {
    const TYPE: Type = Type::Text;
}
impl<T: Model> Model for Vec<T> {
    const TYPE: Type = Type::List(&T::TYPE);
}
impl<T: Model> Model for BTreeMap<String, T> {
    const TYPE: Type = Type::Map(&T::TYPE);
}
/// An optional value says nothing about its type; whether it may be null is stated beside it.
impl<T: Model> Model for Option<T> {
    const TYPE: Type = T::TYPE;
}
impl Model for Value {
    const TYPE: Type = Type::Any;
}

/// A string that holds a UUID. It is not parsed: what arrives is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Uuid(pub String);
impl Model for Uuid {
    const TYPE: Type = Type::Uuid;
}
impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A value of a field that is known by name alone: no contract states its type.
///
/// `Debug`, `Display` and `Serialize` mask an array or object, since nobody has classed what is
/// inside.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Unstated(Value);
impl Model for Unstated {
    const TYPE: Type = Type::Unstated;
}
impl Unstated {
    /// Returns the value.
    #[must_use]
    pub const fn expose(&self) -> &Value {
        &self.0
    }

    fn shown(&self) -> Cow<'_, Value> {
        if self.0.is_array() || self.0.is_object() {
            Cow::Owned(MASK.into())
        } else {
            Cow::Borrowed(&self.0)
        }
    }
}
impl fmt::Debug for Unstated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl fmt::Display for Unstated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.shown())
    }
}
impl Serialize for Unstated {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.shown().serialize(serializer)
    }
}

/// An object, or a string in its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectOrText(pub Value);
impl Model for ObjectOrText {
    const TYPE: Type = Type::OneOf(&[Type::Map(&Type::Any), Type::Text]);
}
