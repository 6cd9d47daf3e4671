//! The part of the stream to read, and why reading stops.

use jiff::Timestamp;

use super::connect::BrokerConfig;
use crate::error::Error;

/// What to read, and from where.
#[derive(Debug, Clone)]
pub struct ReadConfig {
    /// How to reach the stream.
    pub broker: BrokerConfig,
    /// The subjects to read; see [`subjects`](super::subjects).
    pub subjects: Vec<String>,
    /// Where to begin.
    pub start: ReadStart,
    /// Whether to end at the last message that the stream has at the beginning.
    pub ends: bool,
    /// The name of a durable consumer, whose members share the messages.
    pub consumer: Option<String>,
    /// Whether taps may say that they are connected, alive or end.
    pub shows_taps: bool,
    /// Whether each event is passed on by itself, so that it can be put in order.
    pub is_sorted: bool,
}

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadStart {
    /// With the messages that are stored from now on.
    Now,
    /// With the events from this time on.
    Since(Timestamp),
    /// With the first message of the stream.
    Beginning,
}

impl ReadConfig {
    /// Returns the beginning of an error message.
    pub(super) fn what(&self) -> String {
        format!("cannot read from {}", self.broker.address.name())
    }
}

/// Why reading stopped before the end.
pub(super) enum ReadFailure {
    /// Another connection may succeed. The text is the reason.
    Transient(String),
    /// The broker cannot be reached for the first time, and the user waits for it.
    NotStarted(String),
    /// A message is missing on this connection, so it is read again from a new consumer.
    Skipped,
    /// No further attempt can succeed.
    Fatal(Error),
}
