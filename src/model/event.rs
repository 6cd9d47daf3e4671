//! [`Event`]: one event of the platform as a typed value, for programs that use the model as a library.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::ops::Deref;

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::decode::{Content, DecodedEvent, DecodedField, Decoder, key_of, shown_name};
use super::stand_in::is_stand_in;
use super::{Class, FrameFlags, wire};
use super::{Declared, Drift, Event, Field, FieldSpec, Frame, FrameFormat, Kind, Origin, Phi, Tap};
use crate::json::scan::{Category, Defect, scan_object};
use crate::text::MASK;

impl Event {
    /// Reads one event from its JSON: a line of `evtap … -o ndjson`, a payload of either stream with its type in it (as
    /// `event_type` or `type`, the fields beside it or in `data`), or a CloudEvent.
    ///
    /// ```
    /// use evtap::model::{DriftKind, Event};
    ///
    /// let event = Event::from_slice(br#"{"event_type":"call.ended","duration_seconds":"long"}"#)?;
    /// let Event::CallEnded(call) = &event else { panic!("another event") };
    /// assert_eq!(call.duration_seconds.value(), None, "it is no number");
    /// assert!(event.drift().iter().any(|drift| drift.kind == DriftKind::OtherType));
    /// # Ok::<(), evtap::model::EventError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails only if the input is not a JSON object or names no type. Anything else that the model does not expect is
    /// [`drift`](Event::drift).
    pub fn from_slice(json: &[u8]) -> Result<Self, EventError> {
        Self::from_json(FrameFormat::Record, None, json)
    }

    /// Reads one event of a workspace's SSE stream from its `data:` and, where the frame has one, its `event:` line. The type
    /// is on that line or in the JSON as `event_type`; if neither has one, it is `message`, as the SSE standard says.
    ///
    /// ```
    /// use evtap::model::{Event, Kind};
    ///
    /// let on_the_line = Event::from_sse(Some("call.ended"), br#"{"call_sid":"CA1"}"#)?;
    /// let in_the_data = Event::from_sse(None, br#"{"event_type":"call.ended","call_sid":"CA1"}"#)?;
    /// assert_eq!(on_the_line.kind(), Some(Kind::CallEnded));
    /// assert_eq!(in_the_data.kind(), Some(Kind::CallEnded));
    /// # Ok::<(), evtap::model::EventError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if `data` is not a JSON object.
    pub fn from_sse(event_line: Option<&str>, data: &[u8]) -> Result<Self, EventError> {
        Self::from_json(FrameFormat::Sse, event_line, data)
    }

    /// Reads one event of a call's observer WebSocket from a text frame, or a binary frame with UTF-8 in it.
    ///
    /// ```
    /// use evtap::model::{Event, Kind};
    ///
    /// let flat = Event::from_observer(br#"{"type":"agent_transcript_delta","delta":"Hel"}"#)?;
    /// let nested = Event::from_observer(br#"{"type":"agent_transcript_delta","data":{"delta":"Hel"}}"#)?;
    /// assert_eq!(flat.kind(), Some(Kind::AgentTranscriptDelta));
    /// assert_eq!(serde_json::to_string(&flat)?, serde_json::to_string(&nested)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the frame is not a JSON object or has no type.
    pub fn from_observer(frame: &[u8]) -> Result<Self, EventError> {
        Self::from_json(FrameFormat::Observer, None, frame)
    }

    fn from_json(
        format: FrameFormat,
        event: Option<&str>,
        data: &[u8],
    ) -> Result<Self, EventError> {
        Self::from_frame(Frame {
            origin: &Origin::default(),
            format,
            event,
            id: None,
            data,
            text: None,
            received_at: None,
            fault: None,
            offset: 0,
            flags: FrameFlags::default(),
        })
    }

    /// Reads the event in a frame that one of evtap's sources delivered.
    ///
    /// # Errors
    ///
    /// Fails if the frame holds no JSON object, no type, or a fault of the transport.
    pub fn from_frame(frame: Frame<'_>) -> Result<Self, EventError> {
        let mut decoder = Decoder::default();
        let source = EventSource::new(&decoder.decode(frame))?;
        Ok(Self::from_source(source))
    }

    /// Returns the type as evtap shows it. An undeclared type that does not look like a name is masked, since nobody can tell
    /// what it holds.
    #[must_use]
    pub fn event_type(&self) -> &str {
        self.source().shown_type()
    }

    /// Returns which of the declared events it is; `None` for [`Event::Unknown`].
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        self.source().kind
    }

    /// Returns the bytes that arrived, **with PHI in the clear**.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        self.source().text.as_bytes()
    }

    /// Returns what the model did not expect: unknown fields and enum values, values of another type, missing fields.
    #[must_use]
    pub fn drift(&self) -> &[Drift] {
        &self.source().tap.drift
    }

    /// Returns what is known of the event beside its fields. Of an event that was read from evtap's output, that includes its
    /// id, its time and the names of the fields that were masked.
    #[must_use]
    pub fn tap(&self) -> &Tap {
        &self.source().tap
    }

    /// Returns the fields that the event's declaration does not have, in the order in which they arrived. Of an unknown event,
    /// these are all its fields.
    ///
    /// ```
    /// use evtap::model::Event;
    ///
    /// let event = Event::from_slice(br#"{"event_type":"brand.new","who":"Jane Roe"}"#)?;
    /// let who = event.unknown_fields().next().expect("one field");
    /// assert_eq!(format!("{who:?}"), r#"UnknownField { name: "who", json: [redacted] }"#);
    /// assert_eq!(*who.json.expose(), r#""Jane Roe""#);
    /// # Ok::<(), evtap::model::EventError>(())
    /// ```
    pub fn unknown_fields(&self) -> impl Iterator<Item = UnknownField<'_>> {
        self.source().unknown_fields()
    }
}

/// Serialises the event as evtap shows it by default, without `_tap`: one flat JSON object, `event_type` first, the payload in
/// arrival order with its digits as they arrived, `"[redacted]"` in place of what is hidden.
///
/// The text is exact with `serde_json`; other formats are not supported.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.source().serialize(serializer)
    }
}

/// Serialises the real values of an event, **PHI included**. The JSON equals what arrived, in flat form.
///
/// ```
/// use evtap::model::{Event, Exposed};
///
/// let event = Event::from_observer(br#"{"type":"user_transcript","data":{"transcript":"I am Jane."}}"#)?;
/// assert_eq!(
///     serde_json::to_string(&event)?,
///     r#"{"event_type":"user_transcript","transcript":"[redacted]"}"#
/// );
/// assert_eq!(
///     serde_json::to_string(&Exposed(&event))?,
///     r#"{"event_type":"user_transcript","transcript":"I am Jane."}"#
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Exposed<'e>(pub &'e Event);

impl Serialize for Exposed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_json(self.0.source().exposed_json(), serializer)
    }
}

/// Shows the masked event.
impl fmt::Debug for Exposed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Exposed").field(self.0).finish()
    }
}

/// A declared event: its fields as a struct, to which it dereferences, and what it was read from.
#[derive(Clone)]
pub struct Typed<T> {
    fields: Box<T>,
    pub(super) source: Box<EventSource>,
}

impl<T: Declared> Typed<T> {
    pub(super) fn new(source: EventSource) -> Self {
        let fields = Box::new(T::read(|name| source.field(name)));
        Self { fields, source: Box::new(source) }
    }

    /// Returns the struct.
    #[must_use]
    pub fn into_fields(self) -> T {
        *self.fields
    }
}

impl<T> Deref for Typed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.fields
    }
}

/// Shows the struct.
impl<T: fmt::Debug> fmt::Debug for Typed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fields.fmt(f)
    }
}

/// Serialises the event as [`Event`] does.
impl<T> Serialize for Typed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.source.serialize(serializer)
    }
}

/// An event of a type that the model does not have, or that names two types.
#[derive(Clone)]
pub struct UnknownEvent {
    pub(super) source: Box<EventSource>,
}

impl UnknownEvent {
    pub(super) fn new(source: EventSource) -> Self {
        Self { source: Box::new(source) }
    }

    /// Returns the type; the mask if it does not look like a name.
    #[must_use]
    pub fn event_type(&self) -> &str {
        self.source.shown_type()
    }

    /// Returns the type as it arrived. It may be anything, PHI included.
    #[must_use]
    pub fn exposed_type(&self) -> Phi<&str> {
        Phi::new(&self.source.event_type)
    }

    /// Returns the fields, in the order in which they arrived.
    pub fn fields(&self) -> impl Iterator<Item = UnknownField<'_>> {
        self.source.unknown_fields()
    }
}

impl fmt::Debug for UnknownEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<_> = self.fields().collect();
        f.debug_struct("UnknownEvent")
            .field("event_type", &self.event_type())
            .field("fields", &fields)
            .finish()
    }
}

/// Serialises the event as [`Event`] does.
impl Serialize for UnknownEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.source.serialize(serializer)
    }
}

/// A field that nobody has declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownField<'e> {
    /// Its name; the mask if it does not look like one.
    pub name: Cow<'e, str>,
    /// Its value as JSON.
    pub json: Phi<&'e str>,
}

/// Why bytes are no event. Its texts give the reason and the position, never anything of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventError(Defect);

impl EventError {
    /// Returns the reason.
    #[must_use]
    pub const fn category(&self) -> Category {
        self.0.category
    }

    /// Returns the byte at which it shows, from 0.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.0.offset
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.0.category {
            Category::Empty => "there is nothing but white space",
            Category::NotUtf8 => "the bytes are not UTF-8",
            Category::Truncated => "the JSON ends within a value",
            Category::NotJson => "the text is not JSON",
            Category::LoneSurrogate => "a \\u escape is half of a surrogate pair",
            Category::TooDeep => "arrays and objects are nested more than 127 levels deep",
            Category::NotAnObject => "the JSON is not an object",
            Category::NoEventType => "the object has neither an event_type nor a type",
            Category::TooLarge => "there are more bytes than an event may have",
        };
        write!(f, "not an event: {reason} (at byte {})", self.0.offset)
    }
}

impl Error for EventError {}

/// What an event was read from.
#[derive(Clone)]
pub(super) struct EventSource {
    pub(super) kind: Option<Kind>,
    event_type: Cow<'static, str>,
    text: Box<str>,
    fields: Box<[DecodedField]>,
    tap: Tap,
}

impl EventSource {
    fn new(decoded: &DecodedEvent<'_>) -> Result<Self, EventError> {
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

    fn shown_type(&self) -> &str {
        if self.kind.is_some() { &self.event_type } else { shown_name(&self.event_type) }
    }

    fn spec(&self, field: &DecodedField) -> Option<&'static FieldSpec> {
        DecodedEvent::spec_of(self.kind, field)
    }

    fn json(&self, field: &DecodedField) -> &str {
        field.member.value.slice(&self.text)
    }

    /// Whether a declared field was masked before the event arrived here.
    fn is_recorded_mask(&self, name: &str, json: &str) -> bool {
        self.tap.redacted.iter().any(|redacted| redacted == name) && is_stand_in(json)
    }

    /// The JSON of a declared field. Of several with one name, the last counts, as in other readers of JSON.
    fn field(&self, name: &str) -> Field<&str> {
        let is_it = |field: &&DecodedField| self.spec(field).is_some_and(|spec| spec.name == name);
        match self.fields.iter().rev().find(is_it).map(|field| self.json(field)) {
            None if self.tap.redacted.iter().any(|hidden| hidden == name) => Field::Hidden,
            None => Field::Absent,
            Some("null") => Field::Null,
            Some(json) if self.is_recorded_mask(name, json) => Field::Hidden,
            Some(json) => Field::Value(json),
        }
    }

    fn unknown_fields(&self) -> impl Iterator<Item = UnknownField<'_>> {
        self.fields.iter().filter(|field| self.spec(field).is_none()).map(|field| {
            let name = key_of(&field.member, &self.text);
            let name = if shown_name(&name) == name { name } else { Cow::Borrowed(MASK) };
            UnknownField { name, json: Phi::new(self.json(field)) }
        })
    }

    /// The event as evtap shows it by default, without `_tap`.
    fn masked_json(&self) -> String {
        let mut out = String::with_capacity(self.text.len() + 64);
        out.push_str("{\"event_type\":");
        wire::push_text(self.shown_type(), &mut out);
        for field in &self.fields {
            let (key, json) = (field.member.key.slice(&self.text), self.json(field));
            out.push(',');
            let Some(spec) = self.spec(field) else {
                wire::push_unknown_key(key, &mut out);
                wire::push_hidden(json, &mut out);
                continue;
            };
            wire::push_key(key, &mut out);
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

    /// The event as it arrived, in flat form.
    fn exposed_json(&self) -> String {
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
        // It is no field, but it arrived.
        let mut members = Vec::new();
        if scan_object(self.text.as_bytes(), &mut members).is_ok() {
            for tap in members.iter().filter(|member| key_of(member, &self.text) == "_tap") {
                push("_tap", tap.value.slice(&self.text));
            }
        }
        out.push('}');
        out
    }

    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_json(self.masked_json(), serializer)
    }
}

/// Serialises JSON as it is written.
fn serialize_json<S: Serializer>(json: String, serializer: S) -> Result<S::Ok, S::Error> {
    RawValue::from_string(json).map_err(S::Error::custom)?.serialize(serializer)
}
