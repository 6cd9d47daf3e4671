//! The search for a regular expression in the listed events, run in slices so that no key waits for
//! it.

use super::buffer::EventBuffer;
use super::rows::Rows;
use super::time_slice::TimeSlice;
use crate::output::stored_event::StoredEventReader;
use crate::query::GrepFilter;

/// A pattern and the running search for it, if any.
pub struct SearchQuery {
    /// The pattern as it was typed.
    pub pattern: String,
    /// The compiled pattern.
    pub grep: GrepFilter,
    /// The running search.
    pub task: Option<SearchTask>,
}

/// The progress of a running search.
#[derive(Debug, Clone, Copy)]
pub struct SearchTask {
    next: usize,
    left: usize,
    forward: bool,
}

/// The outcome of one slice of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchProgress {
    /// The event with that number matches.
    Found(u64),
    /// No event matches.
    NotFound,
    /// Some events have not been tested yet.
    Unfinished,
}

impl SearchTask {
    /// Creates a search through all `len` events that starts next to place `from` and wraps around.
    /// Returns `None` if there are no events.
    #[must_use]
    pub const fn new(from: usize, len: usize, forward: bool) -> Option<Self> {
        if len == 0 {
            return None;
        }
        let next = if forward { from + 1 } else { from + len - 1 };
        Some(Self { next: next % len, left: len, forward })
    }

    /// Continues until an event matches, all events were tested, or the slice is used up.
    pub fn advance(
        &mut self,
        grep: &GrepFilter,
        rows: Rows<'_>,
        buffer: &EventBuffer,
        slice: &mut TimeSlice,
    ) -> SearchProgress {
        let mut reader = StoredEventReader::default();
        let len = rows.len().max(1);
        while self.left > 0 && slice.take() {
            let number = rows.get(self.next % len);
            let stored = number.and_then(|number| buffer.get(number));
            let is_match =
                stored.is_some_and(|stored| reader.read(stored, |event| grep.matches(event)));
            self.left -= 1;
            let next = if self.forward { self.next + 1 } else { self.next + rows.len() - 1 };
            self.next = next % len;
            if let Some(number) = number.filter(|_| is_match) {
                return SearchProgress::Found(number);
            }
        }
        if self.left == 0 { SearchProgress::NotFound } else { SearchProgress::Unfinished }
    }
}
