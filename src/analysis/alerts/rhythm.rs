//! A rule that expects an event in its own rhythm.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::gaps::GapView;
use super::millis::Millis;
use super::rule::{Change, EventRole, Phase, RuleEvent, RuleForm, Standing};
use super::silence::{heard, silent};
use crate::model::catalog::value::AlertReason;

/// The number of intervals from which the rhythm is derived.
const INTERVALS: usize = 9;

/// The lowest number of intervals that are a rhythm.
const MIN_INTERVALS: usize = 3;

/// An event must follow the last one within twice its usual interval.
///
/// The usual interval is the median of the last nine. An interval with a gap does not count.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm {
    /// The time that is always allowed in addition, in milliseconds.
    pub tolerance: Millis,
}

/// The last event of a key, and the intervals before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RhythmState {
    /// The time of the last event and the number of events; `None` before the first.
    last: Option<(Millis, u64)>,
    phase: Option<Phase>,
    intervals: VecDeque<Millis>,
    /// The time up to which nothing is known, because of a gap.
    unknown_until: Option<Millis>,
}

impl Rhythm {
    /// Returns the longest time without an event; `None` if no rhythm is known.
    fn longest(self, state: &RhythmState) -> Option<Millis> {
        if state.intervals.len() < MIN_INTERVALS {
            return None;
        }
        let mut intervals: Vec<_> = state.intervals.iter().copied().collect();
        intervals.sort_unstable();
        let median = intervals[intervals.len() / 2];
        Some(median.saturating_mul(2).saturating_add(self.tolerance))
    }
}

impl RuleForm for Rhythm {
    type State = RhythmState;

    fn event(
        &self,
        state: &mut RhythmState,
        event: &RuleEvent,
        gaps: &GapView<'_>,
        changes: &mut Vec<Change>,
    ) {
        if !event.roles.has(EventRole::Trigger) {
            return;
        }
        let (last, count) = state.last.unwrap_or((event.at, 0));
        let at = event.at.max(last);
        if count > 0 && gaps.within(last, at).is_none() {
            state.intervals.push_back(at - last);
            if state.intervals.len() > INTERVALS {
                state.intervals.pop_front();
            }
        }
        if state.phase.is_some_and(|phase| phase != Phase::Waiting) {
            changes.push(heard(event.at, last, count, AlertReason::Heard));
        }
        state.last = Some((at, count + 1));
        state.phase = Some(Phase::Waiting);
        state.unknown_until = None;
    }

    fn due(
        &self,
        state: &mut RhythmState,
        at: Millis,
        gaps: &GapView<'_>,
        changes: &mut Vec<Change>,
    ) {
        let (Some(last), Some(longest)) = (state.last, self.longest(state)) else { return };
        let mut phase = state.phase.unwrap_or(Phase::Waiting);
        let gap_end = silent(last, &mut phase, at, gaps, longest, AlertReason::Late, changes);
        state.phase = Some(phase);
        state.unknown_until = gap_end.map(|to| to.saturating_add(1));
    }

    fn deadline(&self, state: &RhythmState) -> Option<Millis> {
        let (last, _) = state.last.filter(|_| state.phase != Some(Phase::Raised))?;
        let begin = state.unknown_until.unwrap_or(last);
        Some(begin.saturating_add(self.longest(state)?))
    }

    fn standing(&self, state: &RhythmState) -> Option<Standing> {
        let ((since, count), phase) = state.last.zip(state.phase)?;
        // Without a rhythm, nothing is expected.
        self.longest(state).map(|_| Standing { phase, since, count })
    }

    fn is_idle(&self, _state: &RhythmState) -> bool {
        false
    }

    fn heap_bytes(&self, state: &RhythmState) -> usize {
        state.intervals.capacity() * size_of::<Millis>()
    }
}
