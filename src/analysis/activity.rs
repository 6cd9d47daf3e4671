//! How many events there were over time, in a limited number of buckets that become wider as time
//! goes on.

use jiff::Timestamp;

use crate::model::Kind;
use crate::output::stored_event::StoredEvent;

/// The longest step between two events, in seconds: a year. A later time is an error of the sender
/// and must not make the buckets so wide that they show nothing.
const MAX_STEP: i64 = 366 * 24 * 3600;

/// The number of errors up to which each of them is unusual.
const FEW_ERRORS: u32 = 5;

/// The number of events in a time range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActivityBucket {
    /// All events.
    pub events: u32,
    /// The events that report an error.
    pub errors: u32,
    /// The events that report a gap.
    pub gaps: u32,
}

impl From<&StoredEvent> for ActivityBucket {
    fn from(stored: &StoredEvent) -> Self {
        Self {
            events: 1,
            errors: u32::from(stored.is_error),
            gaps: u32::from(stored.kind == Some(Kind::TapGap)),
        }
    }
}

impl ActivityBucket {
    /// Returns whether errors are at least twice as frequent as in `all`, which contains this one.
    #[must_use]
    pub fn has_unusual_errors(self, all: Self) -> bool {
        let product = |one: u32, other: u32| u64::from(one) * u64::from(other);
        let is_frequent = product(self.errors, all.events) / 2 >= product(all.errors, self.events);
        self.errors > 0 && (is_frequent || all.errors <= FEW_ERRORS)
    }

    /// Adds the events of another bucket.
    pub const fn add(&mut self, other: Self) {
        self.events = self.events.saturating_add(other.events);
        self.errors = self.errors.saturating_add(other.errors);
        self.gaps = self.gaps.saturating_add(other.gaps);
    }
}

/// The events of a time range that begins with the first one, in at most `LIMIT` buckets of the
/// same width. When they are not enough, each two become one.
#[derive(Debug, Clone)]
pub struct ActivitySeries<const LIMIT: usize> {
    buckets: Vec<ActivityBucket>,
    /// The second of Unix time at which the first bucket begins.
    start: i64,
    /// The width of a bucket in seconds.
    width: i64,
}

impl<const LIMIT: usize> Default for ActivitySeries<LIMIT> {
    fn default() -> Self {
        Self { buckets: Vec::new(), start: 0, width: 1 }
    }
}

impl<const LIMIT: usize> ActivitySeries<LIMIT> {
    /// Adds events that happened at a time. Those before the first bucket are added to it.
    pub fn add(&mut self, time: Timestamp, events: ActivityBucket) {
        self.extend_to(time);
        let place = usize::try_from((time.as_second() - self.start) / self.width).unwrap_or(0);
        let last = self.buckets.len().saturating_sub(1);
        if let Some(bucket) = self.buckets.get_mut(place.min(last)) {
            bucket.add(events);
        }
    }

    /// Adds empty buckets up to a time.
    pub fn extend_to(&mut self, time: Timestamp) {
        let second = time.as_second();
        if self.buckets.is_empty() {
            self.start = second;
            self.buckets.push(ActivityBucket::default());
        }
        if second - self.end() > MAX_STEP {
            return;
        }
        while second >= self.start + self.width * i64::try_from(LIMIT).unwrap_or(i64::MAX) {
            self.widen();
        }
        while second >= self.end() {
            self.buckets.push(ActivityBucket::default());
        }
    }

    fn end(&self) -> i64 {
        self.start + self.width * i64::try_from(self.buckets.len()).unwrap_or(0)
    }

    /// Makes each bucket twice as wide.
    fn widen(&mut self) {
        let pairs = self.buckets.chunks(2).map(|pair| {
            let mut sum = ActivityBucket::default();
            for bucket in pair {
                sum.add(*bucket);
            }
            sum
        });
        self.buckets = pairs.collect();
        self.width *= 2;
    }

    /// Returns the buckets, the oldest first.
    #[must_use]
    pub fn buckets(&self) -> &[ActivityBucket] {
        &self.buckets
    }

    /// Returns the width of a bucket in seconds.
    #[must_use]
    pub const fn width(&self) -> i64 {
        self.width
    }

    /// Returns the beginning of the first bucket and the end of the last one.
    #[must_use]
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let time = |second| Timestamp::from_second(second).ok();
        time(self.start).zip(time(self.end())).filter(|_| !self.buckets.is_empty())
    }

    /// Returns the sum of all buckets.
    #[must_use]
    pub fn sum(&self) -> ActivityBucket {
        let mut sum = ActivityBucket::default();
        for bucket in &self.buckets {
            sum.add(*bucket);
        }
        sum
    }

    /// Returns the events of each bucket.
    #[must_use]
    pub fn events(&self) -> impl DoubleEndedIterator<Item = f64> {
        self.buckets.iter().map(|bucket| f64::from(bucket.events))
    }

    /// Returns the events in `cells` parts of a time range. A bucket is divided among the parts that
    /// it overlaps.
    #[must_use]
    pub fn within(&self, (from, to): (Timestamp, Timestamp), cells: usize) -> Vec<f64> {
        let mut parts = vec![0.0; cells];
        let seconds = to.duration_since(from).as_secs_f64().max(1.0);
        #[expect(clippy::cast_precision_loss, reason = "a chart has few cells")]
        let cell_of = |second: i64| (second - from.as_second()) as f64 / seconds * cells as f64;
        let mut start = self.start;
        for bucket in &self.buckets {
            let (first, last) = (cell_of(start), cell_of(start + self.width));
            start += self.width;
            if bucket.events == 0 {
                continue;
            }
            for (cell, part) in (0_u32..).map(f64::from).zip(&mut parts) {
                let overlap = (last.min(cell + 1.0) - first.max(cell)).max(0.0);
                *part += f64::from(bucket.events) * overlap / (last - first);
            }
        }
        parts
    }

    /// Returns the approximate memory use besides that of the struct, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.buckets.capacity() * size_of::<ActivityBucket>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: ActivityBucket = ActivityBucket { events: 1, errors: 0, gaps: 0 };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn series(seconds: &[i64]) -> ActivitySeries<4> {
        let mut series = ActivitySeries::default();
        for second in seconds {
            series.add(at(*second), ONE);
        }
        series
    }

    fn counts(seconds: &[i64]) -> (i64, Vec<u32>) {
        let series = series(seconds);
        (series.width(), series.buckets().iter().map(|bucket| bucket.events).collect())
    }

    #[test]
    fn buckets_become_wider_as_time_goes_on() {
        assert_eq!(counts(&[10, 10, 12, 13]), (1, vec![2, 0, 1, 1]));
        assert_eq!(counts(&[10, 10, 12, 13, 14]), (2, vec![2, 2, 1]));
        assert_eq!(counts(&[10, 100]), (32, vec![1, 0, 1]));
        assert_eq!(
            counts(&[10, 11, 3]),
            (1, vec![2, 1]),
            "an earlier event is in the first bucket"
        );
        assert_eq!(counts(&[10, 11, 9_000_000_000]), (1, vec![1, 2]), "an impossible time");
        assert_eq!(series(&[10, 14]).span(), Some((at(10), at(16))));
        assert_eq!(series(&[]).span(), None);
    }

    #[test]
    fn errors_are_unusual_if_they_are_rare_elsewhere() {
        let bucket = |events, errors| ActivityBucket { events, errors, gaps: 0 };
        let all = bucket(1000, 100);
        assert!(!bucket(10, 1).has_unusual_errors(all) && bucket(10, 2).has_unusual_errors(all));
        assert!(!bucket(10, 0).has_unusual_errors(all));
        assert!(bucket(10, 1).has_unusual_errors(bucket(20, 5)));
    }

    #[test]
    fn a_series_is_drawn_on_the_axis_of_others() {
        let series = series(&[10, 10, 12, 13]);
        assert_eq!(series.within((at(10), at(14)), 4), [2.0, 0.0, 1.0, 1.0]);
        assert_eq!(series.within((at(10), at(14)), 2), [2.0, 2.0]);
        assert_eq!(series.within((at(6), at(14)), 4), [0.0, 0.0, 2.0, 2.0]);
        assert_eq!(series.within((at(10), at(12)), 4), [1.0, 1.0, 0.0, 0.0]);
        assert_eq!(series.within((at(10), at(10)), 0), [0.0; 0]);
    }

    proptest! {
        #[test]
        fn no_event_is_lost_and_memory_is_limited(seconds in prop::collection::vec(0_i64..10_000_000_000, 1..200)) {
            let mut series = ActivitySeries::<24>::default();
            for second in &seconds {
                series.add(at(*second), ActivityBucket { events: 1, errors: 1, gaps: 0 });
            }
            prop_assert!(series.buckets().len() <= 24 && series.bytes() <= 48 * size_of::<ActivityBucket>());
            let sum: u32 = series.buckets().iter().map(|bucket| bucket.events).sum();
            prop_assert_eq!(sum as usize, seconds.len());
            let drawn: f64 = series.within(series.span().expect("a span"), 7).iter().sum();
            prop_assert!((drawn - f64::from(sum)).abs() < 1e-6);
        }
    }
}
