//! A buffer of the newest events, limited by number and by size in bytes.
//!
//! Every event has a number that never changes: the first event of the session is 0. Selection,
//! marks and matches refer to events by number, so they stay on their events when the oldest ones
//! are dropped.
//!
//! While the buffer is paused, new events are kept apart: they have no numbers yet, and the events
//! that are being looked at stay. What does not fit is counted.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::projection::EventReceipt;
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

/// The events that arrived during a pause.
#[derive(Debug, Default)]
struct Pause {
    /// The newest events that arrived, oldest first.
    arrived: VecDeque<Row>,
    /// How many earlier ones were dropped.
    dropped: u64,
    /// The number of the first event that must stay.
    keep_from: u64,
}

/// A buffered event.
#[derive(Debug)]
struct Row {
    stored: StoredEvent,
    receipt: EventReceipt,
}

impl Row {
    fn bytes(&self) -> usize {
        self.stored.bytes() + size_of::<EventReceipt>()
    }
}

/// The newest events, oldest first.
#[derive(Debug)]
pub struct EventBuffer {
    limits: BufferLimits,
    rows: VecDeque<Row>,
    first: u64,
    budget: ByteBudget,
    pause: Option<Pause>,
}

impl EventBuffer {
    /// Creates an empty buffer.
    #[must_use]
    pub const fn new(limits: BufferLimits) -> Self {
        let budget = ByteBudget::new(limits.bytes);
        Self { limits, rows: VecDeque::new(), first: 0, budget, pause: None }
    }

    /// Adds an event.
    ///
    /// Drops the oldest events while a limit is exceeded, but never the new one. During a pause,
    /// events that must stay are kept, and the oldest of those that arrived are dropped instead.
    pub fn push(&mut self, stored: StoredEvent, receipt: EventReceipt) {
        let row = Row { stored, receipt };
        self.budget.replace(0, row.bytes());
        match &mut self.pause {
            Some(pause) => pause.arrived.push_back(row),
            None => self.rows.push_back(row),
        }
        while self.len() > 1 && (self.len() > self.limits.events || self.budget.is_exceeded()) {
            let dropped = match &mut self.pause {
                Some(pause) if self.first >= pause.keep_from => {
                    pause.dropped += 1;
                    pause.arrived.pop_front()
                }
                _ => {
                    self.first += 1;
                    self.rows.pop_front()
                }
            };
            self.budget.evict(dropped.map_or(0, |row| row.bytes()));
        }
    }

    fn len(&self) -> usize {
        self.rows.len() + self.pause.as_ref().map_or(0, |pause| pause.arrived.len())
    }

    /// Keeps events that arrive apart until [`resume`](Self::resume). The newest half of the
    /// buffered events stays meanwhile, and at least those from `keep_from` on.
    pub fn pause(&mut self, keep_from: u64) {
        let half = u64::midpoint(self.first, self.end());
        self.pause = Some(Pause { keep_from: half.min(keep_from), ..Pause::default() });
    }

    /// Keeps the events from that number on, too, while the buffer is paused.
    pub fn keep_from(&mut self, number: u64) {
        if let Some(pause) = &mut self.pause {
            pause.keep_from = pause.keep_from.min(number);
        }
    }

    /// Adds the events that arrived since the pause. Returns how many were dropped meanwhile.
    pub fn resume(&mut self) -> u64 {
        let Some(pause) = self.pause.take() else { return 0 };
        self.rows.extend(pause.arrived);
        pause.dropped
    }

    /// Returns how many events arrived since the pause and how many of them were dropped, or `None`
    /// if the buffer is not paused.
    #[must_use]
    pub fn arrived(&self) -> Option<(u64, u64)> {
        let pause = self.pause.as_ref()?;
        Some((pause.arrived.len() as u64 + pause.dropped, pause.dropped))
    }

    /// Returns whether the buffer is paused.
    #[must_use]
    pub const fn is_paused(&self) -> bool {
        self.pause.is_some()
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
        self.row(number).map(|row| &row.stored)
    }

    /// Returns what was recorded of the event with that number.
    #[must_use]
    pub fn receipt(&self, number: u64) -> Option<EventReceipt> {
        self.row(number).map(|row| row.receipt)
    }

    /// Returns the number of the first event with that sequence number or a higher one, or the
    /// [end](Self::end) if there is none.
    #[must_use]
    pub fn at_sequence(&self, sequence: u64) -> u64 {
        self.first + self.rows.partition_point(|row| row.receipt.sequence < sequence) as u64
    }

    /// Returns the number of the last event of that time or an earlier one.
    #[must_use]
    pub fn at_time(&self, time: Timestamp) -> Option<u64> {
        let place = self.rows.iter().rposition(|row| row.stored.time.is_some_and(|at| at <= time));
        Some(self.first + place? as u64)
    }

    fn row(&self, number: u64) -> Option<&Row> {
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

    fn push(buffer: &mut EventBuffer, line: &str) {
        buffer.push(stored(line), EventReceipt::default());
    }

    fn row_bytes(line: &str) -> usize {
        Row { stored: stored(line), receipt: EventReceipt::default() }.bytes()
    }

    #[test]
    fn numbers_do_not_change_when_the_oldest_events_are_dropped() {
        let mut buffer = EventBuffer::new(BufferLimits { events: 3, bytes: usize::MAX });
        for number in 0..5 {
            push(&mut buffer, &number.to_string());
        }
        assert_eq!((buffer.first(), buffer.end()), (2, 5));
        assert!(buffer.get(1).is_none());
        assert_eq!(&*buffer.get(2).expect("event 2 is buffered").line, "2");
        assert!(buffer.get(5).is_none());
    }

    #[test]
    fn a_pause_keeps_the_newest_half_and_counts_what_it_drops() {
        let mut buffer = EventBuffer::new(BufferLimits { events: 10, bytes: usize::MAX });
        let push = |buffer: &mut EventBuffer, numbers: std::ops::Range<u64>| {
            numbers.for_each(|number| push(buffer, &number.to_string()));
        };
        push(&mut buffer, 0..10);
        buffer.pause(8);
        push(&mut buffer, 10..13);
        assert_eq!((buffer.first(), buffer.end(), buffer.arrived()), (3, 10, Some((3, 0))));
        buffer.keep_from(4);
        push(&mut buffer, 13..30);
        assert_eq!((buffer.first(), buffer.end(), buffer.arrived()), (4, 10, Some((20, 16))));
        assert_eq!((buffer.resume(), buffer.end(), buffer.arrived()), (16, 14, None));
        let lines: Vec<_> =
            (4..14).filter_map(|number| Some(buffer.get(number)?.line.to_string())).collect();
        assert_eq!(lines, ["4", "5", "6", "7", "8", "9", "26", "27", "28", "29"]);
    }

    #[test]
    fn an_event_that_does_not_fit_beside_a_pause_is_dropped() {
        let bytes = 4 * row_bytes("aaaa");
        let mut buffer = EventBuffer::new(BufferLimits { events: 10, bytes });
        (0..4).for_each(|_| push(&mut buffer, "aaaa"));
        buffer.pause(0);
        push(&mut buffer, &"b".repeat(4096));
        assert_eq!((buffer.first(), buffer.end(), buffer.arrived()), (0, 4, Some((1, 1))));
    }

    #[test]
    fn the_byte_limit_never_drops_the_newest_event() {
        let mut buffer =
            EventBuffer::new(BufferLimits { events: 10, bytes: 2 * row_bytes("aaaa") });
        for _ in 0..4 {
            push(&mut buffer, "aaaa");
        }
        assert_eq!((buffer.first(), buffer.end()), (2, 4));
        push(&mut buffer, &"b".repeat(4096));
        assert_eq!((buffer.first(), buffer.end()), (4, 5));
    }
}
