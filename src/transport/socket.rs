//! The WebSocket client: the handshake, the messages, and the pings that distinguish a silent
//! connection from a dead one.
//!
//! The handshake goes through the same HTTP client as all other requests. The meaning of messages
//! and of close codes is left to the caller.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use jiff::Timestamp;
use reqwest::header::{
    CONNECTION, HeaderMap, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use reqwest::{RequestBuilder, StatusCode, Upgraded};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::transport::SourceConfig;
use crate::transport::client::{self, secret};
use crate::transport::connect_error::{ConnectError, cause};
use crate::transport::credential::Credential;
use crate::transport::source_config::SuspendDetector;

/// How often the server is pinged.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// How long the server may send nothing, not even a pong, before the connection is considered dead.
pub const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the closing handshake may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The subprotocol that carries the credential.
const AUTH_SUBPROTOCOL: &str = "auth";

/// A message or the end of a WebSocket. Only `Text` and `Binary` may be followed by more.
#[derive(PartialEq, Eq)]
pub(super) enum SocketEvent {
    /// A text message, which is valid UTF-8.
    Text(Bytes),
    /// A binary message.
    Binary(Bytes),
    /// The server closed the connection, perhaps with a code.
    Closed(Option<u16>),
    /// A message over the limit, of at least this many bytes. The protocol parser cannot skip it.
    TooLarge(u64),
    /// A text message that is not UTF-8, which must fail the connection (RFC 6455, section 8.1).
    NotUtf8,
    /// The connection was lost, for this reason.
    Lost(String),
}

/// An open WebSocket.
pub(super) struct Socket<S> {
    stream: WebSocketStream<S>,
    pings: Interval,
    read_timeout: Duration,
    suspend: SuspendDetector,
}

/// Opens a WebSocket with the opening handshake (RFC 6455, section 4.1).
///
/// The credential is sent as a subprotocol. `resource` names what the URL stands for in error
/// messages, such as "call".
pub(super) async fn open(
    request: RequestBuilder,
    credential: Option<&Credential>,
    resource: &str,
    config: &SourceConfig,
) -> Result<Socket<Upgraded>, ConnectError> {
    let key = generate_key();
    let mut request = request
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, &key);
    if let Some(credential) = credential {
        let protocols = secret(&format!("{AUTH_SUBPROTOCOL}, {}", credential.expose()));
        request = request.header(SEC_WEBSOCKET_PROTOCOL, protocols);
    }
    let response = client::send(request).await?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(ConnectError::status(
            response.status(),
            response.headers(),
            Timestamp::now(),
            resource,
        ));
    }
    check_handshake(response.headers(), &key, credential.map(|_| AUTH_SUBPROTOCOL))
        .map_err(|why| ConnectError::ambiguous(why, "check the agent base URL"))?;
    let upgraded = response.upgrade().await.map_err(|error| ConnectError::unreachable(&error))?;
    Ok(Socket::new(upgraded, config).await)
}

/// Checks the server's half of the handshake (RFC 6455, section 4.1).
fn check_handshake(
    headers: &HeaderMap,
    key: &str,
    subprotocol: Option<&str>,
) -> Result<(), &'static str> {
    let accept = derive_accept_key(key.as_bytes());
    let is_websocket = single_value(headers, &UPGRADE)
        .is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
    let mut connection_options = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    if !is_websocket
        || !connection_options.any(|option| option.trim().eq_ignore_ascii_case("upgrade"))
    {
        Err("the server switched to something that is not a WebSocket")
    } else if single_value(headers, &SEC_WEBSOCKET_ACCEPT) != Some(&accept) {
        Err("the server's WebSocket handshake does not answer this request")
    } else if headers.contains_key(SEC_WEBSOCKET_EXTENSIONS) {
        Err("the server uses a WebSocket extension that was not requested")
    } else if single_value(headers, &SEC_WEBSOCKET_PROTOCOL) != subprotocol
        || headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().count() > 1
    {
        Err("the server did not choose the subprotocol that it was offered")
    } else {
        Ok(())
    }
}

/// Returns the value of a header that occurs exactly once.
fn single_value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?.trim();
    values.next().is_none().then_some(value)
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// Creates a WebSocket on a connection whose handshake is done.
    pub(super) async fn new(io: S, config: &SourceConfig) -> Self {
        let limits = WebSocketConfig::default()
            .max_message_size(Some(config.max_frame))
            .max_frame_size(Some(config.max_frame));
        let read_timeout = config.read_timeout.unwrap_or(READ_TIMEOUT);
        // Two pings must fit into the timeout, or a server without events would seem dead.
        let interval = PING_INTERVAL.min(read_timeout / 3).max(Duration::from_millis(1));
        let mut pings = interval_at(Instant::now() + interval, interval);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stream = WebSocketStream::from_raw_socket(io, Role::Client, Some(limits)).await;
        Self { stream, pings, read_timeout, suspend: SuspendDetector::new(config.now) }
    }

    /// Waits for the next message, and sends pings meanwhile. Safe to cancel.
    ///
    /// The read timeout starts with the call: between two calls it is the caller who does not read.
    pub(super) async fn next(&mut self) -> SocketEvent {
        let mut deadline = Instant::now() + self.read_timeout;
        loop {
            let message = tokio::select! {
                biased;
                message = self.stream.next() => message,
                _ = self.pings.tick() => match self.ping().await {
                    Ok(()) => continue,
                    Err(event) => return event,
                },
                () = self.suspend.suspended() => {
                    return SocketEvent::Lost("the machine was suspended".to_owned());
                }
                () = sleep_until(deadline) => return self.timed_out(),
            };
            deadline = Instant::now() + self.read_timeout;
            match message {
                Some(Ok(Message::Text(text))) => return SocketEvent::Text(text.into()),
                Some(Ok(Message::Binary(data))) => return SocketEvent::Binary(data),
                Some(Ok(Message::Close(frame))) => {
                    return SocketEvent::Closed(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return event_of_error(&error),
                None => return SocketEvent::Lost("connection closed".to_owned()),
            }
        }
    }

    /// Sends pings without reading, and returns only when the connection is lost.
    pub(super) async fn keep_alive(&mut self) -> SocketEvent {
        loop {
            self.pings.tick().await;
            if let Err(event) = self.ping().await {
                return event;
            }
        }
    }

    /// Sends a ping. One that cannot be written within its interval counts as a missing pong.
    async fn ping(&mut self) -> Result<(), SocketEvent> {
        match timeout(self.pings.period(), self.stream.send(Message::Ping(Bytes::new()))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(event_of_error(&error)),
            Err(_) => Err(self.timed_out()),
        }
    }

    fn timed_out(&self) -> SocketEvent {
        let seconds = self.read_timeout.as_secs_f64();
        SocketEvent::Lost(format!("nothing was received for {seconds} s"))
    }

    /// Closes the connection with the closing handshake, unless that takes too long.
    pub(super) async fn close(mut self) {
        // The stream's own `close` writes nothing once the server has closed.
        let _ = timeout(CLOSE_TIMEOUT, SinkExt::close(&mut self.stream)).await;
    }
}

fn event_of_error(error: &Error) -> SocketEvent {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { size, .. }) => {
            SocketEvent::TooLarge(*size as u64)
        }
        Error::Utf8(_) => SocketEvent::NotUtf8,
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            SocketEvent::Lost("connection closed".to_owned())
        }
        Error::Protocol(_) => {
            SocketEvent::Lost("the server violated the WebSocket protocol".to_owned())
        }
        error => SocketEvent::Lost(cause(error)),
    }
}

#[cfg(test)]
mod tests;
