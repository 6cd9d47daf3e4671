//! Hooks for the parts of the program that look at events without writing them in a format.

use std::any::Any;
use std::io;

use super::encoder::OutputError;
use crate::query::EventContext;
use crate::transport::ConnectionEvent;

/// Looks at the events of a run. Statistics, the timeline and the live screen are observers.
pub trait Observer: Send {
    /// Handles an event that passed the filters.
    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError>;

    /// Handles an event that did not pass the filters.
    fn filtered_out(&mut self, _context: &EventContext<'_>) -> io::Result<()> {
        Ok(())
    }

    /// Handles a change of a connection. Returns true if the observer shows it to the user.
    fn connection(&mut self, _event: &ConnectionEvent) -> io::Result<bool> {
        Ok(false)
    }

    /// Called whenever no further event is waiting.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Called once at the end of the run, after stdout has been written.
    fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }

    /// Returns how often an expression of the observer failed.
    fn failures(&self) -> u64 {
        0
    }

    /// Returns a tally for another worker, or `None` if the order of events matters.
    fn tally(&self) -> Option<Box<dyn ObserverTally>> {
        None
    }

    /// Returns whether merging these counts has the same result as observing their events one by
    /// one.
    fn can_merge(&self, _counts: &(dyn Any + Send)) -> bool {
        false
    }

    /// Adds counts of an [`ObserverTally`] for which [`can_merge`](Self::can_merge) returned true.
    fn merge(&mut self, _counts: &(dyn Any + Send)) -> io::Result<()> {
        Ok(())
    }
}

/// The part of an observer that runs on a worker thread.
///
/// Its counts are opaque to the pipeline, which only carries them back to the observer.
pub trait ObserverTally: Send {
    /// Counts an event that passed the filters. A chunk with a `tap.gap` is given to the observer
    /// instead.
    fn event(&mut self, context: &EventContext<'_>);

    /// Returns the counts since the last call, or `None` if there was no event.
    fn take(&mut self) -> Option<Box<dyn Any + Send>>;
}
