//! What has been delivered, beside stdout and beyond the life of the process: the record and the cursor.
//!
//! The order is what makes the promise: first the sink is flushed, then the record, then the cursor moves. So whatever kills
//! the process, the cursor never runs ahead of what was delivered, and the next run delivers the rest: on stdout at least
//! once, in the record exactly once, since that can be looked at.

mod cursor;
mod record;

use std::io;

pub use cursor::Cursor;
pub use record::Record;

use crate::redact::{Shown, identity};
use crate::source::Frame;

/// How many events may be delivered before they are flushed and the cursor moves, however busy the stream is.
const BATCH: usize = 256;

/// The record and the cursor, where there are any.
#[derive(Default)]
pub struct Delivery {
    record: Option<Record>,
    cursor: Option<Cursor>,
    pending: usize,
}

impl Delivery {
    /// To that record, and by that cursor.
    #[must_use]
    pub fn new(mut record: Option<Record>, cursor: Option<Cursor>) -> Self {
        match (&mut record, &cursor) {
            (Some(record), Some(cursor)) => record.forgive(cursor.delivered()),
            // Without a cursor nothing is asked for again.
            (Some(record), None) => record.forget(),
            (None, _) => {}
        }
        Self { record, cursor, pending: 0 }
    }

    /// Whether there is neither.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.record.is_none() && self.cursor.is_none()
    }

    /// Whether an earlier run has delivered the event.
    pub fn is_known(&mut self, frame: &Frame<'_>, shown: &Shown<'_>) -> bool {
        self.cursor.as_mut().is_some_and(|cursor| cursor.is_known(frame, shown))
    }

    /// Adds an event that was shown to the record.
    pub fn record(&mut self, shown: &Shown<'_>) -> io::Result<()> {
        self.record.as_mut().map_or(Ok(()), |record| record.event(shown))
    }

    /// The walk is done with an event. True if it is time to flush.
    pub fn advance(&mut self, frame: &Frame<'_>, shown: &Shown<'_>) -> bool {
        if let Some(cursor) = &mut self.cursor {
            cursor.advance(frame, shown);
        }
        self.pending += usize::from(self.cursor.is_some() || self.record.is_some());
        self.pending >= BATCH
    }

    /// The sink has been flushed: so is the record, and the cursor moves.
    pub fn flush(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.pending) == 0 {
            return Ok(());
        }
        if let Some(record) = &mut self.record {
            record.flush()?;
        }
        self.cursor.as_mut().map_or(Ok(()), Cursor::commit)
    }

    /// The run is over: what was written is on the disk when this returns.
    pub fn finish(&mut self) -> io::Result<()> {
        self.flush()?;
        if let Some(record) = &mut self.record {
            record.sync()?;
        }
        self.cursor.as_mut().map_or(Ok(()), Cursor::finish)
    }
}

/// An event of a stream: its id and its identity.
type Key = (u64, u64);

/// The key of an event that has an id of its own.
fn key(frame: &Frame<'_>, shown: &Shown<'_>) -> Option<Key> {
    let id = frame.id.filter(|_| !frame.notes.id_missing)?;
    Some((id.parse().ok()?, identity(shown)))
}

#[cfg(test)]
mod tests;
