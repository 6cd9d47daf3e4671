//! `_tap`: what evtap knows about an event, the last member of its line.
//!
//! It holds nothing that needs protection: times, ids and names of fields. It is therefore safe to
//! copy from a recording, once [`Tap::read`] has checked every part of it.

mod form;
mod read;
mod time;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::text::terminal::push_quoted;
#[cfg(feature = "pipeline")]
pub(crate) use time::parse_millis;
pub(crate) use time::parse_time;

/// A name in `_tap`; most are the model's own.
pub type Name = Cow<'static, str>;

/// What evtap knows about one event.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tap {
    /// The id of the SSE frame: Unix time in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The time that the id stands for, RFC 3339 in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// When evtap received the event, RFC 3339 in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<String>,
    /// The kind of stream: `workspace` or `observer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<Name>,
    /// The workspace of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<String>,
    /// The call of the observer stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_sid: Option<String>,
    /// The hidden fields, in the order of the event; `outer.inner` where nested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redacted: Vec<Name>,
    /// The shown fields whose text has masked identifiers, in the order of the event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scrubbed: Vec<Name>,
    /// What about the event differs from the model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<Drift>,
}

/// A difference between an event and the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// The kind of difference.
    pub kind: DriftKind,
    /// The field that differs; `outer.inner` where nested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Name>,
}

/// The kinds of drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftKind {
    /// The event type is not declared.
    UnknownEvent,
    /// The frame and its data name different types, or the data names two.
    TypeConflict,
    /// The field is not declared.
    UnknownField,
    /// The string is not one of the declared values.
    UnknownValue,
    /// The value is not of the declared type.
    OtherType,
    /// A required field is missing.
    MissingField,
    /// The field occurs more than once.
    DuplicateField,
    /// The frame's id is not a number.
    OddId,
    /// The frame has no id of its own.
    MissingId,
    /// The frame's id is lower than the previous one.
    BackwardId,
    /// Just before this event, the server repeated an earlier event, which was dropped.
    RepeatDropped,
}

impl DriftKind {
    /// Returns the name used in `_tap.drift`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownEvent => "unknown_event",
            Self::TypeConflict => "type_conflict",
            Self::UnknownField => "unknown_field",
            Self::UnknownValue => "unknown_value",
            Self::OtherType => "other_type",
            Self::MissingField => "missing_field",
            Self::DuplicateField => "duplicate_field",
            Self::OddId => "odd_id",
            Self::MissingId => "missing_id",
            Self::BackwardId => "backward_id",
            Self::RepeatDropped => "repeat_dropped",
        }
    }
}

impl Clone for Tap {
    fn clone(&self) -> Self {
        let mut clone = Self::default();
        clone.clone_from(self);
        clone
    }

    /// Copies `source` and reuses the memory of the texts, since redaction does so for each event.
    fn clone_from(&mut self, source: &Self) {
        let Self {
            id,
            time,
            received_at,
            stream,
            workspace_id,
            call_sid,
            redacted,
            scrubbed,
            drift,
        } = self;
        id.clone_from(&source.id);
        time.clone_from(&source.time);
        received_at.clone_from(&source.received_at);
        stream.clone_from(&source.stream);
        workspace_id.clone_from(&source.workspace_id);
        call_sid.clone_from(&source.call_sid);
        redacted.clone_from(&source.redacted);
        scrubbed.clone_from(&source.scrubbed);
        drift.clone_from(&source.drift);
    }
}

impl Tap {
    /// Returns when the event happened: its time or, if that is not known, when it was received.
    #[must_use]
    pub fn moment(&self) -> Option<jiff::Timestamp> {
        parse_time(self.time.as_ref().or(self.received_at.as_ref())?)
    }

    /// Appends the JSON object, without members that are not known.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        let mut members = TapWriter { out, first: true };
        let named = [("id", &self.id), ("time", &self.time), ("received_at", &self.received_at)];
        for (key, value) in named {
            members.text(key, value.as_deref());
        }
        members.text("stream", self.stream.as_deref());
        members.text("workspace_id", self.workspace_id.as_deref());
        members.text("call_sid", self.call_sid.as_deref());
        members.names("redacted", &self.redacted);
        members.names("scrubbed", &self.scrubbed);
        if !self.drift.is_empty() {
            members.key("drift");
            // Drift is rare, so serde is fast enough, and its types cannot fail to serialise.
            members.out.extend_from_slice(&serde_json::to_vec(&self.drift).unwrap_or_default());
        }
        out.push(b'}');
    }
}

/// Writes the members of a JSON object.
struct TapWriter<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl TapWriter<'_> {
    fn key(&mut self, key: &'static str) {
        if !std::mem::replace(&mut self.first, false) {
            self.out.push(b',');
        }
        // The keys are constants without escapes.
        for part in ["\"", key, "\":"] {
            self.out.extend_from_slice(part.as_bytes());
        }
    }

    fn text(&mut self, key: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.key(key);
            push_quoted(value, self.out);
        }
    }

    fn names(&mut self, key: &'static str, names: &[Name]) {
        if names.is_empty() {
            return;
        }
        self.key(key);
        for (at, name) in names.iter().enumerate() {
            self.out.push(if at == 0 { b'[' } else { b',' });
            push_quoted(name, self.out);
        }
        self.out.push(b']');
    }
}

/// Returns whether a text is an id of the platform: a decimal number of milliseconds.
#[must_use]
pub fn is_id(text: &str) -> bool {
    (1..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether a text is a UUID in hexadecimal with hyphens (RFC 9562, section 4).
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    text.as_bytes().try_into().is_ok_and(form::is_uuid)
}

/// Returns whether a text has the form of an id that a system gives out: a UUID, or a short prefix
/// and hexadecimal digits.
///
/// A number alone does not: it may be a telephone or record number.
#[must_use]
pub fn is_opaque_id(text: &str) -> bool {
    if is_uuid(text) {
        return true;
    }
    let digits = text.trim_start_matches(|first: char| first.is_ascii_alphabetic());
    // A prefix ends with a separator, or it is that of a SID.
    let digits = match text.len() - digits.len() {
        0..=8 => digits.strip_prefix(['_', '-']).unwrap_or_else(|| text.get(2..).unwrap_or("")),
        _ => return false,
    };
    let is_hex = digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let has_letter = digits.bytes().any(|digit| digit.is_ascii_lowercase());
    is_hex && (digits.len() >= 24 || (digits.len() >= 8 && has_letter))
}

/// Returns whether a text is a time (RFC 3339).
#[must_use]
pub(crate) fn is_time(text: &str) -> bool {
    text.as_bytes().try_into().is_ok_and(form::is_time)
        || (text.len() <= 40 && text.parse::<jiff::Timestamp>().is_ok())
}

/// Returns whether a text is a call SID: `CA` and 32 letters or digits.
#[must_use]
pub fn is_call_sid(text: &str) -> bool {
    text.as_bytes().try_into().is_ok_and(form::is_call_sid)
}

/// Returns the beginning of an id, which is enough to tell it from others on a screen.
#[must_use]
pub fn id_prefix(id: &str) -> &str {
    let length = if id.starts_with("CA") { 10 } else { 8 };
    id.char_indices().nth(length).map_or(id, |(end, _)| &id[..end])
}
