//! What the pipeline sends to the screen.

use crate::output::stored_event::StoredEvent;
use crate::transport::ConnectionEvent;

/// Counts of the events that the filter of the command line dropped: they are not kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FilteredCounts {
    /// All events that were dropped.
    pub events: u64,
    /// Frames among them that held no event.
    pub malformed: u64,
    /// Events among them that deviate from the model.
    pub drifted: u64,
    /// Events among them that report a gap.
    pub gaps: u64,
}

/// A message from the pipeline to the screen.
#[derive(Debug)]
pub enum ScreenMessage {
    /// An event that was selected.
    Event(StoredEvent),
    /// Events that were dropped since the last message of this kind.
    FilteredOut(FilteredCounts),
    /// A connection changed its state.
    Connection(ConnectionEvent),
}
