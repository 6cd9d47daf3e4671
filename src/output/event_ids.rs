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
use std::fmt::Write as _;
use std::io::Write as _;

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

/// An id that lacks its number among equal events, which depends on the events before it.
#[derive(Debug, Clone, Copy)]
pub struct UncountedId {
    /// The hash of the stream, connection, time and identity, and the time; `None` if the time of
    /// the event is unknown.
    key: Option<(u64, u64)>,
    /// The place of the number: an index in the id.
    at: usize,
}

impl UncountedId {
    /// Writes the id of an event to `id`, as it is if the event is the first of its kind.
    /// `connection` is the number of the connection that it arrived on.
    ///
    /// The id of an event without a time is incomplete.
    pub fn new(shown: &RedactedEvent<'_>, connection: u32, id: &mut String) -> Self {
        id.clear();
        let identity = identity(shown);
        let tap = shown.tap();
        let connection = if let Some(moment) = &tap.id {
            id.push_str(moment);
            connection
        } else if let Some(time) = tap.moment() {
            // The time of arrival says nothing about the server's order, so counting goes on.
            let _ = write!(id, "{}", time.as_millisecond());
            0
        } else {
            id.push('n');
            push_identity(identity, id);
            return Self { key: None, at: 1 };
        };
        let mut key = Fnv(identity);
        key.update_parts(cloudevent::source(tap.workspace_id.as_deref(), tap.call_sid.as_deref()));
        if connection == 0 {
            key.update("0");
        } else {
            key.update(&connection.to_string());
        }
        key.update(id);
        let time = id.parse().unwrap_or_default();
        push_identity(identity, id);
        Self { key: Some((key.0, time)), at: id.len() }
    }
}

fn push_identity(identity: u64, id: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    id.push('-');
    for byte in identity.to_be_bytes() {
        for digit in [byte >> 4, byte & 15] {
            id.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
}

/// An id in the bytes that an encoder has written.
#[derive(Debug, Clone, Copy)]
pub struct PendingId {
    id: UncountedId,
    /// The index of its first byte; `None` if the event was not written.
    start: Option<usize>,
}

impl PendingId {
    /// Creates a pending id that begins at `start`, or of an event that was not written.
    #[must_use]
    pub const fn new(id: UncountedId, start: Option<usize>) -> Self {
        Self { id, start }
    }
}

impl EventIds {
    /// Counts an event and writes its id to `id`. `connection` is the number of the connection
    /// that it arrived on.
    pub fn next(&mut self, shown: &RedactedEvent<'_>, connection: u32, id: &mut String) {
        let uncounted = UncountedId::new(shown, connection, id);
        if let Some((separator, number)) = self.number(uncounted) {
            id.insert_str(uncounted.at, &format!("{separator}{number}"));
        }
    }

    /// Counts events in their order and completes the ids of those that were written to `bytes`.
    pub fn complete(&mut self, pending: &[PendingId], bytes: &mut Vec<u8>) {
        let (mut completed, mut copied) = (Vec::new(), 0);
        for PendingId { id, start } in pending {
            if let (Some((separator, number)), Some(start)) = (self.number(*id), start) {
                let at = start + id.at;
                completed.extend_from_slice(&bytes[copied..at]);
                let _ = write!(completed, "{separator}{number}");
                copied = at;
            }
        }
        if copied > 0 {
            completed.extend_from_slice(&bytes[copied..]);
            *bytes = completed;
        }
    }

    /// Counts an event. Returns what its id lacks, if anything: a separator and a number.
    fn number(&mut self, id: UncountedId) -> Option<(&'static str, u64)> {
        let Some((key, time)) = id.key else {
            self.without_time += 1;
            return Some(("", self.without_time));
        };
        match self.count(key, time) {
            1 => None,
            count => Some(("-", count.into())),
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
