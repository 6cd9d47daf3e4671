//! What the events added up to at an earlier moment.
//!
//! It is built from the newest [snapshot](super::snapshots) before the moment and the buffered
//! events between them. If the buffer does not hold those events any more, the snapshot is shown as
//! it is, with its own time.

use jiff::Timestamp;

use super::attention_log::AttentionLog;
use super::buffer::EventBuffer;
use super::projection::Projection;
use super::snapshots::Snapshots;
use super::time_slice::TimeSlice;
use crate::output::stored_event::StoredEventReader;

/// A moment that can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The moment after the event with that number in the buffer.
    After(u64),
    /// A time.
    At(Timestamp),
}

/// A projection at an earlier moment.
#[derive(Debug, Clone)]
pub struct Past {
    /// The projection, once the past is [finished](Self::is_finished).
    pub projection: Projection,
    /// The time of the moment.
    time: Option<Timestamp>,
    /// Whether the projection is exactly that of the moment. Otherwise it is that of a snapshot,
    /// and the events after it are not kept.
    pub is_exact: bool,
    /// The number of the next event to observe.
    next: u64,
    /// The number of the first event after the moment.
    end: u64,
}

impl Past {
    /// Finds the nearest known state before a moment, or else the oldest one. `known` is a past
    /// that may be nearer than the snapshots. Returns `None` if nothing is kept.
    #[must_use]
    pub fn new(
        moment: Moment,
        buffer: &EventBuffer,
        snapshots: &Snapshots,
        known: Option<&Self>,
    ) -> Option<Self> {
        let (number, time) = match moment {
            Moment::After(number) => (Some(number), buffer.get(number)?.time),
            Moment::At(time) => (buffer.at_time(time), Some(time)),
        };
        let inexact = |snapshot: &Projection| Self {
            projection: snapshot.clone(),
            time: snapshot.last_event_time,
            is_exact: false,
            next: buffer.first(),
            end: buffer.first(),
        };
        let oldest = buffer.receipt(buffer.first()).map_or(1, |receipt| receipt.sequence);
        let (sequence, end) = match number.and_then(|number| buffer.receipt(number)) {
            Some(receipt) => (receipt.sequence, number? + 1),
            None if oldest == 1 => (0, buffer.first()),
            None => return snapshots.at_time(time?).map(inexact),
        };
        let snapshot = snapshots.at_sequence(sequence);
        // Something may have begun to need attention between the moment and a later one.
        let known = known.filter(|known| known.is_exact && known.is_finished());
        let known = known.filter(|known| time.is_none_or(|time| known.time() <= time));
        let known = known.map(|known| &known.projection);
        let known = known.filter(|known| known.sequence() <= sequence);
        let nearest = known.into_iter().chain(snapshot).max_by_key(|known| known.sequence());
        let start = nearest.map_or(0, Projection::sequence);
        // Events may have been dropped from the front or during a pause.
        let next = buffer.at_sequence(start + 1).min(end);
        if end - next == sequence - start {
            let projection = nearest.unwrap_or_else(|| snapshots.empty()).clone();
            return Some(Self { projection, time, is_exact: true, next, end });
        }
        snapshot.or_else(|| snapshots.at_time(time?)).map(inexact)
    }

    /// Observes events until the moment is reached or the slice is used up. Returns whether it is
    /// reached.
    pub fn advance(
        &mut self,
        buffer: &EventBuffer,
        log: &AttentionLog,
        reader: &mut StoredEventReader,
        is_replay: bool,
        slice: &mut TimeSlice,
    ) -> bool {
        while !self.is_finished() {
            let (Some(stored), Some(mut receipt)) =
                (buffer.get(self.next), buffer.receipt(self.next))
            else {
                // The buffer has dropped the event meanwhile.
                self.end = self.next;
                (self.time, self.is_exact) = (self.projection.last_event_time, false);
                break;
            };
            if !slice.take() {
                return false;
            }
            let projection = &mut self.projection;
            let sequence = projection.sequence();
            self.is_exact &= log.advance(&mut projection.attention, sequence, None);
            reader.read(stored, |event| projection.observe(stored, event, &mut receipt, is_replay));
            self.next += 1;
        }
        let (until, projection) = (self.time(), &mut self.projection);
        let (sequence, attention) = (projection.sequence(), &mut projection.attention);
        self.is_exact &= log.advance(attention, sequence, Some(until));
        log.mark_acknowledged(attention);
        true
    }

    /// Returns whether the projection is that of the moment.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.next >= self.end
    }

    /// Returns the time of the moment.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.time.or(self.projection.last_event_time).unwrap_or_default()
    }
}
