//! The stop conditions of `--until`, `--fail-if`, `--duration` and `--idle-timeout`.

use std::any::Any;
use std::time::{Duration, Instant};

use super::{StopCheck, StopCondition, Verdict};
use crate::error::{Exit, Result};
use crate::query::{EventContext, Failures, Predicate};

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
        if let Some(decision) = decide(&mut self.fail_if, &mut self.until, context) {
            self.decided = Some(decision);
        }
        Ok(self.decided.is_some())
    }

    fn is_noop(&self) -> bool {
        self.until.is_none() && self.fail_if.is_none()
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

    fn end(&mut self) -> Exit {
        match self.decided {
            Some(Decision::Until) => Exit::Done,
            None if self.until.is_none() => Exit::Done,
            Some(Decision::FailIf) | None => Exit::Verdict,
        }
    }

    fn failures_each(&mut self) -> Vec<&mut Failures> {
        failures_each(&mut self.fail_if, &mut self.until)
    }

    fn fork(&self) -> Option<Box<dyn StopCheck>> {
        let fork = |predicate: &Option<Predicate>| predicate.as_ref().map(Predicate::fork);
        Some(Box::new(ConditionsCheck { fail_if: fork(&self.fail_if), until: fork(&self.until) }))
    }

    fn can_skip(&self, _: Option<&(dyn Any + Send)>) -> bool {
        self.decided.is_none()
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

/// Evaluates the predicates of [`Conditions`] on a worker thread.
struct ConditionsCheck {
    fail_if: Option<Predicate>,
    until: Option<Predicate>,
}

impl StopCheck for ConditionsCheck {
    fn check(&mut self, context: &EventContext<'_>) -> bool {
        decide(&mut self.fail_if, &mut self.until, context).is_none()
    }

    fn failures_each(&mut self) -> Vec<&mut Failures> {
        failures_each(&mut self.fail_if, &mut self.until)
    }
}

/// Returns what an event decides. An event that matches both predicates fails the run.
fn decide(
    fail_if: &mut Option<Predicate>,
    until: &mut Option<Predicate>,
    context: &EventContext<'_>,
) -> Option<Decision> {
    let holds = |predicate: &mut Option<Predicate>| {
        predicate.as_mut().is_some_and(|predicate| predicate.holds(context))
    };
    if holds(fail_if) {
        Some(Decision::FailIf)
    } else if holds(until) {
        Some(Decision::Until)
    } else {
        None
    }
}

fn failures_each<'c>(
    fail_if: &'c mut Option<Predicate>,
    until: &'c mut Option<Predicate>,
) -> Vec<&'c mut Failures> {
    fail_if.iter_mut().chain(until).map(Predicate::failures_mut).collect()
}
