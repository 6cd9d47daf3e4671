//! The search for a regular expression among what is listed, in slices so that no key waits for it.

use super::filter::TimeSlice;
use super::state::State;
use crate::output::stored_event::StoredEventReader;
use crate::query::GrepFilter;

/// What is searched for.
pub struct SearchQuery {
    /// As it was typed.
    pub pattern: String,
    /// As it is looked for.
    pub grep: GrepFilter,
    /// The place that is looked at next, while it is being looked for.
    pub hunt: Option<SearchTask>,
}

/// A search on its way.
#[derive(Debug, Clone, Copy)]
pub struct SearchTask {
    next: usize,
    left: usize,
    forward: bool,
}

impl State {
    /// Starts a search from the selected event on.
    pub fn seek(&mut self, forward: bool) {
        let len = self.rows().len();
        let place = self.rows().place(self.selected);
        let Some(search) = &mut self.search else {
            return self.tell("nothing is searched for: / begins");
        };
        let step = |place: usize| if forward { place + 1 } else { place + len - 1 };
        if len > 0 {
            search.hunt = Some(SearchTask { next: step(place) % len, left: len, forward });
        }
    }

    /// Goes on with the search until something is found, all was looked at, or the slice is used up.
    pub(super) fn go_on_searching(&mut self, slice: &mut TimeSlice) {
        let Some(search) = &self.search else { return };
        let (Some(mut hunt), grep) = (search.hunt, search.grep.clone()) else { return };
        let mut reader = StoredEventReader::default();
        let rows = self.rows();
        let mut found = None;
        while hunt.left > 0 && found.is_none() && slice.takes() {
            let number = rows.get(hunt.next % rows.len().max(1));
            found = number.filter(|number| {
                self.buffer
                    .get(*number)
                    .is_some_and(|stored| reader.read(stored, |shown| grep.matches(shown)))
            });
            hunt.left -= 1;
            hunt.next = if hunt.forward { hunt.next + 1 } else { hunt.next + rows.len() - 1 }
                % rows.len().max(1);
        }
        let is_over = hunt.left == 0 || found.is_some();
        if let Some(search) = &mut self.search {
            search.hunt = (!is_over).then_some(hunt);
        }
        match found {
            Some(number) => self.select(number),
            None if is_over => self.tell("nothing matches"),
            None => {}
        }
    }
}
