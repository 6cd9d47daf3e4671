//! Forwarding: each event that is shown is posted to an endpoint, one at a time, so that their order is kept.
//!
//! Events are collected while more are at hand and posted when the walk flushes, after stdout and before the cursor moves.
//! The walk waits for it, and so do the sockets behind it; no more than a batch is held. What the endpoint can't take now is
//! tried again; what it refuses is told and counted; where nothing would get through, the run ends.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, StatusCode, Url};
use tokio::runtime::Handle;

use super::destination::Destination;
use crate::error::{Error, Exit};
use crate::output::OutputError;
use crate::output::cloudevents::{EventIds, cloud_event};
use crate::output::ndjson::object;
use crate::output::status::{self, DestinationCounts};
use crate::redact::RedactedEvent;
use crate::transport::backoff::{Backoff, Random};
use crate::transport::connect_error::{cause, retry_after};
use crate::transport::shutdown::ShutdownFlag;

/// How many bytes may be collected before they are posted.
const BATCH: usize = 1 << 20;

/// The first ceiling of the waits between tries.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// How long a post that is under way may still take once the run is to end.
const LAST: Duration = Duration::from_secs(1);

/// How much of an answer is read, so that the connection can be used again, in bytes.
const ANSWER: usize = 64 * 1024;

/// What is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardBody {
    /// The line of `ndjson`.
    Json,
    /// A structured CloudEvent.
    CloudEvent,
}

/// How events are posted.
pub struct Endpoint {
    /// The client, which follows no redirect.
    pub client: Client,
    /// Where to.
    pub url: Url,
    /// What the user adds; it may hold secrets.
    pub headers: HeaderMap,
    /// What is posted.
    pub body: ForwardBody,
    /// How long one post may take.
    pub timeout: Duration,
    /// How often one event is tried again.
    pub retries: u32,
    /// How news is told.
    pub status: status::StatusFormat,
    /// Jitter.
    pub random: Random,
}

/// An event that waits to be posted.
struct PendingEvent {
    body: Bytes,
    event_type: String,
    id: Option<String>,
}

/// Posts events to an endpoint.
pub struct Forwarder {
    endpoint: Endpoint,
    runtime: Handle,
    ids: EventIds,
    waiting: VecDeque<PendingEvent>,
    bytes: usize,
    counts: DestinationCounts,
    stop: Arc<ShutdownFlag>,
}

/// What an answer means.
enum EndpointResponse {
    Taken,
    /// This event is refused, and others may not be.
    Refused(u16),
    /// Another try may succeed, no sooner than after that long.
    Later(String, Duration),
    /// Nothing will get through.
    Never(String, &'static str),
}

impl Forwarder {
    /// To that endpoint, by the timers and sockets of `runtime`.
    #[must_use]
    pub fn new(endpoint: Endpoint, runtime: Handle) -> Self {
        let counts =
            DestinationCounts { name: "endpoint", verb: "forwarded", delivered: 0, refused: 0 };
        Self {
            endpoint,
            runtime,
            ids: EventIds::default(),
            waiting: VecDeque::new(),
            bytes: 0,
            counts,
            stop: Arc::default(),
        }
    }

    async fn post_all(&mut self) -> Result<(), ForwardError> {
        while let Some(PendingEvent { body, event_type, id }) = self.waiting.front() {
            match self.endpoint.deliver(body, &self.stop).await? {
                None => self.counts.delivered += 1,
                Some(code) => {
                    self.counts.refused += 1;
                    status::refused(
                        self.endpoint.status,
                        code,
                        event_type,
                        id.as_deref(),
                        self.counts.refused == 1,
                    );
                }
            }
            self.waiting.pop_front();
        }
        Ok(())
    }
}

impl Destination for Forwarder {
    fn stop_on(&mut self, stop: &Arc<ShutdownFlag>) {
        self.stop = Arc::clone(stop);
    }

    fn event(&mut self, event: &RedactedEvent<'_>) -> Result<(), OutputError> {
        let mut body = Vec::new();
        match self.endpoint.body {
            ForwardBody::Json => object(event, &mut body),
            ForwardBody::CloudEvent => cloud_event(event, &mut self.ids, &mut body),
        }
        self.bytes += body.len();
        self.waiting.push_back(PendingEvent {
            body: body.into(),
            event_type: event.event_type().to_owned(),
            id: event.tap().id.clone(),
        });
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.bytes >= BATCH
    }

    /// Does nothing: each event is posted and answered in turn, in [`acknowledge`](Self::acknowledge).
    fn flush(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn acknowledge(&mut self) -> Result<(), OutputError> {
        self.bytes = 0;
        let (runtime, stop) = (self.runtime.clone(), Arc::clone(&self.stop));
        let posted = runtime.block_on(async {
            tokio::select! {
                biased;
                posted = self.post_all() => posted,
                () = async { stop.wait().await; tokio::time::sleep(LAST).await } => {
                    Err(ForwardError("the run was to end before the endpoint had taken them".to_owned(), AGAIN))
                }
            }
        });
        posted.map_err(|ForwardError(why, advice)| {
            let left = self.waiting.len();
            let events =
                if left == 1 { "event that was shown is" } else { "events that were shown are" };
            let why = format!(
                "{why}; {} went through, {left} {events} undelivered",
                self.counts.delivered
            );
            Error::new(Exit::Failure, "cannot forward the events", why, advice).into()
        })
    }

    fn counts(&self) -> Option<DestinationCounts> {
        Some(self.counts)
    }
}

/// Why no more is posted, and what to do.
struct ForwardError(String, &'static str);

impl Endpoint {
    /// Posts one event until it is taken, or refused with that status.
    async fn deliver(
        &self,
        body: &Bytes,
        stop: &ShutdownFlag,
    ) -> Result<Option<u16>, ForwardError> {
        let mut backoff = Backoff::new(FIRST_WAIT);
        loop {
            let (why, at_least) = match self.post(body.clone()).await {
                EndpointResponse::Taken => return Ok(None),
                EndpointResponse::Refused(code) => return Ok(Some(code)),
                EndpointResponse::Never(why, advice) => return Err(ForwardError(why, advice)),
                EndpointResponse::Later(why, at_least) => (why, at_least),
            };
            let (delay, attempt) = backoff.next(at_least, (self.random)());
            if attempt > self.retries || stop.is_set() {
                let tries = if attempt == 1 {
                    String::new()
                } else {
                    format!(", {attempt} times in a row")
                };
                return Err(ForwardError(format!("{why}{tries}"), AGAIN));
            }
            status::forwarding_again(self.status, &why, delay, attempt);
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = stop.wait() => return Err(ForwardError(why, AGAIN)),
            }
        }
    }

    async fn post(&self, body: Bytes) -> EndpointResponse {
        let kind = match self.body {
            ForwardBody::Json => "application/json",
            ForwardBody::CloudEvent => "application/cloudevents+json",
        };
        let request = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, kind)
            .body(body);
        let answered = tokio::time::timeout(self.timeout, async {
            let mut response = request.send().await?;
            let mut read = 0;
            while read < ANSWER
                && let Ok(Some(piece)) = response.chunk().await
            {
                read += piece.len();
            }
            Ok::<_, reqwest::Error>((
                response.status(),
                retry_after(response.headers(), Timestamp::now()),
            ))
        });
        match answered.await {
            Ok(Ok((status, at_least))) => judge(status, at_least),
            Ok(Err(error)) => EndpointResponse::Later(cause(&error), Duration::ZERO),
            Err(_) => EndpointResponse::Later(
                "the endpoint did not answer in time".to_owned(),
                Duration::ZERO,
            ),
        }
    }
}

const AGAIN: &str = "see to the endpoint and start again; with --cursor it goes on there";

fn judge(status: StatusCode, at_least: Duration) -> EndpointResponse {
    let code = status.as_u16();
    match code {
        200..=299 => EndpointResponse::Taken,
        408 | 425 | 429 | 500..=599 => {
            EndpointResponse::Later(format!("the endpoint answered {code}"), at_least)
        }
        300..=399 => EndpointResponse::Never(
            format!("the endpoint redirects ({code}), which is not followed"),
            "give the final URL to --forward",
        ),
        401 | 403 | 407 => EndpointResponse::Never(
            format!("the endpoint wants to know who posts ({code})"),
            "give what it wants with --forward-header @FILE",
        ),
        404 | 405 | 410 | 421 | 426 => EndpointResponse::Never(
            format!("there is nothing to post to ({code})"),
            "check the URL of --forward",
        ),
        400..=499 => EndpointResponse::Refused(code),
        _ => EndpointResponse::Never(
            format!("the endpoint answered {code}, which means nothing here"),
            "check the URL of --forward",
        ),
    }
}
