//! The events of the last minutes, for clients that reconnect.

use std::collections::VecDeque;

use bytes::Bytes;

/// The time for which events are kept, in milliseconds.
pub const RETENTION: u64 = 5 * 60 * 1000;
/// The maximum number of bytes, which suffices for the retention at some hundred events a second.
pub const MAX_BYTES: usize = 128 << 20;

/// The frames of events that were published together, under one id.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The id of each event: Unix time in milliseconds.
    pub id: u64,
    /// The frames as they are sent.
    pub frames: Bytes,
}

/// Batches in the order of publication, which is that of their ids unless a fault set the clock
/// back.
#[derive(Debug)]
pub struct ReplayBuffer {
    batches: VecDeque<Batch>,
    bytes: usize,
    max_bytes: usize,
    highest: u64,
}

impl ReplayBuffer {
    /// Creates a buffer of at most this many bytes, and at most [`MAX_BYTES`].
    pub fn new(max_bytes: usize) -> Self {
        let max_bytes = max_bytes.min(MAX_BYTES);
        Self { batches: VecDeque::new(), bytes: 0, max_bytes, highest: 0 }
    }

    /// Returns the id of the next batch: the time, but never less than an earlier id.
    pub fn next_id(&self, now: u64) -> u64 {
        self.highest.max(now)
    }

    /// Adds a batch, and removes the batches beyond the limits.
    pub fn push(&mut self, batch: Batch) {
        let oldest = batch.id.saturating_sub(RETENTION);
        self.highest = self.highest.max(batch.id);
        self.bytes += batch.frames.len();
        self.batches.push_back(batch);
        while self
            .batches
            .front()
            .is_some_and(|first| first.id < oldest || self.bytes > self.max_bytes)
        {
            self.bytes -= self.batches.pop_front().map_or(0, |gone| gone.frames.len());
        }
    }

    /// Returns the batches with a greater id. As on the platform, events that share the id are not
    /// among them, even if the client never received them.
    pub fn after(&self, id: u64) -> VecDeque<Batch> {
        self.batches.iter().filter(|batch| batch.id > id).cloned().collect()
    }

    /// Removes all batches, as a restart of the server does.
    pub fn clear(&mut self) {
        *self = Self { highest: self.highest, ..Self::new(self.max_bytes) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(id: u64, text: &'static str) -> Batch {
        Batch { id, frames: Bytes::from_static(text.as_bytes()) }
    }

    fn ids(batches: &VecDeque<Batch>) -> Vec<u64> {
        batches.iter().map(|batch| batch.id).collect()
    }

    #[test]
    fn replays_only_greater_ids() {
        let mut buffer = ReplayBuffer::new(MAX_BYTES);
        for id in [10, 20, 20, 30] {
            buffer.push(batch(id, "x"));
        }
        assert_eq!(ids(&buffer.after(0)), [10, 20, 20, 30]);
        assert_eq!(ids(&buffer.after(19)), [20, 20, 30]);
        assert_eq!(
            ids(&buffer.after(20)),
            [30],
            "the second event of one millisecond is not replayed"
        );
        assert_eq!(ids(&buffer.after(30)), [0_u64; 0]);
    }

    #[test]
    fn ids_never_go_backwards() {
        let mut buffer = ReplayBuffer::new(MAX_BYTES);
        assert_eq!(buffer.next_id(100), 100);
        buffer.push(batch(100, "x"));
        assert_eq!(buffer.next_id(99), 100);
        assert_eq!(buffer.next_id(100), 100);
        assert_eq!(buffer.next_id(101), 101);
    }

    #[test]
    fn keeps_five_minutes() {
        let mut buffer = ReplayBuffer::new(MAX_BYTES);
        for id in [1000, 1001, 1000 + RETENTION, 1001 + RETENTION] {
            buffer.push(batch(id, "x"));
        }
        assert_eq!(ids(&buffer.after(0)), [1001, 1000 + RETENTION, 1001 + RETENTION]);
    }

    #[test]
    fn keeps_no_more_than_memory_allows() {
        let mut buffer = ReplayBuffer::new(MAX_BYTES);
        let frames = Bytes::from(vec![b'x'; MAX_BYTES / 4 + 1]);
        for id in 1..=5 {
            buffer.push(Batch { id, frames: frames.clone() });
        }
        assert_eq!(ids(&buffer.after(0)), [3, 4, 5]);
        assert!(buffer.bytes <= MAX_BYTES);
    }
}
