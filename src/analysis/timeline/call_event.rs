//! The parts of an event that a timeline or the list of calls keeps.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::analysis::call::text;
use crate::model::catalog::{CallEnded, SessionEnd};
use crate::model::{Stream, Tap, parse_millis, parse_time};
use crate::output::stored_event::StoredEvent;
use crate::redact::RedactedEvent;

/// An event of a call.
#[derive(Clone)]
pub struct CallEvent {
    /// The event.
    pub stored: StoredEvent,
    /// The stream of the event.
    pub stream: Option<Stream>,
    /// The time of the event, by the platform's clock.
    pub time: Option<Timestamp>,
    /// The time of its arrival, by this machine's clock.
    pub received: Option<Timestamp>,
}

impl CallEvent {
    /// Creates the event of a call with this SID.
    pub(super) fn new(shown: &RedactedEvent<'_>, sid: Option<Box<str>>) -> Self {
        let stored = StoredEvent { call_sid: sid, ..StoredEvent::new(shown) };
        let EventTimes { time, received } = EventTimes::new(shown.tap());
        Self { stored, stream: shown.stream(), time, received }
    }
}

/// The times of an event.
#[derive(Clone, Copy)]
pub struct EventTimes {
    /// The time by the platform's clock.
    pub time: Option<Timestamp>,
    /// The time of arrival, by this machine's clock.
    pub received: Option<Timestamp>,
}

impl EventTimes {
    /// Reads the times of an event.
    #[must_use]
    pub fn new(tap: &Tap) -> Self {
        let parse = |time: &Option<String>| parse_time(time.as_deref()?);
        Self { time: parse(&tap.time), received: parse(&tap.received_at) }
    }
}

/// Returns the difference between the arrival and the time of an event in milliseconds, if both are
/// known.
pub(in crate::analysis) fn delay(tap: &Tap) -> Option<i64> {
    let (time, received) = (tap.time.as_deref()?, tap.received_at.as_deref()?);
    Some(parse_millis(received)? - parse_millis(time)?)
}

/// Returns the smaller of two differences.
pub(in crate::analysis) fn smaller(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

/// Returns the SID that an event itself names.
pub(in crate::analysis) fn own_sid<'a>(shown: &'a RedactedEvent<'_>) -> Option<Cow<'a, str>> {
    let field = shown.field("call_sid").filter(|field| !field.hidden);
    let own = field.and_then(|field| field.text());
    own.or_else(|| shown.tap().call_sid.as_deref().map(Cow::Borrowed))
}

/// Returns the reason of the end of a call, if it ends with this event.
pub(super) fn outcome(shown: &RedactedEvent<'_>) -> Option<String> {
    let ended = shown.read::<CallEnded>().and_then(|it| text(&it.completion_reason));
    ended.or_else(|| shown.read::<SessionEnd>().and_then(|it| text(&it.completion_reason)))
}
