//! The conditions that end a run before its stream ends, and the exit status of the run.

pub mod conditions;
pub mod expect;

use std::time::Instant;

use crate::error::{Exit, Result};
use crate::query::EventContext;

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

    /// Notes that an event of the platform has passed the filters.
    fn passed(&mut self) {}

    /// Returns the time at which the run ends if no further event arrives.
    fn deadline(&self) -> Option<Instant>;

    /// Returns whether neither an event nor a deadline can end the run, so that events need not be
    /// observed.
    fn is_noop(&self) -> bool {
        false
    }

    /// Returns the exit status of a run that ends now, whatever ends it: an event, the deadline, a
    /// limit, the end of the stream, or a reader of stdout that has gone.
    fn end(&mut self) -> Exit;

    /// Returns how often an expression of the condition failed.
    fn failures(&self) -> u64;

    /// Returns what was decided, if there was anything to decide. Call it after [`end`](Self::end).
    fn verdict(&self) -> Option<Verdict> {
        None
    }

    /// Returns a report to print to stdout at the end of the run.
    fn report(&self) -> Option<String> {
        None
    }
}
