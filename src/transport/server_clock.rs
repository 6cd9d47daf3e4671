//! How far the local clock is ahead of the server's, by the ids of events and the dates of answers.
//!
//! Events have times of the server's clock, and gaps are reported in them. A clock of this machine
//! that is slow would otherwise end a gap before the events that are missing.

use jiff::Timestamp;

use super::gap::{millis, shifted};

/// A second, in milliseconds: the precision of dates.
const SECOND: i64 = 1000;

/// Measurements of the server's clock. All offsets are in milliseconds.
#[derive(Debug, Default)]
pub(super) struct ServerClock {
    /// The minimum distance of the ids behind the local clock.
    by_ids: Option<i64>,
    /// How far the local clock was ahead at the last answer with a date, or up to a second less.
    by_date: Option<i64>,
}

impl ServerClock {
    /// Notes the date of an answer, if it has one, in milliseconds.
    pub fn note_date(&mut self, date: Option<u64>, now: Timestamp) {
        let date = date.and_then(|date| i64::try_from(date).ok());
        self.by_date = date.map(|date| millis(now) - date - SECOND).or(self.by_date);
    }

    /// Notes an event. `backwards` means that the clock was set back, so that earlier measurements
    /// no longer apply.
    pub fn note_id(&mut self, id: i64, received_at: Timestamp, backwards: bool) {
        let behind = millis(received_at) - id;
        let least = self.by_ids.filter(|_| !backwards);
        self.by_ids = Some(least.map_or(behind, |least| least.min(behind)));
    }

    /// Returns the minimum distance of the ids behind the local clock.
    pub const fn by_ids(&self) -> Option<i64> {
        self.by_ids
    }

    /// Returns how far the local clock is ahead; 0 if that is unknown.
    ///
    /// Ids measure it well once events arrive as they are published. While old events are replayed,
    /// only the date helps.
    pub fn offset(&self) -> i64 {
        match (self.by_date, self.by_ids) {
            (Some(date), Some(ids)) if ids <= date + SECOND => ids,
            (Some(date), _) => date,
            (None, ids) => ids.unwrap_or_default(),
        }
    }

    /// Returns the time of the server. Without dates, the events may be old ones, so it is not
    /// earlier than the local time.
    pub fn time(&self, now: Timestamp) -> Timestamp {
        let time = shifted(now, -self.offset());
        if self.by_date.is_some() { time } else { time.max(now) }
    }

    /// Returns the latest time that the server's clock can have, even if the clock by which it numbers
    /// events was set back.
    pub fn latest_time(&self, now: Timestamp) -> Timestamp {
        self.by_date.map_or(now, |date| shifted(now, -date)).max(self.time(now))
    }

    /// Returns a time that the server's clock has reached; `None` if nothing is known of it.
    pub fn reached(&self, now: Timestamp) -> Option<Timestamp> {
        let offset = self.by_ids.or(self.by_date.map(|date| date + SECOND));
        offset.map(|offset| shifted(now, -offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_400;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).expect("a time")
    }

    #[test]
    fn the_server_time_is_known_whatever_the_local_clock_says() {
        for ahead in [-600_000, 0, 600_000] {
            let local = at(NOW + ahead);
            let mut clock = ServerClock::default();
            assert_eq!((clock.time(local), clock.reached(local)), (local, None), "nothing known");
            clock.note_date(Some(1_700_000_000_000), local);
            assert_eq!(clock.time(local), at(1_700_000_001_000), "the latest possible time");
            assert_eq!(clock.reached(local), Some(at(1_700_000_000_000)), "the earliest one");
            // An event of four minutes ago says little.
            clock.note_id(NOW - 240_000, local, false);
            assert_eq!(clock.time(local), at(1_700_000_001_000));
            assert_eq!(clock.reached(local), Some(at(NOW - 240_000)));
            clock.note_id(NOW - 20, local, false);
            assert_eq!(clock.time(local), at(NOW - 20));
            clock.note_date(None, local);
            assert_eq!(clock.time(local), at(NOW - 20));
            clock.note_id(NOW - 400, local, true);
            assert_eq!(clock.time(local), at(NOW - 400));
            assert_eq!(clock.latest_time(local), at(1_700_000_001_000), "whatever its ids say");
        }
    }
}
