//! The workspace's event stream: connected, resumed and read, for as long as somebody listens.
//!
//! A connection that stood and broke is tried again, from the last position; a hole that may have come about meanwhile is
//! named before what follows it. What ends it is what no try can mend:
//! a refused credential, a missing workspace, too many streams; and before anything has worked, whatever looks like a
//! mistyped URL. The frames go on as they came: the framer's word on their shape, nobody's yet on their meaning.

use std::error::Error as StdError;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream as Chunks, StreamExt};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderMap};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use crate::error::{Error, Exit, Result};
use crate::model::Stream;
use crate::model::{FrameError, FrameFlags, FrameFormat, Origin};
use crate::transport::client::{self, Client};
use crate::transport::connect_error::{ConnectError, cause};
use crate::transport::credential::Credential;
use crate::transport::framer::{Parser, SseBody, SseFrame};
use crate::transport::gap::{self, Gap, GapAssessment, PendingGap, ReconnectInfo};
use crate::transport::key_ring::KeyRing;
use crate::transport::resume::{Resume, ResumeDecision, UncoveredRange, number};
use crate::transport::source_config::SuspendDetector;
use crate::transport::stream_context::StreamContext;
use crate::transport::{RawFrame, Sender, SourceConfig, backoff};

/// How long a connection may bring nothing at all, not even a comment, before it is taken for dead. Resuming costs nothing.
pub const SILENCE: Duration = Duration::from_secs(120);

/// The event type of the server's control frames.
pub(super) const CONTROL: &str = "error";

/// Where a stream begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Start {
    /// With what happens from now on.
    #[default]
    Now,
    /// With what bears this id, as long as the server still has it.
    Since(u64),
    /// After an event of this id, which an earlier run delivered.
    After(u64),
}

/// Reads a workspace's stream into the channel until the receiver is gone, which is no error, or until an error that no
/// other try can mend. Dropping the future stops it at once.
pub async fn run(
    client: &Client,
    workspace_id: &str,
    keys: &KeyRing,
    start: Start,
    limits: &SourceConfig,
    tx: &Sender,
) -> Result<()> {
    let origin = Origin {
        stream: Some(Stream::Workspace),
        workspace_id: Some(workspace_id.to_owned()),
        call_sid: None,
    };
    let link =
        StreamContext::new("cannot read the workspace's stream", origin, backoff::SSE, limits, tx);
    let request = |key: &Credential| client.events(workspace_id, key);
    tokio::select! {
        biased;
        () = tx.closed() => Ok(()),
        error = SseReader::new(link, start).follow(request, keys) => Err(error),
    }
}

/// A stream over all of its connections.
struct SseReader<'a> {
    link: StreamContext<'a>,
    resume: Resume,
    /// The stream is to begin at a moment that somebody named, and has not yet.
    since: bool,
    /// When a connection was last heard.
    heard: Option<Timestamp>,
    /// How far the ids are behind the clock here, at least, in milliseconds.
    offset: Option<i64>,
    /// Whether there is a hole before what comes next.
    doubt: Option<PendingGap>,
    /// Events came while there was a doubt: that they come again later says nothing of what was before them.
    unproven: bool,
    /// A repeat was dropped and not told of yet.
    repeat: bool,
}

impl<'a> SseReader<'a> {
    fn new(link: StreamContext<'a>, start: Start) -> Self {
        let (resume, heard) = match start {
            Start::Now => (Resume::default(), None),
            Start::Since(id) => (Resume::at(id, false), None),
            Start::After(id) => (Resume::at(id, true), gap::time(id)),
        };
        Self {
            link,
            resume,
            since: matches!(start, Start::Since(_)),
            heard,
            offset: None,
            doubt: None,
            unproven: false,
            repeat: false,
        }
    }

    async fn follow(
        mut self,
        request: impl Fn(&Credential) -> RequestBuilder,
        keys: &KeyRing,
    ) -> Error {
        loop {
            let key = keys.current();
            let last_event_id = self.resume.begin(self.age(self.link.now()));
            let failure = match open(request(&key), last_event_id.as_deref(), "workspace").await {
                Ok(response) => {
                    self.link.connected().await;
                    self.arrive().await;
                    if let Some(id) = answered_at(response.headers()) {
                        self.resume.set_baseline(id);
                    }
                    let parser = Parser::new(
                        last_event_id.as_deref().unwrap_or_default(),
                        self.link.limits.max_frame,
                    );
                    let begun = Instant::now();
                    let failure = self.read(Box::pin(response.bytes_stream()), parser).await;
                    self.resume.broke(begun.elapsed() < gap::SETTLE_TIME);
                    failure
                }
                Err(failure) => failure,
            };
            if let Err(error) = self.link.after(failure, keys, &key).await {
                return error;
            }
        }
    }

    /// How long before that the event at the position was published, in milliseconds, as far as that is known.
    fn age(&self, now: Timestamp) -> u64 {
        let published =
            self.resume.position().and_then(|id| i64::try_from(id).ok()).zip(self.offset);
        published.map_or(0, |(id, offset)| {
            u64::try_from(gap::millis(now) - id - offset).unwrap_or_default()
        })
    }

    /// The connection stands: is there a hole behind it?
    async fn arrive(&mut self) {
        let now = self.link.now();
        self.resume.stands(self.age(now));
        let reconnect = ReconnectInfo {
            position: self.resume.position(),
            is_event: self.resume.expected().is_some(),
            remembered: self.resume.remembers(),
            last_heard: self.heard,
            now,
            offset: self.offset.unwrap_or_default(),
        };
        self.heard = Some(now);
        // A replay can't settle the doubt of the connection before any more.
        if std::mem::take(&mut self.unproven)
            && let Some(doubt) = self.doubt.take()
        {
            let gap = doubt.gap_until(now);
            self.link.gap(&gap).await;
        }
        match reconnect.assess(self.since) {
            // A doubt of the connection before that nothing has settled stays.
            GapAssessment::Complete => {}
            GapAssessment::Pending(doubt) => _ = self.doubt.get_or_insert(doubt),
            GapAssessment::Gap(gap) => self.link.gap(&gap).await,
        }
    }

    /// Reads a body to its end, however it comes to it.
    async fn read<E: StdError + 'static>(
        &mut self,
        mut body: impl Chunks<Item = Result<Bytes, E>> + Unpin,
        mut parser: Parser,
    ) -> ConnectError {
        let silence = self.link.limits.read_timeout.unwrap_or(SILENCE);
        let mut awake = SuspendDetector::new(self.link.limits.now);
        let settled = Instant::now() + gap::SETTLE_TIME;
        let mut dead = Instant::now() + silence;
        loop {
            let chunk = tokio::select! {
                biased;
                chunk = body.next() => chunk,
                () = awake.slept() => return ConnectError::transient("the machine has slept"),
                () = sleep_until(settled), if self.doubt.is_some() => {
                    if let Some(doubt) = self.doubt.take() {
                        self.unproven = false;
                        let gap = doubt.gap_until(self.link.now());
                        self.link.gap(&gap).await;
                    }
                    continue;
                }
                () = sleep_until(dead) => return ConnectError::transient(format!("nothing came for {} s", silence.as_secs_f64())),
            };
            let chunk = match chunk {
                Some(Ok(chunk)) => chunk,
                Some(Err(error)) => return ConnectError::transient(cause(&error)),
                None => return ConnectError::transient("the server ended the stream"),
            };
            let received_at = self.link.now();
            self.heard = Some(received_at);
            let frames = parser.push(&chunk);
            if let Some(retry) = parser.retry() {
                self.link.backoff.set_initial(retry);
            }
            for frame in frames {
                if let Some(failure) = refusal(&frame) {
                    return failure;
                }
                self.pass_on(frame, received_at).await;
            }
            // While the walk was slow, it was not the server who was silent.
            dead = Instant::now() + silence;
        }
    }

    /// Sends a frame on, unless it was delivered before.
    async fn pass_on(&mut self, frame: SseFrame, received_at: Timestamp) {
        let (data, fault) = match frame.body {
            SseBody::Empty if frame.sets_id => return self.resume.move_to(&frame.last_event_id),
            // The id in force is the one that was asked for, and says nothing of where the stream is.
            SseBody::Empty => return,
            SseBody::Data(data) => (Bytes::from(data), None),
            SseBody::TooLarge(bytes) => (Bytes::new(), Some((FrameError::TooLarge, bytes))),
        };
        let own = frame.sets_id.then_some(frame.last_event_id.as_str());
        let age = self.age(received_at);
        // What was too large is known by its size.
        let verdict = match fault {
            None => self.resume.judge(own, frame.event.as_deref(), &data),
            Some((_, bytes)) => {
                self.resume.judge(own, frame.event.as_deref(), &bytes.to_be_bytes())
            }
        };
        let number = own.and_then(number);
        self.settle(number, verdict).await;
        let ResumeDecision::New { backwards } = verdict else {
            self.repeat |= verdict == ResumeDecision::Repeated;
            return;
        };
        if let Some(UncoveredRange { from, to, reason }) =
            self.resume.unasked(number, backwards, age)
        {
            let gap = Gap {
                from: gap::time(from),
                to: gap::time(to).unwrap_or(received_at),
                certain: false,
                reason,
            };
            self.link.gap(&gap).await;
        }
        self.since = false;
        if let Some(id) = number.and_then(|id| i64::try_from(id).ok()) {
            let behind = gap::millis(received_at) - id;
            // A clock that was set back is not the one that was measured before.
            self.offset =
                Some(self.offset.filter(|_| !backwards).map_or(behind, |least| least.min(behind)));
        }
        let flags = FrameFlags {
            id_missing: !frame.sets_id,
            id_backwards: backwards,
            after_repeat: std::mem::take(&mut self.repeat),
        };
        let frame = RawFrame {
            origin: self.link.origin.clone(),
            format: FrameFormat::Sse,
            event: frame.event,
            id: Some(frame.last_event_id).filter(|id| !id.is_empty()),
            data,
            received_at: Some(received_at),
            fault,
            offset: 0,
            flags,
        };
        self.link.deliver(frame).await;
    }

    /// What an event tells of the hole that there may be before it.
    async fn settle(&mut self, id: Option<u64>, verdict: ResumeDecision) {
        let Some(doubt) = &self.doubt else { return };
        if doubt.is_resolved_by(id, verdict == ResumeDecision::Replayed) {
            self.doubt = None;
            self.unproven = false;
        } else if let Some(mut gap) = doubt.gap_before(id) {
            if self.resume.has_gone_backwards() {
                // Ids are no clock then, and what is missing may bear higher ones.
                gap = doubt.gap_until(self.link.now());
            }
            self.doubt = None;
            self.unproven = false;
            self.link.gap(&gap).await;
        } else {
            self.unproven |= verdict != ResumeDecision::Replayed;
        }
    }
}

/// When the server answered, by its own clock.
fn answered_at(headers: &HeaderMap) -> Option<u64> {
    static DATES: DateTimeParser = DateTimeParser::new();
    let date = DATES.parse_timestamp(headers.get(DATE)?.to_str().ok()?).ok()?;
    u64::try_from(date.as_millisecond()).ok()
}

/// Sends the request and checks that the answer is an event stream. `resource` is what the URL names, for the messages.
pub(super) async fn open(
    request: RequestBuilder,
    last_event_id: Option<&str>,
    resource: &str,
) -> Result<Response, ConnectError> {
    let request = match last_event_id {
        // A header can hold any bytes but control characters, and nothing else can be asked for again.
        Some(id) if !id.bytes().any(|byte| byte.is_ascii_control()) => {
            request.header("Last-Event-ID", id.as_bytes())
        }
        _ => request,
    };
    let response = client::send(request).await?;
    if response.status() != StatusCode::OK {
        return Err(ConnectError::status(
            response.status(),
            response.headers(),
            Timestamp::now(),
            resource,
        ));
    }
    if !is_event_stream(response.headers()) {
        let why =
            format!("not an event stream: the server sent {}", media_type(response.headers()));
        return Err(ConnectError::ambiguous(why, "check the base URL"));
    }
    if response
        .headers()
        .get(CONTENT_ENCODING)
        .is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        return Err(ConnectError::ambiguous(
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
const MEDIA_TYPES: &[&str] =
    &["text/html", "text/plain", "application/json", "application/problem+json", "application/xml"];

/// The media type, if it is one of the usual: a header can hold anything.
fn media_type(headers: &HeaderMap) -> &'static str {
    let essence = essence(headers);
    let known = MEDIA_TYPES.iter().find(|known| essence.eq_ignore_ascii_case(known));
    known.copied().unwrap_or(if essence.is_empty() { "no media type" } else { "another type" })
}

/// What a frame says against the stream, if it is a control frame.
pub(super) fn refusal(frame: &SseFrame) -> Option<ConnectError> {
    match &frame.body {
        SseBody::Data(data) if frame.event.as_deref() == Some(CONTROL) => Some(control(data)),
        _ => None,
    }
}

/// What a control frame says. Its message is the server's prose and stays unread.
pub(super) fn control(data: &str) -> ConnectError {
    let control: Value = serde_json::from_str(data).unwrap_or_default();
    match control.get("code").and_then(Value::as_str) {
        Some("too_many_streams") => {
            let limit = control.get("max_streams").and_then(Value::as_u64);
            let why = limit.map_or_else(
                || "the workspace has as many open streams as it may".to_owned(),
                |limit| format!("the workspace has {limit} open streams, as many as it may"),
            );
            ConnectError::fatal(
                Exit::TooManyStreams,
                why,
                "close another stream of this workspace, then start again",
            )
        }
        Some("stream_unavailable") => ConnectError::transient("the platform's event bus is down"),
        Some("stream_error") => {
            ConnectError::transient("the platform reports an error of the stream")
        }
        _ => ConnectError::transient("the platform reports an error that is not known here"),
    }
}

#[cfg(test)]
mod tests;
