//! The state of the workspace, reconstructed from its events: operators, surfaces, triggers,
//! pipelines and reviews.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use crate::analysis::call::text;
use crate::analysis::surface_funnel::{FUNNEL, reached_step};
use crate::model::catalog::{
    OperatorJoinedCall, OperatorLeftCall, OperatorModeChanged, OperatorStatusChanged,
    PipelineError, PipelineSyncCompleted, ReviewSubmitted, TriggerCompleted, TriggerFailed,
    TriggerFired,
};
use crate::model::{Declared, Kind};
use crate::output::stored_event::StoredEvent;
use crate::redact::RedactedEvent;

/// The maximum number of entries of each kind.
const MAX_ENTRIES: usize = 5000;

/// An operator.
#[derive(Debug, Clone, Default)]
pub struct OperatorState {
    /// The availability, such as `online` or `busy`.
    pub status: Option<String>,
    /// The SID of the operator's current call, and the mode of taking part in it.
    pub call: Option<(String, String)>,
    /// The time of the last event about the operator.
    pub last_seen: Option<Timestamp>,
}

/// A trigger.
#[derive(Debug, Clone, Default)]
pub struct TriggerState {
    /// How often the trigger was fired, completed and failed.
    pub counts: [u64; 3],
    /// The time of the last event about the trigger.
    pub last_seen: Option<Timestamp>,
}

/// The pipeline of a data source.
#[derive(Debug, Clone, Default)]
pub struct DataPipeline {
    /// The number of completed syncs.
    pub syncs: u64,
    /// The time of the last completed sync, and its number of events.
    pub last: Option<(Timestamp, i64)>,
    /// The number of errors.
    pub errors: u64,
    /// The time and the reason of the last error, until a sync completes.
    pub error: Option<(Timestamp, String)>,
}

/// The state of the workspace.
#[derive(Debug, Clone, Default)]
pub struct WorkspaceState {
    /// The operators by id.
    pub operators: BTreeMap<String, OperatorState>,
    /// How many surfaces reached each step of the funnel.
    pub funnel: [u64; FUNNEL.len()],
    /// How many surfaces were approved, rejected and archived.
    pub reviewed: [u64; 3],
    /// The triggers by name.
    pub triggers: BTreeMap<String, TriggerState>,
    /// The pipelines by id of the data source.
    pub pipelines: BTreeMap<String, DataPipeline>,
    /// The number of review decisions by action.
    pub reviews: BTreeMap<String, u64>,
    /// The furthest step that each known surface reached, by id.
    surfaces: BTreeMap<String, usize>,
    /// The ids of the known surfaces, the oldest first.
    order: VecDeque<String>,
}

/// Returns the entry with that name, or adds it. Returns `None` once there are too many entries.
fn entry<T: Default>(map: &mut BTreeMap<String, T>, name: Option<String>) -> Option<&mut T> {
    let name = name.filter(|name| map.len() < MAX_ENTRIES || map.contains_key(name))?;
    Some(map.entry(name).or_default())
}

impl WorkspaceState {
    /// Updates the state with an event.
    pub fn observe(&mut self, stored: &StoredEvent, event: &RedactedEvent<'_>, now: Timestamp) {
        fn read<T: Declared>(event: &RedactedEvent<'_>) -> Option<T> {
            event.read::<T>()
        }
        let time = stored.time.unwrap_or(now);
        let Some(kind) = stored.kind else { return };
        self.surface(kind, event);
        match kind {
            Kind::OperatorStatusChanged => {
                let Some(payload) = read::<OperatorStatusChanged>(event) else { return };
                if let Some(operator) = entry(&mut self.operators, text(&payload.operator_id)) {
                    (operator.status, operator.last_seen) = (text(&payload.status), Some(time));
                }
            }
            Kind::OperatorJoinedCall => {
                let Some(payload) = read::<OperatorJoinedCall>(event) else { return };
                self.operator(
                    text(&payload.operator_id),
                    text(&payload.call_sid).zip(text(&payload.mode)),
                    time,
                );
            }
            Kind::OperatorModeChanged => {
                let Some(payload) = read::<OperatorModeChanged>(event) else { return };
                self.operator(
                    text(&payload.operator_id),
                    text(&payload.call_sid).zip(text(&payload.mode)),
                    time,
                );
            }
            Kind::OperatorLeftCall => {
                let Some(payload) = read::<OperatorLeftCall>(event) else { return };
                self.operator(text(&payload.operator_id), None, time);
            }
            Kind::TriggerFired => {
                let name =
                    read::<TriggerFired>(event).and_then(|payload| text(&payload.trigger_name));
                self.trigger(name, 0, time);
            }
            Kind::TriggerCompleted => {
                let name =
                    read::<TriggerCompleted>(event).and_then(|payload| text(&payload.trigger_name));
                self.trigger(name, 1, time);
            }
            Kind::TriggerFailed => {
                let name =
                    read::<TriggerFailed>(event).and_then(|payload| text(&payload.trigger_name));
                self.trigger(name, 2, time);
            }
            Kind::PipelineSyncCompleted => {
                let Some(payload) = read::<PipelineSyncCompleted>(event) else { return };
                if let Some(pipeline) = entry(&mut self.pipelines, text(&payload.data_source_id)) {
                    pipeline.syncs += 1;
                    pipeline.last =
                        Some((time, payload.event_count.value().copied().unwrap_or_default()));
                    pipeline.error = None;
                }
            }
            Kind::PipelineError => {
                let Some(payload) = read::<PipelineError>(event) else { return };
                if let Some(pipeline) = entry(&mut self.pipelines, text(&payload.data_source_id)) {
                    pipeline.errors += 1;
                    pipeline.error = Some((time, text(&payload.error).unwrap_or_default()));
                }
            }
            Kind::ReviewSubmitted => {
                let action =
                    read::<ReviewSubmitted>(event).and_then(|payload| text(&payload.action));
                if let Some(count) = entry(&mut self.reviews, action) {
                    *count += 1;
                }
            }
            _ => {}
        }
    }

    fn operator(&mut self, id: Option<String>, call: Option<(String, String)>, time: Timestamp) {
        if let Some(operator) = entry(&mut self.operators, id) {
            (operator.call, operator.last_seen) = (call, Some(time));
        }
    }

    fn trigger(&mut self, name: Option<String>, outcome: usize, time: Timestamp) {
        if let Some(trigger) = entry(&mut self.triggers, name) {
            trigger.counts[outcome] += 1;
            trigger.last_seen = Some(time);
        }
    }

    /// Counts a step of a surface, together with the earlier steps, which a surface must have
    /// passed even if their events were not received.
    fn surface(&mut self, kind: Kind, event: &RedactedEvent<'_>) {
        for (count, counted) in self.reviewed.iter_mut().zip([
            Kind::SurfaceReviewApproved,
            Kind::SurfaceReviewRejected,
            Kind::SurfaceArchived,
        ]) {
            *count += u64::from(kind == counted);
        }
        let Some(step) = reached_step(kind) else { return };
        let id = event.field("surface_id").filter(|field| !field.hidden);
        let Some(id) = id.and_then(|field| field.text().map(Cow::into_owned)) else { return };
        let known = self.surfaces.get(&id).copied();
        let reached = known.map_or(0, |known| known + 1);
        for count in self.funnel.iter_mut().take(step + 1).skip(reached) {
            *count += 1;
        }
        if known.is_none() {
            self.order.push_back(id.clone());
            if self.order.len() > MAX_ENTRIES
                && let Some(oldest) = self.order.pop_front()
            {
                self.surfaces.remove(&oldest);
            }
        }
        self.surfaces.insert(id, known.unwrap_or(0).max(step));
    }
}
