//! The stop conditions of `--until`, `--fail-if`, `--duration` and `--idle-timeout`.

use std::time::{Duration, Instant};

use super::StopCondition;
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
    /// The maximum time without an event.
    pub idle: Option<Duration>,
    /// The time at which the last event arrived.
    pub last: Option<Instant>,
    /// The reason why the run failed.
    pub reason: Option<&'static str>,
}

impl StopCondition for Conditions {
    fn observe(&mut self, context: &EventContext<'_>) -> Result<Option<Exit>> {
        if self.idle.is_some() {
            self.last = Some(Instant::now());
        }
        if let Some(fail_if) = &mut self.fail_if
            && fail_if.holds(context)?
        {
            self.reason = Some("an event matched --fail-if");
            return Ok(Some(Exit::Verdict));
        }
        if let Some(until) = &mut self.until
            && until.holds(context)?
        {
            return Ok(Some(Exit::Done));
        }
        Ok(None)
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
        if self.until.is_none() {
            return Exit::Done;
        }
        self.reason = Some("no event matched --until");
        Exit::Verdict
    }

    fn failures(&self) -> u64 {
        self.until.iter().chain(&self.fail_if).map(Predicate::failures).sum()
    }

    fn reason(&self) -> Option<String> {
        self.reason.map(str::to_owned)
    }
}
