//! A WebSocket: the handshake, by the same HTTP client as everything else, and the messages, with the pings that tell a
//! silent connection from a dead one.
//!
//! What the messages mean, and what a close code means, is for others.

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
const PING: Duration = Duration::from_secs(20);

/// How long the server may stay silent, pongs included, before the connection is taken for dead.
pub const SILENCE: Duration = Duration::from_secs(60);

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// The subprotocol that carries the credential.
const AUTH: &str = "auth";

/// What came out of a WebSocket. After all but the first two it is of no more use.
#[derive(PartialEq, Eq)]
pub(super) enum SocketEvent {
    /// A text message, which is valid UTF-8.
    Text(Bytes),
    /// A binary message.
    Binary(Bytes),
    /// The server closed it, with a code or without.
    Closed(Option<u16>),
    /// A message over the limit, of at least so many bytes. There is no skipping one: the protocol's parser stops there.
    TooLarge(u64),
    /// A text message that is no UTF-8, for which the connection must be failed (RFC 6455, section 8.1).
    NotUtf8,
    /// It broke.
    Lost(String),
}

/// An open WebSocket.
pub(super) struct Socket<S> {
    stream: WebSocketStream<S>,
    pings: Interval,
    silence: Duration,
    awake: SuspendDetector,
}

/// Makes the handshake (RFC 6455, section 4.1). The credential, if there is one, goes as a subprotocol. `resource` is what
/// the URL names, for the messages.
pub(super) async fn open(
    request: RequestBuilder,
    credential: Option<&Credential>,
    resource: &str,
    limits: &SourceConfig,
) -> Result<Socket<Upgraded>, ConnectError> {
    let key = generate_key();
    let mut request = request
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, &key);
    if let Some(credential) = credential {
        request = request
            .header(SEC_WEBSOCKET_PROTOCOL, secret(&format!("{AUTH}, {}", credential.expose())));
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
    check(response.headers(), &key, credential.map(|_| AUTH))
        .map_err(|why| ConnectError::ambiguous(why, "check the agent base URL"))?;
    let upgraded = response.upgrade().await.map_err(|error| ConnectError::unreachable(&error))?;
    Ok(Socket::new(upgraded, limits).await)
}

/// Holds the server's handshake against what was asked.
fn check(headers: &HeaderMap, key: &str, subprotocol: Option<&str>) -> Result<(), &'static str> {
    let is = |name: &HeaderName, expected: &str| {
        single(headers, name).is_some_and(|value| value.eq_ignore_ascii_case(expected))
    };
    let upgrades = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    if !is(&UPGRADE, "websocket")
        || !upgrades
            .flat_map(|value| value.split(','))
            .any(|token| token.trim().eq_ignore_ascii_case("upgrade"))
    {
        Err("the server switched to something that is no WebSocket")
    } else if single(headers, &SEC_WEBSOCKET_ACCEPT) != Some(&derive_accept_key(key.as_bytes())) {
        Err("the server's WebSocket handshake is not an answer to this one")
    } else if headers.contains_key(SEC_WEBSOCKET_EXTENSIONS) {
        Err("the server uses a WebSocket extension, which nobody asked for")
    } else if single(headers, &SEC_WEBSOCKET_PROTOCOL) != subprotocol
        || headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().count() > 1
    {
        Err("the server did not choose the subprotocol that it was offered")
    } else {
        Ok(())
    }
}

/// The value of a header that is there once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?.trim();
    values.next().is_none().then_some(value)
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// A WebSocket over a connection whose handshake is done.
    pub(super) async fn new(io: S, limits: &SourceConfig) -> Self {
        let config = WebSocketConfig::default()
            .max_message_size(Some(limits.max_frame))
            .max_frame_size(Some(limits.max_frame));
        let silence = limits.read_timeout.unwrap_or(SILENCE);
        // Two pings must fit into the silence, or a server that has nothing to say would be taken for dead.
        let ping = PING.min(silence / 3).max(Duration::from_millis(1));
        let mut pings = interval_at(Instant::now() + ping, ping);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stream = WebSocketStream::from_raw_socket(io, Role::Client, Some(config)).await;
        Self { stream, pings, silence, awake: SuspendDetector::new(limits.now) }
    }

    /// Waits for the next message, pinging meanwhile. Nothing is lost if it is not waited for to the end. The silence is
    /// counted from the call: between two calls it is the caller who does not listen.
    pub(super) async fn next(&mut self) -> SocketEvent {
        let mut dead = Instant::now() + self.silence;
        loop {
            let message = tokio::select! {
                biased;
                message = self.stream.next() => message,
                _ = self.pings.tick() => match self.ping().await {
                    Ok(()) => continue,
                    Err(heard) => return heard,
                },
                () = self.awake.slept() => return SocketEvent::Lost("the machine has slept".to_owned()),
                () = sleep_until(dead) => return self.silent(),
            };
            dead = Instant::now() + self.silence;
            match message {
                Some(Ok(Message::Text(text))) => return SocketEvent::Text(text.into()),
                Some(Ok(Message::Binary(data))) => return SocketEvent::Binary(data),
                Some(Ok(Message::Close(frame))) => {
                    return SocketEvent::Closed(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return failed(&error),
                None => return SocketEvent::Lost("connection closed".to_owned()),
            }
        }
    }

    /// The same, but for a caller who is `full` reads nothing: then it returns only when the connection has broken.
    pub(super) async fn attend(&mut self, full: bool) -> SocketEvent {
        if !full {
            return self.next().await;
        }
        loop {
            self.pings.tick().await;
            if let Err(heard) = self.ping().await {
                return heard;
            }
        }
    }

    /// A ping that can't be written within its interval tells as much as a missing pong.
    async fn ping(&mut self) -> Result<(), SocketEvent> {
        match timeout(self.pings.period(), self.stream.send(Message::Ping(Bytes::new()))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(failed(&error)),
            Err(_) => Err(self.silent()),
        }
    }

    fn silent(&self) -> SocketEvent {
        SocketEvent::Lost(format!("nothing came for {} s", self.silence.as_secs_f64()))
    }

    /// Closes the connection as the protocol wants it, if that is quick.
    pub(super) async fn close(mut self) {
        // By name, as the stream has a `close` of its own, which writes nothing once the server has closed.
        let _ = timeout(GOODBYE, SinkExt::close(&mut self.stream)).await;
    }
}

fn failed(error: &Error) -> SocketEvent {
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
            SocketEvent::Lost("the server broke the WebSocket protocol".to_owned())
        }
        error => SocketEvent::Lost(cause(error)),
    }
}

#[cfg(test)]
mod tests;
