//! The connection to the broker.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::context::{ContextBuilder, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::Stream;
use async_nats::jetstream::{self, Context, ErrorCode};
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, HeaderMap, ServerAddr};
use bytes::Bytes;
use tokio::sync::Notify;

use super::address::BrokerAddress;
use super::stream;
use super::subject::SubjectPrefix;
use crate::error::{Error, Exit, Result};
use crate::transport::connect_error::cause;
use crate::transport::private_file;
use crate::transport::tls::{self, ServerVerifier};

/// How long opening a connection may take, including TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an acknowledgement may take before the event is published again.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest time between two attempts to reconnect.
const MAX_RECONNECT_DELAY: Duration = Duration::from_secs(5);

/// The oldest server that evtap works with: older ones lack what its streams are created with.
const MIN_VERSION: (u64, u64) = (2, 10);

/// The option and the setting that name the file of credentials.
const CREDENTIALS: &str = "--nats-creds";

/// How to reach a stream on a broker.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// The address of the stream.
    pub address: BrokerAddress,
    /// The file of credentials, as `nsc` writes it.
    pub credentials: Option<PathBuf>,
    /// A PEM file of certificates to trust in addition to those of the system.
    pub ca_cert: Option<PathBuf>,
    /// The first tokens of subjects.
    pub prefix: SubjectPrefix,
    /// Whether a missing stream is created.
    pub creates_stream: bool,
}

/// A connection to a stream on a broker. It reconnects by itself.
#[derive(Debug)]
pub struct Broker {
    client: Client,
    context: Context,
    stream: Stream,
    name: String,
}

/// Why an event was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishFailure {
    /// It may be stored later, or may have been. The text is the reason.
    Temporary(String),
    /// The broker will never store this event, but may store others.
    Refused(&'static str),
    /// The broker will not store any event. The texts are the reason and the advice.
    Fatal(String, &'static str),
}

impl Broker {
    /// Connects to the broker, and checks or creates the stream.
    ///
    /// # Errors
    ///
    /// Fails if the credentials cannot be read or are refused, if the broker cannot be reached or is
    /// too old, or if the stream is missing or does not suit.
    pub async fn open(config: &BrokerConfig) -> Result<Self> {
        let client = connect(config).await?;
        let context = ContextBuilder::new().timeout(ACKNOWLEDGE_TIMEOUT).build(client.clone());
        let stream =
            stream::open(&context, &config.address, &config.prefix, config.creates_stream).await?;
        Ok(Self { client, context, stream, name: config.address.stream.clone() })
    }

    /// Stores an event, and waits until the broker acknowledges it.
    pub async fn publish(
        &self,
        subject: String,
        id: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<(), PublishFailure> {
        // The client would keep everything that is published while it is not connected.
        if self.client.connection_state() != State::Connected {
            return Err(PublishFailure::Temporary("the broker is not connected".to_owned()));
        }
        let mut headers = headers.clone();
        headers.insert("Nats-Msg-Id", id);
        headers.insert("Nats-Expected-Stream", self.name.as_str());
        let message = PublishMessage::build().payload(body).headers(headers);
        let sent = self.context.send_publish(subject, message).await;
        let stored = match sent {
            Ok(acknowledgement) => acknowledgement.await,
            Err(error) => Err(error),
        };
        stored.map(|_| ()).map_err(|error| {
            let code = std::error::Error::source(&error)
                .and_then(|source| source.downcast_ref::<jetstream::Error>())
                .map(jetstream::Error::error_code);
            classify(error.kind(), code)
        })
    }

    /// Returns a header of the last message with a subject that matches `pattern`, if there is one.
    pub async fn last_header(&self, pattern: &str, header: &str) -> Option<String> {
        let message = self.stream.get_last_raw_message_by_subject(pattern).await.ok()?;
        message.headers.get(header).map(|value| value.as_str().to_owned())
    }
}

/// Classifies the outcome of a publish by its kind and by the error code of JetStream.
fn classify(kind: PublishErrorKind, code: Option<ErrorCode>) -> PublishFailure {
    let temporary = |why: &str| PublishFailure::Temporary(why.to_owned());
    match (kind, code) {
        (PublishErrorKind::MaxPayloadExceeded, _)
        | (_, Some(ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM)) => {
            PublishFailure::Refused("it is larger than the broker allows")
        }
        (_, Some(ErrorCode::STREAM_HEADER_EXCEEDS_MAXIMUM)) => {
            PublishFailure::Refused("its headers are larger than the broker allows")
        }
        (PublishErrorKind::TimedOut, _) => temporary("the broker did not acknowledge in time"),
        (PublishErrorKind::StreamNotFound, _) => {
            temporary("no stream of the broker takes the event")
        }
        (_, Some(ErrorCode::STREAM_NOT_MATCH)) => PublishFailure::Fatal(
            "another stream of the broker takes the events".to_owned(),
            "name that stream, or give other subjects with --subject-prefix",
        ),
        (_, Some(ErrorCode::STREAM_SEALED)) => PublishFailure::Fatal(
            "the stream is sealed, so nothing can be added".to_owned(),
            "name another stream",
        ),
        (_, Some(ErrorCode::STREAM_STORE_FAILED)) => {
            temporary("the stream is full, or cannot be written")
        }
        (
            _,
            Some(
                ErrorCode::INSUFFICIENT_RESOURCES
                | ErrorCode::STORAGE_RESOURCES_EXCEEDED
                | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
                | ErrorCode::MEMORY_RESOURCES_EXCEEDED,
            ),
        ) => temporary("the broker has no space left"),
        (_, Some(ErrorCode(code))) => {
            PublishFailure::Temporary(format!("the broker answered with JetStream error {code}"))
        }
        (_, None) => temporary("the connection to the broker was lost"),
    }
}

/// Connects to the broker, which must not be too old. The connection reconnects by itself.
pub(super) async fn connect(config: &BrokerConfig) -> Result<Client> {
    connect_watched(config, None).await.map_err(|failure| failure.error)
}

/// Why there is no connection.
pub(super) struct ConnectFailure {
    /// What failed, why, and what to do.
    pub error: Error,
    /// Whether another attempt may succeed, if there was a connection before.
    pub can_pass: bool,
}

impl From<Error> for ConnectFailure {
    fn from(error: Error) -> Self {
        Self { error, can_pass: false }
    }
}

/// Connects like [`connect`]. With `lost`, the connection is not opened again when it is lost, which
/// is notified instead.
pub(super) async fn connect_watched(
    config: &BrokerConfig,
    lost: Option<Arc<Notify>>,
) -> Result<Client, ConnectFailure> {
    let BrokerConfig { address, credentials, ca_cert, .. } = config;
    let what = || format!("cannot connect to {}", address.server);
    let verifier = ServerVerifier::new(ca_cert.as_deref())?;
    let mut options = ConnectOptions::new()
        .name("evtap")
        .connection_timeout(CONNECT_TIMEOUT)
        .require_tls(address.requires_tls)
        .tls_client_config(tls::client_config(Arc::new(verifier), &[]))
        .reconnect_delay_callback(|attempts| {
            let millis = 100 * u64::try_from(attempts).unwrap_or(u64::MAX).min(100);
            Duration::from_millis(millis).min(MAX_RECONNECT_DELAY)
        });
    if !address.requires_tls {
        // They may be on other machines, to which plain text is not allowed.
        options = options.ignore_discovered_servers();
    }
    if let Some(lost) = lost {
        options = options.max_reconnects(1).event_callback(move |event| {
            if matches!(event, Event::Disconnected | Event::Closed) {
                lost.notify_one();
            }
            std::future::ready(())
        });
    }
    if let Some(path) = credentials {
        let text = private_file::read_secret(CREDENTIALS, path)
            .map_err(|error| error.with_setting(CREDENTIALS))?;
        let unusable = || {
            let why = "it is not a file of NATS credentials";
            let advice = "create one with `nsc generate creds`";
            Error::invalid_value(CREDENTIALS, path.display(), why, advice)
        };
        let text = std::str::from_utf8(&text).map_err(|_| unusable())?;
        options = options.credentials(text).map_err(|_| unusable())?;
    }
    let server: ServerAddr = address.server.parse().map_err(|_| {
        Error::usage(what(), "the address is not valid", "check the host and the port")
    })?;
    let client = options.connect(server).await.map_err(|error| {
        let running = "check the address, and that the broker is running";
        let (exit, why, advice) = match error.kind() {
            ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => (
                Exit::Credential,
                "the broker refused the credentials".to_owned(),
                "give valid ones with --nats-creds",
            ),
            ConnectErrorKind::Dns | ConnectErrorKind::ServerParse => {
                (Exit::Failure, "no such host".to_owned(), "check the address")
            }
            ConnectErrorKind::TimedOut => (Exit::Failure, "timed out".to_owned(), running),
            ConnectErrorKind::Tls | ConnectErrorKind::Io | ConnectErrorKind::MaxReconnects => {
                let why = cause(&error);
                let advice = if why.starts_with("TLS") {
                    "check that the broker offers TLS, and its certificate (--ca-cert)"
                } else {
                    running
                };
                (Exit::Failure, why, advice)
            }
        };
        let can_pass = matches!(
            error.kind(),
            ConnectErrorKind::Dns
                | ConnectErrorKind::TimedOut
                | ConnectErrorKind::Io
                | ConnectErrorKind::MaxReconnects
        );
        ConnectFailure { error: Error::new(exit, what(), why, advice), can_pass }
    })?;
    let (major, minor) = MIN_VERSION;
    if !is_recent(&client.server_info().version) {
        let why = format!("the server is older than NATS {major}.{minor}, or does not say");
        return Err(Error::new(Exit::Failure, what(), why, "use a newer nats-server").into());
    }
    Ok(client)
}

/// Returns whether a version is at least the oldest supported one.
fn is_recent(version: &str) -> bool {
    let mut numbers = version.split('.').map(str::parse::<u64>);
    matches!(
        (numbers.next(), numbers.next()),
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= MIN_VERSION
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_servers_are_recognised() {
        for (version, expected) in [
            ("2.10.0", true),
            ("2.15.1", true),
            ("3.0.0-beta", true),
            ("2.9.10", false),
            ("1.99.0", false),
            ("", false),
            ("x", false),
        ] {
            assert_eq!(is_recent(version), expected, "{version}");
        }
    }

    #[test]
    fn only_failures_that_can_pass_are_temporary() {
        use PublishErrorKind::{MaxPayloadExceeded, Other, StreamNotFound, TimedOut};
        for (kind, code) in [
            (TimedOut, None),
            (StreamNotFound, None),
            (Other, None),
            (Other, Some(ErrorCode::STREAM_STORE_FAILED)),
            (Other, Some(ErrorCode::INSUFFICIENT_RESOURCES)),
            (Other, Some(ErrorCode(19_999))),
        ] {
            assert!(
                matches!(classify(kind, code), PublishFailure::Temporary(_)),
                "{kind:?} {code:?}"
            );
        }
        for (kind, code) in
            [(MaxPayloadExceeded, None), (Other, Some(ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM))]
        {
            assert!(matches!(classify(kind, code), PublishFailure::Refused(_)));
        }
        for code in [ErrorCode::STREAM_NOT_MATCH, ErrorCode::STREAM_SEALED] {
            assert!(matches!(classify(Other, Some(code)), PublishFailure::Fatal(..)));
        }
    }
}
