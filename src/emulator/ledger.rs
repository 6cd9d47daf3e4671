//! A record of the published events, for tests that check what a client received.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::model::Kind;

/// The ids of the published workspace events, by the number that each event carries in a field, and
/// the events that were sent to observers.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    entries: Arc<Mutex<Vec<LedgerEntry>>>,
    observed: Arc<Mutex<Vec<ObservedEvent>>>,
    /// The workspace whose events are recorded.
    workspace: Arc<str>,
}

/// A published event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The id of the event.
    pub id: u64,
    /// Its workspace.
    pub workspace: Arc<str>,
}

/// An event that was sent to an observer of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct ObservedEvent {
    /// The SID of the call.
    pub call_sid: String,
    /// The time since the start of the call, in seconds of the emulator's clock.
    pub at: f64,
    /// The type.
    pub kind: Kind,
    /// The fields.
    pub payload: Value,
}

impl Ledger {
    /// The field with an event's number. Its value starts with a character of several bytes, so
    /// that a fault can cut the stream inside it.
    pub const FIELD: &str = "emulator_event";

    /// Returns the number of events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether no event was published.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the ids of the events, in the order of their numbers.
    #[must_use]
    pub fn ids(&self) -> Vec<u64> {
        self.entries().iter().map(|entry| entry.id).collect()
    }

    /// Returns the events in the order of their numbers.
    #[must_use]
    pub fn events(&self) -> Vec<LedgerEntry> {
        self.entries().clone()
    }

    /// Returns the events that were sent to observers, in order.
    #[must_use]
    pub fn observed(&self) -> Vec<ObservedEvent> {
        self.observed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records an event that is sent to an observer.
    pub(super) fn record_observed(&self, event: ObservedEvent) {
        self.observed.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    /// Returns the same ledger, for the events of a workspace.
    pub(super) fn of_workspace(&self, id: &str) -> Self {
        Self { workspace: id.into(), ..self.clone() }
    }

    /// Parses the number in the value of [`FIELD`](Self::FIELD).
    #[must_use]
    pub fn number(text: &str) -> Option<usize> {
        text.strip_prefix('№')?.parse().ok()
    }

    /// Records the id of the next event, and returns the value of its field.
    pub(super) fn record(&self, id: u64) -> String {
        let mut entries = self.entries();
        entries.push(LedgerEntry { id, workspace: Arc::clone(&self.workspace) });
        format!("№{}", entries.len() - 1)
    }

    fn entries(&self) -> MutexGuard<'_, Vec<LedgerEntry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
