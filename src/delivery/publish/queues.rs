//! The queues of workspaces: which event is published next, which wait, and which are under way.
//!
//! Nothing here waits or reads a clock: the caller passes the time. One event of a workspace is under
//! way at a time. A queue exists only while it has events, so that memory depends on the events and
//! not on how many workspaces there are.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::message::PendingMessage;
use super::progress::PublishCounts;
use crate::delivery::failure::FIRST_DELAY;
use crate::transport::backoff::Backoff;

/// How long an acknowledgement may take before the event is published again.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(5);

/// The state of the first event of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
enum HeadState {
    /// It can be published.
    Ready,
    /// It waits for something else.
    Held,
    /// It was sent as the message with this number.
    Sent(u64),
    /// It is published again at this time, because of this.
    Delayed(Instant, String),
}

/// The events of one workspace, in order.
struct WorkspaceQueue {
    /// The events, each with the number of its batch.
    waiting: VecDeque<(u64, PendingMessage)>,
    head: HeadState,
    backoff: Backoff,
    /// How often the first event was refused with an error that evtap does not know.
    unknown: u32,
}

/// The events that were handed over together.
struct PublishBatch {
    events: u64,
    unsettled: u64,
}

/// The delay before an event is published again, and the number of that attempt.
pub(super) type Retry = (Duration, u32);

/// The queues of all workspaces.
#[derive(Default)]
pub(super) struct PublishQueues {
    /// The queues, of which those without events are free.
    queues: Vec<WorkspaceQueue>,
    free: Vec<usize>,
    by_workspace: HashMap<Box<str>, usize>,
    /// The queues whose first event may be ready, in order.
    ready: VecDeque<usize>,
    delayed: BTreeSet<(Instant, usize)>,
    sent: HashMap<u64, usize>,
    /// When messages time out, some of which may have been acknowledged.
    timeouts: VecDeque<(Instant, u64)>,
    last_number: u64,
    batches: VecDeque<PublishBatch>,
    first_batch: u64,
    /// What has changed since it was last taken.
    changes: PublishCounts,
}

impl PublishQueues {
    /// Adds the events of a batch to the queues of their workspaces. Those of the workspaces for
    /// which `holds` returns true are held until [`release`](Self::release).
    pub fn push(&mut self, batch: Vec<PendingMessage>, mut holds: impl FnMut(usize, &str) -> bool) {
        let events = batch.len() as u64;
        let number = self.first_batch + self.batches.len() as u64;
        self.batches.push_back(PublishBatch { events, unsettled: events });
        for message in batch {
            let at = match self.by_workspace.get(message.workspace()) {
                Some(at) => *at,
                None => self.create(message.workspace()),
            };
            if holds(at, message.workspace()) && self.queues[at].head == HeadState::Ready {
                self.queues[at].head = HeadState::Held;
            }
            self.queues[at].waiting.push_back((number, message));
        }
    }

    fn create(&mut self, workspace: &str) -> usize {
        let queue = WorkspaceQueue {
            waiting: VecDeque::new(),
            head: HeadState::Ready,
            backoff: Backoff::new(FIRST_DELAY),
            unknown: 0,
        };
        let at = if let Some(at) = self.free.pop() {
            self.queues[at] = queue;
            at
        } else {
            self.queues.push(queue);
            self.queues.len() - 1
        };
        self.by_workspace.insert(workspace.into(), at);
        self.ready.push_back(at);
        at
    }

    /// Continues with a queue that was held.
    pub fn release(&mut self, at: usize) {
        if self.queues[at].head == HeadState::Held {
            self.set_ready(at);
        }
    }

    fn set_ready(&mut self, at: usize) {
        self.queues[at].head = HeadState::Ready;
        self.ready.push_back(at);
    }

    /// Returns the next queue whose first event can be published.
    pub fn next_ready(&mut self) -> Option<usize> {
        loop {
            let at = self.ready.pop_front()?;
            let queue = &self.queues[at];
            if queue.head == HeadState::Ready && !queue.waiting.is_empty() {
                return Some(at);
            }
        }
    }

    /// Returns the first event of a queue.
    pub fn first(&self, at: usize) -> Option<&PendingMessage> {
        self.queues[at].waiting.front().map(|(_, message)| message)
    }

    /// Notes that the first event of a queue is sent now. Returns the number of the message.
    pub fn sent(&mut self, at: usize, now: Instant) -> u64 {
        self.last_number += 1;
        let number = self.last_number;
        self.queues[at].head = HeadState::Sent(number);
        self.sent.insert(number, at);
        self.timeouts.push_back((now + ACKNOWLEDGE_TIMEOUT, number));
        number
    }

    /// Returns the queue whose first event was sent with this number; `None` if it was acknowledged,
    /// or sent again since then.
    pub fn answered(&mut self, number: u64) -> Option<usize> {
        let at = self.sent.remove(&number)?;
        self.forget_timeouts();
        Some(at)
    }

    fn forget_timeouts(&mut self) {
        while self.timeouts.front().is_some_and(|(_, number)| !self.sent.contains_key(number)) {
            self.timeouts.pop_front();
        }
    }

    /// Removes the first event of a queue, which was stored or refused.
    pub fn settle(&mut self, at: usize, is_stored: bool) {
        let queue = &mut self.queues[at];
        let Some((batch, message)) = queue.waiting.pop_front() else { return };
        queue.backoff.reset();
        queue.unknown = 0;
        self.changes.bytes += message.size();
        self.changes.delivered += u64::from(is_stored && !message.is_lifecycle);
        self.changes.refused += u64::from(!is_stored);
        self.changes.left += usize::from(!message.is_lifecycle);
        let in_order = usize::try_from(batch - self.first_batch).ok();
        if let Some(batch) = in_order.and_then(|batch| self.batches.get_mut(batch)) {
            batch.unsettled -= 1;
        }
        while let Some(PublishBatch { events, unsettled: 0 }) = self.batches.front() {
            self.changes.settled += events;
            self.batches.pop_front();
            self.first_batch += 1;
        }
        if queue.waiting.is_empty() {
            queue.waiting = VecDeque::new();
            self.by_workspace.remove(message.workspace());
            self.free.push(at);
        } else {
            self.set_ready(at);
        }
    }

    /// Delays the first event of a queue, which was not stored because of `why`.
    pub fn delay(&mut self, at: usize, why: String, now: Instant, random: f64) -> Retry {
        let queue = &mut self.queues[at];
        let retry = queue.backoff.next(Duration::ZERO, random);
        let until = now + retry.0;
        queue.head = HeadState::Delayed(until, why);
        self.delayed.insert((until, at));
        retry
    }

    /// Counts that the first event of a queue was refused with an error that evtap does not know.
    /// Returns how often that has happened.
    pub fn count_unknown(&mut self, at: usize) -> u32 {
        let unknown = &mut self.queues[at].unknown;
        *unknown = unknown.saturating_add(1);
        *unknown
    }

    /// Continues with the queues whose delay has passed, or with all of them.
    pub fn end_delays(&mut self, until: Option<Instant>) {
        while let Some((at_time, at)) = self.delayed.first().copied()
            && until.is_none_or(|until| at_time <= until)
        {
            self.delayed.pop_first();
            self.set_ready(at);
        }
    }

    /// Returns why an event is delayed, if one is.
    pub fn why_delayed(&self) -> Option<&str> {
        let (_, at) = self.delayed.first()?;
        match &self.queues[*at].head {
            HeadState::Delayed(_, why) => Some(why),
            _ => None,
        }
    }

    /// Returns the queues whose first event was not acknowledged in time, or all of those whose
    /// first event is under way.
    pub fn unanswered(&mut self, until: Option<Instant>) -> Vec<usize> {
        let mut unanswered = Vec::new();
        while let Some((timeout, number)) = self.timeouts.front().copied()
            && until.is_none_or(|until| timeout <= until)
        {
            self.timeouts.pop_front();
            unanswered.extend(self.sent.remove(&number));
        }
        unanswered
    }

    /// Returns when [`end_delays`](Self::end_delays) or [`unanswered`](Self::unanswered) has something
    /// to do next.
    pub fn deadline(&self) -> Option<Instant> {
        let timeout = self.timeouts.front().map(|(timeout, _)| *timeout);
        let delay = self.delayed.first().map(|(until, _)| *until);
        timeout.into_iter().chain(delay).min()
    }

    /// Returns what has changed since the last call: messages that were settled, and their memory.
    pub fn take_changes(&mut self) -> PublishCounts {
        std::mem::take(&mut self.changes)
    }
}

#[cfg(test)]
mod tests;
