//! The spans that wait for the collector, in limited memory.

use std::collections::VecDeque;

use crate::analysis::byte_budget::ByteBudget;
use crate::analysis::traces::otlp::{self, ResourceSpans};

/// The memory of the spans that wait, in bytes: some 30,000 spans.
const MAX_BYTES: usize = 32 << 20;

/// The size of a request after which no further spans are added to it, in bytes.
const BATCH: usize = 1 << 20;

/// Spans that wait, and the number of those that are being sent.
pub struct TraceQueue {
    waiting: VecDeque<ResourceSpans>,
    budget: ByteBudget,
    /// The number of spans in the current request.
    in_flight: usize,
    /// The number of spans for which there was no room.
    dropped: u64,
}

impl Default for TraceQueue {
    fn default() -> Self {
        Self::with_limit(MAX_BYTES)
    }
}

impl TraceQueue {
    /// Creates a queue that takes at most `bytes` of memory.
    pub const fn with_limit(bytes: usize) -> Self {
        let budget = ByteBudget::new(bytes);
        Self { waiting: VecDeque::new(), budget, in_flight: 0, dropped: 0 }
    }

    /// Adds spans, or counts them as dropped if there is no room. Returns whether there was room.
    pub fn push(&mut self, spans: ResourceSpans) -> bool {
        let has_room = self.budget.take(size(&spans));
        if has_room {
            self.waiting.push_back(spans);
        } else {
            self.dropped += spans.spans as u64;
        }
        has_room
    }

    /// Takes the body of the next request, if spans are waiting.
    pub fn take_batch(&mut self) -> Option<String> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while bytes < BATCH
            && let Some(spans) = self.waiting.pop_front()
        {
            bytes += spans.json.len();
            self.in_flight += spans.spans;
            self.budget.replace(size(&spans), 0);
            batch.push(spans);
        }
        (!batch.is_empty()).then(|| otlp::request(batch.iter().map(|spans| &*spans.json)))
    }

    /// Ends the current request, and returns the number of its spans.
    pub const fn end_batch(&mut self) -> u64 {
        let spans = self.in_flight as u64;
        self.in_flight = 0;
        spans
    }

    /// Returns the number of spans that were dropped so far.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Drops all spans that wait or are being sent, and returns their number.
    pub fn drop_all(&mut self) -> u64 {
        let mut dropped = self.end_batch();
        for spans in self.waiting.drain(..) {
            dropped += spans.spans as u64;
            self.budget.replace(size(&spans), 0);
        }
        self.dropped += dropped;
        dropped
    }
}

fn size(spans: &ResourceSpans) -> usize {
    size_of::<ResourceSpans>() + spans.json.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(length: usize, spans: usize) -> ResourceSpans {
        ResourceSpans { json: "1".repeat(length), spans }
    }

    #[test]
    fn spans_without_room_are_dropped_and_counted() {
        let mut queue = TraceQueue::with_limit(3000);
        let accepted: Vec<_> = (0..5).map(|_| queue.push(spans(900, 3))).collect();
        assert_eq!(accepted, [true, true, true, false, false]);
        assert_eq!(queue.dropped(), 6);
        let body = queue.take_batch().expect("spans wait");
        assert_eq!(body.len(), "{\"resourceSpans\":[,,]}".len() + 2700);
        assert_eq!((queue.end_batch(), queue.take_batch()), (9, None));
        assert!(queue.push(spans(2900, 7)), "what was sent makes room");
        assert_eq!((queue.drop_all(), queue.dropped(), queue.take_batch()), (7, 13, None));
    }

    #[test]
    fn a_request_has_a_limited_size() {
        let mut queue = TraceQueue::default();
        assert!((0..5).all(|_| queue.push(spans(BATCH / 2, 1))));
        let requests = std::iter::from_fn(|| {
            queue.take_batch()?;
            Some(queue.end_batch())
        });
        assert_eq!(requests.collect::<Vec<_>>(), [2, 2, 1]);
    }
}
