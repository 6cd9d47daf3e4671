//! The stop conditions of `--until`, `--fail-if`, `--duration` and `--idle-timeout`.

use std::time::{Duration, Instant};

use super::{StopCondition, Verdict};
use crate::error::{Exit, Result};
use crate::query::{EventContext, Predicate};

/// Ends a run by a matching event, after a duration, or when no event arrives.
#[derive(Default)]
pub struct Conditions {
    /// The predicate of `--until`: the run succeeds at the first event that matches.
    pub until: Option<Predicate>,
    /// The predicate of `--fail-if`: the run fails at the first event that matches.
    pub fail_if: Option<Predicate>,
    /// The time at which the run ends.
    pub ends_at: Option<Instant>,
    /// The maximum time without an event that passes the filters.
    pub idle: Option<Duration>,
    /// The time at which the last such event arrived.
    pub last: Option<Instant>,
    /// What an event decided.
    pub decided: Option<Decision>,
}

/// What an event can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The event matched `--until`.
    Until,
    /// The event matched `--fail-if`.
    FailIf,
}

impl StopCondition for Conditions {
    fn observe(&mut self, context: &EventContext<'_>) -> Result<bool> {
        if let Some(fail_if) = &mut self.fail_if
            && fail_if.holds(context)
        {
            self.decided = Some(Decision::FailIf);
        } else if let Some(until) = &mut self.until
            && until.holds(context)
        {
            self.decided = Some(Decision::Until);
        }
        Ok(self.decided.is_some())
    }

    fn passed(&mut self) {
        if self.idle.is_some() {
            self.last = Some(Instant::now());
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let idle = self.idle.zip(self.last).map(|(idle, last)| last + idle);
        self.ends_at.into_iter().chain(idle).min()
    }

    fn is_noop(&self) -> bool {
        self.until.is_none()
            && self.fail_if.is_none()
            && self.ends_at.is_none()
            && self.idle.is_none()
    }

    fn end(&mut self) -> Exit {
        match self.decided {
            Some(Decision::Until) => Exit::Done,
            None if self.until.is_none() => Exit::Done,
            Some(Decision::FailIf) | None => Exit::Verdict,
        }
    }

    fn failures(&self) -> u64 {
        self.until.iter().chain(&self.fail_if).map(Predicate::failures).sum()
    }

    fn verdict(&self) -> Option<Verdict> {
        let (is_met, reason) = match self.decided {
            Some(Decision::FailIf) => (false, "an event matched --fail-if"),
            Some(Decision::Until) => (true, "an event matched --until"),
            None if self.until.is_some() => (false, "no event matched --until"),
            None if self.fail_if.is_some() => (true, "no event matched --fail-if"),
            None => return None,
        };
        Some(Verdict { is_met, reason: reason.to_owned() })
    }
}
