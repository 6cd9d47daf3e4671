//! The state of the workspace as its events tell it: operators, surfaces, triggers, pipelines, reviews.

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

/// How many things of one sort are told apart.
const KEPT: usize = 5000;

/// An operator.
#[derive(Debug, Clone, Default)]
pub struct OperatorState {
    /// Whether the operator can take calls.
    pub status: Option<String>,
    /// The call that the operator is in, and how.
    pub call: Option<(String, String)>,
    /// When that was last seen.
    pub last_seen: Option<Timestamp>,
}

/// A trigger.
#[derive(Debug, Clone, Default)]
pub struct TriggerState {
    /// How often it was fired, has completed, has failed.
    pub counts: [u64; 3],
    /// When it was last seen.
    pub last_seen: Option<Timestamp>,
}

/// A data source.
#[derive(Debug, Clone, Default)]
pub struct DataPipeline {
    /// How often it was synchronised.
    pub syncs: u64,
    /// When last, with how many events.
    pub last: Option<(Timestamp, i64)>,
    /// How often that failed.
    pub errors: u64,
    /// When last, and why; gone once a sync works again.
    pub error: Option<(Timestamp, String)>,
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub struct WorkspaceState {
    /// By id.
    pub operators: BTreeMap<String, OperatorState>,
    /// How many surfaces came as far as each step.
    pub funnel: [u64; FUNNEL.len()],
    /// How many were approved, rejected, archived.
    pub reviewed: [u64; 3],
    /// By name.
    pub triggers: BTreeMap<String, TriggerState>,
    /// By id.
    pub pipelines: BTreeMap<String, DataPipeline>,
    /// Decisions by action.
    pub reviews: BTreeMap<String, u64>,
    surfaces: BTreeMap<String, usize>,
    order: VecDeque<String>,
}

/// The entry of that name, unless there are too many already.
fn entry<T: Default>(map: &mut BTreeMap<String, T>, name: Option<String>) -> Option<&mut T> {
    let name = name.filter(|name| map.len() < KEPT || map.contains_key(name))?;
    Some(map.entry(name).or_default())
}

impl WorkspaceState {
    /// Takes an event.
    pub fn observe(&mut self, stored: &StoredEvent, event: &RedactedEvent<'_>, now: Timestamp) {
        fn read<T: Declared>(event: &RedactedEvent<'_>) -> Option<T> {
            event.read::<T>()
        }
        let time = stored.time.unwrap_or(now);
        let Some(kind) = stored.kind else { return };
        self.surface(kind, event);
        match kind {
            Kind::OperatorStatusChanged => {
                let Some(it) = read::<OperatorStatusChanged>(event) else { return };
                if let Some(operator) = entry(&mut self.operators, text(&it.operator_id)) {
                    (operator.status, operator.last_seen) = (text(&it.status), Some(time));
                }
            }
            Kind::OperatorJoinedCall => {
                let Some(it) = read::<OperatorJoinedCall>(event) else { return };
                self.operator(text(&it.operator_id), text(&it.call_sid).zip(text(&it.mode)), time);
            }
            Kind::OperatorModeChanged => {
                let Some(it) = read::<OperatorModeChanged>(event) else { return };
                self.operator(text(&it.operator_id), text(&it.call_sid).zip(text(&it.mode)), time);
            }
            Kind::OperatorLeftCall => {
                let Some(it) = read::<OperatorLeftCall>(event) else { return };
                self.operator(text(&it.operator_id), None, time);
            }
            Kind::TriggerFired => {
                let name = read::<TriggerFired>(event).and_then(|it| text(&it.trigger_name));
                self.trigger(name, 0, time);
            }
            Kind::TriggerCompleted => {
                let name = read::<TriggerCompleted>(event).and_then(|it| text(&it.trigger_name));
                self.trigger(name, 1, time);
            }
            Kind::TriggerFailed => {
                let name = read::<TriggerFailed>(event).and_then(|it| text(&it.trigger_name));
                self.trigger(name, 2, time);
            }
            Kind::PipelineSyncCompleted => {
                let Some(it) = read::<PipelineSyncCompleted>(event) else { return };
                if let Some(pipeline) = entry(&mut self.pipelines, text(&it.data_source_id)) {
                    pipeline.syncs += 1;
                    pipeline.last =
                        Some((time, it.event_count.value().copied().unwrap_or_default()));
                    pipeline.error = None;
                }
            }
            Kind::PipelineError => {
                let Some(it) = read::<PipelineError>(event) else { return };
                if let Some(pipeline) = entry(&mut self.pipelines, text(&it.data_source_id)) {
                    pipeline.errors += 1;
                    pipeline.error = Some((time, text(&it.error).unwrap_or_default()));
                }
            }
            Kind::ReviewSubmitted => {
                let action = read::<ReviewSubmitted>(event).and_then(|it| text(&it.action));
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

    fn trigger(&mut self, name: Option<String>, what: usize, time: Timestamp) {
        if let Some(trigger) = entry(&mut self.triggers, name) {
            trigger.counts[what] += 1;
            trigger.last_seen = Some(time);
        }
    }

    /// A surface that comes to a step has been at those before, whether or not that was seen.
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
            if self.order.len() > KEPT
                && let Some(oldest) = self.order.pop_front()
            {
                self.surfaces.remove(&oldest);
            }
        }
        self.surfaces.insert(id, known.unwrap_or(0).max(step));
    }
}
