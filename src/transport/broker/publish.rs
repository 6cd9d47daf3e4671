//! Publishing to the stream: messages are sent, and acknowledged later by their numbers.
//!
//! All acknowledgements arrive at one inbox, so that many messages can be under way without a task
//! and a timer for each (NATS documentation, "JetStream wire API reference").

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::context::{ContextBuilder, GetStreamErrorKind};
use async_nats::jetstream::stream::Stream;
use async_nats::jetstream::{self, Context, ErrorCode};
use async_nats::{Client, HeaderMap, Message, PublishErrorKind, StatusCode, Subject, Subscriber};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use serde::Deserialize;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::connect::{BrokerConfig, connect_notifying};
use super::stream::{self, creation_command};
use crate::error::Result;

/// How long an answer to a request about the stream may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the client may take to accept a message.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// The advice for a subject that another stream takes.
const OTHER_STREAM: &str = "name that stream, or give other subjects with --subject-prefix";

/// A connection to a stream on a broker, to which events are published. It reconnects by itself.
#[derive(Debug)]
pub struct Broker {
    client: Client,
    context: Context,
    stream: Stream,
    config: BrokerConfig,
    /// Where acknowledgements arrive: this and a dot precede the number of the message.
    inbox: String,
    changed: Arc<Notify>,
}

/// Why an event was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishFailure {
    /// It may be stored later, or may have been. The text is the reason.
    Temporary(String),
    /// No stream of the broker takes the event.
    NoStream,
    /// The broker answered with an error of which evtap does not know whether it can pass: its
    /// number.
    Unknown(u64),
    /// The broker will never store this event, but may store others.
    Refused(&'static str),
    /// The broker will not store any event. The texts are the reason and the advice.
    Fatal(String, &'static str),
}

impl PublishFailure {
    fn temporary(why: &str) -> Self {
        Self::Temporary(why.to_owned())
    }

    /// Returns the failure of a message whose connection was lost.
    #[must_use]
    pub fn connection_lost() -> Self {
        Self::temporary("the connection to the broker was lost")
    }

    /// Returns the failure of a message that was not acknowledged in time.
    #[must_use]
    pub fn timed_out() -> Self {
        Self::temporary("the broker did not acknowledge in time")
    }
}

impl Broker {
    /// Connects to the broker, and checks or creates the stream.
    ///
    /// # Errors
    ///
    /// Fails if the credentials cannot be read or are refused, if the broker cannot be reached or is
    /// too old, or if the stream is missing or does not suit.
    pub async fn open(config: &BrokerConfig) -> Result<Self> {
        let changed = Arc::default();
        let client = connect_notifying(config, Arc::clone(&changed)).await?;
        let context = ContextBuilder::new().timeout(REQUEST_TIMEOUT).build(client.clone());
        let stream =
            stream::open(&context, &config.address, &config.prefix, config.creates_stream).await?;
        let inbox = client.new_inbox();
        Ok(Self { client, context, stream, config: config.clone(), inbox, changed })
    }

    /// Returns whether the connection is open.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Returns how often the connection has been opened.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.client.statistics().connects.load(Ordering::Relaxed)
    }

    /// Waits until the connection has been lost or opened again.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Returns the acknowledgements of what is sent from then on.
    ///
    /// # Errors
    ///
    /// Fails if the connection was closed.
    pub async fn acknowledgements(&self) -> Result<Acknowledgements, PublishFailure> {
        let messages = self.client.subscribe(format!("{}.*", self.inbox)).await;
        let messages = messages.map_err(|_| PublishFailure::connection_lost())?;
        Ok(Acknowledgements { messages, prefix: self.inbox.len() + 1 })
    }

    /// Returns the messages with which taps announce that they are connected, as they are published;
    /// `None` if the connection was closed.
    pub async fn announcements(&self) -> Option<Subscriber> {
        self.client.subscribe(self.config.prefix.announcements()).await.ok()
    }

    /// Sends an event, whose acknowledgement will have this number.
    ///
    /// # Errors
    ///
    /// Fails if it is not sent, and will not be acknowledged.
    pub async fn send(
        &self,
        number: u64,
        subject: Subject,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<(), PublishFailure> {
        // The client would keep everything that is published while it is not connected.
        if !self.is_connected() {
            return Err(PublishFailure::temporary("the broker is not connected"));
        }
        let inbox = format!("{}.{number}", self.inbox);
        let sent = self.client.publish_with_reply_and_headers(subject, inbox, headers, body);
        // A server that hangs, and does not read what it is sent, is still connected.
        let Ok(sent) = timeout(SEND_TIMEOUT, sent).await else {
            return Err(PublishFailure::temporary("the broker does not respond"));
        };
        sent.map_err(|error| match error.kind() {
            PublishErrorKind::MaxPayloadExceeded => {
                PublishFailure::Refused("it is larger than the broker allows")
            }
            PublishErrorKind::InvalidSubject => {
                PublishFailure::Refused("the broker does not allow its subject")
            }
            PublishErrorKind::Send => PublishFailure::connection_lost(),
        })
    }

    /// Returns what distinguishes the stream from all others.
    #[must_use]
    pub fn stream_key(&self) -> String {
        let created = self.stream.cached_info().created.unix_timestamp_nanos();
        format!("{}@{created}", self.stream_name())
    }

    /// Returns the name of the stream.
    #[must_use]
    pub fn stream_name(&self) -> &str {
        &self.config.address.stream
    }

    /// Returns a header of the message at a place in the stream, if it is still there.
    pub async fn header_at(&self, place: u64, header: &str) -> Option<String> {
        let message = self.stream.get_raw_message(place).await.ok()?;
        message.headers.get(header).map(|value| value.as_str().to_owned())
    }

    /// Returns a header of the last message with a subject that matches `pattern`, if there is one.
    pub async fn last_header(&self, pattern: &str, header: &str) -> Option<String> {
        let message = self.stream.get_last_raw_message_by_subject(pattern).await.ok()?;
        message.headers.get(header).map(|value| value.as_str().to_owned())
    }

    /// Finds out why no stream takes events, and what to do. Returns also whether the stream does not
    /// exist any more.
    pub async fn why_no_stream(&self) -> (String, bool) {
        let found = self.context.get_stream(self.stream_name()).await;
        match found.as_ref().map_err(async_nats::error::Error::kind) {
            Err(GetStreamErrorKind::JetStream(error))
                if error.error_code() == ErrorCode::STREAM_NOT_FOUND =>
            {
                let command = creation_command(&self.config.address, &self.config.prefix);
                let why = format!(
                    "the stream was deleted, with everything in it; to create it again, run `{command}`"
                );
                (why, true)
            }
            Ok(_) => {
                let subjects = self.config.prefix.all();
                let why = "the stream does not take the event any more";
                (format!("{why}; give it the subjects {subjects}"), false)
            }
            Err(_) => ("no stream of the broker takes the event".to_owned(), false),
        }
    }
}

/// The acknowledgements of published messages.
#[derive(Debug)]
pub struct Acknowledgements {
    messages: Subscriber,
    /// The length of the subject before the number.
    prefix: usize,
}

impl Acknowledgements {
    /// Waits for the next acknowledgement. Returns the number of its message, and the result;
    /// `None` if the connection was closed.
    pub async fn next(&mut self) -> Option<(u64, PublishResult)> {
        loop {
            let message = self.messages.next().await?;
            if let Some(answer) = self.read(&message) {
                return Some(answer);
            }
        }
    }

    /// Returns an acknowledgement that has arrived.
    pub fn try_next(&mut self) -> Option<(u64, PublishResult)> {
        self.next().now_or_never().flatten()
    }

    fn read(&self, message: &Message) -> Option<(u64, PublishResult)> {
        let number = message.subject.get(self.prefix..)?.parse().ok()?;
        if message.status == Some(StatusCode::NO_RESPONDERS) {
            return Some((number, Err(PublishFailure::NoStream)));
        }
        let answer: Answer = serde_json::from_slice(&message.payload).ok()?;
        Some((number, answer.result()))
    }
}

/// The place in the stream where an event is stored, if the broker says it. Otherwise, why it was not
/// stored.
pub type PublishResult = Result<Option<StoredPlace>, PublishFailure>;

/// Where an event is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredPlace {
    /// The number in the stream, from 1.
    pub place: u64,
    /// Whether the stream had the event already.
    pub is_duplicate: bool,
}

/// The answer to a publish (NATS documentation, "JetStream wire API reference").
#[derive(Deserialize)]
struct Answer {
    error: Option<jetstream::Error>,
    seq: Option<u64>,
    #[serde(default)]
    duplicate: bool,
}

impl Answer {
    fn result(self) -> PublishResult {
        if let Some(error) = self.error {
            return Err(classify(error.error_code()));
        }
        let is_duplicate = self.duplicate;
        Ok(self.seq.map(|place| StoredPlace { place, is_duplicate }))
    }
}

/// Classifies an error of the stream.
fn classify(code: ErrorCode) -> PublishFailure {
    match code {
        ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM => {
            PublishFailure::Refused("it is larger than the broker allows")
        }
        ErrorCode::STREAM_HEADER_EXCEEDS_MAXIMUM => {
            PublishFailure::Refused("its headers are larger than the broker allows")
        }
        ErrorCode::STREAM_NOT_MATCH => PublishFailure::Fatal(
            "another stream of the broker takes the events".to_owned(),
            OTHER_STREAM,
        ),
        ErrorCode::STREAM_SEALED => PublishFailure::Fatal(
            "the stream is sealed, so nothing can be added".to_owned(),
            "name another stream",
        ),
        ErrorCode::STREAM_STORE_FAILED => {
            PublishFailure::temporary("the stream is full, or cannot be written")
        }
        ErrorCode::INSUFFICIENT_RESOURCES
        | ErrorCode::STORAGE_RESOURCES_EXCEEDED
        | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
        | ErrorCode::MEMORY_RESOURCES_EXCEEDED => {
            PublishFailure::temporary("the broker has no space left")
        }
        ErrorCode::CLUSTER_NOT_AVAILABLE
        | ErrorCode::CLUSTER_NOT_LEADER
        | ErrorCode::CLUSTER_NOT_ACTIVE
        | ErrorCode::CLUSTER_NO_PEERS
        | ErrorCode::RAFT_GENERAL
        | ErrorCode::STREAM_OFFLINE
        | ErrorCode::STREAM_OFFLINE_REASON
        | ErrorCode::STREAM_TOO_MANY_REQUESTS => {
            PublishFailure::temporary("the stream is not available at present")
        }
        ErrorCode::STREAM_DUPLICATE_MESSAGE_CONFLICT => {
            PublishFailure::temporary("the broker is about to store the same event of another tap")
        }
        ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT => {
            PublishFailure::temporary("the broker has JetStream switched off")
        }
        ErrorCode(code) => PublishFailure::Unknown(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failures_that_can_pass_are_temporary() {
        for code in [
            ErrorCode::STREAM_STORE_FAILED,
            ErrorCode::INSUFFICIENT_RESOURCES,
            ErrorCode::CLUSTER_NOT_LEADER,
            ErrorCode::STREAM_DUPLICATE_MESSAGE_CONFLICT,
        ] {
            assert!(matches!(classify(code), PublishFailure::Temporary(_)), "{code:?}");
        }
        assert_eq!(classify(ErrorCode(19_999)), PublishFailure::Unknown(19_999));
        for code in
            [ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM, ErrorCode::STREAM_HEADER_EXCEEDS_MAXIMUM]
        {
            assert!(matches!(classify(code), PublishFailure::Refused(_)), "{code:?}");
        }
        for code in [ErrorCode::STREAM_NOT_MATCH, ErrorCode::STREAM_SEALED] {
            assert!(matches!(classify(code), PublishFailure::Fatal(..)), "{code:?}");
        }
    }
}
