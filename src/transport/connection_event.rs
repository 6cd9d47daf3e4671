//! What happens to a connection, for status messages, the live screen and inline `tap.*` lines.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::raw_frame::RawFrame;
use crate::model::Origin;

/// News of a connection, for people and for `--status json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionEvent {
    /// The stream that it is about.
    pub origin: Arc<Origin>,
    /// What happened.
    pub state: ConnectionState,
}

impl ConnectionEvent {
    /// The line that tells of it in the stream, where there is one.
    #[must_use]
    pub fn frame(&self, received_at: Timestamp) -> Option<RawFrame> {
        let line = match &self.state {
            ConnectionState::Connected => json!({"event_type": "tap.connected"}),
            ConnectionState::Reconnecting { .. } => return None,
            ConnectionState::Ended { why } => json!({"event_type": "tap.ended", "reason": why}),
        };
        Some(RawFrame::own(&self.origin, &line, received_at))
    }
}

/// What happened to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionState {
    /// It stands, and frames may come.
    Connected,
    /// It is gone, and will be tried again.
    Reconnecting {
        /// After that long.
        delay: Duration,
        /// Which try it will be, from 1; back to 1 after a connection that delivered something.
        attempt: u32,
        /// Why it is gone, without text from the wire.
        why: String,
    },
    /// It is over for good, and well.
    Ended {
        /// Why, without text from the wire.
        why: String,
    },
}
