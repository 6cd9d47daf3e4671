//! The value of a field of a typed event, and the wrappers that hide it.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::wire;
use super::{Model, Type};
use crate::json::string::unquote;
use crate::text::MASK;

/// A field of a typed event: its value, or why there is no value.
///
/// `Debug`, `Display` and `Serialize` show what evtap shows by default. How a value is shown
/// depends on its type: [`Phi`] shows a mask, [`FreeText`] masks identifiers.
///
/// ```
/// use evtap::model::{Field, Phi};
///
/// let caller: Field<Phi<String>> = Field::Value(Phi::new("+13035550161".to_owned()));
/// assert_eq!(format!("{caller:?} {caller}"), "[redacted] [redacted]");
/// assert_eq!(caller.value().map(|caller| caller.expose().as_str()), Some("+13035550161"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Field<T> {
    /// The event does not have the field.
    #[default]
    Absent,
    /// JSON null.
    Null,
    /// The field arrived masked, or was masked before the event was read.
    Hidden,
    /// A value that matches the declaration.
    Value(T),
    /// A value that does not match the declaration, as JSON.
    Other(Phi<String>),
}

impl<T> Field<T> {
    /// Returns the value, if there is one that matches the declaration.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }

    /// Returns whether the event does not have the field, such as for
    /// `#[serde(skip_serializing_if = "Field::is_absent")]`.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl Field<&str> {
    /// Reads the JSON of the field as a `T`.
    #[must_use]
    pub fn typed<T: Model>(self) -> Field<T> {
        match self {
            Self::Absent => Field::Absent,
            Self::Null => Field::Null,
            Self::Hidden => Field::Hidden,
            Self::Value(json) => {
                T::read(json).map_or_else(|| Field::Other(Phi::new(json.to_owned())), Field::Value)
            }
            Self::Other(json) => Field::Other(json),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Field<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("absent"),
            Self::Null => f.write_str("null"),
            Self::Hidden => f.write_str(MASK),
            Self::Value(value) => value.fmt(f),
            Self::Other(json) => json.fmt(f),
        }
    }
}

/// Shows an absent field as nothing.
impl<T: fmt::Display> fmt::Display for Field<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => Ok(()),
            Self::Null => f.pad("null"),
            Self::Hidden => f.pad(MASK),
            Self::Value(value) => value.fmt(f),
            Self::Other(json) => json.fmt(f),
        }
    }
}

/// Serialises an absent field as null.
impl<T: Serialize> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent | Self::Null => serializer.serialize_none(),
            Self::Hidden => serializer.serialize_str(MASK),
            Self::Value(value) => value.serialize(serializer),
            Self::Other(json) => json.serialize(serializer),
        }
    }
}

/// A value that may be protected health information. `Debug`, `Display` and `Serialize` produce
/// `[redacted]`.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub struct Phi<T>(T);

impl<T> Phi<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns the value. Search for this name to find every place that handles PHI in the clear.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Returns the value, owned.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> From<T> for Phi<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Phi<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<T> fmt::Display for Phi<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(MASK)
    }
}

impl<T> Serialize for Phi<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

impl<T: Model> Model for Phi<T> {
    const TYPE: Type = T::TYPE;
}

/// Prose written by people or models. `Debug`, `Display` and `Serialize` mask text that looks like
/// an identifier: telephone numbers, addresses, record and card numbers, and dates. Names and
/// numbers in words are not masked.
///
/// ```
/// use evtap::model::FreeText;
///
/// let reason = FreeText::new("call back at +1 303 555 0161".to_owned());
/// assert_eq!(reason.to_string(), "call back at [phone]");
/// assert_eq!(reason.expose(), "call back at +1 303 555 0161");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub struct FreeText<T = String>(T);

impl<T> FreeText<T> {
    /// Wraps prose.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns the value with nothing masked.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Returns the value with nothing masked, owned.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> From<T> for FreeText<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: Model + Serialize> FreeText<T> {
    /// Returns the value as JSON with identifiers masked, and with everything masked that its type
    /// does not declare.
    fn scrubbed_json(&self) -> String {
        let mut out = String::new();
        match serde_json::to_string(&self.0) {
            Ok(json) => wire::push_declared(&json, &T::TYPE, true, &mut out),
            Err(_) => wire::push_text(MASK, &mut out),
        }
        out
    }

    /// Returns the text of a string or the JSON of anything else, with identifiers masked.
    fn scrubbed(&self) -> String {
        let json = self.scrubbed_json();
        unquote(&json).map(Cow::into_owned).unwrap_or(json)
    }
}

impl<T: Model + Serialize> fmt::Debug for FreeText<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scrubbed_json())
    }
}

impl<T: Model + Serialize> fmt::Display for FreeText<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.scrubbed())
    }
}

impl<T: Model + Serialize> Serialize for FreeText<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value: Value =
            serde_json::from_str(&self.scrubbed_json()).unwrap_or_else(|_| MASK.into());
        value.serialize(serializer)
    }
}

impl<T: Model + Serialize> Model for FreeText<T> {
    const TYPE: Type = T::TYPE;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn no_trait_shows_a_hidden_value() {
        let phi = Phi::new("Jane Roe");
        assert_eq!(format!("{phi:?} {phi} {phi:#?}"), "[redacted] [redacted] [redacted]");
        assert_eq!(serde_json::to_string(&phi).expect("JSON"), "\"[redacted]\"");
        let other: Field<i64> = Field::Value("\"Jane\"").typed();
        assert_eq!(other, Field::Other("\"Jane\"".to_owned().into()));
        assert_eq!(format!("{other:?} {other}"), "[redacted] [redacted]");
        assert_eq!(serde_json::to_string(&other).expect("JSON"), "\"[redacted]\"");
        let null: Field<Phi<String>> = Field::Value("null").typed::<Phi<String>>();
        assert!(matches!(null, Field::Other(_)), "callers read null as Field::Null");
        assert_eq!(format!("{:?}", Field::<Phi<String>>::Null), "null");
        assert_eq!(serde_json::to_string(&Field::<Phi<String>>::Null).expect("JSON"), "null");
    }

    #[test]
    fn free_text_is_scrubbed_and_what_is_not_declared_in_it_is_masked() {
        let text = FreeText::new("\"mail\" jane@example.org".to_owned());
        assert_eq!(format!("{text:?}"), r#""\"mail\" [email]""#);
        assert_eq!(text.to_string(), "\"mail\" [email]");
        let map: BTreeMap<String, Value> = serde_json::from_str(
            r#"{"Jane Roe":1,"mood":"calm","n":2025550123,"of":{"who":1},"to":"Jane Roe"}"#,
        )
        .expect("JSON");
        let map = FreeText::new(map);
        let expected = r#"{"[redacted]":"[redacted]","mood":"[redacted]","n":"[redacted]","of":"[redacted]","to":"[redacted]"}"#;
        assert_eq!(map.to_string(), expected);
        assert_eq!(serde_json::to_string(&map).expect("JSON"), expected);
    }
}
