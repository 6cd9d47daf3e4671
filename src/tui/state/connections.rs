//! The status of the connections, each and overall.

use std::sync::Arc;

use crate::model::Origin;
use crate::transport::{ConnectionEvent, ConnectionState};

/// The status of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ConnectionStatus {
    /// Nothing is known yet.
    #[default]
    Waiting,
    /// Connected.
    Live,
    /// Lost, and being re-established. The text contains the reason and the time of the next
    /// attempt.
    Reconnecting(String),
    /// Closed for good.
    Ended,
}

/// All connections of the session.
#[derive(Debug, Default)]
pub struct Connections {
    /// The overall status. A lost connection takes precedence over live ones.
    pub status: ConnectionStatus,
    /// The connections that have not ended.
    pub open: Vec<(Arc<Origin>, ConnectionStatus)>,
}

impl Connections {
    /// Records a change of a connection. The overall status is `Ended` once the last one has ended.
    pub fn apply(&mut self, event: &ConnectionEvent) {
        let status = match &event.state {
            ConnectionState::Connected => ConnectionStatus::Live,
            ConnectionState::Reconnecting { delay, attempt, why } => {
                ConnectionStatus::Reconnecting(format!(
                    "{why}; trying again in {:.1} s (attempt {attempt})",
                    delay.as_secs_f64()
                ))
            }
            ConnectionState::NotObserved { .. } | ConnectionState::Ended { .. } => {
                ConnectionStatus::Ended
            }
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

    /// Returns whether all connections have ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.status == ConnectionStatus::Ended
    }
}
