//! A rule that counts events within a time.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::gaps::GapView;
use super::millis::Millis;
use super::rule::{Change, EventRole, Phase, RuleEvent, RuleForm, Standing};
use crate::model::catalog::value::{AlertReason, AlertState};

/// A number of events within a time is too many.
#[derive(Debug, Clone, Copy)]
pub struct Frequency {
    /// The number of events that raises the alert.
    pub count: usize,
    /// The time, in milliseconds.
    pub within: Millis,
}

/// The newest events of a key, and the alert.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrequencyState {
    /// The times of the newest events, at most as many as raise the alert.
    times: VecDeque<Millis>,
    /// The alert, since when, and the number of events so far.
    alert: Option<(Phase, Millis, u64)>,
    /// The time at which the last gap no longer matters.
    unknown_until: Option<Millis>,
}

impl Frequency {
    /// Forgets the events that have left the time which ends at `at`, and returns whether there are
    /// still too many.
    fn forget(self, state: &mut FrequencyState, at: Millis) -> bool {
        let begin = at.saturating_sub(self.within);
        while state.times.front().is_some_and(|time| *time <= begin) {
            state.times.pop_front();
        }
        state.times.len() >= self.count
    }

    /// Ends the alert because fewer events match, as far as that can be known.
    fn end(
        self,
        state: &mut FrequencyState,
        at: Millis,
        gaps: &GapView<'_>,
        changes: &mut Vec<Change>,
    ) {
        let Some((phase, since, count)) = state.alert else { return };
        let change = |state, reason| Change { at, state, since, count, value: None, reason };
        let begin = at.saturating_sub(self.within).saturating_add(1);
        if let Some(to) = gaps.within(begin, at) {
            state.unknown_until = Some(to.saturating_add(self.within).saturating_add(1));
            if phase != Phase::Unknown {
                state.alert = Some((Phase::Unknown, since, count));
                changes.push(change(AlertState::Unknown, AlertReason::Gap));
            }
        } else {
            (state.alert, state.unknown_until) = (None, None);
            changes.push(change(AlertState::Resolved, AlertReason::FewerAgain));
        }
    }
}

impl RuleForm for Frequency {
    type State = FrequencyState;

    fn event(
        &self,
        state: &mut FrequencyState,
        event: &RuleEvent,
        _gaps: &GapView<'_>,
        changes: &mut Vec<Change>,
    ) {
        if !event.roles.has(EventRole::Trigger) {
            return;
        }
        // An event that arrived too late may be older than the newest one.
        let at = event.at.max(state.times.back().copied().unwrap_or(Millis::MIN));
        state.times.push_back(at);
        let is_exceeded = self.forget(state, at);
        if state.times.len() > self.count {
            state.times.pop_front();
        }
        let first = state.times.front().copied().unwrap_or(at);
        let (phase, since, count) = match state.alert {
            Some((phase, since, count)) => (Some(phase), since, count + 1),
            None => (None, first, state.times.len() as u64),
        };
        if is_exceeded && phase != Some(Phase::Raised) {
            state.alert = Some((Phase::Raised, since, count));
            state.unknown_until = None;
            let (value, reason) = (None, AlertReason::TooMany);
            changes.push(Change { at, state: AlertState::Raised, since, count, value, reason });
        } else if let Some(phase) = phase {
            state.alert = Some((phase, since, count));
        }
    }

    fn due(
        &self,
        state: &mut FrequencyState,
        at: Millis,
        gaps: &GapView<'_>,
        changes: &mut Vec<Change>,
    ) {
        if !self.forget(state, at) {
            self.end(state, at, gaps, changes);
        }
    }

    fn deadline(&self, state: &FrequencyState) -> Option<Millis> {
        match state.alert {
            // At the time of an event that is one of too few, another one may follow.
            Some((Phase::Raised, ..)) if state.times.len() < self.count => {
                state.times.back().copied()
            }
            Some((Phase::Raised, ..)) => {
                state.times.front().map(|time| time.saturating_add(self.within))
            }
            Some(_) => state.unknown_until,
            // The newest event decides when there is nothing left to remember.
            None => state.times.back().map(|time| time.saturating_add(self.within)),
        }
    }

    fn standing(&self, state: &FrequencyState) -> Option<Standing> {
        state.alert.map(|(phase, since, count)| Standing { phase, since, count })
    }

    fn is_idle(&self, state: &FrequencyState) -> bool {
        state.alert.is_none() && state.times.is_empty()
    }

    fn heap_bytes(&self, state: &FrequencyState) -> usize {
        state.times.capacity() * size_of::<Millis>()
    }
}
