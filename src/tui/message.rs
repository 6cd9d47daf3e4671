//! The messages that the pipeline sends to the screen.

use crate::analysis::alerts::AttentionChange;
use crate::output::stored_event::StoredEvent;
use crate::transport::ConnectionEvent;

/// Counts of the events that the filter of the command line dropped. The events are not kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FilteredCounts {
    /// All events that were dropped.
    pub events: u64,
    /// The dropped events that report a malformed frame.
    pub malformed: u64,
    /// The dropped events that deviate from the model.
    pub drifted: u64,
    /// The dropped events that report a gap.
    pub gaps: u64,
}

/// A message from the pipeline to the screen.
#[derive(Debug)]
pub enum ScreenMessage {
    /// An event that passed the filter of the command line.
    Event(StoredEvent),
    /// Events that were dropped since the last message of this kind.
    FilteredOut(FilteredCounts),
    /// A change of a connection.
    Connection(ConnectionEvent),
    /// A change of what needs attention.
    Attention(AttentionChange),
}

impl ScreenMessage {
    /// Returns the approximate memory use, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Event(stored) => stored.bytes(),
            Self::FilteredOut(_) | Self::Connection(_) => size_of::<Self>(),
            Self::Attention(change) => size_of::<Self>() + change.item().key.len(),
        }
    }
}
