//! The task that publishes: it runs where the sockets are, so that an acknowledgement wakes no other
//! thread.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{HeaderMap, Subscriber};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until};

use super::config::{FINGERPRINT, PublishConfig};
use super::fingerprints::Fingerprints;
use super::message::{PendingMessage, id_hash};
use super::progress::PublishProgress;
use super::queues::PublishQueues;
use crate::delivery::destination::LastStored;
use crate::delivery::failure::DeliveryFailure;
use crate::output::status;
use crate::transport::broker::{
    Acknowledgements, Broker, PublishFailure, PublishResult, StoredPlace,
};
use crate::transport::call_lease::LeaseCheck;
use crate::transport::shutdown::ShutdownFlag;

/// The time for which it is known why no stream takes events.
const KNOWN: Duration = Duration::from_secs(1);

/// How often an event is published again after an error of the broker that evtap does not know. With
/// the delays between the attempts, that takes about ten seconds.
const MAX_UNKNOWN: u32 = 6;

/// The advice for such an error.
const UNKNOWN: &str = "look the number up in the documentation of NATS, and start again; with \
                       --cursor the run resumes where it stopped";

const LAPSED: &str = "the lease of the call has not been renewed in time";

const TAKEN_OVER: &str = "another tap has taken the call over";

/// The events of which one is published after the other.
pub(super) type Batches = UnboundedReceiver<Vec<PendingMessage>>;

/// The queue that waits for a comparison of fingerprints, and the other fingerprint.
type Compared = Pin<Box<dyn Future<Output = (usize, Option<String>)> + Send>>;

/// What the task has from the start.
pub(super) struct PublishTask {
    pub broker: Arc<Broker>,
    pub config: Arc<PublishConfig>,
    /// The headers that all messages have.
    pub headers: HeaderMap,
    pub batches: Batches,
    pub progress: Arc<PublishProgress>,
    pub stop: Arc<ShutdownFlag>,
}

impl PublishTask {
    /// Publishes until there are no more batches, or until that cannot succeed any more.
    pub async fn run(self) {
        // Also if the task panics, or if the runtime ends.
        let guard = FailOnDrop(Arc::clone(&self.progress));
        let progress = Arc::clone(&self.progress);
        let Ok(acknowledgements) = self.broker.acknowledgements().await else { return };
        let announcements = self.broker.announcements().await;
        let PublishConfig { fingerprint, prefix, status, .. } = &*self.config;
        let running = RunningTask {
            connections: self.broker.connections(),
            fingerprints: Fingerprints::new(fingerprint, prefix, *status),
            task: self,
            acknowledgements,
            announcements,
            queues: PublishQueues::default(),
            comparisons: FuturesUnordered::new(),
            reported_until: None,
            no_stream: None,
            last_place: 0,
            is_deleted: false,
            is_stopping: false,
        };
        if let Err(failure) = running.run().await {
            progress.fail(failure);
        }
        drop(guard);
    }
}

/// Reports that nothing is published any more.
struct FailOnDrop(Arc<PublishProgress>);

impl Drop for FailOnDrop {
    fn drop(&mut self) {
        self.0.fail(DeliveryFailure::temporary("the connection to the broker was closed"));
    }
}

struct RunningTask {
    task: PublishTask,
    acknowledgements: Acknowledgements,
    announcements: Option<Subscriber>,
    queues: PublishQueues,
    fingerprints: Fingerprints,
    comparisons: FuturesUnordered<Compared>,
    /// Until when another delay is not reported, so that an outage that all workspaces notice is not
    /// reported by all of them.
    reported_until: Option<Instant>,
    /// Why no stream takes events, and since when this is known.
    no_stream: Option<(Instant, String)>,
    /// The place in the stream where the last event was stored.
    last_place: u64,
    /// Whether the stream does not exist.
    is_deleted: bool,
    /// The number of connections to the broker so far.
    connections: u64,
    is_stopping: bool,
}

impl RunningTask {
    async fn run(mut self) -> Result<(), DeliveryFailure> {
        loop {
            self.send().await?;
            self.report();
            let deadline = self.queues.deadline();
            tokio::select! {
                biased;
                answer = self.acknowledgements.next() => {
                    let Some(mut answer) = answer else { return Ok(()) };
                    loop {
                        self.answered(answer.0, answer.1).await?;
                        match self.acknowledgements.try_next() {
                            Some(next) => answer = next,
                            None => break,
                        }
                    }
                }
                batch = self.task.batches.recv() => {
                    let Some(batch) = batch else { return Ok(()) };
                    self.push(batch);
                }
                Some((at, other)) = self.comparisons.next(), if !self.comparisons.is_empty() => {
                    if let Some(other) = other {
                        self.fingerprints.compare(&other);
                    }
                    self.queues.release(at);
                }
                Some(message) = announced(&mut self.announcements) => {
                    self.fingerprints.announced(&message);
                }
                () = self.task.broker.changed() => self.connection_changed().await?,
                () = until(deadline) => {
                    let now = Instant::now();
                    for at in self.queues.unanswered(Some(now)) {
                        self.failed(at, PublishFailure::timed_out()).await?;
                    }
                    self.queues.end_delays(Some(now));
                }
                () = self.task.stop.wait(), if !self.is_stopping => {
                    self.is_stopping = true;
                    if let Some(why) = self.queues.why_delayed() {
                        return Err(DeliveryFailure::temporary(why));
                    }
                }
            }
        }
    }

    fn push(&mut self, batch: Vec<PendingMessage>) {
        let Self { queues, fingerprints, comparisons, task, .. } = self;
        queues.push(batch, |at, workspace| {
            let is_new = fingerprints.add(workspace);
            if is_new {
                let broker = Arc::clone(&task.broker);
                let pattern = task.config.prefix.of_workspace(workspace);
                comparisons.push(
                    async move { (at, broker.last_header(&pattern, FINGERPRINT).await) }.boxed(),
                );
            }
            is_new
        });
    }

    /// Sends the first event of each queue that is ready.
    async fn send(&mut self) -> Result<(), DeliveryFailure> {
        while let Some(at) = self.queues.next_ready() {
            let Some(message) = self.queues.first(at) else { continue };
            let lease = message.lease.as_ref().zip(self.task.config.leases.as_ref());
            match lease.map(|((call, epoch), leases)| leases.check(call, *epoch)) {
                None | Some(LeaseCheck::Valid) => {}
                Some(LeaseCheck::Lapsed) => {
                    self.failed(at, PublishFailure::Temporary(LAPSED.to_owned())).await?;
                    continue;
                }
                Some(LeaseCheck::Lost) => {
                    self.failed(at, PublishFailure::Refused(TAKEN_OVER)).await?;
                    continue;
                }
            }
            let headers = message.headers(&self.task.headers);
            let (subject, body) = (message.subject.clone(), message.body.clone());
            let number = self.queues.sent(at, Instant::now());
            if let Err(failure) = self.task.broker.send(number, subject, headers, body).await {
                self.answered(number, Err(failure)).await?;
            }
        }
        Ok(())
    }

    /// Handles the answer to a message.
    async fn answered(
        &mut self,
        number: u64,
        answer: PublishResult,
    ) -> Result<(), DeliveryFailure> {
        let at = self.queues.answered(number);
        if let Ok(Some(stored)) = answer {
            self.stored_at(stored, at);
        }
        let Some(at) = at else { return Ok(()) };
        match answer {
            Ok(_) => self.queues.settle(at, true),
            Err(failure) => self.failed(at, failure).await?,
        }
        Ok(())
    }

    /// Notes where an event is stored, of which queue it is the first one. If it was stored before
    /// others, the stream has lost them.
    fn stored_at(&mut self, StoredPlace { place, is_duplicate }: StoredPlace, at: Option<usize>) {
        if let Some(message) = at.and_then(|at| self.queues.first(at)) {
            let last = LastStored { place, id: id_hash(&message.id) };
            self.task.progress.update(|counts| {
                if counts.last_stored.is_none_or(|last| last.place < place) {
                    counts.last_stored = Some(last);
                }
            });
        }
        if is_duplicate {
            return;
        }
        let before = std::mem::replace(&mut self.last_place, place);
        if std::mem::take(&mut self.is_deleted) || place <= before {
            self.task.progress.update(|counts| counts.restarts += 1);
        }
    }

    /// Handles the failure to store the first event of a queue.
    async fn failed(&mut self, at: usize, failure: PublishFailure) -> Result<(), DeliveryFailure> {
        let config = &self.task.config;
        let why = match failure {
            PublishFailure::Temporary(why) => why,
            PublishFailure::NoStream => self.why_no_stream().await,
            PublishFailure::Unknown(code) => {
                let why = format!("the broker answered with JetStream error {code}");
                // An error that does not pass would stop the workspace for good, and with it all
                // others once the memory is full.
                let count = self.queues.count_unknown(at);
                if count > MAX_UNKNOWN {
                    let why = format!("{why}, {count} times");
                    return Err(DeliveryFailure::permanent(why, UNKNOWN));
                }
                why
            }
            PublishFailure::Fatal(why, advice) => {
                return Err(DeliveryFailure::permanent(why, advice));
            }
            PublishFailure::Refused(why) => {
                if let Some(message) = self.queues.first(at) {
                    status::publish_refused(config.status, why, &message.event_type);
                }
                self.queues.settle(at, false);
                return Ok(());
            }
        };
        if self.task.stop.is_set() {
            return Err(DeliveryFailure::temporary(why));
        }
        let now = Instant::now();
        let config = &self.task.config;
        self.task.progress.update(|counts| counts.retries += 1);
        let (delay, attempt) = self.queues.delay(at, why.clone(), now, (config.random)());
        if self.reported_until.is_none_or(|until| until <= now) {
            self.reported_until = Some(now + delay);
            status::delivery_retry(config.status, "publish", &why, delay, attempt);
        }
        Ok(())
    }

    async fn why_no_stream(&mut self) -> String {
        if let Some((since, why)) = &self.no_stream
            && since.elapsed() < KNOWN
        {
            return why.clone();
        }
        let (why, is_deleted) = self.task.broker.why_no_stream().await;
        self.is_deleted |= is_deleted;
        self.no_stream = Some((Instant::now(), why.clone()));
        why
    }

    async fn connection_changed(&mut self) -> Result<(), DeliveryFailure> {
        let is_connected = self.task.broker.is_connected();
        if is_connected {
            self.queues.end_delays(None);
        }
        let connections = self.task.broker.connections();
        let is_new = std::mem::replace(&mut self.connections, connections) != connections;
        if is_new || !is_connected {
            // What was under way on the connection before is not acknowledged any more.
            for at in self.queues.unanswered(None) {
                self.failed(at, PublishFailure::connection_lost()).await?;
            }
        }
        Ok(())
    }

    /// Reports what has been settled.
    fn report(&mut self) {
        let changes = self.queues.take_changes();
        if changes.bytes == 0 {
            return;
        }
        self.task.progress.update(|counts| {
            counts.bytes -= changes.bytes;
            counts.left -= changes.left;
            counts.settled += changes.settled;
            counts.delivered += changes.delivered;
            counts.refused += changes.refused;
        });
    }
}

async fn announced(announcements: &mut Option<Subscriber>) -> Option<async_nats::Message> {
    match announcements {
        Some(announcements) => announcements.next().await,
        None => std::future::pending().await,
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
