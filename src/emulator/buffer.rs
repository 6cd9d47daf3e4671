//! The events of the last minutes, for clients that reconnect.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// The time for which events are kept, in milliseconds.
pub const RETENTION: u64 = 5 * 60 * 1000;
/// The maximum number of bytes of a buffer, which suffices for the retention at some hundred events
/// a second.
const MAX_BYTES: usize = 128 << 20;
/// The maximum number of bytes of all buffers that share a memory.
const MAX_TOTAL_BYTES: usize = 1 << 30;

/// The memory that the buffers of several workspaces share. Each gets an equal part, but at most
/// [`MAX_BYTES`].
#[derive(Debug, Clone, Default)]
pub struct ReplayMemory(Arc<AtomicUsize>);

impl ReplayMemory {
    fn add_buffer(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of bytes that a buffer may hold. It shrinks as buffers are added.
    fn part(&self) -> usize {
        MAX_BYTES.min(MAX_TOTAL_BYTES / self.0.load(Ordering::Relaxed).max(1))
    }
}

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
    memory: ReplayMemory,
    highest: u64,
}

impl ReplayBuffer {
    /// Creates a buffer that takes its part of a memory.
    pub fn new(memory: ReplayMemory) -> Self {
        memory.add_buffer();
        Self { batches: VecDeque::new(), bytes: 0, memory, highest: 0 }
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
        let max_bytes = self.memory.part();
        while self.batches.front().is_some_and(|first| first.id < oldest || self.bytes > max_bytes)
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
        self.batches = VecDeque::new();
        self.bytes = 0;
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
        let mut buffer = ReplayBuffer::new(ReplayMemory::default());
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
        let mut buffer = ReplayBuffer::new(ReplayMemory::default());
        assert_eq!(buffer.next_id(100), 100);
        buffer.push(batch(100, "x"));
        assert_eq!(buffer.next_id(99), 100);
        assert_eq!(buffer.next_id(100), 100);
        assert_eq!(buffer.next_id(101), 101);
    }

    #[test]
    fn keeps_five_minutes() {
        let mut buffer = ReplayBuffer::new(ReplayMemory::default());
        for id in [1000, 1001, 1000 + RETENTION, 1001 + RETENTION] {
            buffer.push(batch(id, "x"));
        }
        assert_eq!(ids(&buffer.after(0)), [1001, 1000 + RETENTION, 1001 + RETENTION]);
    }

    #[test]
    fn keeps_no_more_than_memory_allows() {
        let mut buffer = ReplayBuffer::new(ReplayMemory::default());
        let frames = Bytes::from(vec![b'x'; MAX_BYTES / 4 + 1]);
        for id in 1..=5 {
            buffer.push(Batch { id, frames: frames.clone() });
        }
        assert_eq!(ids(&buffer.after(0)), [3, 4, 5]);
        assert!(buffer.bytes <= MAX_BYTES);
    }

    #[test]
    fn buffers_share_a_memory() {
        let memory = ReplayMemory::default();
        let mut first = ReplayBuffer::new(memory.clone());
        let frames = Bytes::from(vec![b'x'; MAX_BYTES / 4]);
        for id in 1..=4 {
            first.push(Batch { id, frames: frames.clone() });
        }
        assert_eq!(ids(&first.after(0)), [1, 2, 3, 4], "a buffer without others is not limited");
        let others = 2 * MAX_TOTAL_BYTES / MAX_BYTES - 1;
        let _others: Vec<_> = (0..others).map(|_| ReplayBuffer::new(memory.clone())).collect();
        first.push(Batch { id: 5, frames });
        assert_eq!(ids(&first.after(0)), [4, 5], "half of the maximum is left for each");
    }
}
