//! An open connection to the stream: what it uses, what the broker itself says on it, and the events
//! that have arrived on it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::Stream;
use async_nats::{Client, Message, StatusCode, Subscriber};
use tokio::sync::Notify;

use super::pull::{PullLimits, PullWindow};
use super::read_config::{ReadConfig, ReadFailure};
use crate::error::{Error, Exit};
use crate::transport::RawFrame;

/// The limits of a request, in messages and in bytes. A member of a durable consumer requests less,
/// so that the others get their share, and little is delivered again if it dies.
const ORDERED_MESSAGES: u64 = 4096;
const ORDERED_BYTES: u64 = 4 << 20;
const SHARED_MESSAGES: u64 = 512;
const SHARED_BYTES: u64 = 1 << 20;

/// The largest message that a broker can allow (NATS documentation, `max_payload`), in bytes.
const LARGEST_MESSAGE: u64 = 64 << 20;

/// The size of a message without its body, at most, in bytes.
const OVERHEAD: u64 = 64 * 1024;

/// What an open connection uses.
pub(super) struct OpenStream {
    pub client: Client,
    pub stream: Stream,
    /// The name of the consumer.
    pub consumer: String,
    pub messages: Subscriber,
    pub lost: Arc<Notify>,
    pub window: PullWindow,
    /// The subject and the reply subject of requests.
    pub next: String,
    pub inbox: String,
    /// Whether the consumer has no filter, so that each missing number is a removed message.
    pub is_complete: bool,
    /// The number of the last delivery.
    pub delivery: u64,
}

/// The events that are passed on together.
#[derive(Default)]
pub(super) struct OpenChunk {
    pub frames: Vec<RawFrame>,
    /// The number of the message of each frame, to acknowledge it, if the consumer is durable;
    /// `None` for a gap.
    pub messages: Vec<Option<u64>>,
    pub bytes: usize,
    /// Whether the last message to read is in it.
    pub is_last: bool,
}

impl OpenChunk {
    /// Adds a frame that is not a message.
    pub fn push_notice(&mut self, frame: RawFrame) {
        self.frames.push(frame);
        self.messages.push(None);
    }
}

impl OpenStream {
    /// Requests more messages if half of what was requested has arrived.
    pub async fn request(&mut self) -> Result<(), ReadFailure> {
        let Some(request) = self.window.request() else { return Ok(()) };
        let (next, inbox) = (self.next.clone(), self.inbox.clone());
        let sent = self.client.publish_with_reply(next, inbox, request).await;
        sent.map_err(|_| ReadFailure::Transient("the connection was lost".to_owned()))
    }

    /// Handles a message of the broker itself (NATS documentation, ADR-13).
    pub fn notice(&mut self, status: StatusCode, message: &Message) -> Result<(), ReadFailure> {
        let text = message.description.as_deref().unwrap_or_default();
        let is = |wanted: &str| text.to_ascii_lowercase().contains(wanted);
        let transient = |why: &str| Err(ReadFailure::Transient(why.to_owned()));
        match status.as_u16() {
            100 => Ok(()),
            409 if is("consumer deleted") => transient("the consumer was deleted"),
            409 if is("server shutdown") => transient("the broker shuts down"),
            409 if is("leadership") => transient("the broker moves the consumer"),
            409 if is("exceeded") => transient("the consumer does not allow requests of this size"),
            404 | 408 | 409 => {
                self.window.ended(message.headers.as_ref());
                Ok(())
            }
            503 => transient("the consumer does not answer"),
            code => Err(ReadFailure::Transient(format!("the broker answered with status {code}"))),
        }
    }
}

/// Returns the limits of requests. The largest message that the broker allows always fits.
pub(super) fn limits(client: &Client, is_shared: bool, heartbeat: Duration) -> PullLimits {
    // Whatever the broker says, the memory of a request is limited.
    let largest = (client.server_info().max_payload as u64).min(LARGEST_MESSAGE) + OVERHEAD;
    let (messages, bytes) =
        if is_shared { (SHARED_MESSAGES, SHARED_BYTES) } else { (ORDERED_MESSAGES, ORDERED_BYTES) };
    PullLimits { messages, bytes: bytes.max(largest), heartbeat }
}

/// Classifies the failure to find the stream. `was_open` says that it existed before.
pub(super) fn no_stream(
    config: &ReadConfig,
    kind: &GetStreamErrorKind,
    was_open: bool,
) -> ReadFailure {
    let no_answer = "the broker does not answer requests about streams";
    let (exit, why, advice) = match kind {
        GetStreamErrorKind::JetStream(error) => match error.error_code() {
            ErrorCode::STREAM_NOT_FOUND if was_open => (
                Exit::NotFound,
                "the stream was deleted".to_owned(),
                "create it again, or name another one",
            ),
            ErrorCode::STREAM_NOT_FOUND => (
                Exit::NotFound,
                "the broker has no such stream".to_owned(),
                "check the name, or publish to it first with --publish and --create-stream",
            ),
            ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT => (
                Exit::Failure,
                "the broker has JetStream switched off".to_owned(),
                "start it with JetStream (`nats-server -js`), or enable it for the account",
            ),
            ErrorCode(code) => {
                let why = format!("the broker refused to (JetStream error {code})");
                if was_open {
                    return ReadFailure::Transient(why);
                }
                (Exit::Failure, why, "look the number up in the documentation of NATS")
            }
        },
        _ if was_open => return ReadFailure::Transient(no_answer.to_owned()),
        _ => (
            Exit::Failure,
            no_answer.to_owned(),
            "check that JetStream is enabled, and that these credentials may use $JS.API",
        ),
    };
    ReadFailure::Fatal(Error::new(exit, config.what(), why, advice))
}
