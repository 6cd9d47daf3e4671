//! The progress of a workspace: how far its events are known, and what waits for that.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::gaps::KnownGap;
use super::millis::Millis;
use super::observation::{FoundEvent, FoundRule};
use super::timers::{Timer, Timers};
use crate::model::Origin;

/// The maximum number of matches that wait for earlier events. With more, the first is handled.
const MAX_QUEUED: usize = 1 << 14;

/// The progress of a workspace.
#[derive(Default)]
pub(super) struct WorkspaceProgress {
    /// The id, if the events have one.
    pub id: Option<Arc<str>>,
    /// The origin of its alerts.
    pub origin: Arc<Origin>,
    /// The time of the latest event.
    pub latest: Option<Millis>,
    /// The time from which events are handled in order: later ones may still be missing.
    pub reached: Option<Millis>,
    /// The stream of the first event: `@` and the call of an observer; empty for the workspace's.
    first_stream: Option<Box<str>>,
    /// Whether events of more than one stream have arrived.
    is_merged: bool,
    /// The matches that wait for earlier events.
    queue: BinaryHeap<Reverse<QueuedMatch>>,
    arrivals: u64,
    pub timers: Timers,
    pub gaps: Vec<KnownGap>,
    /// The open streams, and the time before which everything of each has arrived.
    coverage: HashMap<Option<Box<str>>, Option<Millis>>,
    /// The streams that are disconnected.
    disconnected: BTreeSet<Option<Box<str>>>,
}

/// The progress of a workspace, as it is kept for the next run.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedWorkspace {
    pub id: Option<Box<str>>,
    latest: Option<Millis>,
    reached: Option<Millis>,
    first_stream: Option<Box<str>>,
    is_merged: bool,
    gaps: Vec<KnownGap>,
    queue: Vec<(Millis, WaitingEvent)>,
}

/// An event that concerns rules and waits for earlier ones.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct WaitingEvent {
    pub key: Box<str>,
    pub rules: Vec<FoundRule>,
}

/// A match that waits for earlier events. Those of the same time keep the order of arrival.
struct QueuedMatch {
    at: Millis,
    number: u64,
    found: WaitingEvent,
}

impl Ord for QueuedMatch {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}
impl PartialOrd for QueuedMatch {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for QueuedMatch {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}
impl Eq for QueuedMatch {}

/// The next thing to handle.
pub(super) enum WorkspaceStep {
    /// A match and its time.
    Match(Millis, WaitingEvent),
    /// The deadline of a key of a rule.
    Due(Timer),
}

impl WorkspaceProgress {
    /// Creates the progress of a workspace without events.
    pub fn new(id: Option<Arc<str>>) -> Self {
        let workspace_id = id.as_deref().map(str::to_owned);
        let origin = Arc::new(Origin { workspace_id, ..Origin::default() });
        Self { id, origin, ..Self::default() }
    }

    /// Returns what the next run needs.
    pub fn save(&self) -> SavedWorkspace {
        let mut queue: Vec<_> = self.queue.iter().map(|Reverse(queued)| queued).collect();
        queue.sort();
        SavedWorkspace {
            id: self.id.as_deref().map(Into::into),
            latest: self.latest,
            reached: self.reached,
            first_stream: self.first_stream.clone(),
            is_merged: self.is_merged,
            gaps: self.gaps.clone(),
            queue: queue.into_iter().map(|queued| (queued.at, queued.found.clone())).collect(),
        }
    }

    /// Restores what [`save`](Self::save) returned. `rule` returns the index that a rule has now.
    pub fn restore(&mut self, saved: SavedWorkspace, rule: impl Fn(u16) -> Option<u16>) {
        let SavedWorkspace { id: _, latest, reached, first_stream, is_merged, gaps, queue } = saved;
        (self.latest, self.reached) = (latest, reached);
        (self.first_stream, self.is_merged, self.gaps) = (first_stream, is_merged, gaps);
        for (at, WaitingEvent { key, rules }) in queue {
            let known = |found: FoundRule| Some(FoundRule { rule: rule(found.rule)?, ..found });
            self.enqueue(at, &key, rules.into_iter().filter_map(known).collect());
        }
    }

    /// Notes an event of a stream, and returns the time up to which events can be handled.
    ///
    /// The events of a single stream come in the order of time. Only where several are merged, later
    /// events may be earlier, by the `lateness` that is allowed.
    pub fn event(&mut self, call: Option<&str>, at: Millis, lateness: Millis) -> Millis {
        match &self.first_stream {
            None => {
                let name = call.map(|call| format!("@{call}")).unwrap_or_default();
                self.first_stream = Some(name.into());
            }
            Some(first) => {
                self.is_merged = self.is_merged || first.strip_prefix('@') != call;
            }
        }
        self.latest = self.latest.max(Some(at));
        self.allowed(lateness)
    }

    /// Returns the time up to which events can be handled, by the latest event.
    fn allowed(&self, lateness: Millis) -> Millis {
        let latest = self.latest.unwrap_or(Millis::MIN);
        if self.is_merged { latest.saturating_sub(lateness) } else { latest }
    }

    /// Returns the time at which a match counts; `None` if no time is known. A match that is later
    /// than allowed counts at the time that is allowed.
    pub fn time_of(&self, found: &FoundEvent, lateness: Millis) -> Option<Millis> {
        Some(found.at.or(self.latest).or(found.fallback)?.max(self.allowed(lateness)))
    }

    /// Returns whether a match would be the next thing to handle up to a time.
    pub fn is_next(&self, at: Millis, until: Millis) -> bool {
        at <= until
            && self.queue.peek().is_none_or(|Reverse(first)| first.at > at)
            && self.timers.first().is_none_or(|timer| timer.at >= at)
    }

    /// Adds a match, which waits for its time.
    pub fn enqueue(&mut self, at: Millis, key: &str, rules: Vec<FoundRule>) {
        self.arrivals += 1;
        let found = WaitingEvent { key: key.into(), rules };
        self.queue.push(Reverse(QueuedMatch { at, number: self.arrivals, found }));
    }

    /// Returns what comes next up to a time. A deadline passes once all events up to it have been
    /// handled, and more events of that time may come.
    pub fn next(&mut self, until: Millis) -> Option<WorkspaceStep> {
        let first = self.queue.peek().map(|Reverse(first)| first.at);
        let first = first.filter(|at| *at <= until || self.queue.len() > MAX_QUEUED);
        let timer = self.timers.first().map(|timer| timer.at).filter(|at| *at < until);
        match (first, timer) {
            (Some(at), timer) if timer.is_none_or(|timer| at <= timer) => {
                let Reverse(first) = self.queue.pop()?;
                Some(WorkspaceStep::Match(at, first.found))
            }
            (_, Some(_)) => self.timers.pop().map(WorkspaceStep::Due),
            _ => None,
        }
    }

    /// Notes that a stream was opened, or that all of it before a time has arrived. Returns the time
    /// before which everything of all streams has, as far as no stream is disconnected.
    pub fn covered(&mut self, call: Option<&str>, until: Option<Millis>) -> Option<Millis> {
        let call = call.map(Into::into);
        self.disconnected.remove(&call);
        let known = self.coverage.entry(call).or_default();
        *known = (*known).max(until);
        if !self.disconnected.is_empty() {
            return None;
        }
        // A stream of which nothing is known holds up the others.
        self.coverage.values().copied().min().flatten()
    }

    /// Notes that a stream was disconnected, or has ended for good.
    pub fn closed(&mut self, call: Option<&str>, for_good: bool) {
        let call: Option<Box<str>> = call.map(Into::into);
        if for_good {
            self.coverage.remove(&call);
            self.disconnected.remove(&call);
        } else {
            self.disconnected.insert(call);
        }
    }
}
