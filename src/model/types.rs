//! The JSON types of fields, and how the typed structs read them.
//!
//! [`Type`] describes the JSON for `schema`, decoding and the predicate checker. [`Model`] ties it
//! to the Rust type of a field, so that the two cannot disagree.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::name::is_name;
use super::tap::{is_opaque_id, is_time};
use crate::json::JsonType;
use crate::json::string::{contents, unescape};
use crate::text::MASK;

/// The JSON type of a field. Whether the value may be null is separate: see
/// [`FieldSpec::nullable`](super::FieldSpec::nullable).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A number without a fraction and an exponent.
    Integer,
    /// Any number.
    Number,
    /// Any string.
    Text,
    /// A string holding a UUID. Another string is hidden unless it has the form of an id or a name.
    Uuid,
    /// A string holding a time (RFC 3339).
    Time,
    /// A string that should have one of these values. Other values are drift.
    Choice(&'static [&'static str]),
    /// An array whose items have one type.
    List(&'static Type),
    /// An object with arbitrary keys, whose values have one type.
    Map(&'static Type),
    /// An object with these members.
    Record(&'static [MemberSpec]),
    /// A value of any of these types.
    OneOf(&'static [Type]),
    /// Any JSON value, as the contract states. Only booleans are shown, because nothing is declared
    /// about the value.
    Any,
    /// An unknown type: no contract states one. Only booleans, and strings that have the form of an
    /// id or a name, are shown.
    Unstated,
}

/// A member of a [`Type::Record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberSpec {
    /// The key in JSON.
    pub name: &'static str,
    /// The JSON type.
    pub ty: Type,
    /// Whether every record has the member; otherwise it may be absent or null.
    pub required: bool,
    /// A one-sentence description.
    pub doc: &'static str,
}

impl Type {
    /// Returns whether a value of a JSON type can have this type, regardless of its content.
    #[must_use]
    pub fn accepts(&self, json: JsonType) -> bool {
        match self {
            Self::Bool => json == JsonType::Bool,
            Self::Integer | Self::Number => json == JsonType::Number,
            Self::Text | Self::Uuid | Self::Time | Self::Choice(_) => json == JsonType::String,
            Self::List(_) => json == JsonType::Array,
            Self::Map(_) | Self::Record(_) => json == JsonType::Object,
            Self::OneOf(types) => types.iter().any(|ty| ty.accepts(json)),
            Self::Any | Self::Unstated => true,
        }
    }

    /// Returns the name that `schema` prints.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Bool => "boolean".into(),
            Self::Integer => "integer".into(),
            Self::Number => "number".into(),
            Self::Text => "string".into(),
            Self::Uuid => "uuid".into(),
            Self::Time => "time".into(),
            Self::Choice(_) => "enum".into(),
            Self::List(item) => format!("array of {}", item.name()),
            Self::Map(value) => format!("object of {}", value.name()),
            Self::Record(_) => "object".into(),
            Self::OneOf(types) => types.iter().map(Self::name).collect::<Vec<_>>().join(" or "),
            Self::Any => "any".into(),
            Self::Unstated => "unstated".into(),
        }
    }

    /// Returns the declared values of a string of this type, if they are enumerated.
    #[must_use]
    pub const fn choices(&self) -> Option<&'static [&'static str]> {
        match self {
            Self::Choice(values) => Some(values),
            _ => None,
        }
    }
}

/// Returns whether a JSON string is one of the choices.
pub(crate) fn is_choice(json: &str, choices: &[&str]) -> bool {
    // Choices contain no escapes, so the first comparison usually succeeds without unescaping.
    contents(json).is_some_and(|text| {
        choices.contains(&text) || (text.contains('\\') && choices.contains(&&*unescape(text)))
    })
}

/// A Rust type that a field of an event can have.
pub trait Model: DeserializeOwned {
    /// The JSON type that it is read from.
    const TYPE: Type;

    /// Reads a JSON value; returns `None` if it has another type.
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

    /// Accepts only keys that look like names, because others are hidden.
    fn read(json: &str) -> Option<Self> {
        let map: Self = serde_json::from_str(json).ok()?;
        map.keys().all(|key| is_name(key)).then_some(map)
    }
}
/// An option has the JSON type of its value; whether it may be null is declared separately.
impl<T: Model> Model for Option<T> {
    const TYPE: Type = T::TYPE;
}
impl Model for Value {
    const TYPE: Type = Type::Any;

    /// Accepts only booleans and null, because others are hidden.
    fn read(json: &str) -> Option<Self> {
        let value: Self = serde_json::from_str(json).ok()?;
        (value.is_boolean() || value.is_null()).then_some(value)
    }
}

/// A string that should be a UUID. The text is kept as it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Uuid(pub String);
impl Model for Uuid {
    const TYPE: Type = Type::Uuid;

    /// Accepts only strings that have the form of an id or a name, because others are hidden.
    fn read(json: &str) -> Option<Self> {
        let text: String = serde_json::from_str(json).ok()?;
        is_id_or_name(&text).then_some(Self(text))
    }
}

/// Returns whether a text in a field of ids may be shown.
pub(crate) fn is_id_or_name(text: &str) -> bool {
    is_opaque_id(text) || is_name(text)
}

/// A time (RFC 3339), as it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub String);
impl Model for Time {
    const TYPE: Type = Type::Time;

    /// Accepts only times, because other strings are hidden.
    fn read(json: &str) -> Option<Self> {
        let text: String = serde_json::from_str(json).ok()?;
        is_time(&text).then_some(Self(text))
    }
}
impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A value of a field whose type no contract states.
///
/// `Debug`, `Display` and `Serialize` mask anything but booleans and strings that have the form of an
/// id or a name, because nothing is declared about the value.
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
        let is_shown = match &self.0 {
            Value::String(text) => is_id_or_name(text),
            value => value.is_boolean() || value.is_null(),
        };
        if is_shown { Cow::Borrowed(&self.0) } else { Cow::Owned(MASK.into()) }
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

/// An object or a string.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectOrText(pub Value);
impl Model for ObjectOrText {
    const TYPE: Type = Type::OneOf(&[Type::Map(&Type::Any), Type::Text]);
}
