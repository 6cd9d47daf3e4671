//! The rows of the list of events: one for each event, except that a run of transcript deltas of one
//! call is one row.

use std::collections::{BTreeMap, VecDeque};

use crate::model::Kind;
use crate::output::stored_event::StoredEvent;

/// A run of events that are one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoldedRun {
    /// The number of the last event.
    pub last: u64,
    /// The number of events.
    pub count: u64,
}

/// The numbers of the first events of all rows. They take 8 bytes for each event.
#[derive(Debug, Default)]
pub struct RowIndex {
    heads: VecDeque<u64>,
    /// The runs of more than one event, by the number of the first one.
    runs: BTreeMap<u64, FoldedRun>,
    /// The call of the last event, if it was a delta.
    open: Option<Box<str>>,
}

impl RowIndex {
    /// Adds an event after all others.
    pub fn push(&mut self, number: u64, stored: &StoredEvent) {
        let is_delta = stored.kind == Some(Kind::AgentTranscriptDelta);
        let call = stored.call_sid.as_ref().filter(|_| is_delta);
        if call.is_some()
            && call == self.open.as_ref()
            && let Some(head) = self.heads.back()
        {
            let run = self.runs.entry(*head).or_insert(FoldedRun { last: *head, count: 1 });
            (run.last, run.count) = (number, run.count + 1);
            return;
        }
        self.heads.push_back(number);
        self.open = call.cloned();
    }

    /// Removes the events before `first`. A run that loses its first event goes on with the next
    /// one, which `next` returns for a number.
    pub fn drop_before(&mut self, first: u64, next: impl Fn(u64) -> Option<u64>) {
        while let Some(head) = self.heads.front().copied().filter(|head| *head < first) {
            self.heads.pop_front();
            let Some(run) = self.runs.remove(&head).filter(|run| run.last >= first) else {
                continue;
            };
            let (mut number, mut dropped) = (head, 0);
            while number < first
                && let Some(after) = next(number)
            {
                (number, dropped) = (after, dropped + 1);
            }
            self.heads.push_front(number);
            let count = run.count.saturating_sub(dropped);
            if count > 1 {
                self.runs.insert(number, FoldedRun { count, ..run });
            }
            return;
        }
    }

    /// Returns the numbers of the first events of all rows.
    #[must_use]
    pub const fn heads(&self) -> &VecDeque<u64> {
        &self.heads
    }

    /// Returns the run that begins with an event.
    #[must_use]
    pub fn run(&self, head: u64) -> Option<FoldedRun> {
        self.runs.get(&head).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: Kind, call: &str) -> StoredEvent {
        StoredEvent {
            event_type: kind.spec().event_type.into(),
            kind: Some(kind),
            time: None,
            call_sid: Some(call.into()),
            line: "{}".into(),
            drifted: false,
            is_error: false,
            place: 0,
        }
    }

    /// Returns an index of the events `a` and `b`, deltas of two calls, and others.
    fn index(events: &str) -> RowIndex {
        let mut index = RowIndex::default();
        for (number, letter) in (0..).zip(events.chars()) {
            let kind = if letter == '.' { Kind::Latency } else { Kind::AgentTranscriptDelta };
            index.push(number, &event(kind, &letter.to_string()));
        }
        index
    }

    #[test]
    fn runs_of_deltas_of_one_call_are_one_row() {
        let index = index(".aaa.abb.");
        assert_eq!(index.heads(), &VecDeque::from([0, 1, 4, 5, 6, 8]));
        assert_eq!(index.run(1), Some(FoldedRun { last: 3, count: 3 }));
        assert_eq!(index.run(6), Some(FoldedRun { last: 7, count: 2 }));
        assert_eq!((index.run(0), index.run(5)), (None, None));
    }

    #[test]
    fn a_run_goes_on_after_its_first_events_were_dropped() {
        let next = |number: u64| Some(number + 1);
        let mut index = index("aaaa.");
        index.drop_before(2, next);
        assert_eq!(index.heads(), &VecDeque::from([2, 4]));
        assert_eq!(index.run(2), Some(FoldedRun { last: 3, count: 2 }));
        index.drop_before(3, next);
        assert_eq!((index.heads(), index.run(3)), (&VecDeque::from([3, 4]), None));
        index.drop_before(5, next);
        assert!(index.heads().is_empty());
    }
}
