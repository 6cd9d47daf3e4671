//! A rule that expects an event again and again.

use serde::{Deserialize, Serialize};

use super::gaps::GapView;
use super::millis::Millis;
use super::rule::{Change, EventRole, EventRoles, Phase, RuleEvent, RuleForm, Standing};
use crate::model::catalog::value::{AlertReason, AlertState};

/// After an event, the next one must follow within a time, unless another event ends that.
#[derive(Debug, Clone, Copy)]
pub struct Silence {
    /// The longest time without an event, in milliseconds.
    pub silent_for: Millis,
}

/// The last event of a key; `None` if no event is expected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceState(Option<LastEvent>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct LastEvent {
    at: Millis,
    count: u64,
    phase: Phase,
    /// The time up to which nothing is known, because of a gap.
    unknown_until: Option<Millis>,
}

/// Changes the phase of a key that is silent at its deadline, or cannot be known to be.
///
/// `length` is the longest time without an event. Returns the time from which the silence is
/// measured again, if it cannot be known.
pub(super) fn silent(
    (since, count): (Millis, u64),
    phase: &mut Phase,
    at: Millis,
    gaps: &GapView<'_>,
    length: Millis,
    reason: AlertReason,
    changes: &mut Vec<Change>,
) -> Option<Millis> {
    let gap_end = gaps.within(at.saturating_sub(length), at);
    let (known, state, reason) = match gap_end {
        Some(_) => (Phase::Unknown, AlertState::Unknown, AlertReason::Gap),
        None => (Phase::Raised, AlertState::Raised, reason),
    };
    if *phase != known {
        *phase = known;
        #[expect(clippy::cast_precision_loss, reason = "a number of seconds")]
        let value = Some((at - since) as f64 / 1000.0);
        changes.push(Change { at, state, since, count, value, reason });
    }
    gap_end
}

/// Returns the change of a key that had an alert and is heard of again.
pub(super) fn heard(at: Millis, since: Millis, count: u64, reason: AlertReason) -> Change {
    #[expect(clippy::cast_precision_loss, reason = "a number of seconds")]
    let value = Some((at - since) as f64 / 1000.0);
    Change { at, state: AlertState::Resolved, since, count, value, reason }
}

impl RuleForm for Silence {
    type State = SilenceState;

    fn begins(&self, roles: EventRoles) -> bool {
        roles.has(EventRole::Trigger) && !roles.has(EventRole::Unless)
    }

    fn event(
        &self,
        SilenceState(state): &mut SilenceState,
        event: &RuleEvent,
        _gaps: &GapView<'_>,
        changes: &mut Vec<Change>,
    ) {
        let is_next = event.roles.has(EventRole::Trigger);
        if !is_next && !event.roles.has(EventRole::Unless) {
            return;
        }
        let last = state.take();
        if let Some(LastEvent { at, count, phase, .. }) = last
            && phase != Phase::Waiting
        {
            let reason = if is_next { AlertReason::Heard } else { AlertReason::Excused };
            changes.push(heard(event.at, at, count, reason));
        }
        // An event that is both ends the silence and the expectation.
        if !event.roles.has(EventRole::Unless) {
            let count = last.map_or(0, |last| last.count) + 1;
            let at = last.map_or(event.at, |last| last.at.max(event.at));
            *state = Some(LastEvent { at, count, phase: Phase::Waiting, unknown_until: None });
        }
    }

    fn due(
        &self,
        SilenceState(state): &mut SilenceState,
        at: Millis,
        gaps: &GapView<'_>,
        changes: &mut Vec<Change>,
    ) {
        let Some(last) = state else { return };
        let known = (last.at, last.count);
        let (phase, reason) = (&mut last.phase, AlertReason::Silent);
        last.unknown_until = silent(known, phase, at, gaps, self.silent_for, reason, changes)
            .map(|to| to.saturating_add(1));
    }

    fn deadline(&self, SilenceState(state): &SilenceState) -> Option<Millis> {
        let last = state.as_ref()?;
        let begin = last.unknown_until.unwrap_or(last.at);
        (last.phase != Phase::Raised).then(|| begin.saturating_add(self.silent_for))
    }

    fn standing(&self, SilenceState(state): &SilenceState) -> Option<Standing> {
        state.map(|LastEvent { at, count, phase, .. }| Standing { phase, since: at, count })
    }

    fn is_idle(&self, SilenceState(state): &SilenceState) -> bool {
        state.is_none()
    }
}
