//! Counts the events on which an expression failed.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::text::console;

/// Identifies the failure counter of one expression and its forks on all workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureId(u64);

/// Counts the events on which an expression failed, and reports the first.
#[derive(Debug)]
pub struct Failures {
    id: FailureId,
    count: u64,
    is_silent: bool,
}

impl Default for Failures {
    fn default() -> Self {
        Self::new()
    }
}

impl Failures {
    /// Creates a counter with an id of its own.
    #[must_use]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = FailureId(NEXT.fetch_add(1, Ordering::Relaxed));
        Self { id, count: 0, is_silent: false }
    }

    /// Creates a counter for another worker, which has the same id and reports nothing.
    #[must_use]
    pub const fn fork(&self) -> Self {
        Self { id: self.id, count: 0, is_silent: true }
    }

    /// Returns the id that the counter shares with its forks.
    #[must_use]
    pub const fn id(&self) -> FailureId {
        self.id
    }

    /// Counts a failure, and reports `message` if it is the first.
    pub fn record(&mut self, message: impl FnOnce() -> String) {
        if self.count == 0 && !self.is_silent {
            console::warn(&message());
        }
        self.count += 1;
    }

    /// Adds `more` failures without reporting them.
    pub const fn add(&mut self, more: u64) {
        self.count += more;
    }

    /// Returns the count and resets it to 0.
    pub const fn take(&mut self) -> u64 {
        std::mem::replace(&mut self.count, 0)
    }

    /// Returns the count.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }
}
