//! [`Event`]: one event of the platform as a typed value, for programs that use the model as a
//! library.

mod error;
mod source;
mod typed;

use std::fmt;

use serde::{Serialize, Serializer};

use super::catalog::event_types;
use super::decode::Decoder;
use super::{Drift, Frame, FrameFormat, Kind, Origin, Tap, catalog};
pub use error::EventError;
pub use source::UnknownField;
use source::{EventSource, serialize_json};
pub use typed::{Typed, UnknownEvent};

macro_rules! events {
    (
        platform { $($($module:ident)::+::{$($name:ident),+})+ }
        own { $($own_module:ident::{$($own:ident),+})+ }
    ) => {
        /// One typed event: a variant for every declared type, and [`Event::Unknown`] for all
        /// others.
        ///
        /// Each variant contains the struct of the same name, whose fields are
        /// [`Field`](super::Field)s: a value, or the reason why there is none.
        #[derive(Debug, Clone)]
        #[non_exhaustive]
        pub enum Event {
            $($(
                #[doc = concat!("A [`catalog::", stringify!($name), "`] event.")]
                $name(Typed<catalog::$name>),
            )+)+
            $($(
                #[doc = concat!("A line that evtap adds: a [`catalog::", stringify!($own), "`].")]
                $own(Typed<catalog::$own>),
            )+)+
            /// An event of a type that is not declared.
            Unknown(UnknownEvent),
        }

        impl Event {
            fn from_source(source: EventSource) -> Self {
                match source.kind {
                    $($(Some(Kind::$name) => Self::$name(Typed::new(source)),)+)+
                    $($(Some(Kind::$own) => Self::$own(Typed::new(source)),)+)+
                    None => Self::Unknown(UnknownEvent::new(source)),
                }
            }

            fn source(&self) -> &EventSource {
                match self {
                    $($(Self::$name(event) => &event.source,)+)+
                    $($(Self::$own(event) => &event.source,)+)+
                    Self::Unknown(event) => &event.source,
                }
            }
        }
    };
}

event_types!(events);

impl Event {
    /// Reads one event from its JSON: a line of `evtap … -o ndjson`, a payload of either stream
    /// with its type in it (as `event_type` or `type`, the fields beside it or in `data`), or a
    /// CloudEvent.
    ///
    /// ```
    /// use evtap::model::{DriftKind, Event};
    ///
    /// let event = Event::from_slice(br#"{"event_type":"call.ended","duration_seconds":"long"}"#)?;
    /// let Event::CallEnded(call) = &event else { panic!("another event") };
    /// assert_eq!(call.duration_seconds.value(), None, "it is not a number");
    /// assert!(event.drift().iter().any(|drift| drift.kind == DriftKind::OtherType));
    /// # Ok::<(), evtap::model::EventError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails only if the input is not a JSON object or names no type. Anything else that the model
    /// does not expect is [`drift`](Event::drift).
    pub fn from_slice(json: &[u8]) -> Result<Self, EventError> {
        Self::from_json(FrameFormat::Record, None, json)
    }

    /// Reads one event of a workspace's SSE stream from its `data:` and, where the frame has one,
    /// its `event:` line. The type is on that line or in the JSON as `event_type`; if neither has
    /// one, it is `message`, as the SSE standard says.
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

    /// Reads one event of a call's observer WebSocket from a text frame, or a binary frame with
    /// UTF-8 in it.
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
        let origin = Origin::default();
        Self::from_frame(Frame { event, ..Frame::new(format, data, &origin) })
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

    /// Returns the type as evtap shows it. An undeclared type that does not look like a name is
    /// masked, because it may contain PHI.
    #[must_use]
    pub fn event_type(&self) -> &str {
        self.source().shown_type()
    }

    /// Returns the declared event type; `None` for [`Event::Unknown`].
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        self.source().kind
    }

    /// Returns the bytes that arrived, **with PHI in the clear**.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        self.source().text.as_bytes()
    }

    /// Returns what the model did not expect: unknown fields and enum values, values of another
    /// type, missing fields.
    #[must_use]
    pub fn drift(&self) -> &[Drift] {
        &self.source().tap.drift
    }

    /// Returns the metadata of the event. For an event that was read from evtap's output, it
    /// includes the id, the time and the names of the fields that were masked.
    #[must_use]
    pub fn tap(&self) -> &Tap {
        &self.source().tap
    }

    /// Iterates over the fields that are not declared, in the order in which they arrived. For an
    /// unknown event, these are all its fields.
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

/// Serialises the event as evtap shows it by default, without `_tap`: one flat JSON object,
/// `event_type` first, the payload in arrival order with its digits as they arrived, `"[redacted]"`
/// in place of what is hidden.
///
/// The text is exact with `serde_json`; other formats are not supported.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.source().serialize(serializer)
    }
}

/// Serialises the real values of an event, **PHI included**. The JSON equals what arrived, in flat
/// form.
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
