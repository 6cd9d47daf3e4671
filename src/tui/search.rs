//! The search for a regular expression in the listed events, run in slices so that no key waits for
//! it. It finds what the list shows: types, names of fields and values as they are displayed.

use std::collections::VecDeque;

use super::buffer::EventBuffer;
use super::event_text::event_text;
use super::filter::FilterTask;
use super::time_slice::TimeSlice;
use crate::output::columns::Columns;
use crate::output::stored_event::StoredEventReader;
use crate::query::GrepFilter;

/// A pattern and the listed events that match it.
pub struct SearchQuery {
    /// The pattern as it was typed.
    pub pattern: String,
    /// The compiled pattern.
    pub grep: GrepFilter,
    /// Whether to go to the next match (`true`) or to the previous one once it is known.
    pub pending: Option<bool>,
    /// The numbers of the matching events, in ascending order.
    numbers: VecDeque<u64>,
    /// The number of the first event that was not tested.
    next: u64,
    /// The filter and the columns that the matches were found with.
    basis: String,
}

/// The outcome of going to a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchJump {
    /// The match with that number; `wrapped` says that the search started over at the other end.
    To { number: u64, wrapped: bool },
    /// No event matches.
    NoMatch,
    /// More events have to be tested first.
    Unknown,
}

impl SearchQuery {
    /// Creates a search that has tested no event yet.
    #[must_use]
    pub const fn new(pattern: String, grep: GrepFilter) -> Self {
        Self {
            pattern,
            grep,
            pending: None,
            numbers: VecDeque::new(),
            next: 0,
            basis: String::new(),
        }
    }

    /// Tests listed events until the slice is used up.
    pub fn advance(
        &mut self,
        filter: Option<&FilterTask>,
        columns: Option<&Columns>,
        buffer: &EventBuffer,
        reader: &mut StoredEventReader,
        slice: &mut TimeSlice,
    ) {
        let names = columns.map_or_else(String::new, |columns| columns.names().join(","));
        let basis = format!("{}\n{names}", filter.map_or("", |filter| &filter.source));
        if basis != self.basis {
            (self.basis, self.next) = (basis, 0);
            self.numbers.clear();
        }
        while self.numbers.front().is_some_and(|number| *number < buffer.first()) {
            self.numbers.pop_front();
        }
        self.next = self.next.max(buffer.first());
        while let Some(number) = self.next_listed(filter)
            && let Some(stored) = buffer.get(number)
            && slice.take()
        {
            let grep = &self.grep;
            let is_match = reader.read(stored, |event| grep.is_match(&event_text(event, columns)));
            if is_match {
                self.numbers.push_back(number);
            }
            self.next = number + 1;
        }
        if self.next_listed(filter).is_none() {
            self.next = self.next.max(filter.map_or(0, FilterTask::tested));
        }
    }

    /// Returns the number of the first listed event that was not tested.
    fn next_listed(&self, filter: Option<&FilterTask>) -> Option<u64> {
        let Some(filter) = filter else { return Some(self.next) };
        let numbers = filter.numbers();
        numbers.get(numbers.partition_point(|number| *number < self.next)).copied()
    }

    /// Returns whether all listed events were tested.
    #[must_use]
    pub fn is_finished(&self, filter: Option<&FilterTask>, buffer: &EventBuffer) -> bool {
        self.next >= filter.map_or(buffer.end(), FilterTask::tested)
    }

    /// Returns the match that follows the selected event in that direction.
    #[must_use]
    pub fn jump(&self, selected: u64, forward: bool, is_finished: bool) -> SearchJump {
        let before = self.numbers.partition_point(|number| *number < selected);
        let after = self.numbers.partition_point(|number| *number <= selected);
        let near = if forward {
            self.numbers.get(after)
        } else {
            before.checked_sub(1).and_then(|place| self.numbers.get(place))
        };
        // Events are tested from the oldest to the newest.
        if !is_finished && (near.is_none() || !forward && self.next < selected) {
            return SearchJump::Unknown;
        }
        let far = if forward { self.numbers.front() } else { self.numbers.back() };
        match (near, far) {
            (Some(number), _) => SearchJump::To { number: *number, wrapped: false },
            (None, Some(number)) => SearchJump::To { number: *number, wrapped: true },
            (None, None) => SearchJump::NoMatch,
        }
    }

    /// Returns the position of the selected event among the matches, from 1, if it is one, and the
    /// number of matches.
    #[must_use]
    pub fn position(&self, selected: u64) -> (Option<usize>, usize) {
        let place = self.numbers.binary_search(&selected).ok();
        (place.map(|place| place + 1), self.numbers.len())
    }
}
