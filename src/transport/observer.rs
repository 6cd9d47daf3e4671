//! The observer of one call: a WebSocket that is opened again when it is lost, until the call ends.
//!
//! There are no ids and no replay: events are lost while the connection is down, and a `tap.gap`
//! line reports that. Only two fields of a message are read: its type, to detect the end of the
//! call, and the state of the agent. If the state has changed after a gap, something is certainly
//! missing.
//!
//! While the pipeline is slow, a limited number of messages is read ahead, so that pings of the
//! server are answered. Beyond that, the socket is not read, and only pings are sent.

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
use crate::model::catalog::value::{EndReason, GapReason};
use crate::model::{FrameError, FrameFlags, FrameFormat, Origin};
use crate::transport::client::Client;
use crate::transport::connect_error::ConnectError;
use crate::transport::credential::Credential;
use crate::transport::gap::Gap;
use crate::transport::key_ring::KeyRing;
use crate::transport::socket::{self, Socket, SocketEvent, Subprotocol};
use crate::transport::stream_context::{StreamContext, sleep_until_some};
use crate::transport::{CoverageState, Item, RawFrame, Sender, SourceConfig, backoff};

/// How long to retry a call that the server does not know, since it may be about to begin.
const UNKNOWN_CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// The reason for a call that the server does not know.
const NO_SUCH_CALL: &str = "no such call (4004)";

/// How long to wait after the server closed with "try again later" or "rate limit".
const LATER_DELAY: Duration = Duration::from_secs(5);

/// How long the server may take to close the connection after the end of the call.
const END_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a connection ended.
#[derive(Debug, PartialEq, Eq)]
enum ObserverEnd {
    /// The call ended.
    CallEnded,
    /// The server does not know the call, or not yet.
    UnknownCall,
    /// The connection failed.
    Failed(ConnectError),
}

/// Reads the events of a call into the channel until the call ends or the receiver is gone.
/// Dropping the future stops it at once.
///
/// # Errors
///
/// Fails if no further attempt to connect can succeed or none is left.
pub async fn run(
    client: &Client,
    workspace_id: &str,
    call_sid: &str,
    keys: &KeyRing,
    config: &SourceConfig,
    tx: &Sender,
) -> Result<()> {
    run_after(client, workspace_id, call_sid, None, keys, config, tx).await
}

/// Reads the events of a call like [`run`], and reports a gap after `observed_until`, up to which
/// another process has observed the call.
///
/// # Errors
///
/// Fails if no further attempt to connect can succeed or none is left.
pub async fn run_after(
    client: &Client,
    workspace_id: &str,
    call_sid: &str,
    observed_until: Option<Timestamp>,
    keys: &KeyRing,
    config: &SourceConfig,
    tx: &Sender,
) -> Result<()> {
    let origin = Origin {
        stream: Some(Stream::Observer),
        workspace_id: Some(workspace_id.to_owned()),
        call_sid: Some(call_sid.to_owned()),
    };
    let context =
        StreamContext::new("cannot observe the call", origin, backoff::WEBSOCKET, config, tx);
    let request = || client.observer(workspace_id, call_sid);
    tokio::select! {
        biased;
        () = tx.closed() => Ok(()),
        result = follow(context, request, keys, observed_until) => result,
    }
}

/// Connects and reads until the call ends or no further attempt can succeed.
async fn follow(
    mut context: StreamContext<'_>,
    request: impl Fn() -> RequestBuilder,
    keys: &KeyRing,
    observed_until: Option<Timestamp>,
) -> Result<()> {
    let mut unknown = UnknownCall::default();
    let mut progress = CallProgress { last_heard: observed_until, ..CallProgress::default() };
    loop {
        let key = keys.current();
        let end = match socket::open(
            request(),
            Some(Subprotocol::Required(&key)),
            "call",
            context.config,
        )
        .await
        {
            Ok(socket) => {
                context.report_connected().await;
                context.report_coverage(CoverageState::From(Some(context.now()))).await;
                read(socket, &mut context, &mut unknown, &mut progress).await
            }
            Err(failure) => ObserverEnd::Failed(failure),
        };
        let next = unknown.handle_end(end, &mut context, keys, &key).await;
        if !matches!(next, Ok(ControlFlow::Continue(()))) {
            // No further message will end the gap.
            if let Some(gap) = progress.take_gap(None, context.now()) {
                context.report_gap(&gap).await;
            }
            return next.map(|_| ());
        }
    }
}

/// The state of the call so far, from which gaps are detected.
#[derive(Debug, Default)]
struct CallProgress {
    /// When the last message arrived.
    last_heard: Option<Timestamp>,
    /// The last known state of the agent.
    state: Option<String>,
    /// The connection is not the first one and has not delivered anything yet.
    is_down: bool,
}

impl CallProgress {
    /// Returns the gap before the first message after a reconnect. `state` is the state of the
    /// agent after that message.
    fn take_gap(&mut self, state: Option<&str>, now: Timestamp) -> Option<Gap> {
        if !std::mem::take(&mut self.is_down) {
            return None;
        }
        let certain =
            state.zip(self.state.as_deref()).is_some_and(|(current, previous)| current != previous);
        self.last_heard.map(|last_heard| Gap {
            from: Some(last_heard),
            to: now,
            certain,
            reason: GapReason::ObserverDown,
        })
    }
}

/// The time since which the server has not known the call.
#[derive(Debug, Default)]
struct UnknownCall(Option<Instant>);

impl UnknownCall {
    /// Handles the end of a connection: ends the run, or waits for the next attempt.
    async fn handle_end(
        &mut self,
        end: ObserverEnd,
        context: &mut StreamContext<'_>,
        keys: &KeyRing,
        used: &Credential,
    ) -> Result<ControlFlow<()>> {
        match end {
            ObserverEnd::CallEnded => {
                context.report_ended(EndReason::CallEnded).await;
                return Ok(ControlFlow::Break(()));
            }
            ObserverEnd::Failed(failure) => context.recover(failure, keys, used).await?,
            ObserverEnd::UnknownCall => {
                let elapsed = self.0.get_or_insert_with(Instant::now).elapsed();
                let left = UNKNOWN_CALL_TIMEOUT.saturating_sub(elapsed);
                if left.is_zero() {
                    return Err(no_such_call().into_error(context.what));
                }
                context.wait_to_reconnect(NO_SUCH_CALL.to_owned(), Duration::ZERO, left).await?;
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// The maximum size of the messages that are read ahead of a slow pipeline, in bytes.
const MAX_READ_AHEAD: usize = 2 << 20;

/// The messages that were read and not sent yet.
#[derive(Default)]
struct ReadAhead {
    items: VecDeque<Item>,
    /// The size of the items in bytes, including the items themselves.
    bytes: usize,
}

impl ReadAhead {
    fn push(&mut self, item: Item) {
        self.bytes += item.size();
        self.items.push_back(item);
    }

    fn pop(&mut self) {
        if let Some(item) = self.items.pop_front() {
            self.bytes -= item.size();
        }
    }

    fn is_full(&self) -> bool {
        self.bytes >= MAX_READ_AHEAD
    }
}

/// Reads a connection until its end, and sends its messages.
async fn read<S: AsyncRead + AsyncWrite + Unpin>(
    mut socket: Socket<S>,
    context: &mut StreamContext<'_>,
    unknown: &mut UnknownCall,
    progress: &mut CallProgress,
) -> ObserverEnd {
    progress.is_down = progress.last_heard.is_some();
    let mut call_ended = false;
    let mut waiting = ReadAhead::default();
    let mut next_position = context.next_position();
    let end = loop {
        let is_position_due = next_position.filter(|_| !progress.is_down);
        let heard = progress.last_heard.max(socket.last_pong());
        let next = next_event(&mut socket, context, &mut waiting);
        let event = if call_ended {
            timeout(END_TIMEOUT, next).await.unwrap_or(SocketEvent::Closed(None))
        } else {
            tokio::select! {
                biased;
                () = sleep_until_some(is_position_due) => {
                    let until = CoverageState::Until(heard);
                    context.coverage(until).into_iter().for_each(|item| waiting.push(item));
                    next_position = context.next_position();
                    continue;
                }
                event = next => event,
            }
        };
        let received_at = context.now();
        let fatal = match &event {
            SocketEvent::TooLarge(_) => Some("a message was larger than the limit"),
            SocketEvent::NotUtf8 => Some("a text message was not UTF-8"),
            _ => None,
        };
        let (data, fault) = match event {
            SocketEvent::Text(text) => (text, None),
            SocketEvent::Binary(data) if std::str::from_utf8(&data).is_ok() => (data, None),
            SocketEvent::Binary(data) => {
                (Bytes::new(), Some((FrameError::NotUtf8, data.len() as u64)))
            }
            SocketEvent::TooLarge(bytes) => (Bytes::new(), Some((FrameError::TooLarge, bytes))),
            // The protocol parser does not report the size.
            SocketEvent::NotUtf8 => (Bytes::new(), Some((FrameError::NotUtf8, 0))),
            SocketEvent::Closed(code) => break end_of_close(code, call_ended),
            SocketEvent::Lost(_) if call_ended => break ObserverEnd::CallEnded,
            SocketEvent::Lost(why) => break ObserverEnd::Failed(ConnectError::transient(why)),
        };
        let size =
            fault.map_or(data.len(), |(_, bytes)| usize::try_from(bytes).unwrap_or_default());
        context.add_received(size);
        let message = MessagePeek::parse(&data);
        call_ended |= message.is("session_end");
        unknown.0 = None;
        if let Some(gap) = progress.take_gap(message.state(), received_at) {
            waiting.push(Item::Frame(gap.frame(&context.origin, context.tap(), received_at)));
        }
        progress.last_heard = Some(received_at);
        if let Some(state) = message.state() {
            progress.state = Some(state.to_owned());
        }
        waiting.push(Item::Frame(RawFrame {
            origin: context.origin.clone(),
            format: FrameFormat::Observer,
            event: None,
            id: None,
            data,
            received_at: Some(received_at),
            fault,
            offset: 0,
            flags: FrameFlags::default(),
        }));
        context.backoff.reset();
        if let Some(why) = fatal {
            break ObserverEnd::Failed(ConnectError::transient(why));
        }
    };
    let delivering = async {
        for item in waiting.items {
            // `run` watches for a receiver that is gone.
            let _ = context.sender().send(item).await;
        }
    };
    tokio::join!(socket.close(), delivering);
    end
}

/// Waits for the next event of the socket, and sends the waiting items meanwhile.
async fn next_event<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    context: &mut StreamContext<'_>,
    waiting: &mut ReadAhead,
) -> SocketEvent {
    let tx = context.sender();
    loop {
        let is_full = waiting.is_full();
        let Some(item) = waiting.items.front() else { return socket.next().await };
        let sending = async { tx.send(item.clone()).await };
        let event = async { if is_full { socket.keep_alive().await } else { socket.next().await } };
        tokio::select! {
            biased;
            sent = sending => {
                // `run` watches for a receiver that is gone.
                let _ = sent;
                waiting.pop();
            }
            event = event => return event,
        }
    }
}

/// The fields of a message that the observer reads.
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
        // Serde would also deserialise a struct from an array.
        let is_object = data.trim_ascii_start().starts_with(b"{");
        let text = std::str::from_utf8(data).ok().filter(|_| is_object).unwrap_or("{}");
        let mut message = serde_json::from_str::<Self>(text).unwrap_or_default();
        if let Some(nested) =
            message.data.map(RawValue::get).filter(|nested| nested.starts_with('{'))
        {
            let nested = serde_json::from_str::<Self>(nested).unwrap_or_default();
            message.current_state = message.current_state.or(nested.current_state);
            message.next_state = message.next_state.or(nested.next_state);
        }
        message
    }

    fn is(&self, event_type: &str) -> bool {
        self.r#type.as_deref() == Some(event_type)
    }

    /// Returns the state of the agent after the message.
    fn state(&self) -> Option<&str> {
        match self.r#type.as_deref() {
            Some("session_info") => self.current_state.as_deref(),
            Some("state_transition") => self.next_state.as_deref(),
            _ => None,
        }
    }
}

/// What the first event of a socket shows about the call.
pub(super) enum EventPeek {
    /// The call can be observed.
    Message,
    /// The call cannot be observed.
    Failed(ConnectError),
}

/// Distinguishes a message from the end of the connection.
pub(super) fn peek(event: &SocketEvent) -> EventPeek {
    match event {
        SocketEvent::Text(_)
        | SocketEvent::Binary(_)
        | SocketEvent::TooLarge(_)
        | SocketEvent::NotUtf8 => EventPeek::Message,
        SocketEvent::Lost(why) => EventPeek::Failed(ConnectError::transient(why.clone())),
        SocketEvent::Closed(code) => EventPeek::Failed(match end_of_close(*code, false) {
            ObserverEnd::Failed(failure) => failure,
            ObserverEnd::CallEnded | ObserverEnd::UnknownCall => no_such_call(),
        }),
    }
}

fn no_such_call() -> ConnectError {
    ConnectError::fatal(Exit::NotFound, NO_SUCH_CALL, "check the call's SID and the workspace")
}

/// Interprets a close code. After `session_end`, any code is the end of the call.
fn end_of_close(code: Option<u16>, call_ended: bool) -> ObserverEnd {
    let forbidden =
        |why: &str, advice| ObserverEnd::Failed(ConnectError::fatal(Exit::Credential, why, advice));
    let unauthorized =
        |why: &str, advice| ObserverEnd::Failed(ConnectError::unauthorized(why, advice));
    match code {
        _ if call_ended => ObserverEnd::CallEnded,
        Some(1008) => forbidden(
            "the server's policy forbids it (1008)",
            "use an API key that has access to the call",
        ),
        Some(4001) => unauthorized(
            "the server refused the request or the API key (4001)",
            "check the API key and the call's SID",
        ),
        Some(code @ (4003 | 4403)) => forbidden(
            &format!("the API key may not observe this call ({code})"),
            "use a key that has access to it",
        ),
        Some(4100) => unauthorized("the token has expired (4100)", "get a new one"),
        Some(4004) => ObserverEnd::UnknownCall,
        Some(code @ (1013 | 4029)) => ObserverEnd::Failed(ConnectError::Transient {
            why: format!("the server asks to try later ({code})"),
            at_least: LATER_DELAY,
        }),
        Some(code) => ObserverEnd::Failed(ConnectError::transient(format!(
            "the server closed the connection ({code})"
        ))),
        None => ObserverEnd::Failed(ConnectError::transient("the server closed the connection")),
    }
}

#[cfg(test)]
mod tests;
