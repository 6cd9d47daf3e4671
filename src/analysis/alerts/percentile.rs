//! A rule about a percentile of a value.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::gaps::GapView;
use super::millis::Millis;
use super::rule::{Change, EventRole, Phase, RuleEvent, RuleForm, Standing};
use crate::model::catalog::value::{AlertReason, AlertState};

/// The maximum number of values that are kept of a key. With more, the oldest leave early.
const MAX_VALUES: usize = 1 << 16;

/// A percentile of a value within a time is too high.
#[derive(Debug, Clone, Copy)]
pub struct Percentile {
    /// The percentile, from 1 to 99.
    pub percent: u8,
    /// The highest percentile that is no alert.
    pub limit: f64,
    /// The time, in milliseconds.
    pub within: Millis,
    /// The lowest number of values for which there is an alert.
    pub min_count: usize,
}

/// The values of a key, and the alert.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PercentileState {
    /// The times and the values, in the order of time.
    values: VecDeque<(Millis, f64)>,
    /// The number of values above the limit.
    above: usize,
    /// The alert, and since when.
    alert: Option<(Phase, Millis)>,
    /// The time at which the last gap no longer matters.
    unknown_until: Option<Millis>,
}

impl Percentile {
    /// Returns the number of values up to and including the percentile, by the nearest rank.
    fn rank(self, values: usize) -> usize {
        (values * usize::from(self.percent)).div_ceil(100).max(1)
    }

    fn remove_first(self, state: &mut PercentileState) {
        if let Some((_, value)) = state.values.pop_front() {
            state.above -= usize::from(value > self.limit);
        }
    }

    /// Forgets the values that have left the time which ends at `at`.
    fn forget(self, state: &mut PercentileState, at: Millis) {
        let begin = at.saturating_sub(self.within);
        while state.values.front().is_some_and(|(time, _)| *time <= begin) {
            self.remove_first(state);
        }
    }

    fn is_exceeded(self, state: &PercentileState) -> bool {
        let values = state.values.len();
        values >= self.min_count && values - state.above < self.rank(values)
    }

    fn percentile(self, state: &PercentileState) -> Option<f64> {
        let mut values: Vec<_> = state.values.iter().map(|(_, value)| *value).collect();
        let at = self.rank(values.len()) - 1;
        (at < values.len()).then(|| *values.select_nth_unstable_by(at, f64::total_cmp).1)
    }

    /// Raises or ends the alert.
    fn decide(
        self,
        state: &mut PercentileState,
        at: Millis,
        gaps: &GapView<'_>,
        changes: &mut Vec<Change>,
    ) {
        let count = state.values.len() as u64;
        let change = |state: &PercentileState, known, since, reason| {
            let value = self.percentile(state);
            Change { at, state: known, since, count, value, reason }
        };
        if self.is_exceeded(state) {
            if !matches!(state.alert, Some((Phase::Raised, _))) {
                let since = state.alert.map_or(at, |(_, since)| since);
                (state.alert, state.unknown_until) = (Some((Phase::Raised, since)), None);
                changes.push(change(state, AlertState::Raised, since, AlertReason::OverLimit));
            }
            return;
        }
        let Some((phase, since)) = state.alert else { return };
        let begin = at.saturating_sub(self.within).saturating_add(1);
        if let Some(to) = gaps.within(begin, at) {
            state.unknown_until = Some(to.saturating_add(self.within).saturating_add(1));
            if phase != Phase::Unknown {
                state.alert = Some((Phase::Unknown, since));
                changes.push(change(state, AlertState::Unknown, since, AlertReason::Gap));
            }
        } else {
            (state.alert, state.unknown_until) = (None, None);
            changes.push(change(state, AlertState::Resolved, since, AlertReason::WithinLimit));
        }
    }
}

impl RuleForm for Percentile {
    type State = PercentileState;

    fn event(
        &self,
        state: &mut PercentileState,
        event: &RuleEvent,
        gaps: &GapView<'_>,
        changes: &mut Vec<Change>,
    ) {
        if !event.roles.has(EventRole::Trigger) || !event.value.is_finite() {
            return;
        }
        // An event that arrived too late may be older than the newest one.
        let newest = state.values.back().map_or(Millis::MIN, |(time, _)| *time);
        let at = event.at.max(newest);
        self.forget(state, at);
        if state.values.len() == MAX_VALUES {
            self.remove_first(state);
        }
        state.values.push_back((at, event.value));
        state.above += usize::from(event.value > self.limit);
        self.decide(state, at, gaps, changes);
    }

    fn due(
        &self,
        state: &mut PercentileState,
        at: Millis,
        gaps: &GapView<'_>,
        changes: &mut Vec<Change>,
    ) {
        self.forget(state, at);
        self.decide(state, at, gaps, changes);
    }

    fn deadline(&self, state: &PercentileState) -> Option<Millis> {
        let leaves =
            |value: Option<&(Millis, f64)>| value.map(|(time, _)| time.saturating_add(self.within));
        match state.alert {
            Some((Phase::Raised, _)) => leaves(state.values.front()),
            Some(_) => state.unknown_until,
            None => leaves(state.values.back()),
        }
    }

    fn standing(&self, state: &PercentileState) -> Option<Standing> {
        let count = state.values.len() as u64;
        state.alert.map(|(phase, since)| Standing { phase, since, count })
    }

    fn is_idle(&self, state: &PercentileState) -> bool {
        state.alert.is_none() && state.values.is_empty()
    }

    fn heap_bytes(&self, state: &PercentileState) -> usize {
        state.values.capacity() * size_of::<(Millis, f64)>()
    }
}
