//! The number of events over time, in columns of a picture whose number is limited.
//!
//! Columns are as narrow as their number allows. When a time is outside, neighbours are joined to
//! columns of the next round width until it is inside. The result depends on the times alone and not on their order, so parts
//! of a stream can be counted separately.

use std::collections::VecDeque;

use crate::model::parse_millis;
use crate::redact::RedactedEvent;

/// The most columns.
const MAX_COLUMNS: usize = 240;

/// The widths of columns, in milliseconds. Each is a multiple of the one before it, and after the last
/// one, which is a day, each is twice the one before.
const WIDTHS: [i64; 15] = [
    100, 500, 1_000, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000,
    10_800_000, 21_600_000, 43_200_000, 86_400_000,
];

/// The number of gaps that are kept.
const MAX_GAPS: usize = 200;

/// The events in a range of time.
#[derive(Debug, Clone, Copy)]
pub struct TimeColumn {
    /// The start, in milliseconds of Unix time.
    pub from: i64,
    /// The end, in milliseconds of Unix time.
    pub to: i64,
    /// The number of events.
    pub events: u64,
}

/// The number of events over time, and the gaps between them.
#[derive(Debug, Clone, Default)]
pub struct EventsOverTime {
    /// The place of the width of a column among [`WIDTHS`] and its doublings.
    level: usize,
    /// The number of the first column, counted from the beginning of Unix time.
    first: i64,
    counts: VecDeque<u64>,
    /// The start and the end of each gap in milliseconds of Unix time, and whether events are
    /// missing for certain.
    gaps: Vec<(i64, i64, bool)>,
    /// The number of gaps that are not kept.
    more_gaps: u64,
}

impl EventsOverTime {
    const fn width(&self) -> i64 {
        width(self.level)
    }

    /// Counts `number` events at a time in milliseconds of Unix time.
    pub fn add(&mut self, millis: i64, number: u64) {
        let mut column = millis.div_euclid(self.width());
        if self.counts.is_empty() {
            self.first = column;
        }
        while !self.fits(column) {
            self.widen();
            column = millis.div_euclid(self.width());
        }
        while column < self.first {
            self.counts.push_front(0);
            self.first -= 1;
        }
        let place = usize::try_from(column - self.first).unwrap_or(0);
        while self.counts.len() <= place {
            self.counts.push_back(0);
        }
        self.counts[place] += number;
    }

    /// Keeps a gap.
    pub fn add_gap(&mut self, event: &RedactedEvent<'_>) {
        let time = |name| {
            let field = event.field(name).filter(|field| !field.hidden)?;
            parse_millis(&field.text()?)
        };
        let Some(to) = time("to") else { return };
        let is_certain = event.field("certain").is_some_and(|field| field.json == "true");
        self.keep_gap((time("from").unwrap_or(to).min(to), to, is_certain));
    }

    fn keep_gap(&mut self, gap: (i64, i64, bool)) {
        if self.gaps.len() < MAX_GAPS {
            self.gaps.push(gap);
        } else {
            self.more_gaps += 1;
        }
    }

    /// Adds what a later part of the stream has counted.
    pub fn merge(&mut self, part: &Self) {
        while !self.counts.is_empty() && self.level < part.level {
            self.widen();
        }
        if self.counts.is_empty() {
            self.level = part.level;
        }
        for (column, number) in (part.first..).zip(&part.counts) {
            if *number > 0 {
                self.add(column.saturating_mul(part.width()), *number);
            }
        }
        part.gaps.iter().for_each(|gap| self.keep_gap(*gap));
        self.more_gaps += part.more_gaps;
    }

    /// Returns whether a column can be added.
    fn fits(&self, column: i64) -> bool {
        let length = i64::try_from(self.counts.len()).unwrap_or(i64::MAX);
        let first = self.first.min(column);
        let end = self.first.saturating_add(length).max(column.saturating_add(1));
        end.saturating_sub(first) <= i64::try_from(MAX_COLUMNS).unwrap_or(i64::MAX)
    }

    /// Joins columns to wider ones.
    fn widen(&mut self) {
        let factor = width(self.level + 1) / self.width();
        let before = std::mem::take(&mut self.counts);
        let first = self.first.div_euclid(factor);
        for (column, number) in (self.first..).zip(before) {
            let place = usize::try_from(column.div_euclid(factor) - first).unwrap_or(0);
            if self.counts.len() <= place {
                self.counts.push_back(0);
            }
            self.counts[place] += number;
        }
        self.first = first;
        self.level += 1;
    }

    /// Returns the columns in order of time.
    #[must_use]
    pub fn columns(&self) -> Vec<TimeColumn> {
        let width = self.width();
        let column = |(number, events): (i64, &u64)| {
            let from = number.saturating_mul(width);
            TimeColumn { from, to: from.saturating_add(width), events: *events }
        };
        (self.first..).zip(&self.counts).map(column).collect()
    }

    /// Returns the gaps, and the number of those that were not kept.
    #[must_use]
    pub fn gaps(&self) -> (&[(i64, i64, bool)], u64) {
        (&self.gaps, self.more_gaps)
    }

    /// Returns the number of events that were counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

const fn width(level: usize) -> i64 {
    let last = WIDTHS.len() - 1;
    if level <= last { WIDTHS[level] } else { WIDTHS[last] << (level - last) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(times: &[i64]) -> EventsOverTime {
        let mut counted = EventsOverTime::default();
        for millis in times {
            counted.add(*millis, 1);
        }
        counted
    }

    fn shape(counted: &EventsOverTime) -> Vec<(i64, i64, u64)> {
        let columns = counted.columns();
        columns.iter().map(|column| (column.from, column.to, column.events)).collect()
    }

    proptest! {
        #[test]
        fn the_order_and_the_division_of_events_do_not_matter(
            mut times in prop::collection::vec(
                prop_oneof![0i64..2_000, 1_700_000_000_000i64..1_700_000_400_000, 0i64..10_000_000_000_000],
                1..200,
            ),
            at in any::<prop::sample::Index>(),
        ) {
            let whole = counted(&times);
            prop_assert!(whole.counts.len() <= MAX_COLUMNS);
            prop_assert_eq!(whole.total(), times.len() as u64);
            for millis in &times {
                let is_inside = |column: &TimeColumn| (column.from..column.to).contains(millis);
                prop_assert!(whole.columns().iter().any(is_inside));
            }
            let (first, second) = times.split_at(at.index(times.len() + 1));
            let mut merged = counted(first);
            merged.merge(&counted(second));
            prop_assert_eq!(shape(&merged), shape(&whole));
            times.reverse();
            prop_assert_eq!(shape(&counted(&times)), shape(&whole));
        }
    }

    #[test]
    fn extreme_times_have_a_column() {
        let counted = counted(&[i64::MIN, 0, i64::MAX]);
        assert_eq!(counted.total(), 3);
        assert!(counted.counts.len() <= MAX_COLUMNS);
    }
}
