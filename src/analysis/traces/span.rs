//! Spans, and the times and attributes that they consist of.

use jiff::Timestamp;

use super::ids::{SpanId, TraceId};
use crate::analysis::timeline::EventTimes;

/// The longest duration that is believed, in milliseconds: a day.
pub const MAX_MILLIS: f64 = 86_400_000.0;

/// The time of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceTime {
    /// By the platform's clock, in milliseconds of Unix time.
    Platform(i64),
    /// The arrival by this machine's clock, in milliseconds of Unix time.
    Arrival(i64),
}

impl TraceTime {
    /// Returns the time of an event: its own, or else that of its arrival.
    pub fn new(times: EventTimes) -> Option<Self> {
        let own = times.time.map(|time| Self::Platform(time.as_millisecond()));
        own.or_else(|| times.received.map(|time| Self::Arrival(time.as_millisecond())))
    }

    /// Returns the time by the platform's clock, in milliseconds of Unix time, where `shift` is
    /// subtracted from arrivals.
    pub const fn millis(self, shift: i64) -> i64 {
        match self {
            Self::Platform(millis) => millis,
            Self::Arrival(millis) => millis.saturating_sub(shift),
        }
    }

    /// Returns the time by the platform's clock, in nanoseconds of Unix time.
    pub fn nanos(self, shift: i64) -> u64 {
        u64::try_from(self.millis(shift)).unwrap_or(0).saturating_mul(1_000_000)
    }

    /// Returns the time that is `millis` earlier.
    pub const fn earlier(self, millis: i64) -> Self {
        match self {
            Self::Platform(at) => Self::Platform(at.saturating_sub(millis)),
            Self::Arrival(at) => Self::Arrival(at.saturating_sub(millis)),
        }
    }

    /// Returns the later of the times of an event and of the previous one of its stream. Events of
    /// an observer are in order, even if this machine's clock was set back.
    pub fn after(self, previous: Option<Self>) -> Self {
        match (self, previous) {
            (Self::Arrival(at), Some(Self::Arrival(previous))) => Self::Arrival(at.max(previous)),
            _ => self,
        }
    }
}

/// Converts a duration in milliseconds to nanoseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between zero and a day"
)]
pub fn nanos(millis: f64) -> u64 {
    (millis.clamp(0.0, MAX_MILLIS) * 1e6).round() as u64
}

/// Formats a time for an attribute.
pub fn rfc3339(at: Timestamp) -> AttributeValue {
    AttributeValue::Text(format!("{at:.3}"))
}

/// The value of an attribute.
#[derive(Clone)]
pub enum AttributeValue {
    Text(String),
    Bool(bool),
    Integer(i64),
    Number(f64),
    List(Vec<&'static str>),
}

impl From<&str> for AttributeValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<bool> for AttributeValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for AttributeValue {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for AttributeValue {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<&String> for AttributeValue {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

/// The attributes of a span, an event or a resource.
#[derive(Clone, Default)]
pub struct SpanAttributes(pub Vec<(&'static str, AttributeValue)>);

impl SpanAttributes {
    /// Adds an attribute.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<AttributeValue>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// Adds an attribute if it has a value.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl Into<AttributeValue>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds an attribute if it is true.
    #[must_use]
    pub fn with_flag(self, name: &'static str, is_set: bool) -> Self {
        self.with_some(name, is_set.then_some(true))
    }

    /// Returns the approximate memory use of the texts, in bytes.
    pub fn bytes(&self) -> usize {
        let texts = self.0.iter().map(|(_, value)| match value {
            AttributeValue::Text(text) => text.len(),
            AttributeValue::List(items) => size_of_val(items.as_slice()),
            _ => 0,
        });
        size_of_val(self.0.as_slice()) + texts.sum::<usize>()
    }
}

/// An event within a span. `T` is the form of its time.
#[derive(Clone)]
pub struct SpanEvent<T> {
    /// The time.
    pub at: T,
    /// The name, which is a type of event.
    pub name: &'static str,
    /// The attributes.
    pub attributes: SpanAttributes,
}

/// A span.
#[derive(Clone)]
pub struct TraceSpan {
    /// The id.
    pub id: SpanId,
    /// The id of the span that contains it.
    pub parent: Option<SpanId>,
    /// The name.
    pub name: String,
    /// The start, in nanoseconds of Unix time.
    pub start: u64,
    /// The end, in nanoseconds of Unix time.
    pub end: u64,
    /// The attributes.
    pub attributes: SpanAttributes,
    /// The events, in the order of their arrival.
    pub events: Vec<SpanEvent<u64>>,
    /// Whether the span reports an error.
    pub is_error: bool,
}

/// The spans of one call.
#[derive(Clone)]
pub struct CallSpans {
    /// The id of the trace.
    pub trace: TraceId,
    /// The spans. The first one is the call itself.
    pub spans: Vec<TraceSpan>,
}
