//! The conditions that end a run before its stream ends, and the exit status of the run.

pub mod conditions;
pub mod expect;

use std::time::Instant;

use crate::error::{Exit, Result};
use crate::query::EventContext;

/// Decides when a run ends and with which exit status. It observes all events, including those that
/// the filters leave out.
pub trait StopCondition: Send {
    /// Observes an event. Returns an exit status if the run ends with this event.
    fn observe(&mut self, context: &EventContext<'_>) -> Result<Option<Exit>>;

    /// Returns the time at which the run ends if no further event arrives.
    fn deadline(&self) -> Option<Instant>;

    /// Returns whether neither an event nor a deadline can end the run, so that events need not be
    /// observed.
    fn is_noop(&self) -> bool {
        false
    }

    /// Returns the exit status for a run whose deadline has passed or whose stream has ended.
    fn end(&mut self) -> Exit;

    /// Returns how often an expression of the condition failed.
    fn failures(&self) -> u64;

    /// Returns the reason for the exit status, if it needs an explanation.
    fn reason(&self) -> Option<String> {
        None
    }

    /// Returns a report to print to stdout at the end of the run.
    fn report(&self) -> Option<String> {
        None
    }
}
