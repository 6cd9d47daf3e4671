//! The state of the connections, one by one and taken together.

use std::sync::Arc;

use crate::model::Origin;
use crate::transport::{ConnectionEvent, ConnectionState};

/// The state of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ConnectionStatus {
    /// Nothing is known yet.
    #[default]
    Waiting,
    /// It is connected.
    Live,
    /// It was lost and is being re-established; the text says why, and when the next attempt is.
    Reconnecting(String),
    /// No more events come.
    Ended,
}

/// All connections of the session.
#[derive(Debug, Default)]
pub struct Connections {
    /// Their state taken together: a lost connection is reported before those that are live.
    pub status: ConnectionStatus,
    /// The connections that have not ended.
    pub open: Vec<(Arc<Origin>, ConnectionStatus)>,
}

impl Connections {
    /// Records that a connection changed. The status is `Ended` once the last connection ends.
    pub fn apply(&mut self, event: &ConnectionEvent) {
        let status = match &event.state {
            ConnectionState::Connected => ConnectionStatus::Live,
            ConnectionState::Reconnecting { delay, attempt, why } => {
                ConnectionStatus::Reconnecting(format!(
                    "{why}; again in {:.1} s (attempt {attempt})",
                    delay.as_secs_f64()
                ))
            }
            ConnectionState::Ended { .. } => ConnectionStatus::Ended,
        };
        self.open.retain(|(origin, _)| *origin != event.origin);
        if status != ConnectionStatus::Ended {
            self.open.push((Arc::clone(&event.origin), status));
        }
        let lost = self.open.iter().find(|(_, status)| *status != ConnectionStatus::Live);
        self.status = lost
            .or(self.open.first())
            .map_or(ConnectionStatus::Ended, |(_, status)| status.clone());
    }

    /// Whether no more events come.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.status == ConnectionStatus::Ended
    }
}
