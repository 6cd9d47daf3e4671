//! The interface of a destination: where events are delivered besides stdout.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};

use super::key::DeliveryKey;
use super::results::ResultCounts;
use crate::output::OutputError;
use crate::output::status::DestinationCounts;
use crate::query::EventContext;
use crate::transport::shutdown::ShutdownFlag;

/// How far a destination is that delivers in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "nats"),
    allow(dead_code, reason = "only the broker delivers in the background")
)]
pub struct DeliveryProgress {
    /// The number of events that were handed over.
    pub taken: u64,
    /// The number of events, in the order in which they were handed over, of which each has been
    /// delivered or finally refused.
    pub delivered: u64,
}

/// The newest of what a tap has stored. A later run sees by it that nothing before has been lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastStored {
    /// The place in the destination, higher than that of anything older.
    pub place: u64,
    /// A hash of the id of what is there.
    pub id: u64,
}

/// Where events are delivered besides stdout.
pub trait Destination: Send {
    /// Skips these events when they come again: they are in the destination already, but an
    /// earlier run ended before the cursor passed them.
    fn skip_delivered(&mut self, _delivered: &[(DeliveryKey, u32)]) {}

    /// Called instead of [`skip_delivered`](Self::skip_delivered) where there is no cursor, so
    /// that no event comes again.
    fn clear_tail(&mut self) {}

    /// Called where the run does not continue where an earlier one ended, so that events between the
    /// two may be missing.
    fn begin_anew(&mut self) {}

    /// Stops waiting for acknowledgements soon after `stop` is set.
    fn stop_on(&mut self, _stop: &Arc<ShutdownFlag>) {}

    /// Returns whether events need an [id](EventContext::id) that is the same in every run.
    fn needs_ids(&self) -> bool {
        false
    }

    /// Returns the name of the tap, if the destination also takes the lifecycle events of the tap.
    fn tap(&self) -> Option<&str> {
        None
    }

    /// Returns a hash of the tap and of what it stores its events in, which is the same in each run.
    fn tap_key(&self) -> Option<u64> {
        None
    }

    /// Returns the newest of what the tap has stored in this run.
    fn last_stored(&self) -> Option<LastStored> {
        None
    }

    /// Returns whether the destination still has what an earlier run of the tap stored.
    fn holds(&self, _last: LastStored) -> LocalBoxFuture<'_, bool> {
        std::future::ready(false).boxed_local()
    }

    /// Takes an event about the tap, which is not shown on stdout.
    fn lifecycle(&mut self, _context: &EventContext<'_>) -> Result<(), OutputError> {
        Ok(())
    }

    /// Returns how often the destination was found to have lost what it had, so that whoever reads it
    /// must be told again from when on it is complete.
    fn restarts(&self) -> u64 {
        0
    }

    /// Takes an event, which may be buffered.
    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError>;

    /// Returns whether the destination takes each event as one line of NDJSON, whatever came before,
    /// so that workers can encode the lines; see [`lines`](Self::lines).
    fn takes_lines(&self) -> bool {
        false
    }

    /// Takes the lines of events instead of the [events](Self::event), if it
    /// [takes lines](Self::takes_lines).
    fn lines(&mut self, _lines: &[u8]) -> Result<(), OutputError> {
        Ok(())
    }

    /// Returns the maximum number of events between two flushes while more are waiting. The next
    /// run repeats them if this one is killed.
    fn max_pending(&self) -> usize {
        256
    }

    /// Returns whether the buffer is full and must be flushed.
    fn is_full(&self) -> bool {
        false
    }

    /// Hands the buffered events over.
    fn flush(&mut self) -> Result<(), OutputError>;

    /// Blocks until everything that was handed over is delivered or finally refused. Called after
    /// each flush, or at the end if the destination [delivers in the background](Self::progress).
    fn acknowledge(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    /// Returns how far the destination is; `None` if it does not deliver in the background.
    ///
    /// # Errors
    ///
    /// Fails if it cannot deliver any more.
    fn progress(&self) -> Result<Option<DeliveryProgress>, OutputError> {
        Ok(None)
    }

    /// Waits until that many events have been delivered in the background, or until the destination
    /// has failed.
    fn wait(&self, _delivered: u64) -> LocalBoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Ends the delivery at the end of a run in which everything was delivered.
    fn finish(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    /// Called once at the end of the run, even if the run failed.
    fn end(&mut self) {}

    /// Returns the results for metrics and the summary of the run, if events are counted.
    fn results(&self) -> Option<Arc<dyn ResultCounts>> {
        None
    }

    /// Returns the counts for the summary of the run, if there are any.
    fn counts(&self) -> Option<DestinationCounts> {
        self.results().map(|results| results.counts())
    }
}
