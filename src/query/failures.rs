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
    report: FailureReport,
}

/// What happens to the message about the first failure.
#[derive(Debug)]
enum FailureReport {
    /// It is written to stderr.
    Console,
    /// It is dropped, because another counter with the same id reports.
    Silent,
    /// It is kept until it is taken.
    Kept(Option<String>),
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
        Self { id, count: 0, report: FailureReport::Console }
    }

    /// Creates a counter for another worker, which has the same id and reports nothing.
    #[must_use]
    pub const fn fork(&self) -> Self {
        Self { id: self.id, count: 0, report: FailureReport::Silent }
    }

    /// Keeps the message about the first failure for [`Self::take_message`] instead of writing it to
    /// stderr.
    pub fn keep_message(&mut self) {
        self.report = FailureReport::Kept(None);
    }

    /// Returns the message about the first failure, once.
    pub const fn take_message(&mut self) -> Option<String> {
        match &mut self.report {
            FailureReport::Kept(message) => message.take(),
            FailureReport::Console | FailureReport::Silent => None,
        }
    }

    /// Returns the id that the counter shares with its forks.
    #[must_use]
    pub const fn id(&self) -> FailureId {
        self.id
    }

    /// Counts a failure, and reports `message` if it is the first.
    pub fn record(&mut self, message: impl FnOnce() -> String) {
        if self.count == 0 {
            match &mut self.report {
                FailureReport::Console => console::warn(&message()),
                FailureReport::Silent => {}
                FailureReport::Kept(kept) => *kept = Some(message()),
            }
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
