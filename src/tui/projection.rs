//! What the events add up to: counts, calls and the state of the workspace.

use jiff::Timestamp;

use super::attention::AttentionList;
use super::live_stats::LiveStats;
use super::trends::Trends;
use super::workspace_state::WorkspaceState;
use crate::analysis::call::CallTracker;
use crate::output::stored_event::StoredEvent;
use crate::redact::RedactedEvent;

/// What is recorded of an event when it is observed for the first time, so that another projection
/// can observe it again with the same result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventReceipt {
    /// The number of events that were observed up to this one. Unlike the number of an event in the
    /// buffer, it counts events that were dropped during a pause.
    pub sequence: u64,
    /// When the event arrived, in seconds of Unix time.
    pub arrived: i64,
    /// The steps that a surface took for the first time with the event, as bits.
    pub steps: u8,
}

/// Everything that the screens show and that is computed from the events one by one.
#[derive(Debug, Clone)]
pub struct Projection {
    /// The counts and rates of the session.
    pub stats: LiveStats,
    /// The calls.
    pub calls: CallTracker,
    /// What needs attention. Unlike everything else, it does not come from the events, but from an
    /// [`AttentionLog`](super::attention_log::AttentionLog).
    pub attention: AttentionList,
    /// How calls and latency develop.
    pub trends: Trends,
    /// The operators, surfaces, triggers, pipelines and reviews of the workspace.
    pub workspace: WorkspaceState,
    /// The time of the last event.
    pub last_event_time: Option<Timestamp>,
}

impl Projection {
    /// Creates a projection of no events, whose calls take at most `call_bytes`.
    #[must_use]
    pub fn new(call_bytes: usize) -> Self {
        Self {
            stats: LiveStats::default(),
            calls: CallTracker::with_limit(call_bytes),
            attention: AttentionList::default(),
            trends: Trends::default(),
            workspace: WorkspaceState::default(),
            last_event_time: None,
        }
    }

    /// Observes the next event. Rates go by the time of the event in a replay, and else by its
    /// arrival.
    pub fn observe(
        &mut self,
        stored: &StoredEvent,
        event: &RedactedEvent<'_>,
        receipt: &mut EventReceipt,
        is_replay: bool,
    ) {
        let arrived = Timestamp::from_second(receipt.arrived).unwrap_or_default();
        // In a replay, an event without a time happened when the one before it did.
        let of_replay = stored.time.or(self.last_event_time).filter(|_| is_replay);
        let at = of_replay.unwrap_or(arrived);
        self.stats.observe(stored, event, arrived, at);
        self.calls.observe(stored, event, arrived);
        self.trends.observe(stored.kind, event, at, self.calls.ongoing() as u64);
        self.workspace.observe(stored, event, arrived, &mut receipt.steps);
        self.last_event_time = stored.time.or(self.last_event_time);
        receipt.sequence = self.sequence();
    }

    /// Returns a copy that takes little memory. It shares calls with an earlier snapshot.
    #[must_use]
    pub fn snapshot(&self, earlier: Option<&Self>) -> Self {
        Self {
            stats: self.stats.clone(),
            calls: self.calls.snapshot(earlier.map(|earlier| &earlier.calls)),
            attention: self.attention.clone(),
            trends: self.trends.clone(),
            workspace: self.workspace.snapshot(),
            last_event_time: self.last_event_time,
        }
    }

    /// Returns the memory of a snapshot besides that of its calls, in bytes.
    #[must_use]
    pub fn snapshot_bytes(&self) -> usize {
        size_of::<Self>()
            + self.stats.copied_bytes()
            + self.calls.snapshot_bytes()
            + self.attention.bytes()
            + self.trends.bytes()
            + self.workspace.bytes()
    }

    /// Returns the number of events that were observed.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.stats.totals.events
    }
}
