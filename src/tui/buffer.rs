//! A buffer of the newest events, limited by number and by size in bytes.
//!
//! Every event has a number that never changes: the first event of the session is 0. Selection,
//! marks and matches refer to events by number, so they stay on their events when the oldest ones
//! are dropped.

use std::collections::VecDeque;

use crate::analysis::byte_budget::ByteBudget;
use crate::output::stored_event::StoredEvent;

/// The limits of an [`EventBuffer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferLimits {
    /// The maximum number of events.
    pub events: usize,
    /// The maximum size of all events, in bytes.
    pub bytes: usize,
}

impl Default for BufferLimits {
    fn default() -> Self {
        Self { events: 100_000, bytes: 64 << 20 }
    }
}

/// The newest events, oldest first.
#[derive(Debug)]
pub struct EventBuffer {
    limits: BufferLimits,
    rows: VecDeque<StoredEvent>,
    first: u64,
    budget: ByteBudget,
}

impl EventBuffer {
    /// Creates an empty buffer.
    #[must_use]
    pub const fn new(limits: BufferLimits) -> Self {
        Self { limits, rows: VecDeque::new(), first: 0, budget: ByteBudget::new(limits.bytes) }
    }

    /// Adds an event and returns its number.
    ///
    /// Drops the oldest events while a limit is exceeded, but never the new one.
    pub fn push(&mut self, stored: StoredEvent) -> u64 {
        self.budget.replace(0, stored.bytes());
        self.rows.push_back(stored);
        while self.rows.len() > 1
            && (self.rows.len() > self.limits.events || self.budget.is_exceeded())
        {
            let oldest = self.rows.pop_front();
            self.budget.evict(oldest.map_or(0, |stored| stored.bytes()));
            self.first += 1;
        }
        self.end() - 1
    }

    /// Returns the number of the oldest event.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// Returns the number that the next event will get.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first + self.rows.len() as u64
    }

    /// Returns the event with that number, or `None` if it was dropped or has not arrived.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&StoredEvent> {
        self.rows.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(line: &str) -> StoredEvent {
        StoredEvent {
            event_type: "x".into(),
            kind: None,
            time: None,
            call_sid: None,
            line: line.into(),
            drifted: false,
            is_error: false,
            place: 0,
        }
    }

    #[test]
    fn numbers_do_not_change_when_the_oldest_events_are_dropped() {
        let mut buffer = EventBuffer::new(BufferLimits { events: 3, bytes: usize::MAX });
        for number in 0..5 {
            assert_eq!(buffer.push(stored(&number.to_string())), number);
        }
        assert_eq!((buffer.first(), buffer.end()), (2, 5));
        assert!(buffer.get(1).is_none());
        assert_eq!(&*buffer.get(2).expect("event 2 is buffered").line, "2");
        assert!(buffer.get(5).is_none());
    }

    #[test]
    fn the_byte_limit_never_drops_the_newest_event() {
        let mut buffer =
            EventBuffer::new(BufferLimits { events: 10, bytes: 2 * stored("aaaa").bytes() });
        for _ in 0..4 {
            buffer.push(stored("aaaa"));
        }
        assert_eq!((buffer.first(), buffer.end()), (2, 4));
        buffer.push(stored(&"b".repeat(4096)));
        assert_eq!((buffer.first(), buffer.end()), (4, 5));
    }
}
