//! `--until`, `--fail-if`, `--duration` and `--idle-timeout`.

use std::time::{Duration, Instant};

use super::StopCondition;
use crate::error::{Exit, Result};
use crate::query::{EventContext, Predicate};

/// Conditions on the stream as a whole.
#[derive(Default)]
pub struct Conditions {
    /// The run is done well once this holds.
    pub until: Option<Predicate>,
    /// The run has failed once this holds.
    pub fail_if: Option<Predicate>,
    /// When the run ends.
    pub ends_at: Option<Instant>,
    /// How long there may be no event.
    pub idle: Option<Duration>,
    /// When the last event came.
    pub last: Option<Instant>,
    /// Why the run has failed.
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
            self.reason = Some("--fail-if holds of an event");
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
        self.reason = Some("--until held of no event");
        Exit::Verdict
    }

    fn failures(&self) -> u64 {
        self.until.iter().chain(&self.fail_if).map(Predicate::failures).sum()
    }

    fn reason(&self) -> Option<String> {
        self.reason.map(str::to_owned)
    }
}
