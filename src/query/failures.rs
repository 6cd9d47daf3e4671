//! Counts the events on which an expression failed.

use crate::text::console;

/// On how many events an expression has failed. The first time is told.
#[derive(Debug, Default)]
pub struct Failures {
    count: u64,
    is_silent: bool,
}

impl Failures {
    /// None yet, and none to be told.
    #[must_use]
    pub const fn silent() -> Self {
        Self { count: 0, is_silent: true }
    }

    /// One more, told in these words if it is the first.
    pub fn record(&mut self, words: impl FnOnce() -> String) {
        if self.count == 0 && !self.is_silent {
            console::report(&words());
        }
        self.count += 1;
    }

    /// So many more, of which none is the first.
    pub const fn add(&mut self, more: u64) {
        self.count += more;
    }

    /// How many there have been since this was asked last.
    pub const fn take(&mut self) -> u64 {
        std::mem::replace(&mut self.count, 0)
    }

    /// How many there have been.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }
}
