//! One call from its beginning to its end: what the workspace's stream and the call's observer tell of it, in order of time.
//!
//! [`gather`] is the sink that keeps the events of a call, [`stitch`] puts them in order and makes entries of them, and
//! [`text`], [`json`] and [`html`] write those. All of it is made from events as they may be shown.
//!
//! **Clocks.** Events of the workspace have the time of the platform's clock, in their ids. Events of an observer have none:
//! what is known is when they arrived here. Where a recording has both of an event, the least difference is how far this
//! machine's clock and the way are off, and arrivals are moved by that much.

pub mod build;
pub mod collect;
pub mod html;
pub mod json;
pub mod render;
pub mod text;

use jiff::Timestamp;

use crate::analysis::call::Call;
use crate::analysis::call::transcript::TranscriptItem;
use crate::model::Stream;

/// The course of one call.
pub struct Timeline {
    /// Its SID.
    pub sid: String,
    /// What is known of it as a whole.
    pub call: Call,
    /// When it began, as far as is known.
    pub began: Option<Timestamp>,
    /// In order of time, tools below what they are part of.
    pub entries: Vec<TimelineEntry>,
    /// How many events of the workspace's stream and of the observer it is made from.
    pub events: (u64, u64),
    /// How many more there were than are kept.
    pub dropped: u64,
    /// By how many milliseconds times of arrival were moved.
    pub shift: i64,
    /// The names of fields that are shown because somebody asked.
    pub revealed: Vec<String>,
}

/// Something in the course of a call.
pub struct TimelineEntry {
    /// When, if that is known.
    pub at: Option<Timestamp>,
    /// The stream that told of it.
    pub stream: Option<Stream>,
    /// What it is.
    pub what: EntryKind,
}

/// What happened.
pub enum EntryKind {
    /// Words, a tool, a note.
    Item(TranscriptItem),
    /// An event of which nothing else is made.
    Event {
        /// Its type.
        event_type: String,
        /// Its fields.
        fields: Vec<TimelineField>,
    },
    /// A hole in a stream.
    Gap {
        /// The last moment of which everything is known.
        from: Option<Timestamp>,
        /// Whether something is missing for sure.
        certain: bool,
        /// How it came about.
        reason: String,
    },
    /// Nothing happened for so many milliseconds.
    Quiet(i64),
}

/// A field as it may be shown.
pub struct TimelineField {
    /// Its name.
    pub name: String,
    /// Its value in JSON.
    pub json: String,
    /// The value is hidden.
    pub hidden: bool,
}

impl Timeline {
    /// How long after the beginning something was, in milliseconds.
    #[must_use]
    pub fn offset(&self, at: Option<Timestamp>) -> Option<i64> {
        Some(at?.as_millisecond() - self.began?.as_millisecond())
    }
}

/// A time since the beginning, such as `+1:02.345`.
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
