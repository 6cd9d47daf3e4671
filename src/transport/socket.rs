//! The WebSocket client: the handshake, the messages, and the pings that distinguish a silent
//! connection from a dead one.
//!
//! The handshake goes through the same HTTP client as all other requests. The meaning of messages
//! and of close codes is left to the caller.
//!
//! Only messages, and pongs that answer pings of this client, prove that the server is alive. Pings
//! of the server do not: a server that sends them without reading anything is of no use.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use jiff::Timestamp;
use reqwest::header::{
    CONNECTION, HeaderMap, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use reqwest::{RequestBuilder, StatusCode, Upgraded};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::transport::SourceConfig;
use crate::transport::client::{self, secret};
use crate::transport::connect_error::{ConnectError, cause};
use crate::transport::credential::Credential;
use crate::transport::source_config::SuspendDetector;

/// How often the server is pinged.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// How long the server may send neither a message nor a pong that answers a ping before the
/// connection is considered dead.
pub const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the closing handshake may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The maximum size of what waits to be written, in bytes: two control frames with the longest
/// payload. A pong that does not fit waits outside, where a newer one replaces it (RFC 6455, section
/// 5.5.3).
const WRITE_BUFFER: usize = 2 * (2 + 4 + 125);

/// How many pings may be unanswered before the oldest is forgotten.
const MAX_UNANSWERED: usize = 4;

/// The subprotocol that carries the credential.
const AUTH_SUBPROTOCOL: &str = "auth";

/// Whether the server must choose the subprotocol that carries the credential.
#[derive(Clone, Copy)]
pub(super) enum Subprotocol<'a> {
    /// It must, as the platform does.
    Required(&'a Credential),
    /// It may choose none.
    Offered(&'a Credential),
}

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
    pinger: Pinger,
    read_timeout: Duration,
    suspend: SuspendDetector,
    now: fn() -> Timestamp,
    /// When the last pong arrived. All messages that the server had sent before are there.
    last_pong: Option<Timestamp>,
    /// The code to close with, if the server violated the protocol or a limit.
    failure: Option<CloseCode>,
}

/// Opens a WebSocket with the opening handshake (RFC 6455, section 4.1).
///
/// The credential is sent as a subprotocol. `resource` names what the URL stands for in error
/// messages, such as "call".
pub(super) async fn open(
    request: RequestBuilder,
    subprotocol: Option<Subprotocol<'_>>,
    resource: &str,
    config: &SourceConfig,
) -> Result<Socket<Upgraded>, ConnectError> {
    let key = generate_key();
    let mut request = request
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, &key);
    if let Some(Subprotocol::Required(credential) | Subprotocol::Offered(credential)) = subprotocol
    {
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
    let accepted: &[_] = match subprotocol {
        None => &[None],
        Some(Subprotocol::Required(_)) => &[Some(AUTH_SUBPROTOCOL)],
        Some(Subprotocol::Offered(_)) => &[None, Some(AUTH_SUBPROTOCOL)],
    };
    check_handshake(response.headers(), &key, accepted)
        .map_err(|why| ConnectError::ambiguous(why, "check the URL"))?;
    let upgraded = response.upgrade().await.map_err(|error| ConnectError::unreachable(&error))?;
    Ok(Socket::new(upgraded, config).await)
}

/// Checks the server's half of the handshake (RFC 6455, section 4.1). `accepted` lists the
/// subprotocols that the server may choose.
fn check_handshake(
    headers: &HeaderMap,
    key: &str,
    accepted: &[Option<&str>],
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
    } else if !accepted.contains(&single_value(headers, &SEC_WEBSOCKET_PROTOCOL))
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
            .write_buffer_size(0)
            .max_write_buffer_size(WRITE_BUFFER)
            .max_message_size(Some(config.max_frame))
            .max_frame_size(Some(config.max_frame));
        let read_timeout = config.read_timeout.unwrap_or(READ_TIMEOUT);
        // Two pings must fit into the timeout, or a server without events would seem dead.
        let interval = PING_INTERVAL.min(read_timeout / 3).max(Duration::from_millis(1));
        let mut pings = interval_at(Instant::now() + interval, interval);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            stream: WebSocketStream::from_raw_socket(io, Role::Client, Some(limits)).await,
            pings,
            pinger: Pinger::default(),
            read_timeout,
            suspend: SuspendDetector::new(config.now),
            now: config.now,
            last_pong: None,
            failure: None,
        }
    }

    /// Waits for the next message, and sends pings meanwhile. Safe to cancel.
    ///
    /// The read timeout starts with the call: between two calls it is the caller who does not read.
    pub(super) async fn next(&mut self) -> SocketEvent {
        let mut deadline = Instant::now() + self.read_timeout;
        let mut was_overdue = false;
        loop {
            let message = tokio::select! {
                biased;
                _ = self.pings.tick() => {
                    // Frames that arrive without a pause keep the last branch from being reached.
                    // After a pause of this process, they get one more interval to be read.
                    if was_overdue {
                        return self.timed_out();
                    }
                    was_overdue = Instant::now() >= deadline;
                    self.pinger.is_due = true;
                    continue;
                }
                message = poll_fn(|cx| {
                    let message = self.stream.poll_next_unpin(cx);
                    // What has arrived is read before a write can fail.
                    if message.is_pending()
                        && let Poll::Ready(Err(error)) = self.pinger.poll(&mut self.stream, cx)
                    {
                        return Poll::Ready(Some(Err(error)));
                    }
                    message
                }) => message,
                () = self.suspend.suspended() => {
                    return SocketEvent::Lost("the machine was suspended".to_owned());
                }
                () = sleep_until(deadline) => return self.timed_out(),
            };
            match message {
                // A copy, since the parser's buffer may be much larger than the message.
                Some(Ok(Message::Text(text))) => {
                    return SocketEvent::Text(Bytes::copy_from_slice(text.as_bytes()));
                }
                Some(Ok(Message::Binary(data))) => {
                    return SocketEvent::Binary(Bytes::copy_from_slice(&data));
                }
                Some(Ok(Message::Close(frame))) => {
                    return SocketEvent::Closed(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(Message::Pong(payload))) => {
                    if self.pinger.is_answered_by(&payload) {
                        deadline = Instant::now() + self.read_timeout;
                        was_overdue = false;
                        self.last_pong = Some((self.now)());
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return self.failed(&error),
                None => return SocketEvent::Lost("connection closed".to_owned()),
            }
        }
    }

    /// Returns when the server last answered a ping. It has sent no message before that has not
    /// arrived.
    pub(super) const fn last_pong(&self) -> Option<Timestamp> {
        self.last_pong
    }

    /// Sends pings without reading, and returns only when the connection is lost.
    pub(super) async fn keep_alive(&mut self) -> SocketEvent {
        loop {
            tokio::select! {
                biased;
                _ = self.pings.tick() => self.pinger.is_due = true,
                error = poll_fn(|cx| match self.pinger.poll(&mut self.stream, cx) {
                    Poll::Ready(Err(error)) => Poll::Ready(error),
                    Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
                }) => return self.failed(&error),
            }
        }
    }

    fn timed_out(&self) -> SocketEvent {
        let seconds = self.read_timeout.as_secs_f64();
        SocketEvent::Lost(format!(
            "the server sent no message and answered no ping for {seconds} s"
        ))
    }

    fn failed(&mut self, error: &Error) -> SocketEvent {
        self.failure = close_code(error);
        event_of_error(error)
    }

    /// Closes the connection with the closing handshake, unless that takes too long.
    ///
    /// After a violation of the protocol or of a limit, the close frame says so (RFC 6455, section
    /// 7.1.7).
    pub(super) async fn close(mut self) {
        let closing = async {
            // First what is in the buffer, then a pong that did not fit: nothing may follow the close
            // frame.
            self.stream.flush().await?;
            self.stream.flush().await?;
            let Some(code) = self.failure else {
                // The stream's own `close` writes nothing once the server has closed.
                return SinkExt::close(&mut self.stream).await;
            };
            self.stream.close(Some(CloseFrame { code, reason: "".into() })).await?;
            // Closing with unread bytes would reset the connection, and the server might not see
            // the close frame.
            let mut unread = [0; 4096];
            while self.stream.get_mut().read(&mut unread).await? > 0 {}
            Ok::<_, Error>(())
        };
        let _ = timeout(CLOSE_TIMEOUT, closing).await;
    }
}

/// Writes pings without waiting, and recognises the pongs that answer them.
#[derive(Default)]
struct Pinger {
    /// A ping must be sent.
    is_due: bool,
    /// Something may not have been written yet.
    is_writing: bool,
    /// The payloads of the pings that have not been answered.
    unanswered: VecDeque<[u8; 8]>,
}

impl Pinger {
    /// Writes what is due. While the server does not read, this waits, and sends at most one ping.
    fn poll<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut WebSocketStream<S>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        while self.is_due || self.is_writing {
            ready!(stream.poll_flush_unpin(cx))?;
            self.is_writing = std::mem::take(&mut self.is_due);
            if self.is_writing {
                // Nobody can answer a ping without having read it.
                let payload = rand::random::<u64>().to_ne_bytes();
                if self.unanswered.len() == MAX_UNANSWERED {
                    self.unanswered.pop_front();
                }
                self.unanswered.push_back(payload);
                stream.start_send_unpin(Message::Ping(Bytes::copy_from_slice(&payload)))?;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Returns whether a pong answers a ping. It answers all earlier ones too (RFC 6455, section
    /// 5.5.3).
    fn is_answered_by(&mut self, pong: &[u8]) -> bool {
        let answered = self.unanswered.iter().position(|ping| ping == pong);
        if let Some(last) = answered {
            self.unanswered.drain(..=last);
        }
        answered.is_some()
    }
}

/// Returns the code to close with after an error that fails the connection (RFC 6455, section
/// 7.4.1).
const fn close_code(error: &Error) -> Option<CloseCode> {
    match error {
        Error::Capacity(_) => Some(CloseCode::Size),
        Error::Utf8(_) => Some(CloseCode::Invalid),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(_) => Some(CloseCode::Protocol),
        _ => None,
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
