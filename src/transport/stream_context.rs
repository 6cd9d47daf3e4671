//! One stream's link to the walk: it sends frames and news down the channel, and turns a failure into a wait or an error.
//!
//! Sends to a channel whose receiver is gone do nothing: whoever drives the link watches for that and stops.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::error::{Error, Exit, Result};
use crate::model::Origin;
use crate::transport::backoff::Backoff;
use crate::transport::connect_error::ConnectError;
use crate::transport::credential::Credential;
use crate::transport::gap::Gap;
use crate::transport::key_ring::KeyRing;
use crate::transport::{ConnectionEvent, ConnectionState, Item, RawFrame, Sender, SourceConfig};

pub(super) struct StreamContext<'a> {
    pub(super) what: &'static str,
    pub(super) origin: Arc<Origin>,
    pub(super) backoff: Backoff,
    pub(super) limits: &'a SourceConfig,
    tx: &'a Sender,
    /// The server has been reached, so a failure is no longer likely to be the user's mistake.
    proven: bool,
}

impl<'a> StreamContext<'a> {
    /// `what` is the first part of its errors.
    pub(super) fn new(
        what: &'static str,
        origin: Origin,
        initial: Duration,
        limits: &'a SourceConfig,
        tx: &'a Sender,
    ) -> Self {
        Self {
            what,
            origin: Arc::new(origin),
            backoff: Backoff::new(initial),
            limits,
            tx,
            proven: false,
        }
    }

    /// The wall clock.
    pub(super) fn now(&self) -> Timestamp {
        (self.limits.now)()
    }

    /// The connection stands.
    pub(super) async fn connected(&mut self) {
        self.proven = true;
        self.news(ConnectionState::Connected).await;
    }

    /// A frame arrived, so the connection is a healthy one.
    pub(super) async fn deliver(&mut self, frame: RawFrame) {
        self.backoff.reset();
        // See the module's word on sends.
        let _ = self.tx.send(Item::Frame(frame)).await;
    }

    /// Names a hole.
    pub(super) async fn gap(&mut self, gap: &Gap) {
        let frame = gap.frame(&self.origin, self.now());
        // See the module's word on sends.
        let _ = self.tx.send(Item::Frame(frame)).await;
    }

    /// The stream is over for good, and well.
    pub(super) async fn ended(&mut self, why: &str) {
        self.news(ConnectionState::Ended { why: why.to_owned() }).await;
    }

    /// The connection failed: returns when it is time for another, or gives the error that it ends with. A key that was
    /// refused is looked for anew, since keys are rotated in the middle of a day.
    pub(super) async fn after(
        &mut self,
        failure: ConnectError,
        keys: &KeyRing,
        used: &Credential,
    ) -> Result<()> {
        let renewed =
            matches!(failure, ConnectError::Unauthorized { .. }) && keys.renew(used).await;
        match failure {
            ConnectError::Transient { why, at_least } => {
                self.pause(why, at_least, Duration::MAX).await
            }
            ConnectError::Ambiguous { why, .. } if self.proven => {
                self.pause(why, Duration::ZERO, Duration::MAX).await
            }
            ConnectError::Unauthorized { why, .. } if renewed => {
                self.pause(
                    format!("{why}, and there is a newer one"),
                    Duration::ZERO,
                    Duration::ZERO,
                )
                .await
            }
            ConnectError::Fatal { .. }
            | ConnectError::Unauthorized { .. }
            | ConnectError::Ambiguous { .. } => Err(failure.into_error(self.what)),
        }
    }

    /// Tells that there will be another connection, and waits for its time; or gives up after as many tries as there may be.
    pub(super) async fn pause(
        &mut self,
        why: String,
        at_least: Duration,
        at_most: Duration,
    ) -> Result<()> {
        self.proven = true;
        let (delay, attempt) = self.backoff.next(at_least, (self.limits.random)());
        if self.limits.max_reconnects.is_some_and(|most| attempt > most) {
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
        self.news(ConnectionState::Reconnecting { delay, attempt, why }).await;
        tokio::time::sleep(delay).await;
        Ok(())
    }

    async fn news(&mut self, state: ConnectionState) {
        // See the module's word on sends.
        let _ = self
            .tx
            .send(Item::Connection(ConnectionEvent { origin: Arc::clone(&self.origin), state }))
            .await;
    }

    /// The channel itself, for a source that does something while it waits for room.
    pub(super) const fn channel(&self) -> &'a Sender {
        self.tx
    }
}
