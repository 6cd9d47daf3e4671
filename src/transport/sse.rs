//! The event stream of a workspace: connects, reads, reconnects and resumes until the receiver is
//! gone.
//!
//! A lost connection is opened again from the last position, and a possible gap is reported before
//! the events that follow it. Only failures that no further attempt can fix end the stream: a
//! refused credential, a missing workspace, too many streams and, before the first connection,
//! anything that looks like a mistyped URL. Frames are passed on as they arrived, without
//! interpretation.

use std::error::Error as StdError;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream as Chunks, StreamExt};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{CONTENT_ENCODING, DATE, HeaderMap};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use crate::error::{Error, Exit, Result};
use crate::model::Stream;
use crate::model::{FrameError, FrameFlags, FrameFormat, Origin};
use crate::text::units::counted;
use crate::transport::client::{self, Client};
use crate::transport::connect_error::{ConnectError, cause};
use crate::transport::credential::Credential;
use crate::transport::framer::{Parser, SseBody, SseFrame};
use crate::transport::gap::{self, Gap, GapAssessment, PendingGap, ReconnectInfo};
use crate::transport::key_ring::KeyRing;
use crate::transport::media_type::{is_event_stream, media_type};
use crate::transport::resume::{Resume, ResumeDecision, UncoveredRange, parse_number};
use crate::transport::server_clock::ServerClock;
use crate::transport::source_config::SuspendDetector;
use crate::transport::stream_context::{StreamContext, sleep_until_some};
use crate::transport::{CoverageState, RawFrame, Sender, SourceConfig, backoff};

/// How long a connection may receive nothing, not even a comment, before it is considered dead.
/// Resuming loses nothing.
pub const READ_TIMEOUT: Duration = Duration::from_secs(120);

/// The maximum length of an id that is requested, in bytes.
const MAX_ID: usize = 1024;

/// How long a comment must have been waited for, so that no event can be waiting behind it.
const MIN_WAIT: Duration = Duration::from_millis(10);

/// The event type of the server's control frames.
pub(super) const CONTROL: &str = "error";

/// The position at which a stream begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Start {
    /// With the events from now on.
    #[default]
    Now,
    /// With the events from this id on, as far as the server still has them.
    Since(u64),
    /// After the event with this id, which an earlier run delivered.
    After(u64),
}

/// Reads the stream of a workspace into the channel until the receiver is gone. Dropping the future
/// stops it at once.
///
/// # Errors
///
/// Fails if no further attempt to connect can succeed or none is left.
pub async fn run(
    client: &Client,
    workspace_id: &str,
    keys: &KeyRing,
    start: Start,
    config: &SourceConfig,
    tx: &Sender,
) -> Result<()> {
    let origin = Origin {
        stream: Some(Stream::Workspace),
        workspace_id: Some(workspace_id.to_owned()),
        call_sid: None,
    };
    let context =
        StreamContext::new("cannot read the workspace's stream", origin, backoff::SSE, config, tx);
    let request = |key: &Credential| client.events(workspace_id, key);
    tokio::select! {
        biased;
        () = tx.closed() => Ok(()),
        error = SseReader::new(context, start).follow(request, keys) => Err(error),
    }
}

/// The state of a stream over all of its connections.
struct SseReader<'a> {
    context: StreamContext<'a>,
    resume: Resume,
    /// The user named the beginning of the stream, and no event has been delivered yet.
    since: bool,
    /// When something was last received.
    last_heard: Option<Timestamp>,
    clock: ServerClock,
    /// When the earlier run last received something, by the server's clock, until it is compared.
    resumed_from: Option<Timestamp>,
    /// The time before which everything has arrived, except for gaps.
    covered_until: Option<Timestamp>,
    /// A possible gap before the next event.
    pending_gap: Option<PendingGap>,
    /// New events arrived while a gap was pending. Their replay on a later connection would prove
    /// nothing about the events before them.
    has_unproven_events: bool,
    /// A repeated event was dropped, and no frame has reported it yet.
    has_dropped_repeat: bool,
}

impl<'a> SseReader<'a> {
    fn new(context: StreamContext<'a>, start: Start) -> Self {
        let (resume, resumed_from) = match start {
            Start::Now => (Resume::default(), None),
            Start::Since(id) => (Resume::from_id(id, false), None),
            Start::After(id) => (Resume::from_id(id, true), gap::time(id)),
        };
        Self {
            context,
            resume,
            since: matches!(start, Start::Since(_)),
            last_heard: None,
            clock: ServerClock::default(),
            resumed_from,
            covered_until: None,
            pending_gap: None,
            has_unproven_events: false,
            has_dropped_repeat: false,
        }
    }

    /// Connects and reads until a failure that no further attempt can fix.
    async fn follow(
        mut self,
        request: impl Fn(&Credential) -> RequestBuilder,
        keys: &KeyRing,
    ) -> Error {
        loop {
            let key = keys.current();
            let last_event_id = self.resume.begin_connection(self.position_age(self.context.now()));
            let failure = match open(request(&key), last_event_id.as_deref(), "workspace").await {
                Ok(response) => {
                    self.context.report_connected().await;
                    let server_time = server_time(response.headers());
                    self.clock.note_date(server_time, self.context.now());
                    self.report_begin(server_time).await;
                    self.begin_connection().await;
                    if let Some(id) = server_time {
                        self.resume.set_baseline(id);
                    }
                    let parser = Parser::new(self.context.config.max_frame);
                    let begun = Instant::now();
                    let failure = self.read(Box::pin(response.bytes_stream()), parser).await;
                    self.resume.disconnected(begun.elapsed() < gap::SETTLE_TIME);
                    failure
                }
                Err(failure) => failure,
            };
            if let Err(error) = self.context.recover(failure, keys, &key).await {
                return error;
            }
        }
    }

    /// Returns the time between the publication of the event at the position and `now`, in
    /// milliseconds; 0 if unknown.
    fn position_age(&self, now: Timestamp) -> u64 {
        let published =
            self.resume.position().and_then(|id| i64::try_from(id).ok()).zip(self.clock.by_ids());
        published.map_or(0, |(id, offset)| {
            u64::try_from(gap::millis(now) - id - offset).unwrap_or_default()
        })
    }

    /// Reports from when on the stream is complete after a connection was opened. `server_time` is
    /// the time of the answer by the server's clock, in whole seconds.
    async fn report_begin(&self, server_time: Option<u64>) {
        let position = self.resume.position();
        let id = position.or_else(|| server_time.map(|id| id.saturating_add(1000)));
        let from = id.map_or_else(|| Some(self.context.now()), gap::time);
        // While it is open whether there is a gap, the position may have moved past it.
        let is_proven = self.pending_gap.as_ref().is_none_or(|gap| gap.begins_at(position));
        let state = match from.filter(|_| position.is_some() && is_proven) {
            Some(at) => CoverageState::Resumed(at),
            None => CoverageState::From(from),
        };
        self.context.report_coverage(state).await;
    }

    /// Returns the end of a gap that ends now, by the server's clock.
    fn gap_end(&self) -> Timestamp {
        let now = self.context.now();
        if self.resume.has_gone_backwards() {
            // Ids do not follow time then, and missing events may have higher ids.
            self.clock.latest_time(now)
        } else {
            self.clock.time(now)
        }
    }

    /// Assesses whether there is a gap before a connection that has been opened.
    async fn begin_connection(&mut self) {
        let now = self.context.now();
        let offset = self.clock.offset();
        if let Some(at) = self.resumed_from.take() {
            self.last_heard = Some(gap::shifted(at, offset));
        }
        self.resume.connected(self.position_age(now));
        let reconnect = ReconnectInfo {
            position: self.resume.position(),
            is_event: self.resume.expected().is_some(),
            remembered: self.resume.has_history(),
            last_heard: self.last_heard,
            now,
            offset,
        };
        self.last_heard = Some(now);
        // A replay can no longer resolve the pending gap of the previous connection.
        if std::mem::take(&mut self.has_unproven_events)
            && let Some(pending) = self.pending_gap.take()
        {
            let gap = pending.gap_until(self.gap_end());
            self.context.report_gap(&gap).await;
        }
        match reconnect.assess(self.since) {
            GapAssessment::Complete => {}
            // An unresolved pending gap of the previous connection is kept.
            GapAssessment::Pending(pending) => _ = self.pending_gap.get_or_insert(pending),
            GapAssessment::Gap(gap) => self.context.report_gap(&gap).await,
        }
    }

    /// Reads a body until the connection is lost, and returns the reason.
    async fn read<E: StdError + 'static>(
        &mut self,
        mut body: impl Chunks<Item = Result<Bytes, E>> + Unpin,
        mut parser: Parser,
    ) -> ConnectError {
        let read_timeout = self.context.config.read_timeout.unwrap_or(READ_TIMEOUT);
        let mut suspend = SuspendDetector::new(self.context.config.now);
        let settled = Instant::now() + gap::SETTLE_TIME;
        let mut deadline = Instant::now() + read_timeout;
        let mut next_position = self.context.next_position();
        loop {
            let begun = Instant::now();
            let chunk = tokio::select! {
                biased;
                () = sleep_until_some(next_position), if self.pending_gap.is_none() => {
                    self.context.report_coverage(CoverageState::Until(self.covered_until)).await;
                    next_position = self.context.next_position();
                    continue;
                }
                chunk = body.next() => chunk,
                () = suspend.suspended() => {
                    return ConnectError::transient("the machine was suspended");
                }
                () = sleep_until(settled), if self.pending_gap.is_some() => {
                    if let Some(pending) = self.pending_gap.take() {
                        self.has_unproven_events = false;
                        let gap = pending.gap_until(self.gap_end());
                        self.context.report_gap(&gap).await;
                    }
                    continue;
                }
                () = sleep_until(deadline) => {
                    let seconds = read_timeout.as_secs_f64();
                    let why = format!("nothing was received for {seconds} s");
                    return ConnectError::transient(why);
                }
            };
            let chunk = match chunk {
                Some(Ok(chunk)) => chunk,
                Some(Err(error)) => return ConnectError::transient(cause(&error)),
                None => return ConnectError::transient("the server ended the stream"),
            };
            let received_at = self.context.now();
            self.last_heard = Some(received_at);
            self.context.add_received(chunk.len());
            let frames = parser.push(&chunk);
            if let Some(retry) = parser.retry() {
                self.context.backoff.set_initial(retry);
            }
            // A heartbeat may repeat the last id.
            let has_events = frames.iter().any(|frame| !matches!(frame.body, SseBody::Empty));
            if !has_events && begun.elapsed() >= MIN_WAIT {
                self.cover(self.clock.reached(received_at));
            }
            for frame in frames {
                if let Some(failure) = refusal(&frame) {
                    return failure;
                }
                self.deliver(frame, received_at).await;
            }
            // The time that a slow pipeline took does not count as silence of the server.
            deadline = Instant::now() + read_timeout;
        }
    }

    /// Notes that everything before a time has arrived.
    fn cover(&mut self, until: Option<Timestamp>) {
        self.covered_until = self.covered_until.max(until);
    }

    /// Sends a frame, unless it was delivered before. Reports gaps before it.
    async fn deliver(&mut self, frame: SseFrame, received_at: Timestamp) {
        let (data, fault) = match frame.body {
            SseBody::Empty if frame.sets_id => {
                return self.resume.set_position(&frame.last_event_id);
            }
            SseBody::Empty => return,
            SseBody::Data(data) => (Bytes::from(data), None),
            SseBody::TooLarge(bytes) => (Bytes::new(), Some((FrameError::TooLarge, bytes))),
        };
        let own_id = frame.sets_id.then_some(&*frame.last_event_id);
        let age = self.position_age(received_at);
        let event = frame.event.as_deref();
        // A frame that is too large is recognised by its size.
        let decision = match fault {
            None => self.resume.classify(own_id, event, &data),
            Some((_, bytes)) => self.resume.classify(own_id, event, &bytes.to_be_bytes()),
        };
        let number = own_id.and_then(parse_number);
        self.cover(number.and_then(gap::time));
        self.resolve_pending_gap(number, decision).await;
        let mut raw = RawFrame {
            origin: self.context.origin.clone(),
            format: FrameFormat::Sse,
            event: frame.event,
            id: Some(frame.last_event_id).filter(|id| !id.is_empty()),
            data,
            received_at: Some(received_at),
            fault,
            offset: 0,
            flags: FrameFlags {
                id_missing: !frame.sets_id,
                connection: self.resume.connection(),
                ..FrameFlags::default()
            },
        };
        let backwards = match decision {
            ResumeDecision::New { backwards } => backwards,
            ResumeDecision::Replayed => {
                raw.flags.replayed = true;
                return self.context.pass_replayed(raw).await;
            }
            ResumeDecision::Repeated => {
                self.has_dropped_repeat = true;
                return;
            }
        };
        if let Some(UncoveredRange { from, to, reason }) =
            self.resume.uncovered_range(number, backwards, age)
        {
            let gap = Gap {
                from: gap::time(from),
                to: gap::time(to).unwrap_or(received_at),
                certain: false,
                reason,
            };
            self.context.report_gap(&gap).await;
        }
        self.since = false;
        if let Some(id) = number.and_then(|id| i64::try_from(id).ok()) {
            self.clock.note_id(id, received_at, backwards);
        }
        raw.flags.id_backwards = backwards;
        raw.flags.after_repeat = std::mem::take(&mut self.has_dropped_repeat);
        self.context.deliver(raw).await;
    }

    /// Resolves the pending gap, or reports it, if this event decides.
    async fn resolve_pending_gap(&mut self, id: Option<u64>, decision: ResumeDecision) {
        let Some(pending) = &self.pending_gap else { return };
        if pending.is_resolved_by(id, decision == ResumeDecision::Replayed) {
            self.pending_gap = None;
            self.has_unproven_events = false;
        } else if let Some(mut gap) = pending.gap_before(id) {
            if self.resume.has_gone_backwards() {
                gap = pending.gap_until(self.gap_end());
            }
            self.pending_gap = None;
            self.has_unproven_events = false;
            self.context.report_gap(&gap).await;
        } else {
            self.has_unproven_events |= decision != ResumeDecision::Replayed;
        }
    }
}

/// Returns the time of the answer by the server's clock, in milliseconds.
fn server_time(headers: &HeaderMap) -> Option<u64> {
    static DATES: DateTimeParser = DateTimeParser::new();
    let date = DATES.parse_timestamp(headers.get(DATE)?.to_str().ok()?).ok()?;
    u64::try_from(date.as_millisecond()).ok()
}

/// Sends the request and checks that the answer is an event stream. `resource` names what the URL
/// stands for in error messages, such as "workspace".
pub(super) async fn open(
    request: RequestBuilder,
    last_event_id: Option<&str>,
    resource: &str,
) -> Result<Response, ConnectError> {
    let request = match last_event_id {
        // A header cannot contain control characters, and servers refuse a long one.
        Some(id) if id.len() <= MAX_ID && !id.bytes().any(|byte| byte.is_ascii_control()) => {
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
            "the stream is compressed, which was not requested",
            "bypass the proxy that compresses it",
        ));
    }
    Ok(response)
}

/// Returns the failure that a frame reports, if it is a control frame.
pub(super) fn refusal(frame: &SseFrame) -> Option<ConnectError> {
    match &frame.body {
        SseBody::Data(data) if frame.event.as_deref() == Some(CONTROL) => Some(control_error(data)),
        _ => None,
    }
}

/// Converts the data of a control frame to a failure. Its message is text from the server and is
/// ignored.
pub(super) fn control_error(data: &str) -> ConnectError {
    let control: Value = serde_json::from_str(data).unwrap_or_default();
    match control.get("code").and_then(Value::as_str) {
        Some("too_many_streams") => {
            let limit = control.get("max_streams").and_then(Value::as_u64);
            let why = limit.map_or_else(
                || "the workspace already has its maximum number of open streams".to_owned(),
                |limit| {
                    format!(
                        "the workspace already has {}, its maximum",
                        counted(limit, "open stream")
                    )
                },
            );
            ConnectError::fatal(
                Exit::TooManyStreams,
                why,
                "close another stream of this workspace, then start again",
            )
        }
        Some("stream_unavailable") => ConnectError::transient("the platform's event bus is down"),
        Some("stream_error") => {
            ConnectError::transient("the platform reported an error of the stream")
        }
        _ => ConnectError::transient("the platform reported an unknown error"),
    }
}

#[cfg(test)]
mod tests;
