//! The state that one stream keeps over all of its connections.
//!
//! It sends frames and connection events into the channel, and turns a failed connection into a
//! wait or an error. Sends to a channel whose receiver is gone do nothing: the caller watches for
//! that and stops.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::error::{Error, Exit, Result};
use crate::model::Origin;
use crate::model::catalog::value::EndReason;
use crate::transport::backoff::Backoff;
use crate::transport::connect_error::ConnectError;
use crate::transport::credential::Credential;
use crate::transport::gap::Gap;
use crate::transport::key_ring::KeyRing;
use crate::transport::meter::{StreamKind, StreamMeter};
use crate::transport::{
    ConnectionEvent, ConnectionState, Coverage, CoverageState, Item, RawFrame, Sender, SourceConfig,
};

/// The longest time between two attempts to reach a server that may not have started yet.
const WAIT_INTERVAL: Duration = Duration::from_secs(1);

/// The channel, back-off and configuration of one stream.
pub(super) struct StreamContext<'a> {
    /// The first part of error messages: what failed.
    pub(super) what: &'static str,
    pub(super) origin: Arc<Origin>,
    pub(super) backoff: Backoff,
    pub(super) config: &'a SourceConfig,
    tx: &'a Sender,
    meter: StreamMeter,
    /// The server has been reached, so a failure is no longer likely to be a mistake of the user.
    has_reached_server: bool,
    /// Until when to wait for a server that has not been reached.
    wait_until: Instant,
}

impl<'a> StreamContext<'a> {
    /// Creates the context of a stream that has not been connected yet. `initial` is the first
    /// ceiling of the back-off.
    pub(super) fn new(
        what: &'static str,
        origin: Origin,
        initial: Duration,
        config: &'a SourceConfig,
        tx: &'a Sender,
    ) -> Self {
        Self {
            what,
            meter: StreamMeter::new(config.meter.as_ref(), StreamKind::of(origin.stream)),
            origin: Arc::new(origin),
            backoff: Backoff::new(initial),
            config,
            tx,
            has_reached_server: false,
            wait_until: Instant::now() + config.wait,
        }
    }

    /// Returns the wall-clock time.
    pub(super) fn now(&self) -> Timestamp {
        (self.config.now)()
    }

    /// Counts bytes that were received.
    pub(super) fn add_received(&self, bytes: usize) {
        self.meter.add_received(bytes);
    }

    /// Reports that the connection is open.
    pub(super) async fn report_connected(&mut self) {
        if !std::mem::replace(&mut self.has_reached_server, true) {
            // The attempts until the server had started say nothing about its health.
            self.backoff.reset();
        }
        self.report_state(ConnectionState::Connected).await;
    }

    /// Returns whether to wait for a server that has not been reached yet.
    pub(super) fn is_waiting(&self) -> bool {
        !self.has_reached_server && Instant::now() < self.wait_until
    }

    /// Reports the next attempt to reach the server for the first time, and waits for it. The last
    /// attempt is at the end of the time to wait.
    pub(super) async fn wait_for_server(&mut self, why: String) {
        let (delay, attempt) = self.backoff.next(Duration::ZERO, (self.config.random)());
        let left = self.wait_until.saturating_duration_since(Instant::now());
        let delay = delay.min(left).min(WAIT_INTERVAL);
        self.report_state(ConnectionState::Reconnecting { delay, attempt, why }).await;
        tokio::time::sleep(delay).await;
    }

    /// Sends a frame. The connection is healthy, so the back-off is reset.
    pub(super) async fn deliver(&mut self, frame: RawFrame) {
        self.backoff.reset();
        // The caller watches for a receiver that is gone.
        let _ = self.tx.send(Item::Frame(frame)).await;
    }

    /// Sends a frame that was delivered on an earlier connection, if the configuration says so.
    pub(super) async fn pass_replayed(&self, frame: RawFrame) {
        if self.config.pass_replayed {
            // The caller watches for a receiver that is gone.
            let _ = self.tx.send(Item::Frame(frame)).await;
        }
    }

    /// Sends the `tap.gap` line of a gap.
    pub(super) async fn report_gap(&mut self, gap: &Gap) {
        let frame = gap.frame(&self.origin, self.tap(), self.now());
        // The caller watches for a receiver that is gone.
        let _ = self.tx.send(Item::Frame(frame)).await;
    }

    /// Returns the name of the tap, if it announces what it has delivered.
    pub(super) fn tap(&self) -> Option<&str> {
        self.config.heartbeat.as_ref().and_then(|heartbeat| heartbeat.tap.as_deref())
    }

    /// Returns the coverage of the stream as an item, if the tap announces it.
    pub(super) fn coverage(&self, state: CoverageState) -> Option<Item> {
        let coverage = Coverage { origin: Arc::clone(&self.origin), state };
        self.config.heartbeat.as_ref().map(|_| Item::Coverage(coverage))
    }

    /// Reports the coverage of the stream, if the tap announces it.
    pub(super) async fn report_coverage(&self, state: CoverageState) {
        if let Some(item) = self.coverage(state) {
            // The caller watches for a receiver that is gone.
            let _ = self.tx.send(item).await;
        }
    }

    /// Returns the time of the next position after one that is reported now.
    pub(super) fn next_position(&self) -> Option<Instant> {
        self.config.heartbeat.as_ref().map(|heartbeat| Instant::now() + heartbeat.every)
    }

    /// Reports that the stream ended normally.
    pub(super) async fn report_ended(&mut self, reason: EndReason) {
        self.report_state(ConnectionState::ended(reason)).await;
    }

    /// Handles a failed connection: returns when it is time for the next attempt.
    ///
    /// After a refused key, it looks for a newer one first, because keys are rotated while evtap
    /// runs.
    ///
    /// # Errors
    ///
    /// Fails if no further attempt can succeed or none is left.
    pub(super) async fn recover(
        &mut self,
        failure: ConnectError,
        keys: &KeyRing,
        used: &Credential,
    ) -> Result<()> {
        let renewed =
            matches!(failure, ConnectError::Unauthorized { .. }) && keys.renew(used).await;
        match failure {
            ConnectError::Transient { why, at_least } => {
                self.wait_to_reconnect(why, at_least, Duration::MAX).await
            }
            ConnectError::Ambiguous { why, .. } if self.has_reached_server => {
                self.wait_to_reconnect(why, Duration::ZERO, Duration::MAX).await
            }
            ConnectError::Ambiguous { why, .. } if self.is_waiting() => {
                self.wait_for_server(why).await;
                Ok(())
            }
            ConnectError::Unauthorized { why, .. } if renewed => {
                let why = format!("{why}, and there is a newer one");
                self.wait_to_reconnect(why, Duration::ZERO, Duration::ZERO).await
            }
            ConnectError::Fatal { .. }
            | ConnectError::Unauthorized { .. }
            | ConnectError::Ambiguous { .. } => Err(failure.into_error(self.what)),
        }
    }

    /// Reports the next attempt and waits for the back-off, bounded by `at_least` and `at_most`.
    ///
    /// # Errors
    ///
    /// Fails if the maximum number of reconnects in a row has been reached.
    pub(super) async fn wait_to_reconnect(
        &mut self,
        why: String,
        at_least: Duration,
        at_most: Duration,
    ) -> Result<()> {
        self.has_reached_server = true;
        let (delay, attempt) = self.backoff.next(at_least, (self.config.random)());
        if self.config.max_reconnects.is_some_and(|max| attempt > max) {
            let tries = attempt - 1;
            let why = format!(
                "{why}; {tries} {} failed",
                if tries == 1 { "reconnect" } else { "reconnects" }
            );
            return Err(Error::new(
                Exit::GaveUp,
                self.what,
                why,
                "start again later, or allow more with --max-reconnects",
            ));
        }
        let delay = delay.min(at_most);
        self.report_state(ConnectionState::Reconnecting { delay, attempt, why }).await;
        tokio::time::sleep(delay).await;
        Ok(())
    }

    async fn report_state(&mut self, state: ConnectionState) {
        self.meter.change(&state);
        // The caller watches for a receiver that is gone.
        let _ = self
            .tx
            .send(Item::Connection(ConnectionEvent { origin: Arc::clone(&self.origin), state }))
            .await;
    }

    /// Returns the channel, for a source that does something else while it waits for room.
    pub(super) const fn sender(&self) -> &'a Sender {
        self.tx
    }
}

/// Waits until this time; forever if there is none.
pub(super) async fn sleep_until_some(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
