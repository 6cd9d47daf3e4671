//! A WebSocket: the handshake, by the same HTTP client as everything else, and the messages, with the pings that tell a
//! silent connection from a dead one.
//!
//! What the messages mean, and what a close code means, is for others.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use jiff::Timestamp;
use reqwest::header::{
    CONNECTION, HeaderMap, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use reqwest::{RequestBuilder, StatusCode, Upgraded};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::credential::Credential;
use crate::source::FRAME_LIMIT;
use crate::source::client::{self, secret};
use crate::source::failure::{Failure, cause};

/// How often the server is pinged.
const PING: Duration = Duration::from_secs(20);

/// How long the server may stay silent, pongs included, before the connection is taken for dead.
const SILENCE: Duration = Duration::from_secs(60);

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// The subprotocol that carries the credential.
const AUTH: &str = "auth";

/// What came out of a WebSocket. After all but the first two it is of no more use.
#[derive(PartialEq, Eq)]
pub(super) enum Heard {
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
}

/// Makes the handshake (RFC 6455, section 4.1). The credential, if there is one, goes as a subprotocol. `resource` is what
/// the URL names, for the messages.
pub(super) async fn open(
    request: RequestBuilder,
    credential: Option<&Credential>,
    resource: &str,
) -> Result<Socket<Upgraded>, Failure> {
    let key = generate_key();
    let mut request = request
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, &key);
    if let Some(credential) = credential {
        request = request.header(SEC_WEBSOCKET_PROTOCOL, secret(&format!("{AUTH}, {}", credential.expose())));
    }
    let response = client::send(request).await?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(Failure::status(response.status(), response.headers(), Timestamp::now(), resource));
    }
    check(response.headers(), &key, credential.map(|_| AUTH))
        .map_err(|why| Failure::doubtful(why, "check the agent base URL"))?;
    let upgraded = response.upgrade().await.map_err(|error| Failure::unreachable(&error))?;
    Ok(Socket::new(upgraded).await)
}

/// Holds the server's handshake against what was asked.
fn check(headers: &HeaderMap, key: &str, subprotocol: Option<&str>) -> Result<(), &'static str> {
    let is = |name: &HeaderName, expected: &str| single(headers, name).is_some_and(|value| value.eq_ignore_ascii_case(expected));
    let upgrades = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    if !is(&UPGRADE, "websocket")
        || !upgrades.flat_map(|value| value.split(',')).any(|token| token.trim().eq_ignore_ascii_case("upgrade"))
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
    pub(super) async fn new(io: S) -> Self {
        let config = WebSocketConfig::default().max_message_size(Some(FRAME_LIMIT)).max_frame_size(Some(FRAME_LIMIT));
        let mut pings = interval_at(Instant::now() + PING, PING);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { stream: WebSocketStream::from_raw_socket(io, Role::Client, Some(config)).await, pings }
    }

    /// Waits for the next message, pinging meanwhile. The silence is counted from the call: between two calls it is the
    /// caller who does not listen.
    pub(super) async fn next(&mut self) -> Heard {
        let mut deadline = Instant::now() + SILENCE;
        loop {
            let message = tokio::select! {
                message = timeout_at(deadline, self.stream.next()) => message,
                _ = self.pings.tick() => {
                    // A ping that can't be written within its interval tells as much as a missing pong.
                    match timeout(PING, self.stream.send(Message::Ping(Bytes::new()))).await {
                        Ok(Ok(())) => continue,
                        Ok(Err(error)) => return failed(&error),
                        Err(_) => return silent(),
                    }
                }
            };
            match message {
                Ok(Some(Ok(Message::Text(text)))) => return Heard::Text(text.into()),
                Ok(Some(Ok(Message::Binary(data)))) => return Heard::Binary(data),
                Ok(Some(Ok(Message::Close(frame)))) => return Heard::Closed(frame.map(|frame| frame.code.into())),
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)))) => deadline = Instant::now() + SILENCE,
                Ok(Some(Err(error))) => return failed(&error),
                Ok(None) => return Heard::Lost("connection closed".to_owned()),
                Err(_) => return silent(),
            }
        }
    }

    /// Closes the connection as the protocol wants it, if that is quick.
    pub(super) async fn close(mut self) {
        // By name, as the stream has a `close` of its own, which writes nothing once the server has closed.
        let _ = timeout(GOODBYE, SinkExt::close(&mut self.stream)).await;
    }
}

fn silent() -> Heard {
    Heard::Lost(format!("nothing came for {} s", SILENCE.as_secs()))
}

fn failed(error: &Error) -> Heard {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { size, .. }) => Heard::TooLarge(*size as u64),
        Error::Utf8(_) => Heard::NotUtf8,
        Error::ConnectionClosed | Error::AlreadyClosed | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            Heard::Lost("connection closed".to_owned())
        }
        Error::Protocol(_) => Heard::Lost("the server broke the WebSocket protocol".to_owned()),
        error => Heard::Lost(cause(error)),
    }
}

#[cfg(test)]
mod tests;
