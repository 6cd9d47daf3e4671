//! What a replay has read so far, by the place in its recordings: how fast events followed each other
//! when they happened, and where errors and gaps are.

use jiff::Timestamp;

use crate::analysis::activity::ActivityBucket;
use crate::output::stored_event::StoredEvent;

/// The number of parts that the recordings are divided into, in proportion to their bytes.
const PARTS: usize = 512;

/// The shortest time between two parts, in seconds. Events within a millisecond have no rate.
const MIN_SECONDS: f64 = 0.001;

/// The events of one part of the recordings.
#[derive(Debug, Clone, Copy, Default)]
struct ProfilePart {
    /// The time of the first event.
    first: Option<Timestamp>,
    events: ActivityBucket,
}

/// The events of a replay by their places, with limited memory.
#[derive(Debug, Clone, Default)]
pub struct ReplayProfile {
    parts: Vec<ProfilePart>,
    last: Option<Timestamp>,
    all: ActivityBucket,
}

/// A cell of a bar that stands for all recordings.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ProfileCell {
    /// The events per second, by their own times.
    pub rate: f64,
    /// Whether a larger share of the events than usual reports errors.
    pub has_errors: bool,
    /// Whether there is a gap.
    pub has_gaps: bool,
}

impl ReplayProfile {
    /// Adds an event at a place, from 0 for the beginning of all recordings to 1 for their end.
    pub fn add(&mut self, place: f64, stored: &StoredEvent) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "there are few parts"
        )]
        let at = ((place * PARTS as f64) as usize).min(PARTS - 1);
        if self.parts.len() <= at {
            self.parts.resize(at + 1, ProfilePart::default());
        }
        let part = &mut self.parts[at];
        part.first = part.first.or(stored.time);
        let event = ActivityBucket::from(stored);
        part.events.add(event);
        self.all.add(event);
        self.last = stored.time.or(self.last);
    }

    /// Returns the cells that have been read of a bar with `count` cells.
    #[must_use]
    pub fn cells(&self, count: usize) -> Vec<ProfileCell> {
        let cell = |at: usize| {
            let from = at * PARTS / count;
            let to = ((at + 1) * PARTS / count).max(from + 1).min(self.parts.len());
            let parts = self.parts.get(from..to).filter(|parts| !parts.is_empty())?;
            let mut sum = ProfilePart::default();
            for part in parts {
                sum.first = sum.first.or(part.first);
                sum.events.add(part.events);
            }
            Some(sum)
        };
        let sums: Vec<_> = (0..count).map_while(cell).collect();
        let mut cells = vec![ProfileCell::default(); sums.len()];
        // A cell ends where the next one with an event begins. A long event takes several cells.
        let mut until = self.last;
        let last = sums.len();
        for (at, (cell, sum)) in cells.iter_mut().zip(&sums).enumerate().rev() {
            // Nothing is known about the time after the last event.
            if let (Some(first), Some(end)) = (sum.first, until)
                && (first < end || at + 1 < last)
            {
                let seconds = end.duration_since(first).as_secs_f64().max(MIN_SECONDS);
                cell.rate = f64::from(sum.events.events) / seconds;
            }
            until = sum.first.or(until);
            cell.has_errors = sum.events.has_unusual_errors(self.all);
            cell.has_gaps = sum.events.gaps > 0;
        }
        let mut rate = 0.0;
        for (cell, sum) in cells.iter_mut().zip(&sums) {
            if sum.events.events == 0 || cell.rate <= 0.0 {
                cell.rate = rate;
            }
            rate = cell.rate;
        }
        cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    fn event(millis: i64, kind: Kind, is_error: bool) -> StoredEvent {
        StoredEvent {
            event_type: kind.spec().event_type.into(),
            kind: Some(kind),
            time: Timestamp::from_millisecond(millis).ok(),
            call_sid: None,
            line: "{}".into(),
            drifted: false,
            is_error,
            place: 0,
        }
    }

    #[test]
    fn rates_follow_the_times_of_the_events() {
        let mut profile = ReplayProfile::default();
        assert!(profile.cells(10).is_empty());
        // Ten events a second in the first half, and one in two seconds after that.
        for number in 0..50 {
            let time = if number < 25 { number * 100 } else { 2500 + (number - 25) * 2000 };
            let place = f64::from(u32::try_from(number).expect("few")) / 100.0;
            profile.add(place, &event(time, Kind::Latency, false));
        }
        let cells = profile.cells(10);
        let rates: Vec<_> = cells.iter().map(|cell| cell.rate).collect();
        assert_eq!(rates.len(), 5, "half of the bar has been read");
        assert!((rates[0] - 10.0).abs() < 0.5 && (rates[3] - 0.5).abs() < 0.1, "{rates:?}");
        // There are more cells than events, so an event takes several.
        assert!(profile.cells(2000).iter().all(|cell| cell.rate > 0.0));
    }

    #[test]
    fn unusually_many_errors_and_gaps_are_marked() {
        let mut profile = ReplayProfile::default();
        for number in 0_u32..100 {
            let kind = if number == 70 { Kind::TapGap } else { Kind::Latency };
            let is_error = number % 10 == 0 || (41..45).contains(&number);
            profile
                .add(f64::from(number) / 100.0, &event(i64::from(number) * 1000, kind, is_error));
        }
        let marks = |is_marked: fn(&ProfileCell) -> bool| -> Vec<usize> {
            let cells = profile.cells(10);
            (0..10).filter(|at| is_marked(&cells[*at])).collect()
        };
        assert_eq!(marks(|cell| cell.has_errors), [4]);
        assert_eq!(marks(|cell| cell.has_gaps), [7]);
    }
}
