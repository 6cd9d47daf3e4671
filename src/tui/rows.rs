//! The events that are listed: all buffered events or those that pass the filter, up to the pause
//! if there is one.
//!
//! A run of events may be folded into one row, which has the number of its first event.
//!
//! An event has a *number*, which never changes, and a *place*, its index among the listed events.

use std::collections::VecDeque;

use super::row_index::{FoldedRun, RowIndex};

/// The numbers of the listed events, in order.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    kept: Option<&'a VecDeque<u64>>,
    /// The runs of events that are one row, if they are folded.
    index: Option<&'a RowIndex>,
    /// The index of the first listed event in `kept`; without a filter, its number.
    from: u64,
    /// The exclusive end, in the same unit.
    to: u64,
}

impl<'a> Rows<'a> {
    /// Lists the events from `first` up to but excluding `end`; with a filter, those in `kept`.
    #[must_use]
    pub fn new(kept: Option<&'a VecDeque<u64>>, first: u64, end: u64) -> Self {
        match kept {
            None => Self { kept, index: None, from: first, to: end.max(first) },
            Some(numbers) => {
                let place = |limit| numbers.partition_point(|number| *number < limit) as u64;
                let from = place(first);
                Self { kept, index: None, from, to: place(end).max(from) }
            }
        }
    }

    /// Lists the rows of an index from the event `first` up to but excluding `end`.
    #[must_use]
    pub fn folded(index: &'a RowIndex, first: u64, end: u64) -> Self {
        Self { index: Some(index), ..Self::new(Some(index.heads()), first, end) }
    }

    /// Returns the run of events that the row of an event stands for.
    #[must_use]
    pub fn run(&self, head: u64) -> Option<FoldedRun> {
        self.index?.run(head)
    }

    /// Returns the first listed event with that number or a higher one.
    #[must_use]
    pub fn at_or_after(&self, number: u64) -> Option<u64> {
        let place = match self.kept {
            None => number,
            Some(numbers) => numbers.partition_point(|kept| *kept < number) as u64,
        };
        self.get(usize::try_from(place.max(self.from) - self.from).ok()?)
    }

    /// Returns the number of listed events.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::try_from(self.to - self.from).unwrap_or(usize::MAX)
    }

    /// Returns whether no event is listed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.to == self.from
    }

    /// Returns the number of the event in that place.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<u64> {
        let place = self.from + index as u64;
        if place >= self.to {
            return None;
        }
        match self.kept {
            None => Some(place),
            Some(numbers) => numbers.get(usize::try_from(place).ok()?).copied(),
        }
    }

    /// Returns the number of the last listed event.
    #[must_use]
    pub fn last(&self) -> Option<u64> {
        self.get(self.len().checked_sub(1)?)
    }

    /// Returns the place of the event with that number. If it is not listed, returns the place of
    /// the next listed event, or the last place if there is none.
    #[must_use]
    pub fn place(&self, number: u64) -> usize {
        let place = match self.kept {
            None => number,
            Some(numbers) => {
                let after = numbers.partition_point(|kept| *kept <= number);
                let before = after.checked_sub(1).and_then(|place| numbers.get(place));
                // The event is in the row before, or in the folded run of that row.
                let is_before = before.is_some_and(|head| {
                    *head == number || self.run(*head).is_some_and(|run| run.last >= number)
                });
                (after - usize::from(is_before)) as u64
            }
        };
        usize::try_from(place.clamp(self.from, self.to) - self.from)
            .unwrap_or(0)
            .min(self.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_all_events_without_a_filter() {
        let rows = Rows::new(None, 10, 15);
        assert_eq!(
            (rows.len(), rows.get(0), rows.last(), rows.get(5)),
            (5, Some(10), Some(14), None)
        );
        assert_eq!((rows.place(12), rows.place(3), rows.place(99)), (2, 0, 4));
    }

    #[test]
    fn excludes_matches_that_were_dropped_or_came_after_the_pause() {
        let kept = VecDeque::from([1, 4, 6, 9, 12]);
        let rows = Rows::new(Some(&kept), 3, 10);
        assert_eq!((rows.len(), rows.get(0), rows.last()), (3, Some(4), Some(9)));
        assert_eq!((rows.place(5), rows.place(9), rows.place(12)), (1, 2, 2));
        assert!(Rows::new(Some(&kept), 20, 30).is_empty());
    }
}
