//! `_tap`: what evtap knows about an event, the last member of its line.
//!
//! It holds nothing that needs protection: times, ids and names of fields. It is therefore safe to
//! copy from a recording, once [`Tap::read`] has checked every part of it.

mod form;
mod read;
mod time;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::text::terminal::{push_plain_quoted, push_quoted};
#[cfg(feature = "pipeline")]
pub(crate) use time::parse_millis;
use time::push_time;
pub(crate) use time::{parse_time, push_millis};

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
    /// All kinds.
    pub const ALL: &[Self] = &[
        Self::UnknownEvent,
        Self::TypeConflict,
        Self::UnknownField,
        Self::UnknownValue,
        Self::OtherType,
        Self::MissingField,
        Self::DuplicateField,
        Self::OddId,
        Self::MissingId,
        Self::BackwardId,
        Self::RepeatDropped,
    ];

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

/// Replaces a text, and reuses its memory.
pub(super) fn assign(slot: &mut Option<String>, text: Option<&str>) {
    match text {
        Some(text) => emptied(slot).push_str(text),
        None => *slot = None,
    }
}

/// Replaces a time, and reuses the memory of its text.
pub(super) fn assign_time(slot: &mut Option<String>, at: Option<jiff::Timestamp>) {
    match at {
        Some(at) => push_time(at, emptied(slot)),
        None => *slot = None,
    }
}

/// Replaces a time, given in milliseconds of Unix time, and reuses the memory of its text.
pub(super) fn assign_millis(slot: &mut Option<String>, millis: Option<i64>) {
    if !millis.is_some_and(|millis| push_millis(millis, emptied(slot))) {
        *slot = None;
    }
}

/// Returns the text of a slot, made empty.
fn emptied(slot: &mut Option<String>) -> &mut String {
    let text = slot.get_or_insert_default();
    text.clear();
    text
}

impl Tap {
    /// Returns when the event happened: its time or, if that is not known, when it was received.
    #[must_use]
    pub fn moment(&self) -> Option<jiff::Timestamp> {
        parse_time(self.time.as_ref().or(self.received_at.as_ref())?)
    }

    /// Appends the JSON object, without members that are not known.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        self.write_with(push_quoted, out);
    }

    /// Appends the JSON object, like [`Tap::write_json`]. No text in it may need an escape.
    pub(crate) fn write_plain_json(&self, out: &mut Vec<u8>) {
        self.write_with(push_plain_quoted, out);
    }

    fn write_with(&self, push: impl Fn(&str, &mut Vec<u8>) + Copy, out: &mut Vec<u8>) {
        let start = out.len();
        for (key, value) in [
            (&b",\"id\":"[..], &self.id),
            (b",\"time\":", &self.time),
            (b",\"received_at\":", &self.received_at),
        ] {
            push_text(key, value.as_deref(), push, out);
        }
        push_text(b",\"stream\":", self.stream.as_deref(), push, out);
        push_text(b",\"workspace_id\":", self.workspace_id.as_deref(), push, out);
        push_text(b",\"call_sid\":", self.call_sid.as_deref(), push, out);
        push_names(b",\"redacted\":", &self.redacted, push, out);
        push_names(b",\"scrubbed\":", &self.scrubbed, push, out);
        for (at, Drift { kind, field }) in self.drift.iter().enumerate() {
            let start = if at == 0 { &b",\"drift\":[{\"kind\":"[..] } else { b",{\"kind\":" };
            push_text(start, Some(kind.name()), push, out);
            push_text(b",\"field\":", field.as_deref(), push, out);
            out.push(b'}');
        }
        if !self.drift.is_empty() {
            out.push(b']');
        }
        // What precedes the first member is not a comma.
        match out.get_mut(start) {
            Some(first) => *first = b'{',
            None => out.push(b'{'),
        }
        out.push(b'}');
    }
}

/// Appends a member, if it has a value. `key` begins with a comma.
fn push_text(
    key: &[u8],
    value: Option<&str>,
    push: impl Fn(&str, &mut Vec<u8>),
    out: &mut Vec<u8>,
) {
    if let Some(value) = value {
        out.extend_from_slice(key);
        push(value, out);
    }
}

/// Appends a list as a member, unless it is empty. `key` begins with a comma.
fn push_names(key: &[u8], names: &[Name], push: impl Fn(&str, &mut Vec<u8>), out: &mut Vec<u8>) {
    if names.is_empty() {
        return;
    }
    out.extend_from_slice(key);
    for (at, name) in names.iter().enumerate() {
        out.push(if at == 0 { b'[' } else { b',' });
        push(name, out);
    }
    out.push(b']');
}

/// Returns whether a text is an id of the platform: a decimal number of milliseconds.
#[must_use]
pub fn is_id(text: &str) -> bool {
    parse_id(text).is_some()
}

/// Returns the number that an id of the platform is; `None` if the text is no id.
pub(super) fn parse_id(text: &str) -> Option<u64> {
    // No number of 19 digits is too large.
    let mut digits = (1..=19).contains(&text.len()).then_some(text.bytes())?;
    digits.try_fold(0, |number: u64, byte| {
        byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0'))
    })
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
