//! The events that are listed: all at hand, or those that the filter keeps; up to the pause, if there is one.

use std::collections::VecDeque;

/// The numbers of the listed events, in order.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    kept: Option<&'a VecDeque<u64>>,
    /// Where in `kept` they begin; or the first number, if all are listed.
    from: u64,
    to: u64,
}

impl<'a> Rows<'a> {
    /// The events from `first` to before `end`: those in `kept`, if there is a filter.
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

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::try_from(self.to - self.from).unwrap_or(usize::MAX)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.to == self.from
    }

    /// The number of the event in that place.
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

    /// The last of them.
    #[must_use]
    pub fn last(&self) -> Option<u64> {
        self.get(self.len().checked_sub(1)?)
    }

    /// The place of the event of that number, or of the one that stands nearest after it; the last place at most.
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
    fn all_events_are_known_by_number() {
        let rows = Rows::new(None, 10, 15);
        assert_eq!(
            (rows.len(), rows.get(0), rows.last(), rows.get(5)),
            (5, Some(10), Some(14), None)
        );
        assert_eq!((rows.place(12), rows.place(3), rows.place(99)), (2, 0, 4));
    }

    #[test]
    fn of_the_kept_ones_those_that_are_gone_or_come_after_the_pause_do_not_count() {
        let kept = VecDeque::from([1, 4, 6, 9, 12]);
        let rows = Rows::new(Some(&kept), 3, 10);
        assert_eq!((rows.len(), rows.get(0), rows.last()), (3, Some(4), Some(9)));
        assert_eq!((rows.place(5), rows.place(9), rows.place(12)), (1, 2, 2));
        assert!(Rows::new(Some(&kept), 20, 30).is_empty());
    }
}
