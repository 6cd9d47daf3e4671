//! What was published, for those who check what came of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The ids of the workspace events by their number, which each event bears in a field of its own.
#[derive(Debug, Clone, Default)]
pub struct Ledger(Arc<Mutex<Vec<u64>>>);

impl Ledger {
    /// The field that holds an event's number, and a character of several bytes so that a cut can come within it.
    pub const FIELD: &str = "emulator_event";

    /// How many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id of each event, by its number.
    #[must_use]
    pub fn ids(&self) -> Vec<u64> {
        self.entries().clone()
    }

    /// The number in the field's text.
    #[must_use]
    pub fn number(text: &str) -> Option<usize> {
        text.strip_prefix('№')?.parse().ok()
    }

    pub(super) fn enter(&self, id: u64) -> String {
        let mut entries = self.entries();
        entries.push(id);
        format!("№{}", entries.len() - 1)
    }

    fn entries(&self) -> MutexGuard<'_, Vec<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
