//! The events at hand: the newest ones, up to a limit in events and in bytes.
//!
//! Every event has a number that stays its own. What is selected, marked or matched is known by that number, so that
//! nothing moves under the reader when the oldest events go.

use std::collections::VecDeque;

use crate::output::stored_event::StoredEvent;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferLimits {
    /// So many events.
    pub events: usize,
    /// So many bytes of them.
    pub bytes: usize,
}

impl Default for BufferLimits {
    fn default() -> Self {
        Self { events: 100_000, bytes: 64 << 20 }
    }
}

/// The events at hand, oldest first.
#[derive(Debug)]
pub struct EventBuffer {
    limits: BufferLimits,
    rows: VecDeque<StoredEvent>,
    first: u64,
    bytes: usize,
}

impl EventBuffer {
    /// An empty buffer.
    #[must_use]
    pub const fn new(limits: BufferLimits) -> Self {
        Self { limits, rows: VecDeque::new(), first: 0, bytes: 0 }
    }

    /// Adds an event, and lets the oldest go where it is one too many. Gives its number.
    pub fn push(&mut self, stored: StoredEvent) -> u64 {
        self.bytes += stored.bytes();
        self.rows.push_back(stored);
        while self.rows.len() > 1
            && (self.rows.len() > self.limits.events || self.bytes > self.limits.bytes)
        {
            let gone = self.rows.pop_front();
            self.bytes -= gone.map_or(0, |stored| stored.bytes());
            self.first += 1;
        }
        self.end() - 1
    }

    /// The number of the oldest event.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// The number that the next event gets.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first + self.rows.len() as u64
    }

    /// The event of that number, if it is still there.
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
    fn numbers_stay_when_the_oldest_go() {
        let mut buffer = EventBuffer::new(BufferLimits { events: 3, bytes: usize::MAX });
        for number in 0..5 {
            assert_eq!(buffer.push(stored(&number.to_string())), number);
        }
        assert_eq!((buffer.first(), buffer.end()), (2, 5));
        assert!(buffer.get(1).is_none());
        assert_eq!(&*buffer.get(2).expect("it is there").line, "2");
        assert!(buffer.get(5).is_none());
    }

    #[test]
    fn bytes_are_a_limit_too_but_the_newest_event_stays() {
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
