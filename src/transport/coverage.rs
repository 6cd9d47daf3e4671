//! What a stream is known to have delivered, from which the lifecycle events of a tap are made.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::Origin;

/// How streams report what they have delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// The name of the tap that announces it to others, if one does.
    pub tap: Option<Arc<str>>,
    /// The time between two positions.
    pub every: Duration,
}

/// A statement of a source about its stream. It holds for the items before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// The stream.
    pub origin: Arc<Origin>,
    /// Whether it is complete.
    pub state: CoverageState,
}

/// Whether a stream is complete. Times are those of the server's clock, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoverageState {
    /// A connection was opened. From this time on, the stream is complete, except for gaps that are
    /// reported; `None` if the time is unknown.
    From(Option<Timestamp>),
    /// A connection was opened that goes on at this time, before which nothing was missed since the
    /// last position, except for gaps that are reported.
    Resumed(Timestamp),
    /// The connection is alive. Everything before this time has arrived; `None` if nothing is known.
    Until(Option<Timestamp>),
}
