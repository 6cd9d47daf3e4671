//! Publishing: each shown event is stored in a stream of a message broker.
//!
//! Events are collected while more are waiting and published when the pipeline flushes, after
//! stdout and before the cursor advances. The events of a workspace are published one at a time and
//! in order; different workspaces do not wait for each other. Each event has an id that is the same
//! in every run and on every machine, so the stream stores it once, even if it is published again
//! because an acknowledgement was lost, the run was killed, or another tap publishes it too.
//!
//! While the broker is away, the pipeline waits, and so do the sockets behind it: at most one batch
//! is in memory, and the platform's stream is resumed later.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::runtime::Handle;

use super::destination::Destination;
use crate::error::{Error, Exit};
use crate::model::{Kind, cloudevent};
use crate::output::OutputError;
use crate::output::cloudevents::cloud_event;
use crate::output::status::{self, DestinationCounts};
use crate::query::EventContext;
use crate::transport::backoff::{Backoff, Random};
use crate::transport::broker::{Broker, PublishFailure, SubjectPrefix, of_tap, subject};
use crate::transport::call_lease::{CallLeases, LeaseCheck};
use crate::transport::shutdown::ShutdownFlag;

/// The size of a batch, in bytes: once it is reached, the events are published.
const BATCH: usize = 1 << 20;

/// The upper bound of the first delay between two attempts.
const FIRST_DELAY: Duration = Duration::from_millis(250);

/// The time that is left to publish events after the run was asked to stop.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// The maximum number of workspaces that are remembered between two batches.
const MAX_QUEUES: usize = 4096;

/// The header with a hash of everything that decides what is shown.
const FINGERPRINT: &str = "Evtap-Fingerprint";

/// The header with the number of the lease of a call, which grows with each owner.
const EPOCH: &str = "Evtap-Epoch";

const LAPSED: &str = "the lease of the call has not been renewed in time";

const TAKEN_OVER: &str = "another tap has taken the call over";

/// The settings of a publisher.
pub struct PublishConfig {
    /// The first tokens of subjects.
    pub prefix: SubjectPrefix,
    /// The name of this tap.
    pub tap: String,
    /// The time between two positions of this tap, which each message says.
    pub heartbeat: Duration,
    /// A hash of the policy and the filters. The ids of events do not depend on them, so only taps
    /// with equal fingerprints can stand in for each other.
    pub fingerprint: String,
    /// Whether hidden fields are revealed, which each message says.
    pub is_revealed: bool,
    /// The leases of calls, if other taps may publish the same ones.
    pub leases: Option<Arc<CallLeases>>,
    /// The format of status messages.
    pub status: status::StatusFormat,
    /// The random numbers for the jitter of delays.
    pub random: Random,
}

/// An event that waits to be published.
struct PendingMessage {
    subject: String,
    /// The source and the id of the CloudEvent, which identify it.
    id: String,
    event_type: String,
    body: Bytes,
    /// Whether the event is about the tap and not counted.
    is_lifecycle: bool,
    /// The call and the epoch of its lease, which must be valid; `None` if no lease is needed.
    lease: Option<(String, u64)>,
}

impl PendingMessage {
    /// Returns the memory that the message uses, in bytes.
    fn size(&self) -> usize {
        let texts = self.subject.len() + self.id.len() + self.event_type.len();
        size_of::<Self>() + texts + self.body.len()
    }
}

/// The events of one workspace, which are published in order.
#[derive(Default)]
struct WorkspaceQueue {
    waiting: VecDeque<PendingMessage>,
    /// Whether the fingerprint of the last published event has been compared.
    is_checked: bool,
    delivered: u64,
    refused: u64,
}

/// The queue of each workspace.
type WorkspaceQueues = HashMap<Option<String>, WorkspaceQueue>;

/// Publishes events to a stream of a broker.
pub struct Publisher {
    channel: Arc<PublishChannel>,
    runtime: Handle,
    queues: WorkspaceQueues,
    bytes: usize,
    counts: DestinationCounts,
    stop: Arc<ShutdownFlag>,
}

/// What all queues use.
struct PublishChannel {
    broker: Broker,
    headers: HeaderMap,
    config: PublishConfig,
    /// Whether the user knows of a tap with another fingerprint.
    has_warned: AtomicBool,
}

/// Why publishing ended, and what the user can do.
struct PublishError(String, &'static str);

impl Publisher {
    /// Creates a publisher, which uses the timers and sockets of `runtime`.
    #[must_use]
    pub fn new(broker: Broker, config: PublishConfig, runtime: Handle) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert("Content-Type", "application/cloudevents+json");
        headers.insert("Evtap-Tap", config.tap.as_str());
        headers.insert("Evtap-Heartbeat", config.heartbeat.as_millis().to_string());
        headers.insert("Evtap-Version", env!("CARGO_PKG_VERSION"));
        headers.insert(FINGERPRINT, config.fingerprint.as_str());
        if config.is_revealed {
            headers.insert("Evtap-Revealed", "true");
        }
        Self {
            channel: Arc::new(PublishChannel {
                broker,
                headers,
                config,
                has_warned: AtomicBool::new(false),
            }),
            runtime,
            queues: HashMap::new(),
            bytes: 0,
            counts: DestinationCounts::new("broker", "published"),
            stop: Arc::default(),
        }
    }

    /// Adds an event to the queue of its workspace.
    fn push(&mut self, context: &EventContext<'_>, is_lifecycle: bool) {
        let event = context.event;
        let (tap, event_type) = (event.tap(), event.event_type());
        let (workspace, call) = (tap.workspace_id.as_deref(), tap.call_sid.as_deref());
        let mut body = Vec::new();
        cloud_event(context, &mut body);
        let id = context.id.unwrap_or_default();
        let PublishConfig { prefix, tap: own_name, .. } = &self.channel.config;
        let subject = subject(prefix, workspace, call, event_type);
        let is_notice = event.kind().is_some_and(Kind::is_notice);
        let leases = self.channel.config.leases.as_ref();
        // What a tap says of itself needs no lease.
        let lease = leases
            .zip(call.filter(|_| !is_notice))
            .and_then(|(leases, call)| leases.epoch(call).map(|epoch| (call.to_owned(), epoch)));
        let message = PendingMessage {
            // The last notice of each tap can be found by its subject.
            subject: if is_notice {
                let name = event.field("tap").and_then(|field| field.text());
                of_tap(subject, name.as_deref().unwrap_or(own_name))
            } else {
                subject
            },
            id: format!("{}#{id}", cloudevent::source(workspace, call).concat()),
            event_type: event_type.to_owned(),
            body: body.into(),
            is_lifecycle,
            lease,
        };
        self.bytes += message.size();
        self.queues.entry(workspace.map(str::to_owned)).or_default().waiting.push_back(message);
    }

    /// Adds the counts of the queues to those of the destination.
    fn count(&mut self) {
        for queue in self.queues.values_mut() {
            self.counts.delivered += std::mem::take(&mut queue.delivered);
            self.counts.refused += std::mem::take(&mut queue.refused);
        }
    }
}

impl Destination for Publisher {
    fn stop_on(&mut self, stop: &Arc<ShutdownFlag>) {
        self.stop = Arc::clone(stop);
    }

    fn needs_ids(&self) -> bool {
        true
    }

    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        self.push(context, false);
        Ok(())
    }

    fn tap(&self) -> Option<&str> {
        Some(&self.channel.config.tap)
    }

    fn lifecycle(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        self.push(context, true);
        Ok(())
    }

    /// The stream recognises what is published again, and few workspaces wait for the slowest of a
    /// large batch.
    fn max_pending(&self) -> usize {
        2048
    }

    fn is_full(&self) -> bool {
        self.bytes >= BATCH
    }

    /// Does nothing: [`acknowledge`](Self::acknowledge) publishes the events.
    fn flush(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn acknowledge(&mut self) -> Result<(), OutputError> {
        self.bytes = 0;
        let (channel, stop) = (Arc::clone(&self.channel), Arc::clone(&self.stop));
        let mut queues = std::mem::take(&mut self.queues);
        // A task of the runtime runs where the sockets are, so an acknowledgement wakes no thread.
        let publishing = self.runtime.spawn(async move {
            let published = tokio::select! {
                biased;
                published = channel.publish_all(&mut queues, &stop) => published,
                () = async { stop.wait().await; tokio::time::sleep(STOP_GRACE).await } => {
                    let why = "the run ended before the broker had acknowledged them";
                    Err(PublishError(why.to_owned(), START_AGAIN))
                }
            };
            (queues, published)
        });
        let (queues, published) = match self.runtime.block_on(publishing) {
            Ok(ended) => ended,
            Err(error) => {
                if let Ok(panic) = error.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
                (WorkspaceQueues::new(), Err(PublishError("the run ended".to_owned(), START_AGAIN)))
            }
        };
        self.queues = queues;
        self.count();
        let left: usize = self.queues.values().map(|queue| queue.waiting.len()).sum();
        if self.queues.len() > MAX_QUEUES {
            self.queues.clear();
        }
        published.map_err(|PublishError(why, advice)| {
            let events =
                if left == 1 { "event that was shown is" } else { "events that were shown are" };
            let why =
                format!("{why}; {} published, {left} {events} unpublished", self.counts.delivered);
            Error::new(Exit::Failure, "cannot publish the events", why, advice).into()
        })
    }

    fn counts(&self) -> Option<DestinationCounts> {
        Some(self.counts)
    }
}

const START_AGAIN: &str =
    "check the broker and start again; with --cursor the run resumes where it stopped";

impl PublishChannel {
    /// Publishes all queues at the same time. The first failure that cannot pass ends all of them.
    async fn publish_all(
        &self,
        queues: &mut WorkspaceQueues,
        stop: &ShutdownFlag,
    ) -> Result<(), PublishError> {
        let queues = queues.iter_mut().filter(|(_, queue)| !queue.waiting.is_empty());
        let mut publishing: FuturesUnordered<_> = queues
            .map(|(workspace, queue)| self.publish_queue(workspace.as_deref(), queue, stop))
            .collect();
        while let Some(published) = publishing.next().await {
            published?;
        }
        Ok(())
    }

    /// Publishes the events of a workspace in order.
    async fn publish_queue(
        &self,
        workspace: Option<&str>,
        queue: &mut WorkspaceQueue,
        stop: &ShutdownFlag,
    ) -> Result<(), PublishError> {
        if !queue.is_checked {
            self.compare_fingerprints(workspace).await;
            queue.is_checked = true;
        }
        while let Some(message) = queue.waiting.front() {
            match self.deliver(message, stop).await? {
                None => queue.delivered += u64::from(!message.is_lifecycle),
                Some(why) => {
                    queue.refused += 1;
                    status::publish_refused(self.config.status, why, &message.event_type);
                }
            }
            queue.waiting.pop_front();
        }
        Ok(())
    }

    /// Warns if the last event of a workspace was published by a tap that shows other things.
    async fn compare_fingerprints(&self, workspace: Option<&str>) {
        let pattern = self.config.prefix.of_workspace(workspace);
        let last = self.broker.last_header(&pattern, FINGERPRINT).await;
        let is_other = last.is_some_and(|last| last != self.config.fingerprint);
        if is_other && !self.has_warned.swap(true, Ordering::Relaxed) {
            let what = "the stream has events of the same workspace from a tap with other filters, \
                        or that hides other fields";
            let why = "an event that both show is stored as the first of them shows it";
            let advice = "give all taps of a workspace the same options";
            status::warning(self.config.status, &Error::usage(what, why, advice));
        }
    }

    /// Publishes one event until the broker acknowledges or refuses it. Returns the reason if it
    /// refuses.
    async fn deliver(
        &self,
        message: &PendingMessage,
        stop: &ShutdownFlag,
    ) -> Result<Option<&'static str>, PublishError> {
        let PendingMessage { subject, id, body, lease, .. } = message;
        let mut headers = Cow::Borrowed(&self.headers);
        if let Some((_, epoch)) = lease {
            headers.to_mut().insert(EPOCH, epoch.to_string());
        }
        let mut backoff = Backoff::new(FIRST_DELAY);
        loop {
            let lease = lease.as_ref().zip(self.config.leases.as_ref());
            let checked = lease.map(|((call, epoch), leases)| leases.check(call, *epoch));
            let published = match checked {
                None | Some(LeaseCheck::Valid) => {
                    self.broker.publish(subject.clone(), id, &headers, body.clone()).await
                }
                Some(LeaseCheck::Lapsed) => Err(PublishFailure::Temporary(LAPSED.to_owned())),
                Some(LeaseCheck::Lost) => Err(PublishFailure::Refused(TAKEN_OVER)),
            };
            let why = match published {
                Ok(()) => return Ok(None),
                Err(PublishFailure::Refused(why)) => return Ok(Some(why)),
                Err(PublishFailure::Fatal(why, advice)) => return Err(PublishError(why, advice)),
                Err(PublishFailure::Temporary(why)) => why,
            };
            if stop.is_set() {
                return Err(PublishError(why, START_AGAIN));
            }
            let (delay, attempt) = backoff.next(Duration::ZERO, (self.config.random)());
            status::delivery_retry(self.config.status, "publish", &why, delay, attempt);
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = stop.wait() => return Err(PublishError(why, START_AGAIN)),
            }
        }
    }
}
