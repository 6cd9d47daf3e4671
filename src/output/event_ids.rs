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
//!
//! The counts of a stream depend on its own events only, so a process that also reads other streams
//! creates the same ids. Only the counts of the last seconds are kept. An event that is further
//! behind, because the server's clock was set back, has a number that begins with the highest time
//! of the connection, which no other event of the same time has.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::io::Write as _;

use crate::model::cloudevent;
use crate::redact::{Fnv, RedactedEvent, identity};

/// For how long counts are kept behind the newest event of a stream, in milliseconds.
const WINDOW: u64 = 2_000;

/// The memory for the counts of all streams, in bytes.
const BUDGET: usize = 32 << 20;

/// The memory for the counts of one stream, in bytes.
const STREAM_BUDGET: usize = 1 << 20;

/// The memory that one count needs at most, in bytes: its entry in the map and in the queue, where
/// both have grown to twice what they hold.
const ENTRY: usize = 2 * (size_of::<(u64, u32)>() + 1 + size_of::<(u64, u64)>());

/// The maximum number of counts of a stream.
const MAX_COUNTS: usize = STREAM_BUDGET / ENTRY;

/// What the highest time is multiplied by in the number of a late event.
const LATE: u64 = 1_000_000;

/// Creates the ids.
#[derive(Default)]
pub struct EventIds {
    /// The counts of each stream by the hash of its name: of those with the latest events, and of
    /// those before. The latter are forgotten when the former take half of the memory.
    recent: HashMap<u64, StreamCounts>,
    earlier: HashMap<u64, StreamCounts>,
    /// The memory that `recent` uses, in bytes.
    bytes: usize,
    without_time: u64,
}

/// The counts of one stream, on its current connection.
#[derive(Default)]
struct StreamCounts {
    connection: u32,
    /// The highest time so far.
    newest: u64,
    /// The number of events so far by the hash of the time and the identity.
    counts: HashMap<u64, u32>,
    /// The keys of `counts` with their times, from the first to the last.
    order: VecDeque<(u64, u64)>,
    /// The latest time whose count was forgotten for lack of memory, and the highest such count.
    forgotten: Option<(u64, u32)>,
}

/// An id that lacks its number among equal events, which depends on the events before it.
#[derive(Debug, Clone, Copy)]
pub struct UncountedId {
    /// What the number depends on; `None` if the time of the event is unknown.
    event: Option<CountedEvent>,
    /// The place of the number: an index in the id.
    at: usize,
}

/// What the number of an event depends on.
#[derive(Debug, Clone, Copy)]
struct CountedEvent {
    /// The hash of the stream.
    stream: u64,
    /// The number of the connection; 0 if the order of the server is not known.
    connection: u32,
    /// The time in milliseconds.
    time: u64,
    /// The hash of the time and the identity.
    key: u64,
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
            return Self { event: None, at: 1 };
        };
        let mut stream = Fnv::default();
        let source = cloudevent::source(tap.workspace_id.as_deref(), tap.call_sid.as_deref());
        stream.update_parts(source);
        let mut key = Fnv(identity);
        key.update(id);
        let time = id.parse().unwrap_or_default();
        push_identity(identity, id);
        let event = CountedEvent { stream: stream.0, connection, time, key: key.0 };
        Self { event: Some(event), at: id.len() }
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
        let Some(event) = id.event else {
            self.without_time += 1;
            return Some(("", self.without_time));
        };
        match self.count(event) {
            1 => None,
            number => Some(("-", number)),
        }
    }

    fn count(&mut self, event: CountedEvent) -> u64 {
        let stream = self.recent.entry(event.stream).or_insert_with(|| {
            let counts = self.earlier.remove(&event.stream).unwrap_or_default();
            self.bytes += counts.bytes();
            counts
        });
        let before = stream.bytes();
        let number = stream.count(event);
        self.bytes = (self.bytes + stream.bytes()).saturating_sub(before);
        if self.bytes > BUDGET / 2 {
            self.earlier = std::mem::take(&mut self.recent);
            self.bytes = 0;
        }
        number
    }
}

impl StreamCounts {
    /// Returns the memory that the counts use, in bytes. The maps of streams and of counts have
    /// grown to twice what they hold at most.
    fn bytes(&self) -> usize {
        2 * size_of::<(u64, Self)>()
            + 2 * self.counts.capacity() * (size_of::<(u64, u32)>() + 1)
            + self.order.capacity() * size_of::<(u64, u64)>()
    }

    fn count(&mut self, event: CountedEvent) -> u64 {
        let CountedEvent { connection, time, mut key, .. } = event;
        let is_behind = |counts: &Self| time < counts.newest.saturating_sub(WINDOW);
        // A recording need not be in the order of the server, and can begin again.
        if connection != self.connection || connection == 0 && is_behind(self) {
            *self = Self { connection, ..Self::default() };
        }
        let forgotten = self.forgotten.filter(|(until, _)| time <= *until);
        let is_late = is_behind(self) || forgotten.is_some();
        if is_late {
            let mut late = Fnv(key);
            late.update(&self.newest.to_string());
            key = late.0;
        }
        self.newest = self.newest.max(time);
        let count = if let Some(count) = self.counts.get_mut(&key) {
            *count += 1;
            *count
        } else {
            let count = forgotten.map_or(0, |(_, count)| count) + 1;
            self.counts.insert(key, count);
            self.order.push_back((key, time));
            self.forget();
            count
        };
        if is_late {
            self.newest.wrapping_mul(LATE).wrapping_add(count.into())
        } else {
            count.into()
        }
    }

    /// Forgets the oldest counts that are no longer needed, or for which there is no memory.
    fn forget(&mut self) {
        let needed = self.newest.saturating_sub(WINDOW);
        while let Some((key, time)) = self.order.front().copied() {
            let lacks_memory = self.order.len() > MAX_COUNTS;
            if time >= needed && !lacks_memory {
                return;
            }
            self.order.pop_front();
            let count = self.counts.remove(&key).unwrap_or_default();
            if lacks_memory {
                let (until, most) = self.forgotten.unwrap_or_default();
                self.forgotten = Some((until.max(time), most.max(count)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const fn event(stream: u64, connection: u32, time: u64, key: u64) -> CountedEvent {
        CountedEvent { stream, connection, time, key }
    }

    #[test]
    fn counts_use_bounded_memory_and_no_id_is_used_twice() {
        let mut ids = EventIds::default();
        let keys = u64::try_from(MAX_COUNTS).expect("a number") * 3;
        let mut seen = HashSet::new();
        for round in 0..3 {
            for key in 0..keys {
                let number = ids.count(event(1, 1, 7, key));
                assert!(seen.insert((key, number)), "{key} in round {round}");
            }
        }
        let stream = &ids.recent[&1];
        assert!(stream.order.len() <= MAX_COUNTS);
        assert!(stream.bytes() <= 2 * STREAM_BUDGET, "{} bytes", stream.bytes());
        assert_eq!(ids.count(event(1, 1, 8, 0)), 1, "later events are not affected");
        assert_eq!(ids.count(event(1, 1, 8, 0)), 2);
        assert_eq!(ids.count(event(1, 2, 7, 0)), 1, "another connection counts anew");
    }

    #[test]
    fn the_number_of_streams_is_bounded_by_their_memory() {
        let mut ids = EventIds::default();
        for stream in 0..200_000 {
            ids.count(event(stream, 0, stream, 1));
        }
        let bytes = |streams: &HashMap<u64, StreamCounts>| {
            streams.values().map(StreamCounts::bytes).sum::<usize>()
        };
        assert_eq!(bytes(&ids.recent), ids.bytes);
        let all = bytes(&ids.recent) + bytes(&ids.earlier);
        assert!(all <= BUDGET, "{all} bytes");
        assert_eq!(ids.count(event(199_999, 0, 199_999, 1)), 2, "the last ones are kept");
    }

    #[test]
    fn numbers_do_not_depend_on_other_streams() {
        let delayed = |connection| {
            let time = |n| 50_000 + n / 5;
            (0..500).map(move |n| event(1, connection, time(n), 3 * time(n) + n % 3))
        };
        let mut alone = EventIds::default();
        let expected: Vec<_> = delayed(1).map(|event| alone.count(event)).collect();
        assert!(expected.contains(&2));
        let mut busy = EventIds::default();
        let others = |busy: &mut EventIds, from: u64| {
            (0..100_000_u64).for_each(|n| _ = busy.count(event(2 + n % 1000, 1, from + n, n)));
        };
        others(&mut busy, 0);
        // The stream is far behind the others, as after a long wait to reconnect.
        for connection in 1..4 {
            let numbers: Vec<_> = delayed(connection).map(|event| busy.count(event)).collect();
            assert_eq!(numbers, expected);
            others(&mut busy, 100_000 * u64::from(connection));
        }
    }

    #[test]
    fn an_event_far_behind_has_a_number_of_its_own_on_each_connection_that_saw_the_clock_go_back() {
        let late = |ids: &mut EventIds, connection, first| {
            for time in (first..100_000).step_by(10) {
                assert_eq!(ids.count(event(1, connection, time, time)), 1);
            }
            // One millisecond again, 50 seconds later.
            [0, 0].map(|_| ids.count(event(1, connection, 50_000, 50_000)))
        };
        let mut ids = EventIds::default();
        let expected = [99_990 * LATE + 1, 99_990 * LATE + 2];
        assert_eq!(late(&mut ids, 1, 40_000), expected);
        assert_eq!(late(&mut ids, 2, 90_000), expected, "the connection began later");
        // Little disorder is counted.
        assert_eq!(ids.count(event(1, 2, 99_980, 99_980)), 2);
        // A recording that is replayed again has the same ids.
        for _ in 0..2 {
            assert!((0..40_000).all(|time| ids.count(event(2, 0, time, time)) == 1));
        }
    }
}
