//! Delivery to destinations besides stdout, and the cursor that lets the next run resume.
//!
//! The guarantee rests on the order of effects: stdout is flushed, then each destination is given
//! its events, then all destinations acknowledge, then the cursor advances, or a broker is told that
//! it need not send the events again. If the process is killed at any point, the cursor is not ahead
//! of what was delivered, and the next run delivers the rest: to stdout and to an endpoint at least
//! once, to a record exactly once, because the record can be read back.
//!
//! A destination may deliver in the background, while later events are processed. The cursor then
//! follows at [checkpoints](checkpoints).

mod checkpoints;
mod cursor;
mod destination;
mod exec;
mod failure;
mod forward;
mod key;
mod lifecycle;
#[cfg(feature = "nats")]
mod publish;
mod record;
mod results;
mod rotation;
mod trace_collector_client;
mod trace_export;
mod trace_queue;
mod webhook;

use std::sync::Arc;

use serde_json::value::RawValue;

use checkpoints::{Checkpoint, Checkpoints};
pub use cursor::{Cursor, RuleState};
pub use destination::Destination;
pub use exec::{ExecConfig, ExecNotifier};
pub use forward::{
    Endpoint, ForwardBody, Forwarder, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP,
};
pub use lifecycle::Lifecycle;
#[cfg(feature = "nats")]
pub use publish::{PublishConfig, Publisher};
pub use record::Recorder;
pub use results::ResultCounts;
pub use rotation::{RecordPattern, Retention, RotatingRecorder, RotationConfig};
pub use trace_collector_client::{CollectorClient, traces_url};
pub use trace_export::TraceExporter;
pub use webhook::WebhookKeys;

use crate::model::{Frame, Origin};
use crate::output::OutputError;
use crate::output::status::DestinationCounts;
use crate::query::EventContext;
use crate::redact::RedactedEvent;
use crate::transport::receipt::{Receipt, Receipts};
use crate::transport::shutdown::ShutdownFlag;

/// The maximum number of events between two advances of the cursor, if there is no destination.
const BATCH: usize = 256;

/// The destinations and the cursor of a run.
#[derive(Default)]
pub struct Delivery {
    destinations: Vec<Box<dyn Destination>>,
    cursor: Option<Cursor>,
    receipts: Receipts,
    checkpoints: Checkpoints,
    pending: usize,
}

impl Delivery {
    /// Creates a delivery to these destinations, which resumes at the cursor if there is one.
    #[must_use]
    pub fn new(mut destinations: Vec<Box<dyn Destination>>, cursor: Option<Cursor>) -> Self {
        let delivered = cursor.as_ref().map(Cursor::delivered);
        for destination in &mut destinations {
            match &delivered {
                Some(delivered) => destination.skip_delivered(delivered),
                None => destination.clear_tail(),
            }
        }
        Self { destinations, cursor, ..Self::default() }
    }

    /// Says that this run does not continue where an earlier one ended.
    pub fn begin_anew(&mut self) {
        self.destinations.iter_mut().for_each(|destination| destination.begin_anew());
    }

    /// Stops waiting for acknowledgements soon after `stop` is set.
    pub fn stop_on(&mut self, stop: &Arc<ShutdownFlag>) {
        for destination in &mut self.destinations {
            destination.stop_on(stop);
        }
    }

    /// Returns the counts of the destinations that have any.
    #[must_use]
    pub fn counts(&self) -> Vec<DestinationCounts> {
        self.destinations.iter().filter_map(|destination| destination.counts()).collect()
    }

    /// Returns whether there is neither a destination, nor a cursor, nor a source that waits for
    /// events to be confirmed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.destinations.is_empty() && self.cursor.is_none() && self.receipts.is_empty()
    }

    /// Confirms the events that follow to their source once they have been delivered.
    pub fn add_receipt(&mut self, receipt: Arc<dyn Receipt>) {
        self.receipts.add(receipt);
    }

    /// Returns the state of the rules that the cursor has.
    #[must_use]
    pub fn rules(&self) -> Option<Box<RawValue>> {
        self.cursor.as_ref().and_then(Cursor::rules)
    }

    /// Returns whether the next run goes on where this one ends.
    #[must_use]
    pub const fn has_cursor(&self) -> bool {
        self.cursor.is_some()
    }

    /// Returns whether an earlier run delivered the event.
    pub fn is_known(&mut self, frame: &Frame<'_>, event: &RedactedEvent<'_>) -> bool {
        self.cursor.as_ref().is_some_and(|cursor| cursor.is_known(frame, event))
    }

    /// Returns whether a destination needs ids; see [`Destination::needs_ids`].
    #[must_use]
    pub fn needs_ids(&self) -> bool {
        self.destinations.iter().any(|destination| destination.needs_ids())
    }

    /// Returns the name of the tap, if a destination takes its lifecycle events.
    #[must_use]
    pub fn tap(&self) -> Option<&str> {
        self.destinations.iter().find_map(|destination| destination.tap())
    }

    /// Finds out whether the tap goes on with what an earlier run of it stored.
    pub async fn resume_tap(&self) {
        let Some(cursor) = &self.cursor else { return };
        for destination in &self.destinations {
            let Some(tap) = destination.tap_key() else { continue };
            let is_intact = match cursor.last_stored(tap) {
                Some(last) => destination.holds(last).await,
                None => false,
            };
            cursor.set_tap(tap, is_intact);
        }
    }

    /// Returns whether an earlier run of the tap has stored everything in this stream from its last
    /// position to the cursor, and it is still there.
    #[must_use]
    pub fn continues(&self, origin: &Origin) -> bool {
        // Calls have no positions.
        let workspace = origin.workspace_id.as_ref().filter(|_| origin.call_sid.is_none());
        let cursor = self.cursor.as_ref().zip(workspace).filter(|_| self.restarts() == 0);
        cursor.is_some_and(|(cursor, workspace)| cursor.continues(workspace))
    }

    /// Returns how often a destination has lost what it had; see [`Destination::restarts`].
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.destinations.iter().map(|destination| destination.restarts()).sum()
    }

    /// Takes an event about the tap, which is not shown on stdout.
    pub fn lifecycle(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        self.pending += 1;
        self.destinations.iter_mut().try_for_each(|destination| destination.lifecycle(context))
    }

    /// Takes an event that was written to stdout.
    pub fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        self.destinations.iter_mut().try_for_each(|destination| destination.event(context))
    }

    /// Returns whether all destinations take lines, and there is no cursor, which must see each
    /// event; see [`Destination::takes_lines`].
    #[must_use]
    pub fn takes_lines(&self) -> bool {
        self.cursor.is_none()
            && self.destinations.iter().all(|destination| destination.takes_lines())
    }

    /// Takes the lines of events that were written to stdout, and delivers them. Requires that
    /// stdout has been flushed.
    pub fn lines(&mut self, lines: &[u8]) -> Result<(), OutputError> {
        self.destinations.iter_mut().try_for_each(|destination| destination.lines(lines))?;
        self.pending += 1;
        self.flush(None)
    }

    /// Advances the pending position past a processed event, delivered or not. Returns true if it
    /// is time to flush.
    pub fn advance(&mut self, frame: &Frame<'_>, event: &RedactedEvent<'_>) -> bool {
        if let Some(cursor) = &self.cursor {
            cursor.advance(frame, event);
        }
        self.pending += usize::from(!self.is_empty());
        self.receipts.advance();
        let limits = self.destinations.iter().map(|destination| destination.max_pending());
        self.pending >= limits.min().unwrap_or(BATCH)
            || self.destinations.iter().any(|destination| destination.is_full())
    }

    /// Delivers what is pending, or hands it to what delivers in the background; see
    /// [`settle`](Self::settle). Requires that stdout has been flushed.
    pub fn flush(&mut self, rules: RuleState<'_>) -> Result<(), OutputError> {
        if self.pending > 0 {
            self.hand_over(rules, false)?;
        }
        self.settle()
    }

    /// Hands over what is pending. The positions and the state of the rules may be left to a later
    /// call, unless this is the last one.
    fn hand_over(&mut self, rules: RuleState<'_>, is_last: bool) -> Result<(), OutputError> {
        self.pending = 0;
        self.destinations.iter_mut().try_for_each(|destination| destination.flush())?;
        let mut taken = Vec::new();
        for destination in &mut self.destinations {
            match destination.progress()? {
                Some(progress) => taken.push(progress.taken),
                None => destination.acknowledge()?,
            }
        }
        let cursor = self.cursor.as_ref();
        let changes = cursor.map(|cursor| cursor.take_changes(rules, is_last));
        let changes = changes.unwrap_or_default();
        let processed = self.receipts.processed();
        self.checkpoints.add(Checkpoint { taken, changes, processed });
        Ok(())
    }

    /// Advances the cursor past what all destinations have delivered, and confirms these events.
    ///
    /// # Errors
    ///
    /// Fails if a destination cannot deliver, or if the cursor cannot be written.
    pub fn settle(&mut self) -> Result<(), OutputError> {
        let mut delivered = Vec::new();
        for destination in &self.destinations {
            delivered.extend(destination.progress()?.map(|progress| progress.delivered));
        }
        let Some(Checkpoint { changes, processed, .. }) = self.checkpoints.complete(&delivered)
        else {
            return Ok(());
        };
        if let Some(cursor) = &self.cursor {
            if self.restarts() > 0 {
                cursor.forget_tap();
            }
            let last = self.destinations.iter().find_map(|destination| destination.last_stored());
            cursor.commit(changes, last)?;
        }
        self.receipts.confirm(processed);
        Ok(())
    }

    /// Returns whether events are being delivered in the background, so that
    /// [`settle`](Self::settle) has something to do later.
    #[must_use]
    pub fn is_unsettled(&self) -> bool {
        self.checkpoints.end(true).is_some()
    }

    /// Waits until [`settle`](Self::settle) has something to do.
    pub async fn wait(&self) {
        // Without a cursor and receipts, nobody needs to know of a part of the events.
        let is_last = self.cursor.is_none() && self.receipts.is_empty();
        let taken = self.checkpoints.end(is_last).map_or(&[][..], |checkpoint| &checkpoint.taken);
        let mut taken = taken.iter();
        for destination in &self.destinations {
            match destination.progress() {
                Ok(None) => {}
                Ok(Some(_)) => {
                    if let Some(taken) = taken.next() {
                        destination.wait(*taken).await;
                    }
                }
                Err(_) => return,
            }
        }
    }

    /// Waits until everything that was handed over has been delivered, and advances the cursor past
    /// it.
    pub fn complete(&mut self) -> Result<(), OutputError> {
        for destination in &mut self.destinations {
            if destination.progress()?.is_some() {
                destination.acknowledge()?;
            }
        }
        self.settle()
    }

    /// Ends the destinations at the end of the run, even after a failure.
    pub fn end(&mut self) {
        self.destinations.iter_mut().for_each(|destination| destination.end());
    }

    /// Delivers what is pending and forces the destinations and the cursor to disk.
    pub fn finish(&mut self, rules: RuleState<'_>) -> Result<(), OutputError> {
        self.hand_over(rules, true)?;
        self.complete()?;
        self.destinations.iter_mut().try_for_each(|destination| destination.finish())?;
        Ok(self.cursor.as_ref().map_or(Ok(()), Cursor::finish)?)
    }
}

#[cfg(test)]
mod tests;
