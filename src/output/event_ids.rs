//! Ids of events that are the same in every run and in every process.
//!
//! The platform's own ids are times in milliseconds, which several events can share. An id is
//! therefore made from the time and the [`identity`] of the event. Events of one stream that are
//! equal in both are numbered in the order in which the server sends them.
//!
//! Every connection begins to count anew, and counts all events that it receives: also those that a
//! filter leaves out, and those that were delivered before and are replayed. A server replays whole
//! milliseconds, so an event gets the same number on each connection. A stream that begins without
//! a position can begin within a millisecond; for that millisecond alone, numbers can differ.

use std::collections::{HashMap, VecDeque};

use crate::model::cloudevent;
use crate::redact::{Fnv, RedactedEvent, identity};

/// The memory for counts, in bytes.
const BUDGET: usize = 1 << 20;

/// The memory that one count needs at most, in bytes: its entry in the map and in the queue, where
/// both have grown to twice what they hold.
const ENTRY: usize = 2 * (size_of::<(u64, u32)>() + 1 + size_of::<(u64, u64)>());

/// The number of counts that are kept.
const MAX_COUNTS: usize = BUDGET / ENTRY;

/// Creates the ids.
#[derive(Default)]
pub struct EventIds {
    /// The number of events so far by the hash of the stream, connection, time and identity.
    counts: HashMap<u64, u32>,
    /// The keys of `counts` with their times, from the oldest to the newest.
    order: VecDeque<(u64, u64)>,
    without_time: u64,
    /// The latest time whose count was forgotten.
    forgotten_until: Option<u64>,
    /// The highest count that was forgotten.
    forgotten_count: u32,
}

impl EventIds {
    /// Counts an event and returns its id. `connection` is the number of the connection that it
    /// arrived on.
    pub fn next(&mut self, shown: &RedactedEvent<'_>, connection: u32) -> String {
        let identity = identity(shown);
        let tap = shown.tap();
        let (moment, connection) = match (&tap.id, tap.moment()) {
            (Some(id), _) => (id.clone(), connection),
            // The time of arrival says nothing about the server's order, so counting goes on.
            (None, Some(time)) => (time.as_millisecond().to_string(), 0),
            (None, None) => {
                self.without_time += 1;
                return format!("n{}-{identity:016x}", self.without_time);
            }
        };
        let mut key = Fnv(identity);
        key.update(&cloudevent::source(tap.workspace_id.as_deref(), tap.call_sid.as_deref()));
        key.update(&connection.to_string());
        key.update(&moment);
        match self.count(key.0, moment.parse().unwrap_or_default()) {
            1 => format!("{moment}-{identity:016x}"),
            count => format!("{moment}-{identity:016x}-{count}"),
        }
    }

    fn count(&mut self, key: u64, time: u64) -> u32 {
        if let Some(count) = self.counts.get_mut(&key) {
            *count += 1;
            return *count;
        }
        // The count may have been forgotten. Another number than in the next run is better than
        // two events with one id, of which a receiver drops one.
        let is_doubtful = self.forgotten_until.is_some_and(|until| time <= until);
        let count = if is_doubtful { self.forgotten_count + 1 } else { 1 };
        self.counts.insert(key, count);
        self.order.push_back((key, time));
        if self.order.len() > MAX_COUNTS
            && let Some((oldest, time)) = self.order.pop_front()
        {
            let forgotten = self.counts.remove(&oldest).unwrap_or_default();
            self.forgotten_until = self.forgotten_until.max(Some(time));
            self.forgotten_count = self.forgotten_count.max(forgotten);
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn counts_use_bounded_memory_and_no_id_is_used_twice() {
        let mut ids = EventIds::default();
        let keys = u64::try_from(MAX_COUNTS).expect("a number") * 3;
        let mut seen = HashSet::new();
        for round in 0..3 {
            for key in 0..keys {
                assert!(seen.insert((key, ids.count(key, 7))), "{key} in round {round}");
            }
        }
        let map = ids.counts.capacity() * 8 / 7 * (size_of::<(u64, u32)>() + 1);
        let queue = ids.order.capacity() * size_of::<(u64, u64)>();
        assert!(map + queue <= BUDGET, "{map} + {queue} bytes");
        assert_eq!(ids.count(0, 8), 1, "later events are not affected");
        assert_eq!(ids.count(0, 8), 2);
    }
}
