//! The observer of one call: a WebSocket that is opened again when it breaks, until the call is over.
//!
//! There are no ids and no replay here: what happens while the socket is down is gone, and a `tap.gap` names the hole. Of a
//! message only its type is read, to know the end of the call, and the state that the agent is in: if that is another one
//! after the hole, something is missing for sure.
//!
//! While the walk is slow, some messages are read ahead, so that the pings of the server are answered; beyond that the
//! socket waits, and only pings are sent.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::RequestBuilder;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};

use crate::error::{Exit, Result};
use crate::model::Stream;
use crate::model::catalog::value::GapReason;
use crate::model::{FrameError, FrameFlags, FrameFormat, Origin};
use crate::transport::client::Client;
use crate::transport::connect_error::ConnectError;
use crate::transport::credential::Credential;
use crate::transport::gap::Gap;
use crate::transport::key_ring::KeyRing;
use crate::transport::socket::{self, Socket, SocketEvent};
use crate::transport::stream_context::StreamContext;
use crate::transport::{Item, RawFrame, Sender, SourceConfig, backoff};

/// How long a call may be unknown to the server, since one that is about to begin can be so for a moment.
const UNKNOWN: Duration = Duration::from_secs(10);

/// What the server says of a call that is unknown to it.
const NO_SUCH_CALL: &str = "there is no such call (4004)";

/// How long the server wants to be left alone that closes with "try again later" or "rate limit".
const LATER: Duration = Duration::from_secs(5);

/// How long the server may take to close the connection after the end of the call.
const CLOSING: Duration = Duration::from_secs(10);

/// How a connection came to its end.
#[derive(Debug, PartialEq, Eq)]
enum ObserverEnd {
    /// With the call.
    Over,
    /// There is no such call, or not yet.
    Unknown,
    /// By a failure.
    Failed(ConnectError),
}

/// Reads a call's events into the channel until the call is over or the receiver is gone, which are no errors, or until an
/// error that no other try can mend. Dropping the future stops it at once.
pub async fn run(
    client: &Client,
    workspace_id: &str,
    call_sid: &str,
    keys: &KeyRing,
    limits: &SourceConfig,
    tx: &Sender,
) -> Result<()> {
    let origin = Origin {
        stream: Some(Stream::Observer),
        workspace_id: Some(workspace_id.to_owned()),
        call_sid: Some(call_sid.to_owned()),
    };
    let link =
        StreamContext::new("cannot observe the call", origin, backoff::WEBSOCKET, limits, tx);
    let request = || client.observer(workspace_id, call_sid);
    tokio::select! {
        biased;
        () = tx.closed() => Ok(()),
        result = follow(link, request, keys) => result,
    }
}

async fn follow(
    mut link: StreamContext<'_>,
    request: impl Fn() -> RequestBuilder,
    keys: &KeyRing,
) -> Result<()> {
    let mut unknown = UnknownCall::default();
    let mut seen = CallProgress::default();
    loop {
        let key = keys.current();
        let end = match socket::open(request(), Some(&key), "call", link.limits).await {
            Ok(socket) => {
                link.connected().await;
                listen(socket, &mut link, &mut unknown, &mut seen).await
            }
            Err(failure) => ObserverEnd::Failed(failure),
        };
        let next = unknown.settle(end, &mut link, keys, &key).await;
        if !matches!(next, Ok(ControlFlow::Continue(()))) {
            // Nothing closes the hole any more.
            if let Some(gap) = seen.hole(None, link.now()) {
                link.gap(&gap).await;
            }
            return next.map(|_| ());
        }
    }
}

/// What has been seen of the call.
#[derive(Debug, Default)]
struct CallProgress {
    /// When something came last.
    heard: Option<Timestamp>,
    /// The state that the agent was in.
    state: Option<String>,
    /// The connection has brought nothing yet, and is not the first.
    down: bool,
}

impl CallProgress {
    /// The hole that a reconnect leaves, once something comes again, in which the agent is in that state.
    fn hole(&mut self, state: Option<&str>, now: Timestamp) -> Option<Gap> {
        if !std::mem::take(&mut self.down) {
            return None;
        }
        let certain = state.zip(self.state.as_deref()).is_some_and(|(now, then)| now != then);
        self.heard.map(|heard| Gap {
            from: Some(heard),
            to: now,
            certain,
            reason: GapReason::ObserverDown,
        })
    }
}

/// Since when the server has known no such call.
#[derive(Debug, Default)]
struct UnknownCall(Option<Instant>);

impl UnknownCall {
    /// Turns the end of a connection into the end of the run, or waits for the next try.
    async fn settle(
        &mut self,
        end: ObserverEnd,
        link: &mut StreamContext<'_>,
        keys: &KeyRing,
        used: &Credential,
    ) -> Result<ControlFlow<()>> {
        match end {
            ObserverEnd::Over => {
                link.ended("the call is over").await;
                return Ok(ControlFlow::Break(()));
            }
            ObserverEnd::Failed(failure) => link.after(failure, keys, used).await?,
            ObserverEnd::Unknown => {
                let left =
                    UNKNOWN.saturating_sub(self.0.get_or_insert_with(Instant::now).elapsed());
                if left.is_zero() {
                    return Err(no_such_call().into_error(link.what));
                }
                link.pause(NO_SUCH_CALL.to_owned(), Duration::ZERO, left).await?;
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// How much is read ahead of a slow walk, in messages and in bytes.
const AHEAD: (usize, usize) = (1024, 2 << 20);

/// Sends a connection's messages on until its end.
async fn listen<S: AsyncRead + AsyncWrite + Unpin>(
    mut socket: Socket<S>,
    link: &mut StreamContext<'_>,
    unknown: &mut UnknownCall,
    seen: &mut CallProgress,
) -> ObserverEnd {
    seen.down = seen.heard.is_some();
    let mut over = false;
    let mut waiting = VecDeque::new();
    let end = loop {
        let heard = next(&mut socket, link, &mut waiting);
        let heard = if over {
            timeout(CLOSING, heard).await.unwrap_or(SocketEvent::Closed(None))
        } else {
            heard.await
        };
        let received_at = link.now();
        let broken = match &heard {
            SocketEvent::TooLarge(_) => Some("a message was larger than the limit"),
            SocketEvent::NotUtf8 => Some("a text message was no UTF-8"),
            _ => None,
        };
        let (data, fault) = match heard {
            SocketEvent::Text(text) => (text, None),
            SocketEvent::Binary(data) if std::str::from_utf8(&data).is_ok() => (data, None),
            SocketEvent::Binary(data) => {
                (Bytes::new(), Some((FrameError::NotUtf8, data.len() as u64)))
            }
            SocketEvent::TooLarge(bytes) => (Bytes::new(), Some((FrameError::TooLarge, bytes))),
            // How many bytes there were, the protocol's parser doesn't tell.
            SocketEvent::NotUtf8 => (Bytes::new(), Some((FrameError::NotUtf8, 0))),
            SocketEvent::Closed(code) => {
                socket.close().await;
                break closed(code, over);
            }
            SocketEvent::Lost(_) if over => break ObserverEnd::Over,
            SocketEvent::Lost(why) => break ObserverEnd::Failed(ConnectError::transient(why)),
        };
        let glance = MessagePeek::parse(&data);
        over |= glance.is("session_end");
        unknown.0 = None;
        if let Some(gap) = seen.hole(glance.state(), received_at) {
            waiting.push_back(gap.frame(&link.origin, received_at));
        }
        seen.heard = Some(received_at);
        if let Some(state) = glance.state() {
            seen.state = Some(state.to_owned());
        }
        waiting.push_back(RawFrame {
            origin: link.origin.clone(),
            format: FrameFormat::Observer,
            event: None,
            id: None,
            data,
            received_at: Some(received_at),
            fault,
            offset: 0,
            flags: FrameFlags::default(),
        });
        link.backoff.reset();
        if let Some(why) = broken {
            break ObserverEnd::Failed(ConnectError::transient(why));
        }
    };
    for frame in waiting {
        link.deliver(frame).await;
    }
    end
}

/// Waits for the next message, and meanwhile sends on what waits.
async fn next<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    link: &mut StreamContext<'_>,
    waiting: &mut VecDeque<RawFrame>,
) -> SocketEvent {
    let tx = link.channel();
    loop {
        let bytes: usize = waiting.iter().map(|frame| frame.data.len()).sum();
        let full = waiting.len() >= AHEAD.0 || bytes >= AHEAD.1;
        let Some(frame) = waiting.front() else { return socket.next().await };
        let sent = async { tx.send(Item::Frame(frame.clone())).await };
        tokio::select! {
            biased;
            sent = sent => {
                // `run` watches for a receiver that is gone.
                let _ = sent;
                waiting.pop_front();
            }
            heard = socket.attend(full) => return heard,
        }
    }
}

/// What is read of a message.
#[derive(Default, Deserialize)]
#[serde(default)]
struct MessagePeek<'a> {
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    current_state: Option<Cow<'a, str>>,
    #[serde(borrow)]
    next_state: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

impl<'a> MessagePeek<'a> {
    fn parse(data: &'a [u8]) -> Self {
        // Serde would take the members of an array for those of a struct.
        let is_object = data.trim_ascii_start().starts_with(b"{");
        let text = std::str::from_utf8(data).ok().filter(|_| is_object).unwrap_or("{}");
        let mut glance = serde_json::from_str::<Self>(text).unwrap_or_default();
        if let Some(nested) =
            glance.data.map(RawValue::get).filter(|nested| nested.starts_with('{'))
        {
            let nested = serde_json::from_str::<Self>(nested).unwrap_or_default();
            glance.current_state = glance.current_state.or(nested.current_state);
            glance.next_state = glance.next_state.or(nested.next_state);
        }
        glance
    }

    fn is(&self, event_type: &str) -> bool {
        self.r#type.as_deref() == Some(event_type)
    }

    /// The state that the agent is in after it.
    fn state(&self) -> Option<&str> {
        match self.r#type.as_deref() {
            Some("session_info") => self.current_state.as_deref(),
            Some("state_transition") => self.next_state.as_deref(),
            _ => None,
        }
    }
}

/// What the first that is heard of a call shows.
pub(super) enum EventPeek {
    /// It is open.
    Message,
    /// It can't be observed.
    Failed(ConnectError),
}

/// Tells a message from the end.
pub(super) fn glimpse(heard: &SocketEvent) -> EventPeek {
    match heard {
        SocketEvent::Text(_)
        | SocketEvent::Binary(_)
        | SocketEvent::TooLarge(_)
        | SocketEvent::NotUtf8 => EventPeek::Message,
        SocketEvent::Lost(why) => EventPeek::Failed(ConnectError::transient(why.clone())),
        SocketEvent::Closed(code) => EventPeek::Failed(match closed(*code, false) {
            ObserverEnd::Failed(failure) => failure,
            ObserverEnd::Over | ObserverEnd::Unknown => no_such_call(),
        }),
    }
}

fn no_such_call() -> ConnectError {
    ConnectError::fatal(Exit::NotFound, NO_SUCH_CALL, "check the call's SID and the workspace")
}

/// What a close code means. After `session_end` each of them is the end.
fn closed(code: Option<u16>, over: bool) -> ObserverEnd {
    let refused =
        |why: &str, advice| ObserverEnd::Failed(ConnectError::fatal(Exit::Credential, why, advice));
    let stale = |why: &str, advice| ObserverEnd::Failed(ConnectError::unauthorized(why, advice));
    match code {
        _ if over => ObserverEnd::Over,
        Some(1008) => refused(
            "the server's policy forbids it (1008)",
            "use an API key that has access to the call",
        ),
        Some(4001) => stale(
            "the server refused the request or the API key (4001)",
            "check the API key and the call's SID",
        ),
        Some(code @ (4003 | 4403)) => refused(
            &format!("the API key may not observe this call ({code})"),
            "use a key that has access to it",
        ),
        Some(4100) => stale("the token has expired (4100)", "get a new one"),
        Some(4004) => ObserverEnd::Unknown,
        Some(code @ (1013 | 4029)) => ObserverEnd::Failed(ConnectError::Transient {
            why: format!("the server asks to try later ({code})"),
            at_least: LATER,
        }),
        Some(code) => ObserverEnd::Failed(ConnectError::transient(format!(
            "the server closed the connection ({code})"
        ))),
        None => ObserverEnd::Failed(ConnectError::transient("the server closed the connection")),
    }
}

#[cfg(test)]
mod tests;
