//! The search for a regular expression in the listed events, run in slices so that no key waits for
//! it. It finds what the list shows: types, names of fields and values as they are displayed.

use std::collections::VecDeque;

use super::buffer::EventBuffer;
use super::event_text::event_text;
use super::rows::Rows;
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

/// The events that are searched.
pub struct Listed<'a> {
    /// The rows.
    pub rows: Rows<'a>,
    /// The number of the first event of which it is not known yet whether it is listed.
    pub tested: u64,
    /// The source of the applied filter; empty if there is none.
    pub filter: &'a str,
    /// Whether runs of events are folded into one row.
    pub is_folded: bool,
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
        listed: &Listed<'_>,
        columns: Option<&Columns>,
        buffer: &EventBuffer,
        reader: &mut StoredEventReader,
        slice: &mut TimeSlice,
    ) {
        let names = columns.map_or_else(String::new, |columns| columns.names().join(","));
        let basis = format!("{}\n{}\n{names}", listed.filter, listed.is_folded);
        if basis != self.basis {
            (self.basis, self.next) = (basis, 0);
            self.numbers.clear();
        }
        while self.numbers.front().is_some_and(|number| *number < buffer.first()) {
            self.numbers.pop_front();
        }
        self.next = self.next.max(buffer.first());
        while let Some(number) = listed.rows.at_or_after(self.next)
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
        if listed.rows.at_or_after(self.next).is_none() {
            self.next = self.next.max(listed.tested);
        }
    }

    /// Returns whether all listed events were tested. `tested` is the number of the first event of
    /// which it is not known yet whether it is listed.
    #[must_use]
    pub const fn is_finished(&self, tested: u64) -> bool {
        self.next >= tested
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
