//! The events that are listed: all buffered events or those that pass the filter, up to the pause
//! if there is one.
//!
//! An event has a *number*, which never changes, and a *place*, its index among the listed events.

use std::collections::VecDeque;

/// The numbers of the listed events, in order.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    kept: Option<&'a VecDeque<u64>>,
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
            None => Self { kept, from: first, to: end.max(first) },
            Some(numbers) => {
                let place = |limit| numbers.partition_point(|number| *number < limit) as u64;
                let from = place(first);
                Self { kept, from, to: place(end).max(from) }
            }
        }
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
            Some(numbers) => numbers.partition_point(|kept| *kept < number) as u64,
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
