//! A rule that waits for an event which should follow another.

use serde::{Deserialize, Serialize};

use super::gaps::{GapView, KnownGap};
use super::millis::Millis;
use super::rule::{Change, EventRole, Phase, RuleEvent, RuleForm, Standing};
use crate::model::catalog::value::{AlertReason, AlertState};

/// After an event, another must follow within a time, unless a third one does.
#[derive(Debug, Clone, Copy)]
pub struct Wait {
    /// The time, in milliseconds.
    pub within: Millis,
}

/// A wait, or its result; `None` if nothing is awaited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitState(Option<(Phase, Millis, u64)>);

impl Wait {
    fn change(
        at: Millis,
        state: AlertState,
        (since, count): (Millis, u64),
        reason: AlertReason,
    ) -> Change {
        Change { at, state, since, count, value: None, reason }
    }
}

impl RuleForm for Wait {
    type State = WaitState;

    fn event(
        &self,
        WaitState(state): &mut WaitState,
        event: &RuleEvent,
        _gaps: &GapView<'_>,
        changes: &mut Vec<Change>,
    ) {
        let reason = if event.roles.has(EventRole::Want) {
            Some(AlertReason::Followed)
        } else {
            event.roles.has(EventRole::Unless).then_some(AlertReason::Excused)
        };
        if let Some(reason) = reason
            && let Some((phase, since, count)) = state.take()
            && phase != Phase::Waiting
        {
            changes.push(Self::change(event.at, AlertState::Resolved, (since, count), reason));
        }
        if event.roles.has(EventRole::Trigger) {
            match state {
                Some((_, _, count)) => *count += 1,
                None => *state = Some((Phase::Waiting, event.at, 1)),
            }
        }
    }

    fn due(
        &self,
        WaitState(state): &mut WaitState,
        at: Millis,
        gaps: &GapView<'_>,
        changes: &mut Vec<Change>,
    ) {
        let Some((phase @ Phase::Waiting, since, count)) = state else { return };
        let (known, reason) = if gaps.within(*since, at).is_some() {
            *phase = Phase::Unknown;
            (AlertState::Unknown, AlertReason::Gap)
        } else {
            *phase = Phase::Raised;
            (AlertState::Raised, AlertReason::NotFollowed)
        };
        changes.push(Self::change(at, known, (*since, *count), reason));
    }

    /// The awaited event may be among those that are missing.
    fn gap(
        &self,
        WaitState(state): &mut WaitState,
        gap: &KnownGap,
        at: Millis,
        changes: &mut Vec<Change>,
    ) {
        let Some((phase @ Phase::Raised, since, count)) = state else { return };
        if gap.from <= since.saturating_add(self.within) && gap.to >= *since {
            *phase = Phase::Unknown;
            let known = (*since, *count);
            changes.push(Self::change(at, AlertState::Unknown, known, AlertReason::Gap));
        }
    }

    fn deadline(&self, WaitState(state): &WaitState) -> Option<Millis> {
        let (phase, since, _) = (*state)?;
        (phase == Phase::Waiting).then(|| since.saturating_add(self.within))
    }

    fn standing(&self, WaitState(state): &WaitState) -> Option<Standing> {
        state.map(|(phase, since, count)| Standing { phase, since, count })
    }

    fn is_idle(&self, WaitState(state): &WaitState) -> bool {
        state.is_none()
    }
}
