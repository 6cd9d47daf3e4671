//! Builds the traces of all calls of a live run, each when its call has ended.

use std::collections::{BTreeMap, HashSet, VecDeque};

use jiff::Timestamp;

use super::span::CallSpans;
use super::traced_call::TracedCall;
use crate::analysis::byte_budget::ByteBudget;
use crate::analysis::timeline::collect::StreamGap;
use crate::analysis::timeline::{EventTimes, own_sid};
use crate::model::{Kind, is_call_sid};
use crate::redact::RedactedEvent;

/// The memory of all open calls together, in bytes.
const MAX_BYTES: usize = 64 << 20;

/// The memory of the gaps, in bytes.
const MAX_GAP_BYTES: usize = 1 << 20;

/// How long a call stays open after one of its streams has ended, for the end of the other one, in
/// milliseconds.
const LINGER: i64 = 10_000;

/// How long a call stays open without any event, in milliseconds: an hour.
const MAX_SILENCE: i64 = 3_600_000;

/// The number of ended calls that are remembered, so that a late event does not begin another trace.
const MAX_ENDED: usize = 4096;

/// The streams that the run follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TracedStreams {
    /// The observers of calls.
    Observers,
    /// The streams of workspaces, and the observers of their calls.
    All,
}

/// Collects the spans of calls.
pub struct TraceCollector {
    streams: TracedStreams,
    calls: BTreeMap<Box<str>, OpenCall>,
    budget: ByteBudget,
    gaps: VecDeque<StreamGap>,
    gap_budget: ByteBudget,
    ended: EndedCalls,
    late: u64,
}

/// A call whose trace was not built yet.
struct OpenCall {
    call: TracedCall,
    /// The bytes of the call that the budget counts.
    bytes: usize,
    /// The arrival of the last event.
    last: Timestamp,
    /// The arrival of the first end of a stream.
    ended: Option<Timestamp>,
}

/// The last calls that have ended.
#[derive(Default)]
struct EndedCalls {
    sids: HashSet<Box<str>>,
    order: VecDeque<Box<str>>,
}

impl EndedCalls {
    fn add(&mut self, sid: Box<str>) {
        if self.sids.insert(sid.clone()) {
            self.order.push_back(sid);
        }
        if self.order.len() > MAX_ENDED
            && let Some(oldest) = self.order.pop_front()
        {
            self.sids.remove(&oldest);
        }
    }
}

impl TraceCollector {
    /// Creates a collector without calls.
    #[must_use]
    pub fn new(streams: TracedStreams) -> Self {
        Self::with_limit(streams, MAX_BYTES)
    }

    /// Creates a collector whose open calls take at most `bytes` of memory.
    fn with_limit(streams: TracedStreams, bytes: usize) -> Self {
        Self {
            streams,
            calls: BTreeMap::new(),
            budget: ByteBudget::new(bytes),
            gaps: VecDeque::new(),
            gap_budget: ByteBudget::new(MAX_GAP_BYTES),
            ended: EndedCalls::default(),
            late: 0,
        }
    }

    /// Returns the number of events that came after the trace of their call was built.
    #[must_use]
    pub const fn late(&self) -> u64 {
        self.late
    }

    /// Adds an event, which arrived at `now` unless it says otherwise. Returns the spans of calls
    /// that have ended with it, or that have to make room.
    pub fn observe(&mut self, event: &RedactedEvent<'_>, now: Timestamp) -> Vec<CallSpans> {
        match event.kind() {
            Some(Kind::TapGap) => self.add_gap(event),
            Some(kind) if TracedCall::uses(kind) => {
                if let Some(sid) = own_sid(event).filter(|sid| is_call_sid(sid)) {
                    return self.add(&sid, event, now);
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn add(&mut self, sid: &str, event: &RedactedEvent<'_>, now: Timestamp) -> Vec<CallSpans> {
        if self.ended.sids.contains(sid) {
            self.late += 1;
            return Vec::new();
        }
        let arrived = EventTimes::new(event.tap()).received.unwrap_or(now);
        let open = self.calls.entry(sid.into()).or_insert_with(|| OpenCall {
            call: TracedCall::new(sid),
            bytes: 0,
            last: arrived,
            ended: None,
        });
        open.call.observe(event);
        open.last = arrived;
        let is_end = matches!(event.kind(), Some(Kind::CallEnded | Kind::SessionEnd));
        if is_end {
            open.ended.get_or_insert(arrived);
        }
        let bytes = open.call.bytes();
        self.budget.replace(open.bytes, bytes);
        open.bytes = bytes;
        let is_over = is_end && (self.streams == TracedStreams::Observers || open.call.has_ended());
        if is_over {
            return self.end(sid).into_iter().collect();
        }
        self.make_room(sid)
    }

    /// Ends the calls that were silent for the longest time, except `newest`, until an eighth of the
    /// memory is free.
    fn make_room(&mut self, newest: &str) -> Vec<CallSpans> {
        if !self.budget.is_exceeded() {
            return Vec::new();
        }
        let mut sorted: Vec<_> = self
            .calls
            .iter()
            .filter(|(sid, _)| &***sid != newest)
            .map(|(sid, open)| (open.last, sid.clone()))
            .collect();
        sorted.sort();
        let mut spans = Vec::new();
        for (_, sid) in sorted {
            if self.budget.used() <= self.budget.limit() / 8 * 7 {
                break;
            }
            spans.extend(self.end(&sid));
        }
        spans
    }

    fn add_gap(&mut self, event: &RedactedEvent<'_>) {
        let Some(gap) = StreamGap::new(event) else { return };
        self.gap_budget.replace(0, gap.bytes());
        self.gaps.push_back(gap);
        while self.gap_budget.is_exceeded()
            && let Some(gap) = self.gaps.pop_front()
        {
            self.gap_budget.evict(gap.bytes());
        }
    }

    /// Returns the spans of calls of which one stream ended some time before `now`, or which have
    /// been silent for long.
    pub fn expire(&mut self, now: Timestamp) -> Vec<CallSpans> {
        let since = |at: Timestamp| now.as_millisecond() - at.as_millisecond();
        let is_over = |open: &OpenCall| {
            open.ended.is_some_and(|end| since(end) > LINGER) || since(open.last) > MAX_SILENCE
        };
        let over: Vec<_> = self
            .calls
            .iter()
            .filter(|(_, open)| is_over(open))
            .map(|(sid, _)| sid.clone())
            .collect();
        over.iter().filter_map(|sid| self.end(sid)).collect()
    }

    /// Returns the spans of all calls that are still open, at the end of the run.
    pub fn finish(&mut self) -> Vec<CallSpans> {
        let all: Vec<_> = self.calls.keys().cloned().collect();
        all.iter().filter_map(|sid| self.end(sid)).collect()
    }

    fn end(&mut self, sid: &str) -> Option<CallSpans> {
        let (sid, open) = self.calls.remove_entry(sid)?;
        self.budget.replace(open.bytes, 0);
        self.ended.add(sid);
        open.call.spans(self.gaps.iter())
    }
}

#[cfg(test)]
mod tests;
