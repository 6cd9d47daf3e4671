//! What happens to a connection, for status messages, the live screen and inline `tap.*` lines.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::raw_frame::RawFrame;
use crate::model::Origin;
use crate::model::catalog::value::EndReason;

/// A change of a connection, for people and for `--status json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionEvent {
    /// The stream that the connection belongs to.
    pub origin: Arc<Origin>,
    /// The new state of the connection.
    pub state: ConnectionState,
}

impl ConnectionEvent {
    /// Returns the `tap.*` line that reports this event in the stream; `None` if there is no such
    /// line for it.
    #[must_use]
    pub fn frame(&self, received_at: Timestamp) -> Option<RawFrame> {
        let line = match &self.state {
            ConnectionState::Connected => json!({"event_type": "tap.connected"}),
            ConnectionState::Reconnecting { .. } | ConnectionState::NotObserved { .. } => {
                return None;
            }
            ConnectionState::Ended { reason, .. } => {
                json!({"event_type": "tap.ended", "reason": reason})
            }
        };
        Some(RawFrame::own(&self.origin, &line, received_at))
    }
}

/// The state of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionState {
    /// The connection is open, and frames may arrive.
    Connected,
    /// The connection was lost and will be opened again.
    Reconnecting {
        /// The time until the next attempt.
        delay: Duration,
        /// The number of the next attempt, from 1; restarts after a connection delivers an event.
        attempt: u32,
        /// Why the connection was lost, without text from the wire.
        why: String,
    },
    /// A call that started is not observed, or not any more.
    NotObserved {
        /// Why it is not, without text from the wire.
        why: String,
    },
    /// The stream ended normally and will not be opened again.
    Ended {
        /// Why the stream ended.
        reason: EndReason,
        /// The same for people, without text from the wire.
        why: String,
    },
}

impl ConnectionState {
    /// Returns the state of a stream that ended for this reason.
    #[must_use]
    pub fn ended(reason: EndReason) -> Self {
        let why = match reason {
            EndReason::RunEnded => "the run ended",
            EndReason::CallEnded => "the call is over",
            EndReason::TakenOver => "another tap has taken the call over",
            EndReason::Removed => "it was removed from the workspaces file",
            EndReason::AllRead => "everything that was stored has been read",
            EndReason::ServerEnded | EndReason::Other(_) => "the server ended it",
        };
        Self::Ended { reason, why: why.to_owned() }
    }
}
