//! The timeline of one call: the events of the workspace stream and of the call's observer, in
//! order of time.
//!
//! [`collect`] keeps the redacted events of a call, or a summary of all [`calls`]. [`build`] orders
//! the events and turns them into entries, [`render`] puts entries into words, and [`text`],
//! [`json`] and [`html`] write them one by one, because all of them together could be much larger
//! than the events. The page begins with a picture of the call, which is made of its [`lanes`].
//!
//! **Clocks.** Events of the workspace have the time of the platform's clock in their ids. Events
//! of an observer have no time but that of their arrival, by this machine's clock. The smallest
//! difference between the two times of a workspace event is taken as the difference of the clocks
//! and the delay of the network, and arrival times are shifted by it.

pub mod build;
pub mod call_event;
pub mod calls;
pub mod collect;
pub mod html;
pub mod json;
pub mod lanes;
mod picture;
pub mod render;
mod tally;
pub mod text;
mod waterfall;

pub(in crate::analysis) use call_event::{EventTimes, delay, own_sid, smaller};
use jiff::Timestamp;

use crate::analysis::call::Call;
use crate::analysis::call::transcript::TranscriptItem;
use crate::model::Stream;
use crate::output::stored_event::{StoredEvent, StoredEventReader};
use crate::redact::RedactedField;
use collect::StreamGap;

/// The course of one call.
pub struct Timeline {
    /// The SID of the call.
    pub sid: String,
    /// The call as a whole.
    pub call: Call,
    /// The time of the start, or else of the first entry.
    pub began: Option<Timestamp>,
    /// The entries in order of time, with tool calls below the tool call that contains them.
    pub entries: Vec<TimelineEntry>,
    /// All events in order of time.
    pub raw: Vec<RawEvent>,
    /// The numbers of events of the workspace stream and of the observer.
    pub events: (u64, u64),
    /// The number of events that were dropped because of the limits of [`collect`].
    pub dropped: u64,
    /// The number of gaps that were dropped because of the limits of [`collect`].
    pub dropped_gaps: u64,
    /// The number of milliseconds that was subtracted from arrival times.
    pub shift: i64,
    /// The names of the fields that the user asked to reveal.
    pub revealed: Vec<String>,
}

/// An event of the call.
pub struct RawEvent {
    /// The time, if it is known.
    pub at: Option<Timestamp>,
    /// The stream of the event.
    pub stream: Option<Stream>,
    /// The event.
    pub stored: StoredEvent,
}

/// One entry of a timeline.
pub struct TimelineEntry {
    /// The time, if it is known.
    pub at: Option<Timestamp>,
    /// The time of the last event that belongs to the entry, if a later one does.
    pub until: Option<Timestamp>,
    /// The stream of the event.
    pub stream: Option<Stream>,
    /// The content.
    pub kind: EntryKind,
}

/// The content of an entry.
pub enum EntryKind {
    /// An item of the transcript.
    Item(TranscriptItem),
    /// An event that the transcript does not cover.
    Event(StoredEvent),
    /// A gap in a stream.
    Gap(StreamGap),
    /// A time without events, in milliseconds.
    Quiet(i64),
}

/// A redacted field.
pub struct TimelineField {
    /// The name.
    pub name: String,
    /// The value as JSON.
    pub json: String,
    /// Whether the value is masked.
    pub hidden: bool,
}

/// Returns the fields of an event that the transcript does not cover.
#[must_use]
pub fn fields(reader: &mut StoredEventReader, stored: &StoredEvent) -> Vec<TimelineField> {
    let field = |field: RedactedField<'_>| TimelineField {
        name: field.name().into_owned(),
        json: field.json.to_owned(),
        hidden: field.hidden,
    };
    reader.read(stored, |shown| {
        shown.fields().filter(|field| field.key != "call_sid").map(field).collect()
    })
}

impl Timeline {
    /// Returns the time since the start of the call, in milliseconds.
    #[must_use]
    pub fn offset(&self, at: Option<Timestamp>) -> Option<i64> {
        Some(at?.as_millisecond() - self.began?.as_millisecond())
    }
}

/// Formats milliseconds since the start of a call, such as `+1:02.345`.
#[must_use]
pub fn clock(offset: i64) -> String {
    let (sign, millis) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
    let (minutes, seconds) = (millis / 60_000, millis % 60_000);
    if minutes >= 60 {
        return format!(
            "{sign}{}:{:02}:{:02}.{:03}",
            minutes / 60,
            minutes % 60,
            seconds / 1000,
            seconds % 1000
        );
    }
    format!("{sign}{minutes}:{:02}.{:03}", seconds / 1000, seconds % 1000)
}
