//! A rule about operators: one of them should be able to take a call.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::gaps::{GapView, KnownGap};
use super::millis::Millis;
use super::rule::{Change, EventRole, EventRoles, Phase, RuleEvent, RuleForm, Standing};
use crate::model::catalog::value::{AlertReason, AlertState};

/// The maximum number of operators that are told apart.
const MAX_OPERATORS: usize = 4096;

/// Once an operator was online, at least one of those that are known must be.
///
/// An operator is the subject of an event. A [trigger](EventRole::Trigger) is the status of an operator
/// who cannot take a call, and a [wanted](EventRole::Want) event that of one who can.
#[derive(Debug, Clone, Copy)]
pub struct Availability;

/// The operators, and the alert.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvailabilityState {
    /// Whether each operator can take a call, by the hash of the id.
    operators: BTreeMap<u64, bool>,
    alert: Option<(Phase, Millis)>,
}

impl AvailabilityState {
    fn change(&self, at: Millis, state: AlertState, since: Millis, reason: AlertReason) -> Change {
        let count = self.operators.len() as u64;
        Change { at, state, since, count, value: None, reason }
    }
}

impl RuleForm for Availability {
    type State = AvailabilityState;

    fn begins(&self, roles: EventRoles) -> bool {
        roles.has(EventRole::Trigger) || roles.has(EventRole::Want)
    }

    fn event(
        &self,
        state: &mut AvailabilityState,
        event: &RuleEvent,
        _gaps: &GapView<'_>,
        changes: &mut Vec<Change>,
    ) {
        let is_available = event.roles.has(EventRole::Want);
        if !is_available && !event.roles.has(EventRole::Trigger) {
            return;
        }
        let was_any = state.operators.values().any(|available| *available);
        if state.operators.len() < MAX_OPERATORS || state.operators.contains_key(&event.subject) {
            state.operators.insert(event.subject, is_available);
        }
        let is_any = is_available || state.operators.values().any(|available| *available);
        match state.alert {
            Some((_, since)) if is_any => {
                let reason = AlertReason::OperatorBack;
                changes.push(state.change(event.at, AlertState::Resolved, since, reason));
                state.alert = None;
            }
            // Before anybody was available, there may be operators that are not known yet.
            None | Some((Phase::Unknown, _)) if was_any && !is_any => {
                let reason = AlertReason::NoOperator;
                changes.push(state.change(event.at, AlertState::Raised, event.at, reason));
                state.alert = Some((Phase::Raised, event.at));
            }
            _ => {}
        }
    }

    fn due(
        &self,
        _state: &mut AvailabilityState,
        _at: Millis,
        _gaps: &GapView<'_>,
        _changes: &mut Vec<Change>,
    ) {
    }

    /// An operator may have come back meanwhile.
    fn gap(
        &self,
        state: &mut AvailabilityState,
        gap: &KnownGap,
        at: Millis,
        changes: &mut Vec<Change>,
    ) {
        let Some((Phase::Raised, since)) = state.alert.filter(|(_, since)| gap.to >= *since) else {
            return;
        };
        state.alert = Some((Phase::Unknown, since));
        changes.push(state.change(at, AlertState::Unknown, since, AlertReason::Gap));
    }

    fn deadline(&self, _state: &AvailabilityState) -> Option<Millis> {
        None
    }

    fn standing(&self, state: &AvailabilityState) -> Option<Standing> {
        let count = state.operators.len() as u64;
        state.alert.map(|(phase, since)| Standing { phase, since, count })
    }

    fn is_idle(&self, _state: &AvailabilityState) -> bool {
        false
    }

    fn heap_bytes(&self, state: &AvailabilityState) -> usize {
        // A node of the tree is at least half full.
        state.operators.len() * 2 * size_of::<(u64, bool)>()
    }
}
