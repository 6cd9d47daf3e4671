//! The conditions that end a run before its stream ends, and the exit status of the run.

pub mod conditions;
pub mod expect;

use std::any::Any;
use std::time::Instant;

use crate::error::{Exit, Result};
use crate::query::{EventContext, Failures};

/// What a condition decided about a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the run succeeded.
    pub is_met: bool,
    /// Why, without text from the wire.
    pub reason: String,
}

/// Decides when a run ends and with which exit status. It observes all events, including those that
/// the filters leave out.
pub trait StopCondition: Send {
    /// Observes an event. Returns whether the run ends with this event.
    fn observe(&mut self, context: &EventContext<'_>) -> Result<bool>;

    /// Returns whether no event can end the run.
    fn is_noop(&self) -> bool {
        false
    }

    /// Notes that an event of the platform has passed the filters.
    fn passed(&mut self) {}

    /// Returns the time at which the run ends if no further event arrives.
    fn deadline(&self) -> Option<Instant>;

    /// Returns the exit status of a run that ends now, whatever ends it: an event, the deadline, a
    /// limit, the end of the stream, or a reader of stdout that has gone.
    fn end(&mut self) -> Exit;

    /// Returns the failure counters of the expressions of the condition.
    fn failures_each(&mut self) -> Vec<&mut Failures> {
        Vec::new()
    }

    /// Returns the part of the condition that another worker runs, or `None` if each event must be
    /// observed in order.
    fn fork(&self) -> Option<Box<dyn StopCheck>>;

    /// Returns whether a [`StopCheck`] has shown that no event of a chunk would change the
    /// condition if it was observed now. Failed expressions do not count.
    fn can_skip(&self, checked: Option<&(dyn Any + Send)>) -> bool;

    /// Returns what was decided, if there was anything to decide. Call it after [`end`](Self::end).
    fn verdict(&self) -> Option<Verdict> {
        None
    }

    /// Returns lines for the program that runs evtap, which reads them from its log.
    fn annotations(&self) -> Vec<String> {
        Vec::new()
    }

    /// Returns a report to print to stdout at the end of the run.
    fn report(&self) -> Option<String> {
        None
    }
}

/// The part of a condition that runs on a worker thread.
pub trait StopCheck: Send {
    /// Checks an event. Returns false if it changes the condition, so that its chunk must be
    /// observed in order.
    fn check(&mut self, context: &EventContext<'_>) -> bool;

    /// Returns what the condition needs to know about the events since the last call, if anything.
    fn take(&mut self) -> Option<Box<dyn Any + Send>> {
        None
    }

    /// Returns the failure counters of the expressions, which are forks of those of the condition.
    fn failures_each(&mut self) -> Vec<&mut Failures>;
}
