//! Forwarding: each shown event is posted to an endpoint, one at a time and in order.
//!
//! Events are collected while more are waiting and posted when the pipeline flushes, after stdout
//! and before the cursor advances. The pipeline waits for the endpoint, and so do the sockets
//! behind it, so at most one batch is in memory. A temporary failure is retried. An event that the
//! endpoint refuses is reported and counted. If no event can be delivered, the run ends.
//!
//! Each post has a `webhook-id`, by which the endpoint recognises an event that is posted again, in
//! this run or in the next. With a key, posts are signed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use reqwest::{Client, StatusCode, Url};
use tokio::runtime::Handle;

use super::destination::Destination;
use super::failure::{DeliveryFailure, FIRST_DELAY};
use super::results::{DeliveryResults, ResultCounts};
use super::webhook::WebhookKeys;
use crate::model::cloudevent;
use crate::output::OutputError;
use crate::output::cloudevents::cloud_event;
use crate::output::ndjson::object;
use crate::output::status;
use crate::query::EventContext;
use crate::transport::backoff::{Backoff, Random};
use crate::transport::connect_error::{cause, retry_after};
use crate::transport::shutdown::ShutdownFlag;

/// The size of a batch, in bytes: once it is reached, the events are posted.
const BATCH: usize = 1 << 20;

/// The maximum number of bytes that are read of a response body. It is read to keep the connection
/// reusable.
const RESPONSE_LIMIT: usize = 64 * 1024;

/// The id of a message, the same for each attempt to deliver it.
pub const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");

/// The time of an attempt, in seconds of Unix time.
pub const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");

/// The signatures of an attempt.
pub const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// The body of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardBody {
    /// The event as a line of `ndjson`.
    Json,
    /// The event as a CloudEvent in structured mode.
    CloudEvent,
}

/// The endpoint that events are posted to, and how.
pub struct Endpoint {
    /// The HTTP client, which must not follow redirects.
    pub client: Client,
    /// The URL to post to.
    pub url: Url,
    /// The headers that the user adds, which may contain credentials.
    pub headers: HeaderMap,
    /// The format of the body.
    pub body: ForwardBody,
    /// The keys that posts are signed with, if they are.
    pub keys: Option<WebhookKeys>,
    /// The timeout of one request.
    pub timeout: Duration,
    /// The maximum number of retries for one event.
    pub retries: u32,
    /// The format of status messages.
    pub status: status::StatusFormat,
    /// The random numbers for the jitter of delays.
    pub random: Random,
    /// The wall clock.
    pub now: fn() -> Timestamp,
}

/// An event that waits to be posted.
struct PendingEvent {
    body: Bytes,
    event_type: String,
    id: Option<String>,
    /// The source and the id of the CloudEvent, which identify the event.
    webhook_id: String,
}

impl PendingEvent {
    /// Returns the memory that the event uses, in bytes.
    fn size(&self) -> usize {
        let id = self.id.as_ref().map_or(0, String::len);
        let texts = self.event_type.len() + id + self.webhook_id.len();
        size_of::<Self>() + self.body.len() + texts
    }
}

/// Posts events to an endpoint.
pub struct Forwarder {
    endpoint: Endpoint,
    runtime: Handle,
    waiting: VecDeque<PendingEvent>,
    bytes: usize,
    results: Arc<DeliveryResults>,
    stop: Arc<ShutdownFlag>,
}

/// The outcome of one request.
enum EndpointResponse {
    Delivered,
    /// The endpoint refused this event with a status code; it may accept others.
    Refused(u16),
    /// A retry may succeed after at least this delay. The text is the reason.
    Retry(String, Duration),
    /// No event can be delivered, with the reason and the advice.
    Fatal(String, &'static str),
}

impl Forwarder {
    /// Creates a forwarder to `endpoint`, which uses the timers and sockets of `runtime`.
    #[must_use]
    pub fn new(endpoint: Endpoint, runtime: Handle) -> Self {
        Self {
            endpoint,
            runtime,
            waiting: VecDeque::new(),
            bytes: 0,
            results: Arc::new(DeliveryResults::new("endpoint", "forwarded")),
            stop: Arc::default(),
        }
    }

    async fn post_all(&mut self) -> Result<(), DeliveryFailure> {
        while let Some(event) = self.waiting.front() {
            match self.endpoint.deliver(event, &self.results, &self.stop).await? {
                None => self.results.add_delivered(),
                Some(code) => {
                    let is_first = self.results.add_refused() == 1;
                    let PendingEvent { event_type, id, .. } = event;
                    status::refused(
                        self.endpoint.status,
                        code,
                        event_type,
                        id.as_deref(),
                        is_first,
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

    fn needs_ids(&self) -> bool {
        true
    }

    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        let event = context.event;
        let mut body = Vec::new();
        match self.endpoint.body {
            ForwardBody::Json => object(event, &mut body),
            ForwardBody::CloudEvent => cloud_event(context, &mut body),
        }
        let tap = event.tap();
        let source = cloudevent::source(tap.workspace_id.as_deref(), tap.call_sid.as_deref());
        let pending = PendingEvent {
            body: body.into(),
            event_type: event.event_type().to_owned(),
            id: tap.id.clone(),
            webhook_id: webhook_id(&source.concat(), context.id.unwrap_or_default()),
        };
        self.bytes += pending.size();
        self.waiting.push_back(pending);
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.bytes >= BATCH
    }

    /// Does nothing: [`acknowledge`](Self::acknowledge) posts each event in turn.
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
                failure = DeliveryFailure::of_stop(&stop) => Err(failure),
            }
        });
        posted.map_err(|failure| {
            failure.into_error("forward", &self.results.counts(), self.waiting.len())
        })
    }

    fn results(&self) -> Option<Arc<dyn ResultCounts>> {
        Some(Arc::clone(&self.results) as _)
    }
}

impl Endpoint {
    /// Posts one event, with retries, until the endpoint accepts or refuses it. Returns the status
    /// code if it refuses.
    async fn deliver(
        &self,
        event: &PendingEvent,
        results: &DeliveryResults,
        stop: &ShutdownFlag,
    ) -> Result<Option<u16>, DeliveryFailure> {
        let mut backoff = Backoff::new(FIRST_DELAY);
        loop {
            let (why, at_least) = match self.post(event).await {
                EndpointResponse::Delivered => return Ok(None),
                EndpointResponse::Refused(code) => return Ok(Some(code)),
                EndpointResponse::Fatal(why, advice) => {
                    return Err(DeliveryFailure::permanent(why, advice));
                }
                EndpointResponse::Retry(why, at_least) => (why, at_least),
            };
            let (delay, attempt) = backoff.next(at_least, (self.random)());
            if attempt > self.retries || stop.is_set() {
                let attempts = if attempt == 1 {
                    String::new()
                } else {
                    format!(", {attempt} times in a row")
                };
                return Err(DeliveryFailure::temporary(format!("{why}{attempts}")));
            }
            results.add_retry();
            status::delivery_retry(self.status, "forward", &why, delay, attempt);
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = stop.wait() => return Err(DeliveryFailure::temporary(why)),
            }
        }
    }

    async fn post(&self, event: &PendingEvent) -> EndpointResponse {
        let content_type = match self.body {
            ForwardBody::Json => "application/json",
            ForwardBody::CloudEvent => "application/cloudevents+json",
        };
        let mut request = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, content_type)
            .header(WEBHOOK_ID, &event.webhook_id);
        if let Some(keys) = &self.keys {
            let timestamp = (self.now)().as_second();
            let signature = keys.sign(&event.webhook_id, timestamp, &event.body);
            request =
                request.header(WEBHOOK_TIMESTAMP, timestamp).header(WEBHOOK_SIGNATURE, signature);
        }
        let request = request.body(event.body.clone());
        let response = tokio::time::timeout(self.timeout, async {
            let mut response = request.send().await?;
            let mut read = 0;
            while read < RESPONSE_LIMIT
                && let Ok(Some(chunk)) = response.chunk().await
            {
                read += chunk.len();
            }
            Ok::<_, reqwest::Error>((
                response.status(),
                retry_after(response.headers(), Timestamp::now()),
            ))
        });
        match response.await {
            Ok(Ok((status, at_least))) => classify(status, at_least),
            Ok(Err(error)) => EndpointResponse::Retry(cause(&error), Duration::ZERO),
            Err(_) => EndpointResponse::Retry(
                "the endpoint did not answer in time".to_owned(),
                Duration::ZERO,
            ),
        }
    }
}

/// Returns the id of an event that identifies it among those of all streams.
///
/// A header cannot have every character, and a full stop would make what is signed ambiguous.
fn webhook_id(source: &str, id: &str) -> String {
    let is_legal = |letter: char| letter.is_ascii_graphic() && letter != '.';
    let legal = |letter: char| if is_legal(letter) { letter } else { '_' };
    format!("{source}#{id}").chars().map(legal).collect()
}

/// Classifies a response by its status code.
fn classify(status: StatusCode, at_least: Duration) -> EndpointResponse {
    let code = status.as_u16();
    match code {
        200..=299 => EndpointResponse::Delivered,
        408 | 425 | 429 | 500..=599 => {
            EndpointResponse::Retry(format!("the endpoint answered {code}"), at_least)
        }
        300..=399 => EndpointResponse::Fatal(
            format!("the endpoint answered with a redirect ({code}), which evtap does not follow"),
            "give the final URL to --forward",
        ),
        401 | 403 | 407 => EndpointResponse::Fatal(
            format!("the endpoint requires authentication ({code})"),
            "give the credentials with --forward-header @FILE",
        ),
        404 | 405 | 410 | 421 | 426 => EndpointResponse::Fatal(
            format!("the URL does not accept events ({code})"),
            "check the URL of --forward",
        ),
        400..=499 => EndpointResponse::Refused(code),
        _ => EndpointResponse::Fatal(
            format!("the endpoint answered with an unexpected status ({code})"),
            "check the URL of --forward",
        ),
    }
}

#[cfg(test)]
mod tests;
