//! A record of the published events, for tests that check what a client received.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The ids of the published workspace events, by the number that each event carries in a field.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    entries: Arc<Mutex<Vec<LedgerEntry>>>,
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

    /// Returns the same ledger, for the events of a workspace.
    pub(super) fn of_workspace(&self, id: &str) -> Self {
        Self { entries: Arc::clone(&self.entries), workspace: id.into() }
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
