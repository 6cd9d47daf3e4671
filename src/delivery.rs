//! What has been delivered, beside stdout and beyond the life of the process: the record, an endpoint, and the cursor.
//!
//! The order is what makes the promise: first the sink is flushed, then the record, then the endpoint has taken what it was
//! sent, then the cursor moves. So whatever kills the process, the cursor never runs ahead of what was delivered, and the next run delivers the rest: on stdout and to
//! the endpoint at least once, in the record exactly once, since that can be looked at.

mod cursor;
mod forward;
mod record;

use std::io;
use std::sync::Arc;

pub use cursor::Cursor;
pub use forward::{Endpoint, ForwardBody, Forwarder};
pub use record::Recorder;

use crate::model::Frame;
use crate::output::OutputError;
use crate::output::status::ForwardCounts;
use crate::redact::{RedactedEvent, identity};
use crate::transport::shutdown::ShutdownFlag;

/// How many events may be delivered before they are flushed and the cursor moves, however busy the stream is.
const BATCH: usize = 256;

/// The record, the endpoint and the cursor, where there are any.
#[derive(Default)]
pub struct Delivery {
    record: Option<Recorder>,
    forward: Option<Forwarder>,
    cursor: Option<Cursor>,
    pending: usize,
}

impl Delivery {
    /// To that record, and by that cursor.
    #[must_use]
    pub fn new(mut record: Option<Recorder>, cursor: Option<Cursor>) -> Self {
        match (&mut record, &cursor) {
            (Some(record), Some(cursor)) => record.skip_delivered(cursor.delivered()),
            // Without a cursor nothing is asked for again.
            (Some(record), None) => record.clear_tail(),
            (None, _) => {}
        }
        Self { record, forward: None, cursor, pending: 0 }
    }

    /// And to that endpoint.
    #[must_use]
    pub fn forwarding(self, forward: Option<Forwarder>) -> Self {
        Self { forward, ..self }
    }

    /// Waits for nothing any more once it is told to stop.
    pub fn stop_on(&mut self, stop: &Arc<ShutdownFlag>) {
        if let Some(forward) = &mut self.forward {
            forward.stop_on(Arc::clone(stop));
        }
    }

    /// What the endpoint has made of the events, if there is one.
    #[must_use]
    pub fn forwarded(&self) -> Option<ForwardCounts> {
        self.forward.as_ref().map(Forwarder::counts)
    }

    /// Whether there is nothing to deliver to, and no cursor.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        let Self { record, forward, cursor, pending: _ } = self;
        record.is_none() && forward.is_none() && cursor.is_none()
    }

    /// Whether an earlier run has delivered the event.
    pub fn is_known(&mut self, frame: &Frame<'_>, shown: &RedactedEvent<'_>) -> bool {
        self.cursor.as_mut().is_some_and(|cursor| cursor.is_known(frame, shown))
    }

    /// Takes an event that was shown.
    pub fn event(&mut self, shown: &RedactedEvent<'_>) -> io::Result<()> {
        if let Some(forward) = &mut self.forward {
            forward.event(shown);
        }
        self.record.as_mut().map_or(Ok(()), |record| record.event(shown))
    }

    /// The walk is done with an event. True if it is time to flush.
    pub fn advance(&mut self, frame: &Frame<'_>, shown: &RedactedEvent<'_>) -> bool {
        if let Some(cursor) = &mut self.cursor {
            cursor.advance(frame, shown);
        }
        self.pending +=
            usize::from(self.cursor.is_some() || self.record.is_some() || self.forward.is_some());
        self.pending >= BATCH || self.forward.as_ref().is_some_and(Forwarder::is_full)
    }

    /// The sink has been flushed: so is the record, the endpoint gets what is for it, and the cursor moves.
    pub fn flush(&mut self) -> Result<(), OutputError> {
        if std::mem::take(&mut self.pending) == 0 {
            return Ok(());
        }
        if let Some(record) = &mut self.record {
            record.flush()?;
        }
        if let Some(forward) = &mut self.forward {
            forward.flush()?;
        }
        Ok(self.cursor.as_mut().map_or(Ok(()), Cursor::commit)?)
    }

    /// The run is over: what was written is on the disk when this returns.
    pub fn finish(&mut self) -> Result<(), OutputError> {
        self.flush()?;
        if let Some(record) = &mut self.record {
            record.sync()?;
        }
        Ok(self.cursor.as_mut().map_or(Ok(()), Cursor::finish)?)
    }
}

/// An event of a stream: its id and its identity.
type DeliveryKey = (u64, u64);

/// The key of an event that has an id of its own.
fn key(frame: &Frame<'_>, shown: &RedactedEvent<'_>) -> Option<DeliveryKey> {
    let id = frame.id.filter(|_| !frame.flags.id_missing)?;
    Some((id.parse().ok()?, identity(shown)))
}

#[cfg(test)]
mod tests;
