//! One stream's link to the walk: it sends frames and news down the channel, and turns a failure into a wait or an error.
//!
//! Sends to a channel whose receiver is gone do nothing: whoever drives the link watches for that and stops.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Result;
use crate::source::failure::Failure;
use crate::source::retry::{Backoff, Random};
use crate::source::{Change, Item, News, Origin, RawFrame, Sender};

pub(super) struct Link<'a> {
    pub(super) what: &'static str,
    pub(super) origin: Arc<Origin>,
    pub(super) backoff: Backoff,
    tx: &'a Sender,
    random: Random,
    /// The server has been reached, so a failure is no longer likely to be the user's mistake.
    proven: bool,
}

impl<'a> Link<'a> {
    /// `what` is the first part of its errors.
    pub(super) fn new(what: &'static str, origin: Origin, initial: Duration, random: Random, tx: &'a Sender) -> Self {
        Self { what, origin: Arc::new(origin), backoff: Backoff::new(initial), tx, random, proven: false }
    }

    /// The connection stands.
    pub(super) async fn connected(&mut self) {
        self.proven = true;
        self.news(Change::Connected).await;
    }

    /// A frame arrived, so the connection is a healthy one.
    pub(super) async fn deliver(&mut self, frame: RawFrame) {
        self.backoff.reset();
        // See the module's word on sends.
        let _ = self.tx.send(Item::Frame(frame)).await;
    }

    /// The stream is over for good, and well.
    pub(super) async fn ended(&mut self, why: &str) {
        self.news(Change::Ended { why: why.to_owned() }).await;
    }

    /// The connection failed: returns when it is time for another, or gives the error that it ends with.
    pub(super) async fn after(&mut self, failure: Failure) -> Result<()> {
        match failure {
            Failure::Passing { why, at_least } => self.pause(why, at_least, Duration::MAX).await,
            Failure::Doubtful { why, .. } if self.proven => self.pause(why, Duration::ZERO, Duration::MAX).await,
            Failure::Final { .. } | Failure::Doubtful { .. } => return Err(failure.into_error(self.what)),
        }
        Ok(())
    }

    /// Tells that there will be another connection, and waits for its time.
    pub(super) async fn pause(&mut self, why: String, at_least: Duration, at_most: Duration) {
        self.proven = true;
        let (delay, attempt) = self.backoff.next(at_least, (self.random)());
        let delay = delay.min(at_most);
        self.news(Change::Reconnecting { delay, attempt, why }).await;
        tokio::time::sleep(delay).await;
    }

    async fn news(&mut self, change: Change) {
        // See the module's word on sends.
        let _ = self.tx.send(Item::News(News { origin: Arc::clone(&self.origin), change })).await;
    }
}
