//! The workspace's event stream: connected, resumed and read, for as long as somebody listens.
//!
//! A connection that stood and broke is tried again for ever, from the last position. What ends it is what no try can mend:
//! a refused credential, a missing workspace, too many streams; and before anything has worked, whatever looks like a
//! mistyped URL. The frames go on as they came: the framer's word on their shape, nobody's yet on their meaning.

use std::error::Error as StdError;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream as Chunks, StreamExt};
use jiff::Timestamp;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::credential::Credential;
use crate::error::{Error, Exit, Result};
use crate::event::Stream;
use crate::source::client::{self, Client};
use crate::source::failure::{Failure, cause};
use crate::source::framer::{Body, Frame, Parser};
use crate::source::link::Link;
use crate::source::resume::Resume;
use crate::source::retry::{self, Random};
use crate::source::{Fault, Form, Origin, RawFrame, Sender};

/// How long a connection may bring nothing at all, not even a comment, before it is taken for dead. Resuming costs nothing.
const SILENCE: Duration = Duration::from_secs(120);

/// The event type of the server's control frames.
const CONTROL: &str = "error";

/// Reads a workspace's stream into the channel until the receiver is gone, which is no error, or until an error that no
/// other try can mend. Dropping the future stops it at once.
pub async fn run(client: &Client, workspace_id: &str, credential: &Credential, random: Random, tx: &Sender) -> Result<()> {
    let origin = Origin { stream: Some(Stream::Workspace), workspace_id: Some(workspace_id.to_owned()), call_sid: None };
    let link = Link::new("cannot read the workspace's stream", origin, retry::SSE, random, tx);
    let request = || client.events(workspace_id, credential);
    tokio::select! {
        biased;
        () = tx.closed() => Ok(()),
        error = follow(link, request) => Err(error),
    }
}

async fn follow(mut link: Link<'_>, request: impl Fn() -> RequestBuilder) -> Error {
    let mut resume = Resume::default();
    loop {
        let last_event_id = resume.begin();
        let failure = match open(request(), last_event_id.as_deref(), "workspace").await {
            Ok(response) => {
                link.connected().await;
                let parser = Parser::new(last_event_id.as_deref().unwrap_or_default());
                read(Box::pin(response.bytes_stream()), parser, &mut resume, &mut link).await
            }
            Err(failure) => failure,
        };
        if let Err(error) = link.after(failure).await {
            return error;
        }
    }
}

/// Sends the request and checks that the answer is an event stream. `resource` is what the URL names, for the messages.
pub(super) async fn open(request: RequestBuilder, last_event_id: Option<&str>, resource: &str) -> Result<Response, Failure> {
    let request = match last_event_id {
        // A header can hold any bytes but control characters, and nothing else can be asked for again.
        Some(id) if !id.bytes().any(|byte| byte.is_ascii_control()) => request.header("Last-Event-ID", id.as_bytes()),
        _ => request,
    };
    let response = client::send(request).await?;
    if response.status() != StatusCode::OK {
        return Err(Failure::status(response.status(), response.headers(), Timestamp::now(), resource));
    }
    if !is_event_stream(response.headers()) {
        let why = format!("not an event stream: the server sent {}", media_type(response.headers()));
        return Err(Failure::doubtful(why, "check the base URL"));
    }
    if response.headers().get(CONTENT_ENCODING).is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Failure::doubtful(
            "the stream is compressed, which nobody asked for",
            "take the proxy that compresses it out of the way",
        ));
    }
    Ok(response)
}

fn essence(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    essence(headers).eq_ignore_ascii_case("text/event-stream")
}

/// The media types that servers and proxies send in place of a stream.
const MEDIA_TYPES: &[&str] = &["text/html", "text/plain", "application/json", "application/problem+json", "application/xml"];

/// The media type, if it is one of the usual: a header can hold anything.
fn media_type(headers: &HeaderMap) -> &'static str {
    let essence = essence(headers);
    let known = MEDIA_TYPES.iter().find(|known| essence.eq_ignore_ascii_case(known));
    known.copied().unwrap_or(if essence.is_empty() { "no media type" } else { "another type" })
}

/// Reads a body to its end, however it comes to it.
async fn read<E: StdError + 'static>(
    mut body: impl Chunks<Item = Result<Bytes, E>> + Unpin,
    mut parser: Parser,
    resume: &mut Resume,
    link: &mut Link<'_>,
) -> Failure {
    loop {
        let chunk = match tokio::time::timeout(SILENCE, body.next()).await {
            Ok(Some(Ok(chunk))) => chunk,
            Ok(Some(Err(error))) => return Failure::passing(cause(&error)),
            Ok(None) => return Failure::passing("the server ended the stream"),
            Err(_) => return Failure::passing(format!("nothing came for {} s", SILENCE.as_secs())),
        };
        let received_at = Timestamp::now();
        let frames = parser.push(&chunk);
        if let Some(retry) = parser.retry() {
            link.backoff.set_initial(retry);
        }
        for frame in frames {
            if let Body::Data(data) = &frame.body
                && frame.event.as_deref() == Some(CONTROL)
            {
                return control(data);
            }
            pass_on(frame, received_at, resume, link).await;
        }
    }
}

/// Sends a frame on, unless it is a replay of one that was sent.
async fn pass_on(frame: Frame, received_at: Timestamp, resume: &mut Resume, link: &mut Link<'_>) {
    let (data, fault) = match frame.body {
        Body::Empty => return resume.move_to(&frame.last_event_id),
        Body::Data(data) => (Bytes::from(data), None),
        Body::TooLarge(bytes) => (Bytes::new(), Some((Fault::TooLarge, bytes))),
    };
    // What was too large is known by its size.
    let is_new = match fault {
        None => resume.is_new(&frame.last_event_id, frame.event.as_deref(), &data),
        Some((_, bytes)) => resume.is_new(&frame.last_event_id, frame.event.as_deref(), &bytes.to_be_bytes()),
    };
    if is_new {
        let id = Some(frame.last_event_id).filter(|id| !id.is_empty());
        let origin = link.origin.clone();
        let event = frame.event;
        link.deliver(RawFrame { origin, form: Form::Sse, event, id, data, received_at: Some(received_at), fault, offset: 0 })
            .await;
    }
}

/// What a control frame says. Its message is the server's prose and stays unread.
fn control(data: &str) -> Failure {
    let control: Value = serde_json::from_str(data).unwrap_or_default();
    match control.get("code").and_then(Value::as_str) {
        Some("too_many_streams") => {
            let limit = control.get("max_streams").and_then(Value::as_u64);
            let why = limit.map_or_else(
                || "the workspace has as many open streams as it may".to_owned(),
                |limit| format!("the workspace has {limit} open streams, as many as it may"),
            );
            Failure::fatal(Exit::TooManyStreams, why, "close another stream of this workspace, then start again")
        }
        Some("stream_unavailable") => Failure::passing("the platform's event bus is down"),
        Some("stream_error") => Failure::passing("the platform reports an error of the stream"),
        _ => Failure::passing("the platform reports an error that is not known here"),
    }
}

#[cfg(test)]
mod tests;
