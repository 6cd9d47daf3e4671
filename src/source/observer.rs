//! The observer of one call: a WebSocket that is opened again when it breaks, until the call is over.
//!
//! There are no ids and no replay here: what happens while the socket is down is gone, and the news of the two connections
//! are the only trace of it. Of a message only its `type` is read, and only to know the end of the call.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::RequestBuilder;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};

use crate::credential::Credential;
use crate::error::{Exit, Result};
use crate::event::Stream;
use crate::source::client::Client;
use crate::source::failure::Failure;
use crate::source::link::Link;
use crate::source::retry::{self, Random};
use crate::source::socket::{self, Heard, Socket};
use crate::source::{Fault, Form, Origin, RawFrame, Sender};

/// How long a call may be unknown to the server, since one that is about to begin can be so for a moment.
const UNKNOWN: Duration = Duration::from_secs(10);

/// How long the server wants to be left alone that closes with "try again later" or "rate limit".
const LATER: Duration = Duration::from_secs(5);

/// How long the server may take to close the connection after the end of the call.
const CLOSING: Duration = Duration::from_secs(10);

/// How a connection came to its end.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// With the call.
    Over,
    /// There is no such call, or not yet.
    Unknown,
    /// By a failure.
    Failed(Failure),
}

/// Reads a call's events into the channel until the call is over or the receiver is gone, which are no errors, or until an
/// error that no other try can mend. Dropping the future stops it at once.
pub async fn run(
    client: &Client,
    workspace_id: &str,
    call_sid: &str,
    credential: &Credential,
    random: Random,
    tx: &Sender,
) -> Result<()> {
    let origin = Origin {
        stream: Some(Stream::Observer),
        workspace_id: Some(workspace_id.to_owned()),
        call_sid: Some(call_sid.to_owned()),
    };
    let link = Link::new("cannot observe the call", origin, retry::WEBSOCKET, random, tx);
    let request = || client.observer(workspace_id, call_sid);
    tokio::select! {
        biased;
        () = tx.closed() => Ok(()),
        result = follow(link, request, credential) => result,
    }
}

async fn follow(mut link: Link<'_>, request: impl Fn() -> RequestBuilder, credential: &Credential) -> Result<()> {
    let mut unknown = Unknown::default();
    loop {
        let end = match socket::open(request(), Some(credential), "call").await {
            Ok(socket) => {
                link.connected().await;
                listen(socket, &mut link, &mut unknown).await
            }
            Err(failure) => End::Failed(failure),
        };
        if unknown.settle(end, &mut link).await?.is_break() {
            return Ok(());
        }
    }
}

/// Since when the server has known no such call.
#[derive(Debug, Default)]
struct Unknown(Option<Instant>);

impl Unknown {
    /// Turns the end of a connection into the end of the run, or waits for the next try.
    async fn settle(&mut self, end: End, link: &mut Link<'_>) -> Result<ControlFlow<()>> {
        match end {
            End::Over => {
                link.ended("the call is over").await;
                return Ok(ControlFlow::Break(()));
            }
            End::Failed(failure) => link.after(failure).await?,
            End::Unknown => {
                let why = "there is no such call (4004)";
                let left = UNKNOWN.saturating_sub(self.0.get_or_insert_with(Instant::now).elapsed());
                if left.is_zero() {
                    let failure = Failure::fatal(Exit::NotFound, why, "check the call's SID and the workspace");
                    return Err(failure.into_error(link.what));
                }
                link.pause(why.to_owned(), Duration::ZERO, left).await;
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Sends a connection's messages on until its end.
async fn listen<S: AsyncRead + AsyncWrite + Unpin>(mut socket: Socket<S>, link: &mut Link<'_>, unknown: &mut Unknown) -> End {
    let mut over = false;
    loop {
        let heard = if over { timeout(CLOSING, socket.next()).await } else { Ok(socket.next().await) };
        let received_at = Timestamp::now();
        let Ok(heard) = heard else {
            socket.close().await;
            return End::Over;
        };
        let broken = match &heard {
            Heard::TooLarge(_) => Some("a message was larger than the limit"),
            Heard::NotUtf8 => Some("a text message was no UTF-8"),
            _ => None,
        };
        let (data, fault) = match heard {
            Heard::Text(text) => (text, None),
            Heard::Binary(data) if std::str::from_utf8(&data).is_ok() => (data, None),
            Heard::Binary(data) => (Bytes::new(), Some((Fault::NotUtf8, data.len() as u64))),
            Heard::TooLarge(bytes) => (Bytes::new(), Some((Fault::TooLarge, bytes))),
            // How many bytes there were, the protocol's parser doesn't tell.
            Heard::NotUtf8 => (Bytes::new(), Some((Fault::NotUtf8, 0))),
            Heard::Closed(code) => {
                socket.close().await;
                return closed(code, over);
            }
            Heard::Lost(_) if over => return End::Over,
            Heard::Lost(why) => return End::Failed(Failure::passing(why)),
        };
        over |= is_session_end(&data);
        unknown.0 = None;
        let origin = link.origin.clone();
        let frame = RawFrame {
            origin,
            form: Form::Observer,
            event: None,
            id: None,
            data,
            received_at: Some(received_at),
            fault,
            offset: 0,
        };
        link.deliver(frame).await;
        if let Some(why) = broken {
            return End::Failed(Failure::passing(why));
        }
    }
}

fn is_session_end(data: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Type<'a> {
        #[serde(borrow)]
        r#type: Cow<'a, str>,
    }
    // Serde would take the members of an array for those of a struct.
    let is_object = data.trim_ascii_start().starts_with(b"{");
    is_object && serde_json::from_slice::<Type<'_>>(data).is_ok_and(|event| event.r#type == "session_end")
}

/// What a close code means. After `session_end` each of them is the end.
fn closed(code: Option<u16>, over: bool) -> End {
    let refused = |why: &str, advice| End::Failed(Failure::fatal(Exit::Credential, why, advice));
    match code {
        _ if over => End::Over,
        Some(1008) => refused("the server's policy forbids it (1008)", "use an API key that has access to the call"),
        Some(4001) => refused("the server refused the request or the API key (4001)", "check the API key and the call's SID"),
        Some(code @ (4003 | 4403)) => {
            refused(&format!("the API key may not observe this call ({code})"), "use a key that has access to it")
        }
        Some(4100) => refused("the token has expired (4100)", "get a new one"),
        Some(4004) => End::Unknown,
        Some(code @ (1013 | 4029)) => {
            End::Failed(Failure::Passing { why: format!("the server asks to try later ({code})"), at_least: LATER })
        }
        Some(code) => End::Failed(Failure::passing(format!("the server closed the connection ({code})"))),
        None => End::Failed(Failure::passing("the server closed the connection")),
    }
}

#[cfg(test)]
mod tests;
