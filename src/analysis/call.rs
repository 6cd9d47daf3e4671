//! Tracks calls from the events of the workspace and of their observers: participants, state,
//! length, outcome and transcript.

mod field_text;
pub mod transcript;
mod transcript_item;

pub use field_text::{short_text, text};

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use crate::analysis::activity::{ActivityBucket, ActivitySeries};
use crate::analysis::byte_budget::{ByteBudget, ByteMeter, ByteShare, MAX_NAME_BYTES, truncated};
use crate::analysis::stats::tally::Tally;
use crate::model::catalog::{
    CallEnded, CallEscalated, CallStarted, OperatorJoinedCall, OperatorLeftCall,
    OperatorModeChanged, SessionEnd, SessionInfo, SessionStart, StateTransition,
};
use crate::model::{Declared, Kind, id_prefix};
use crate::output::stored_event::StoredEvent;
use crate::redact::RedactedEvent;
use transcript::{NoteLevel, Speaker, Transcript};

/// The memory of a call besides its texts, in bytes, with that of the map.
const CALL_BYTES: usize = size_of::<TrackedCall>() + 4 * ENTRY_BYTES;

/// The memory of an entry of the map, in bytes.
const ENTRY_BYTES: usize = size_of::<(Arc<str>, Arc<TrackedCall>)>() * 3 / 2;

/// The number of events of other calls after which a call is not expected to change.
const QUIET_EVENTS: u64 = 4096;

/// The number of time ranges whose events are counted.
const ACTIVITY_BUCKETS: usize = 32;

/// The number of operators of a call that are kept.
const MAX_OPERATORS: usize = 50;

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    /// Inbound or outbound.
    pub direction: Option<String>,
    /// The id of the service that answers.
    pub service: Option<String>,
    /// The state of the agent.
    pub state: Option<String>,
    /// The time of the start, or else of the first event.
    pub began: Option<Timestamp>,
    /// The time of the end, and the reason.
    pub ended: Option<(Timestamp, String)>,
    /// The duration in seconds that the platform reports.
    pub seconds: Option<f64>,
    /// Whether the call was escalated to a person.
    pub escalated: bool,
    /// Who escalated the call, and why, as far as that is shown.
    pub escalation: Option<String>,
    /// The mode of each operator who takes part, by id. The number of operators is limited.
    pub operators: Tally<String>,
    /// The transcript: speech, tools and notes.
    pub transcript: Transcript,
    /// The events of the call over time.
    pub activity: ActivitySeries<ACTIVITY_BUCKETS>,
    /// The id of the workspace.
    pub workspace: Option<Box<str>>,
}

impl Default for Call {
    fn default() -> Self {
        Self {
            direction: None,
            service: None,
            state: None,
            began: None,
            ended: None,
            seconds: None,
            escalated: false,
            escalation: None,
            operators: Tally::new(MAX_OPERATORS),
            transcript: Transcript::default(),
            activity: ActivitySeries::default(),
            workspace: None,
        }
    }
}

impl Call {
    /// Returns the duration up to `now`, in seconds.
    #[must_use]
    pub fn length(&self, now: Timestamp) -> i64 {
        let end = self.ended.as_ref().map_or(now, |(end, _)| *end);
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds are what is event")]
        self.seconds.map_or_else(
            || self.began.map_or(0, |began| end.as_second() - began.as_second()),
            |seconds| seconds as i64,
        )
    }
}

/// The calls, by SID, with limited memory.
#[derive(Debug, Clone)]
pub struct CallTracker {
    calls: BTreeMap<Arc<str>, Arc<TrackedCall>>,
    /// The number of calls that have not ended.
    ongoing: usize,
    budget: ByteBudget,
    /// The number of events of calls.
    version: u64,
    /// Counts the memory of the calls that only snapshots have.
    meter: ByteMeter,
    is_snapshot: bool,
}

/// A call, and when it was last heard of.
#[derive(Debug, Clone, Default)]
struct TrackedCall {
    call: Call,
    last_seen: Timestamp,
    /// The bytes of the call that the budget counts.
    bytes: usize,
    /// The version of the tracker when the call changed.
    version: u64,
    /// The bytes of the call that the meter counts, if only snapshots have it.
    share: OnceLock<ByteShare>,
}

impl TrackedCall {
    /// Counts the memory of the call until it is dropped.
    fn count(&self, meter: &ByteMeter) {
        self.share.get_or_init(|| meter.share(self.bytes));
    }
}

impl CallTracker {
    /// Creates a tracker that takes at most `bytes` of memory.
    #[must_use]
    pub fn with_limit(bytes: usize) -> Self {
        Self {
            calls: BTreeMap::new(),
            ongoing: 0,
            budget: ByteBudget::new(bytes),
            version: 0,
            meter: ByteMeter::default(),
            is_snapshot: false,
        }
    }

    /// Returns the counter of the memory of the calls that only snapshots have.
    #[must_use]
    pub const fn meter(&self) -> &ByteMeter {
        &self.meter
    }

    /// Returns a copy that takes little memory: it shares the calls that will hardly change, and
    /// those that have not changed since an earlier snapshot; of the others it has only the end of
    /// the conversation.
    #[must_use]
    pub fn snapshot(&self, earlier: Option<&Self>) -> Self {
        let mut earlier = earlier.into_iter().flat_map(|earlier| &earlier.calls).peekable();
        let copy = |(sid, tracked): (&Arc<str>, &Arc<TrackedCall>)| {
            while earlier.next_if(|(other, _)| *other < sid).is_some() {}
            let shared = earlier.next_if(|(other, _)| *other == sid);
            let shared = shared.filter(|(_, call)| call.version == tracked.version);
            let is_quiet = tracked.version + QUIET_EVENTS <= self.version;
            if tracked.call.ended.is_some() || is_quiet {
                return (Arc::clone(sid), Arc::clone(tracked));
            }
            if let Some((sid, call)) = shared {
                return (Arc::clone(sid), Arc::clone(call));
            }
            let call = tracked.call.summary();
            let bytes = CALL_BYTES + sid.len() + call.bytes();
            let share = self.meter.share(bytes).into();
            let (last_seen, version) = (tracked.last_seen, tracked.version);
            (Arc::clone(sid), Arc::new(TrackedCall { call, last_seen, bytes, version, share }))
        };
        Self {
            calls: self.calls.iter().map(copy).collect(),
            ongoing: self.ongoing,
            budget: self.budget.clone(),
            version: self.version,
            meter: self.meter.clone(),
            is_snapshot: true,
        }
    }

    /// Returns the memory of a snapshot besides that of its calls, in bytes.
    #[must_use]
    pub fn snapshot_bytes(&self) -> usize {
        self.calls.len() * ENTRY_BYTES
    }

    /// Updates the call that an event belongs to. `now` is the time of an event without one.
    pub fn observe(&mut self, stored: &StoredEvent, event: &RedactedEvent<'_>, now: Timestamp) {
        let (Some(sid), Some(kind)) = (&stored.call_sid, stored.kind) else { return };
        let time = stored.time.unwrap_or(now);
        if !self.calls.contains_key(&**sid) {
            self.calls.insert(sid.as_ref().into(), Arc::default());
            self.ongoing += 1;
        }
        let Some(tracked) = self.calls.get_mut(&**sid) else { return };
        if Arc::strong_count(tracked) > 1 {
            tracked.count(&self.meter);
        }
        let tracked = Arc::make_mut(tracked);
        let was_ongoing = tracked.call.ended.is_none();
        tracked.call.observe(kind, event, time);
        tracked.call.activity.add(time, ActivityBucket::from(stored));
        if let (None, Some(id)) = (&tracked.call.workspace, &event.tap().workspace_id) {
            tracked.call.workspace = Some(truncated(id, MAX_NAME_BYTES).into());
        }
        if was_ongoing && tracked.call.ended.is_some() {
            self.ongoing -= 1;
        }
        self.version += 1;
        (tracked.last_seen, tracked.version) = (time, self.version);
        let bytes = CALL_BYTES + sid.len() + tracked.call.bytes();
        tracked.share = OnceLock::new();
        if self.is_snapshot {
            tracked.bytes = bytes;
            return tracked.count(&self.meter);
        }
        self.budget.replace(tracked.bytes, bytes);
        tracked.bytes = bytes;
        if self.budget.is_exceeded() {
            self.evict(sid);
        }
    }

    /// Removes calls until an eighth of the memory is free: first those that have ended, the first
    /// to end first, and then those that were silent for the longest time. Keeps the call `newest`.
    fn evict(&mut self, newest: &str) {
        let order = |sid: &str, call: &TrackedCall| {
            let ended = call.call.ended.as_ref().map(|(end, _)| *end);
            // The SID makes the order of calls with the same time a total one.
            (ended.is_none(), ended.unwrap_or(call.last_seen), sid.to_owned())
        };
        let others = self.calls.iter().filter(|(sid, _)| &***sid != newest);
        let mut sorted: Vec<_> = others.map(|(sid, call)| (order(sid, call), call.bytes)).collect();
        sorted.sort_unstable();
        let mut excess = self.budget.used().saturating_sub(self.budget.limit() / 8 * 7);
        let last = sorted.into_iter().take_while(|(_, bytes)| {
            let is_needed = excess > 0;
            excess = excess.saturating_sub(*bytes);
            is_needed
        });
        let Some((last, _)) = last.last() else { return };
        let (budget, ongoing) = (&mut self.budget, &mut self.ongoing);
        self.calls.retain(|sid, call| {
            let is_kept = **sid == *newest || order(sid, call) > last;
            if !is_kept {
                budget.evict(call.bytes);
                if Arc::strong_count(call) > 1 {
                    call.count(&self.meter);
                }
                *ongoing -= usize::from(call.call.ended.is_none());
            }
            is_kept
        });
    }

    /// Returns the number of calls that were removed because they take too much memory.
    #[must_use]
    pub const fn missing(&self) -> u64 {
        self.budget.missing()
    }

    /// Returns the number of calls.
    #[must_use]
    pub fn count(&self) -> usize {
        self.calls.len()
    }

    /// Returns the number of kept calls that have not ended.
    #[must_use]
    pub const fn ongoing(&self) -> usize {
        self.ongoing
    }

    /// Returns the call with a SID.
    #[must_use]
    pub fn get(&self, sid: &str) -> Option<&Call> {
        self.calls.get(sid).map(|tracked| &tracked.call)
    }

    /// Iterates over the calls, in the order of their SIDs.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Call)> {
        self.calls.iter().map(|(sid, tracked)| (&**sid, &tracked.call))
    }

    /// Returns the ongoing calls, the longest first, and then the others, the last to end first.
    #[must_use]
    pub fn sorted(&self) -> Vec<(&str, &Call)> {
        let mut calls: Vec<_> = self.iter().collect();
        calls.sort_by_cached_key(|(_, call)| match &call.ended {
            None => (false, call.began.map_or(0, Timestamp::as_millisecond)),
            Some((end, _)) => (true, -end.as_millisecond()),
        });
        calls
    }
}

impl Call {
    /// Updates the call and its transcript with an event of the call.
    pub fn observe(&mut self, kind: Kind, event: &RedactedEvent<'_>, time: Timestamp) {
        self.began.get_or_insert(time);
        self.update(kind, event, time);
        self.transcript.observe(kind, event, time);
    }

    fn update(&mut self, kind: Kind, event: &RedactedEvent<'_>, time: Timestamp) {
        fn read<T: Declared>(event: &RedactedEvent<'_>, then: impl FnOnce(T)) {
            if let Some(typed) = event.read::<T>() {
                then(typed);
            }
        }
        match kind {
            Kind::CallStarted => read(event, |it: CallStarted| {
                self.began = Some(time);
                (self.direction, self.service) =
                    (short_text(&it.direction), short_text(&it.service_id));
                self.transcript.note(
                    time,
                    NoteLevel::Plain,
                    format!("call started, {}", short_text(&it.direction).unwrap_or_default()),
                );
            }),
            Kind::CallEnded => read(event, |it: CallEnded| {
                self.set_ended(
                    time,
                    short_text(&it.completion_reason),
                    it.duration_seconds.value().copied(),
                );
                self.escalated |= it.escalated.value().copied().unwrap_or_default();
                self.direction = short_text(&it.direction).or_else(|| self.direction.take());
            }),
            Kind::CallEscalated => {
                read(event, |it: CallEscalated| self.set_escalated(time, &it));
            }
            Kind::OperatorJoinedCall => read(event, |it: OperatorJoinedCall| {
                self.set_operator(
                    time,
                    short_text(&it.operator_id),
                    short_text(&it.mode),
                    "joined",
                );
            }),
            Kind::OperatorModeChanged => read(event, |it: OperatorModeChanged| {
                self.set_operator(
                    time,
                    short_text(&it.operator_id),
                    short_text(&it.mode),
                    "changed over",
                );
            }),
            Kind::OperatorLeftCall => read(event, |it: OperatorLeftCall| {
                if let Some(id) = short_text(&it.operator_id) {
                    self.operators.remove(&id);
                    self.transcript.note(
                        time,
                        NoteLevel::Plain,
                        format!("operator {} left", id_prefix(&id)),
                    );
                }
            }),
            Kind::SessionInfo => read(event, |it: SessionInfo| {
                self.direction = short_text(&it.direction).or_else(|| self.direction.take());
                self.service = short_text(&it.service_id).or_else(|| self.service.take());
                self.set_state(time, short_text(&it.current_state));
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "milliseconds of Unix time are whole, and fit"
                )]
                if let Some(began) = it
                    .start_time
                    .value()
                    .and_then(|at| Timestamp::from_millisecond((at * 1000.0) as i64).ok())
                {
                    self.began = Some(began);
                }
            }),
            Kind::SessionStart => read(event, |it: SessionStart| {
                self.set_state(time, short_text(&it.initial_state));
                self.service = short_text(&it.service_id).or_else(|| self.service.take());
            }),
            Kind::StateTransition => read(event, |it: StateTransition| {
                let (from, to) = (
                    short_text(&it.previous_state).unwrap_or_default(),
                    short_text(&it.next_state).unwrap_or_default(),
                );
                let remark =
                    text(&it.annotation).map(|remark| format!(" ({remark})")).unwrap_or_default();
                self.transcript.note(time, NoteLevel::State, format!("{from} → {to}{remark}"));
                self.leave_state(time, &from);
                self.set_state(time, Some(to));
            }),
            Kind::SessionEnd => read(event, |it: SessionEnd| {
                self.set_ended(
                    time,
                    short_text(&it.completion_reason),
                    it.duration_s.value().copied(),
                );
                self.state = short_text(&it.final_state).or_else(|| self.state.take());
            }),
            _ => {}
        }
    }

    /// Records the first state, which nothing else has reported.
    fn leave_state(&mut self, time: Timestamp, state: &str) {
        if self.transcript.states.is_empty() {
            self.transcript.set_state(self.began.unwrap_or(time), state);
        }
    }

    fn set_state(&mut self, time: Timestamp, state: Option<String>) {
        if let Some(state) = state {
            self.transcript.set_state(time, &state);
            self.state = Some(state);
        }
    }

    fn set_escalated(&mut self, time: Timestamp, event: &CallEscalated) {
        self.escalated = true;
        let by = short_text(&event.trigger).unwrap_or_default();
        let why = text(&event.reason).unwrap_or_default();
        self.transcript.note(time, NoteLevel::Warning, format!("escalated by {by}: {why}"));
        let why = short_text(&event.reason).unwrap_or_default();
        self.escalation = Some(format!("{by}: {why}"));
    }

    fn set_ended(&mut self, time: Timestamp, reason: Option<String>, seconds: Option<f64>) {
        let reason = reason.unwrap_or_else(|| "unknown".to_owned());
        if self.ended.is_none() {
            self.transcript.note(time, NoteLevel::Plain, format!("call ended: {reason}"));
        }
        self.ended = Some((time, reason));
        self.seconds = seconds.or(self.seconds);
    }

    fn set_operator(
        &mut self,
        time: Timestamp,
        id: Option<String>,
        mode: Option<String>,
        did: &str,
    ) {
        let (Some(id), mode) = (id, mode.unwrap_or_default()) else { return };
        self.transcript.note(
            time,
            NoteLevel::Warning,
            format!("operator {} {did}: {mode}", id_prefix(&id)),
        );
        *self.operators.entry(&id) = mode;
    }

    /// Returns the approximate memory use, in bytes.
    fn bytes(&self) -> usize {
        let dominant = &self.transcript.dominant;
        let texts = [&self.direction, &self.service, &self.state, &self.escalation, dominant];
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let operators = self.operators.named().map(|(id, mode)| 64 + id.len() + mode.len());
        self.transcript.bytes()
            + self.activity.bytes()
            + self.workspace.as_ref().map_or(0, |id| id.len())
            + texts.into_iter().map(length).sum::<usize>()
            + self.ended.as_ref().map_or(0, |(_, reason)| reason.len())
            + operators.sum::<usize>()
    }

    /// Returns a copy with only the end of the conversation.
    fn summary(&self) -> Self {
        Self {
            direction: self.direction.clone(),
            service: self.service.clone(),
            state: self.state.clone(),
            began: self.began,
            ended: self.ended.clone(),
            seconds: self.seconds,
            escalated: self.escalated,
            escalation: self.escalation.clone(),
            operators: self.operators.clone(),
            transcript: self.transcript.summary(),
            activity: self.activity.clone(),
            workspace: self.workspace.clone(),
        }
    }

    /// Returns the last utterance and its speaker.
    #[must_use]
    pub fn last_said(&self) -> Option<(Speaker, &str)> {
        self.transcript.last_said()
    }
}
