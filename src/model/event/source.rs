//! The data that a typed event was read from, and its JSON.

use std::borrow::Cow;

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::error::EventError;
use crate::json::scan::scan_object;
use crate::model::decode::{Content, DecodedEvent, DecodedField, key_of};
use crate::model::name::{mask_of_name, shown_name};
use crate::model::stand_in::is_stand_in;
use crate::model::{Class, Field, FieldSpec, Kind, Phi, Tap, wire};

/// The text, the fields and the metadata that an event was read from.
#[derive(Clone)]
pub struct EventSource {
    pub(super) kind: Option<Kind>,
    pub(super) event_type: Cow<'static, str>,
    pub(super) text: Box<str>,
    fields: Box<[DecodedField]>,
    pub(super) tap: Tap,
}

impl EventSource {
    pub(super) fn new(decoded: &DecodedEvent<'_>) -> Result<Self, EventError> {
        match &decoded.content {
            Content::Malformed { defect, .. } => Err(EventError(*defect)),
            Content::Event { name, kind, fields } => Ok(Self {
                kind: *kind,
                event_type: kind.map_or_else(
                    || Cow::Owned(name.clone().into_owned()),
                    |kind| Cow::Borrowed(kind.spec().event_type),
                ),
                text: decoded.text.into(),
                fields: (*fields).into(),
                tap: decoded.tap.clone(),
            }),
        }
    }

    pub(super) fn shown_type(&self) -> &str {
        if self.kind.is_some() { &self.event_type } else { shown_name(&self.event_type) }
    }

    fn spec(&self, field: &DecodedField) -> Option<&'static FieldSpec> {
        DecodedEvent::spec_of(self.kind, field)
    }

    fn json(&self, field: &DecodedField) -> &str {
        field.member.value.slice(&self.text)
    }

    /// Returns whether a declared field had been masked before the event was read.
    fn is_recorded_mask(&self, name: &str, json: &str) -> bool {
        self.tap.redacted.iter().any(|redacted| redacted == name) && is_stand_in(json)
    }

    /// Returns the JSON of a declared field. Of duplicate names the last one counts, as in most
    /// JSON parsers (RFC 8259, section 4).
    pub(super) fn field(&self, name: &str) -> Field<&str> {
        let is_it = |field: &&DecodedField| self.spec(field).is_some_and(|spec| spec.name == name);
        match self.fields.iter().rev().find(is_it).map(|field| self.json(field)) {
            None if self.tap.redacted.iter().any(|hidden| hidden == name) => Field::Hidden,
            None => Field::Absent,
            Some("null") => Field::Null,
            Some(json) if self.is_recorded_mask(name, json) => Field::Hidden,
            Some(json) => Field::Value(json),
        }
    }

    pub(super) fn unknown_fields(&self) -> impl Iterator<Item = UnknownField<'_>> {
        self.fields.iter().filter(|field| self.spec(field).is_none()).map(|field| UnknownField {
            name: field.shown_name(&self.text),
            json: Phi::new(self.json(field)),
        })
    }

    /// Returns the event as evtap shows it by default, without `_tap`.
    fn masked_json(&self) -> String {
        let mut out = String::with_capacity(self.text.len() + 64);
        out.push_str("{\"event_type\":");
        wire::push_text(self.shown_type(), &mut out);
        for field in &self.fields {
            let (key, json) = (field.member.key.slice(&self.text), self.json(field));
            out.push(',');
            let mask = field.mask.map(mask_of_name);
            wire::push_key(mask.as_deref().unwrap_or(key), &mut out);
            let Some(spec) = self.spec(field) else {
                wire::push_hidden(json, &mut out);
                continue;
            };
            if self.is_recorded_mask(spec.name, json) {
                out.push_str(json);
            } else if spec.class.is_hidden() {
                wire::push_hidden(json, &mut out);
            } else {
                wire::push_declared(json, &spec.ty, spec.class == Class::Free, &mut out);
            }
        }
        out.push('}');
        out
    }

    /// Returns the event as it arrived, as one flat object.
    pub(super) fn exposed_json(&self) -> String {
        let mut out = String::with_capacity(self.text.len() + 64);
        out.push_str("{\"event_type\":");
        out.push_str(&serde_json::Value::from(&*self.event_type).to_string());
        let mut push = |key: &str, json: &str| {
            out.push_str(",\"");
            out.push_str(key);
            out.push_str("\":");
            out.push_str(json);
        };
        for field in &self.fields {
            push(field.member.key.slice(&self.text), self.json(field));
        }
        // `_tap` is not a field, but it is part of what arrived.
        let mut members = Vec::new();
        if scan_object(self.text.as_bytes(), &mut members).is_ok() {
            for tap in members.iter().filter(|member| key_of(member, &self.text) == "_tap") {
                push("_tap", tap.value.slice(&self.text));
            }
        }
        out.push('}');
        out
    }

    pub(super) fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_json(self.masked_json(), serializer)
    }
}

/// Serialises JSON text unchanged.
pub(super) fn serialize_json<S: Serializer>(
    json: String,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    RawValue::from_string(json).map_err(S::Error::custom)?.serialize(serializer)
}

/// A field that is not declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownField<'e> {
    /// The name, or the mask if it does not look like a name.
    pub name: Cow<'e, str>,
    /// The value as JSON.
    pub json: Phi<&'e str>,
}
