//! The state of the workspace, reconstructed from its events: operators, surfaces, triggers,
//! pipelines and reviews.
//!
//! Memory is limited: each kind has a limited number of entries with texts of limited length, and
//! the board says which kinds have more.

use jiff::Timestamp;

use crate::analysis::activity::{ActivityBucket, ActivitySeries};
use crate::analysis::call::short_text;
use crate::analysis::stats::step_tracker::StepTracker;
use crate::analysis::stats::tally::Tally;
use crate::analysis::surface_funnel::{FUNNEL, reached_step};
use crate::model::catalog::{
    OperatorJoinedCall, OperatorLeftCall, OperatorModeChanged, OperatorStatusChanged,
    PipelineError, PipelineSyncCompleted, ReviewSubmitted, ToolCallCompleted, TriggerCompleted,
    TriggerFailed, TriggerFired,
};
use crate::model::{Declared, Kind};
use crate::output::stored_event::StoredEvent;
use crate::redact::RedactedEvent;

/// The maximum number of entries of each kind.
const MAX_ENTRIES: usize = 2000;

/// The maximum number of tools.
const MAX_TOOLS: usize = 100;

/// The maximum number of surfaces. Each takes some twenty bytes.
const MAX_SURFACES: usize = 100_000;

/// One event.
const ONE: ActivityBucket = ActivityBucket { events: 1, errors: 0, gaps: 0 };

/// The events about an entry over time.
pub type EntryActivity = ActivitySeries<32>;

/// An operator.
#[derive(Debug, Clone, Default)]
pub struct OperatorState {
    /// The availability, such as `online` or `busy`.
    pub status: Option<String>,
    /// The SID of the operator's current call, and the mode of taking part in it.
    pub call: Option<(String, String)>,
    /// The time of the last event about the operator.
    pub last_seen: Option<Timestamp>,
    /// The events about the operator.
    pub activity: EntryActivity,
    /// Since when the status and the call are as they are.
    pub since: Option<Timestamp>,
}

impl OperatorState {
    fn set(&mut self, status: Option<String>, call: Option<(String, String)>, time: Timestamp) {
        if self.since.is_none() || (&status, &call) != (&self.status, &self.call) {
            self.since = Some(time);
        }
        (self.status, self.call, self.last_seen) = (status, call, Some(time));
    }
}

/// The number of intervals between syncs that a pipeline's rhythm is taken from.
const INTERVALS: usize = 9;

/// A trigger.
#[derive(Debug, Clone, Default)]
pub struct TriggerState {
    /// How often the trigger was fired, completed and failed.
    pub counts: [u64; 3],
    /// The time of the last event about the trigger.
    pub last_seen: Option<Timestamp>,
    /// The events about the trigger.
    pub activity: EntryActivity,
}

/// The pipeline of a data source.
#[derive(Debug, Clone, Default)]
pub struct DataPipeline {
    /// The number of completed syncs.
    pub syncs: u64,
    /// The time of the last completed sync, and its number of events.
    pub last: Option<(Timestamp, i64)>,
    /// The last intervals between completed syncs, in seconds; 0 where there were fewer.
    intervals: [u32; INTERVALS],
    /// The number of errors.
    pub errors: u64,
    /// The time and the reason of the last error, until a sync completes.
    pub error: Option<(Timestamp, String)>,
    /// The events about the pipeline.
    pub activity: EntryActivity,
}

impl DataPipeline {
    fn add_sync(&mut self, time: Timestamp, events: i64) {
        if let Some((before, _)) = self.last {
            let seconds = time.as_second() - before.as_second();
            let place = usize::try_from(self.syncs % INTERVALS as u64).unwrap_or(0);
            self.intervals[place] = u32::try_from(seconds).unwrap_or(0).max(1);
        }
        self.syncs += 1;
        self.last = Some((time, events));
        self.error = None;
    }

    /// Returns the usual time between two syncs, in seconds: the median of the last nine.
    #[must_use]
    pub fn rhythm(&self) -> Option<i64> {
        let mut known: Vec<_> = self.intervals.iter().filter(|seconds| **seconds > 0).collect();
        known.sort_unstable();
        known.get(known.len() / 2).map(|seconds| i64::from(**seconds))
    }
}

/// The state of the workspace.
#[derive(Debug, Clone)]
pub struct WorkspaceState {
    /// The operators by id.
    pub operators: Tally<OperatorState>,
    /// How many surfaces reached each step of the funnel.
    pub funnel: [u64; FUNNEL.len()],
    /// How many surfaces were approved, rejected and archived.
    pub reviewed: [u64; 3],
    /// The triggers by name.
    pub triggers: Tally<TriggerState>,
    /// The pipelines by id of the data source.
    pub pipelines: Tally<DataPipeline>,
    /// The last failure of each tool, as far as its message is shown, by name.
    pub tool_errors: Tally<String>,
    /// The number of review decisions by action.
    pub reviews: Tally<u64>,
    /// Whether some surfaces are not counted, because there are too many.
    pub has_more_surfaces: bool,
    /// The steps that each surface took or must have taken. A copy of an earlier state has none.
    surfaces: Option<StepTracker>,
}

impl Default for WorkspaceState {
    fn default() -> Self {
        Self {
            operators: Tally::new(MAX_ENTRIES),
            funnel: [0; FUNNEL.len()],
            reviewed: [0; 3],
            triggers: Tally::new(MAX_ENTRIES),
            pipelines: Tally::new(MAX_ENTRIES),
            tool_errors: Tally::new(MAX_TOOLS),
            reviews: Tally::new(MAX_ENTRIES),
            has_more_surfaces: false,
            surfaces: Some(StepTracker::new(MAX_SURFACES, 0)),
        }
    }
}

impl WorkspaceState {
    /// Returns a copy that cannot tell surfaces apart, and therefore takes little memory.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        Self {
            operators: self.operators.clone(),
            funnel: self.funnel,
            reviewed: self.reviewed,
            triggers: self.triggers.clone(),
            pipelines: self.pipelines.clone(),
            tool_errors: self.tool_errors.clone(),
            reviews: self.reviews.clone(),
            has_more_surfaces: self.has_more_surfaces,
            surfaces: None,
        }
    }

    /// Returns the approximate memory use of the entries, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        self.operators.bytes(|operator| {
            let call = operator.call.as_ref().map_or(0, |(sid, mode)| sid.len() + mode.len());
            length(&operator.status) + call
        }) + self.triggers.bytes(|_| 0)
            + self
                .pipelines
                .bytes(|pipeline| pipeline.error.as_ref().map_or(0, |(_, why)| why.len()))
            + self.tool_errors.bytes(String::len)
            + self.reviews.bytes(|_| 0)
    }

    /// Updates the state with an event. `steps` are the steps that a surface has taken for the
    /// first time with it, as bits: they are set, or read by a copy of an earlier state.
    pub fn observe(
        &mut self,
        stored: &StoredEvent,
        event: &RedactedEvent<'_>,
        now: Timestamp,
        steps: &mut u8,
    ) {
        fn read<T: Declared>(event: &RedactedEvent<'_>) -> Option<T> {
            event.read::<T>()
        }
        let time = stored.time.unwrap_or(now);
        let Some(kind) = stored.kind else { return };
        self.surface(kind, event, steps);
        match kind {
            Kind::OperatorStatusChanged => {
                let Some(payload) = read::<OperatorStatusChanged>(event) else { return };
                if let Some(id) = short_text(&payload.operator_id) {
                    let operator = self.operators.entry(&id);
                    operator.activity.add(time, ONE);
                    let call = operator.call.clone();
                    operator.set(short_text(&payload.status), call, time);
                }
            }
            Kind::OperatorJoinedCall => {
                let Some(payload) = read::<OperatorJoinedCall>(event) else { return };
                self.operator(
                    short_text(&payload.operator_id),
                    short_text(&payload.call_sid).zip(short_text(&payload.mode)),
                    time,
                );
            }
            Kind::OperatorModeChanged => {
                let Some(payload) = read::<OperatorModeChanged>(event) else { return };
                self.operator(
                    short_text(&payload.operator_id),
                    short_text(&payload.call_sid).zip(short_text(&payload.mode)),
                    time,
                );
            }
            Kind::OperatorLeftCall => {
                let Some(payload) = read::<OperatorLeftCall>(event) else { return };
                self.operator(short_text(&payload.operator_id), None, time);
            }
            Kind::TriggerFired => {
                let name = read::<TriggerFired>(event)
                    .and_then(|payload| short_text(&payload.trigger_name));
                self.trigger(name, 0, time);
            }
            Kind::TriggerCompleted => {
                let name = read::<TriggerCompleted>(event)
                    .and_then(|payload| short_text(&payload.trigger_name));
                self.trigger(name, 1, time);
            }
            Kind::TriggerFailed => {
                let name = read::<TriggerFailed>(event)
                    .and_then(|payload| short_text(&payload.trigger_name));
                self.trigger(name, 2, time);
            }
            Kind::PipelineSyncCompleted => {
                let Some(payload) = read::<PipelineSyncCompleted>(event) else { return };
                if let Some(id) = short_text(&payload.data_source_id) {
                    let pipeline = self.pipelines.entry(&id);
                    pipeline.activity.add(time, ONE);
                    let events = payload.event_count.value().copied().unwrap_or_default();
                    pipeline.add_sync(time, events);
                }
            }
            Kind::PipelineError => {
                let Some(payload) = read::<PipelineError>(event) else { return };
                if let Some(id) = short_text(&payload.data_source_id) {
                    let pipeline = self.pipelines.entry(&id);
                    pipeline.activity.add(time, ONE);
                    pipeline.errors += 1;
                    pipeline.error = Some((time, short_text(&payload.error).unwrap_or_default()));
                }
            }
            Kind::ToolCallCompleted
                if event.field("succeeded").is_some_and(|it| it.json == "false") =>
            {
                let Some(payload) = read::<ToolCallCompleted>(event) else { return };
                if let Some((name, why)) =
                    short_text(&payload.tool_name).zip(short_text(&payload.error_message))
                {
                    *self.tool_errors.entry(&name) = why;
                }
            }
            Kind::ReviewSubmitted => {
                let action =
                    read::<ReviewSubmitted>(event).and_then(|payload| short_text(&payload.action));
                if let Some(action) = action {
                    *self.reviews.entry(&action) += 1;
                }
            }
            _ => {}
        }
    }

    fn operator(&mut self, id: Option<String>, call: Option<(String, String)>, time: Timestamp) {
        if let Some(id) = id {
            let operator = self.operators.entry(&id);
            operator.activity.add(time, ONE);
            let status = operator.status.clone();
            operator.set(status, call, time);
        }
    }

    fn trigger(&mut self, name: Option<String>, outcome: usize, time: Timestamp) {
        if let Some(name) = name {
            let trigger = self.triggers.entry(&name);
            trigger.counts[outcome] += 1;
            trigger.activity.add(time, ONE);
            trigger.last_seen = Some(time);
        }
    }

    /// Counts a step of a surface, together with the earlier steps, which a surface must have
    /// passed even if their events were not received.
    fn surface(&mut self, kind: Kind, event: &RedactedEvent<'_>, steps: &mut u8) {
        for (count, counted) in self.reviewed.iter_mut().zip([
            Kind::SurfaceReviewApproved,
            Kind::SurfaceReviewRejected,
            Kind::SurfaceArchived,
        ]) {
            *count += u64::from(kind == counted);
        }
        let Some(step) = reached_step(kind) else { return };
        let id = event.field("surface_id").filter(|field| !field.hidden);
        let id = id.and_then(|field| field.text());
        // A surface that reached a step has taken all steps before it.
        let taken = u8::MAX >> (u8::BITS as usize - 1 - step);
        if let Some(surfaces) = &mut self.surfaces {
            *steps = surfaces.step(id.as_deref(), taken);
            self.has_more_surfaces = surfaces.untracked() > 0;
        }
        for (at, count) in self.funnel.iter_mut().enumerate() {
            *count += u64::from(*steps >> at & 1);
        }
    }
}
