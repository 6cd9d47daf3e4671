//! The search for a regular expression in the listed events, in slices so that no key waits for it.

use super::buffer::EventBuffer;
use super::rows::Rows;
use super::time_slice::TimeSlice;
use crate::output::stored_event::StoredEventReader;
use crate::query::GrepFilter;

/// A pattern, and the search for it while one is running.
pub struct SearchQuery {
    /// The pattern as it was typed.
    pub pattern: String,
    /// The compiled pattern.
    pub grep: GrepFilter,
    /// The search that is running.
    pub task: Option<SearchTask>,
}

/// A search on its way through the list.
#[derive(Debug, Clone, Copy)]
pub struct SearchTask {
    next: usize,
    left: usize,
    forward: bool,
}

/// What one slice of a search came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchProgress {
    /// The event of that number matches.
    Found(u64),
    /// No event matches.
    NotFound,
    /// There are events left to look at.
    Unfinished,
}

impl SearchTask {
    /// Starts beside the event in place `from` of `len` events; the search wraps around.
    #[must_use]
    pub const fn new(from: usize, len: usize, forward: bool) -> Option<Self> {
        if len == 0 {
            return None;
        }
        let next = if forward { from + 1 } else { from + len - 1 };
        Some(Self { next: next % len, left: len, forward })
    }

    /// Continues until an event matches, all were looked at, or the slice is used up.
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
