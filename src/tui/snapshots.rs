//! Snapshots of the [`Projection`], so that it can be shown as it was earlier.
//!
//! A snapshot is taken after some thousand events, or sooner if much time has passed between them.
//! When there are too many, or when they take too much memory, the one is dropped that its
//! neighbours replace best for its age. So the older they are, the farther they are apart.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::projection::Projection;
use crate::analysis::byte_budget::ByteMeter;

/// The number of events after which a snapshot is taken.
const EVENTS: u64 = 8192;

/// The number of events after which a snapshot is taken if [`SECONDS`] have passed between them.
const FEW_EVENTS: u64 = 1024;

/// The time between events after which a snapshot is taken, in seconds.
const SECONDS: i64 = 30;

/// The maximum number of snapshots.
const MAX_SNAPSHOTS: usize = 256;

/// A projection as it was.
#[derive(Debug)]
struct Snapshot {
    projection: Projection,
    /// The memory besides that of the calls, in bytes.
    bytes: usize,
}

impl Snapshot {
    /// Returns a position that grows both with time and with events.
    fn position(&self) -> i128 {
        let millis = self.projection.last_event_time.map_or(0, Timestamp::as_millisecond);
        i128::from(millis) + i128::from(self.projection.sequence())
    }
}

/// The snapshots, oldest first.
#[derive(Debug)]
pub struct Snapshots {
    taken: VecDeque<Snapshot>,
    /// The projection before the first event.
    empty: Projection,
    limit: usize,
    /// The number of events of the last snapshot, and its time in seconds.
    last: (u64, i64),
    /// The memory of the snapshots besides that of their calls, in bytes.
    bytes: usize,
    /// The memory of the calls that only the snapshots have, or what is built from them.
    meter: ByteMeter,
}

impl Snapshots {
    /// Creates a store without snapshots, which takes at most `limit` bytes. `present` is the
    /// projection before the first event.
    #[must_use]
    pub fn new(limit: usize, present: &Projection) -> Self {
        let meter = present.calls.meter().clone();
        let empty = present.snapshot(None);
        Self { taken: VecDeque::new(), empty, limit, last: (0, 0), bytes: 0, meter }
    }

    /// Takes a snapshot of the present if one is due.
    pub fn take_if_due(&mut self, present: &Projection) {
        // A call that the present has dropped counts from then on.
        self.thin_out();
        let events = present.sequence() - self.last.0;
        if events < FEW_EVENTS {
            return;
        }
        let second = present.last_event_time.map_or(0, Timestamp::as_second);
        if events >= EVENTS || second - self.last.1 >= SECONDS {
            self.last = (present.sequence(), second);
            self.take(present);
        }
    }

    /// Takes a snapshot of the present.
    fn take(&mut self, present: &Projection) {
        let earlier = self.taken.back().map(|last| &last.projection);
        let projection = present.snapshot(earlier);
        let bytes = projection.snapshot_bytes();
        self.bytes += bytes;
        self.taken.push_back(Snapshot { projection, bytes });
        self.thin_out();
    }

    /// Returns the memory use, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes + self.meter.used()
    }

    /// Drops snapshots until the limits are respected.
    pub fn thin_out(&mut self) {
        while self.taken.len() > MAX_SNAPSHOTS || self.bytes() > self.limit {
            let dropped = self.most_replaceable().and_then(|place| self.taken.remove(place));
            let Some(dropped) = dropped else { return };
            self.bytes -= dropped.bytes;
        }
    }

    /// Returns the place of the snapshot whose neighbours are close to each other for its age. If
    /// there is none between two others, returns that of the oldest one.
    fn most_replaceable(&self) -> Option<usize> {
        let newest = self.taken.back()?.position();
        let between = 1..self.taken.len().saturating_sub(1);
        let distance = |place: usize| {
            let [before, at, after] = [place - 1, place, place + 1];
            let gap = self.taken[after].position() - self.taken[before].position();
            // An event may be older than the one before it.
            (gap.max(0) << 32) / (newest - self.taken[at].position() + 1).max(1)
        };
        Some(between.min_by_key(|place| distance(*place)).unwrap_or(0))
    }

    /// Returns the newest snapshot that contains no event after that many.
    #[must_use]
    pub fn at_sequence(&self, sequence: u64) -> Option<&Projection> {
        let end = self.taken.partition_point(|taken| taken.projection.sequence() <= sequence);
        Some(&self.taken.get(end.checked_sub(1)?)?.projection)
    }

    /// Returns the projection before the first event.
    #[must_use]
    pub const fn empty(&self) -> &Projection {
        &self.empty
    }

    /// Returns the newest snapshot of that time or an earlier one, or else the oldest snapshot.
    #[must_use]
    pub fn at_time(&self, time: Timestamp) -> Option<&Projection> {
        let mut newest_first = self.taken.iter().rev();
        let found = newest_first.find(|taken| taken.projection.last_event_time <= Some(time));
        Some(&found.or_else(|| self.taken.front())?.projection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn projection(sequence: u64, second: i64) -> Projection {
        let mut projection = Projection::new(0);
        projection.stats.totals.events = sequence;
        projection.last_event_time = Timestamp::from_second(second).ok();
        projection
    }

    #[test]
    fn snapshots_are_taken_by_events_and_by_time() {
        let mut snapshots = Snapshots::new(usize::MAX, &projection(0, 0));
        let mut taken = |sequence, second| {
            let before = snapshots.taken.len();
            snapshots.take_if_due(&projection(sequence, second));
            snapshots.taken.len() > before
        };
        assert!(!taken(FEW_EVENTS - 1, 1_000_000), "few events are soon observed again");
        assert!(taken(FEW_EVENTS, 1_000_000));
        assert!(!taken(FEW_EVENTS * 2, 1_000_000 + SECONDS - 1));
        assert!(taken(FEW_EVENTS * 2, 1_000_000 + SECONDS));
        assert!(!taken(FEW_EVENTS * 2 + EVENTS - 1, 1_000_000));
        assert!(taken(FEW_EVENTS * 2 + EVENTS, 1_000_000));
    }

    #[test]
    fn the_older_snapshots_are_the_farther_they_are_apart() {
        let mut snapshots = Snapshots::new(usize::MAX, &projection(0, 0));
        for number in 0..20_000 {
            snapshots.take(&projection(number * EVENTS, i64::try_from(number).expect("few") * 10));
        }
        assert_eq!(snapshots.taken.len(), MAX_SNAPSHOTS);
        let numbers: Vec<_> =
            snapshots.taken.iter().map(|taken| taken.projection.sequence() / EVENTS).collect();
        assert_eq!((numbers[0], numbers[MAX_SNAPSHOTS - 1]), (0, 19_999));
        for pair in numbers.windows(2) {
            let (gap, age) = (pair[1] - pair[0], 20_000 - pair[1]);
            assert!(gap <= 1 + age / 8, "{gap} events at an age of {age}");
        }
    }

    #[test]
    fn snapshots_take_no_more_than_their_limit() {
        let one = projection(0, 0).snapshot_bytes();
        let mut snapshots = Snapshots::new(one * 5, &projection(0, 0));
        (0..100).for_each(|number| snapshots.take(&projection(number * EVENTS, 0)));
        assert!(snapshots.taken.len() <= 5 && snapshots.bytes() <= one * 5);
        let mut none = Snapshots::new(one - 1, &projection(0, 0));
        none.take(&projection(0, 0));
        assert_eq!((none.taken.len(), none.bytes()), (0, 0), "one that is too large is not kept");
    }

    #[test]
    fn the_newest_snapshot_before_a_moment_is_found() {
        let mut snapshots = Snapshots::new(usize::MAX, &projection(0, 0));
        (1..4).for_each(|number| snapshots.take(&projection(number * 10, 100)));
        snapshots.take(&projection(40, 200));
        let sequence = |found: Option<&Projection>| found.map(Projection::sequence);
        let by_sequence = [9, 10, 29, 99].map(|at| sequence(snapshots.at_sequence(at)));
        assert_eq!(by_sequence, [None, Some(10), Some(20), Some(40)]);
        let time = |second| Timestamp::from_second(second).expect("a time");
        let by_time = [99, 100, 199, 200].map(|at| sequence(snapshots.at_time(time(at))));
        assert_eq!(by_time, [Some(10), Some(30), Some(30), Some(40)], "else the oldest");
    }
}
