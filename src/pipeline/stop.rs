//! When a run is over before its stream is, and with which exit status.

pub mod conditions;
pub mod expect;

use std::time::Instant;

use crate::error::{Exit, Result};
use crate::query::EventContext;

/// Sees every event before any is selected.
pub trait StopCondition: Send {
    /// Looks at an event. `Some` ends the run with it.
    fn observe(&mut self, context: &EventContext<'_>) -> Result<Option<Exit>>;

    /// When the run is to end if nothing happens.
    fn deadline(&self) -> Option<Instant>;

    /// Whether no event and no time ends the run: then there is no need to show it any.
    fn is_noop(&self) -> bool {
        false
    }

    /// The deadline is over, or the stream is: how the run ends.
    fn end(&mut self) -> Exit;

    /// On how many events an expression of its has failed.
    fn failures(&self) -> u64;

    /// Why it ended so, where the exit status alone would leave one wondering.
    fn reason(&self) -> Option<String> {
        None
    }

    /// What there is to report at the end, on stdout.
    fn report(&self) -> Option<String> {
        None
    }
}
