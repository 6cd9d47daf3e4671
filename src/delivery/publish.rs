//! Publishing: each shown event is stored in a stream of a message broker.
//!
//! The pipeline hands events over when it flushes, after stdout, and goes on. A task publishes them:
//! those of a workspace one at a time and in order, while different workspaces do not wait for each
//! other. The cursor follows once the events are stored. Each event has an id that is the same in
//! every run and on every machine, so the stream stores it once, even if it is published again
//! because an acknowledgement was lost, the run was killed, or another tap publishes it too.
//!
//! The memory of events that are not acknowledged is limited. While the broker is away, the pipeline
//! waits for room, and so do the sockets behind it; the platform's stream is resumed later.

mod config;
mod fingerprints;
mod message;
mod progress;
mod queues;
mod task;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::destination::{DeliveryProgress, Destination, LastStored};
use super::failure::DeliveryFailure;
use super::results::ResultCounts;
use crate::model::{Kind, cloudevent};
use crate::output::OutputError;
use crate::output::cloudevents::cloud_event;
use crate::query::EventContext;
use crate::redact::Fnv;
use crate::transport::broker::{Broker, of_tap, subject};
use crate::transport::shutdown::ShutdownFlag;
pub use config::PublishConfig;
use message::PendingMessage;
use progress::{Awaited, MAX_UNACKNOWLEDGED, PublishProgress};
use task::PublishTask;

/// The size of a batch, in bytes: once it is reached, the events are handed over.
const BATCH: usize = 256 << 10;

/// Publishes events to a stream of a broker.
pub struct Publisher {
    broker: Arc<Broker>,
    config: Arc<PublishConfig>,
    runtime: Handle,
    /// The events that have not been handed over.
    batch: Vec<PendingMessage>,
    bytes: usize,
    /// The buffer in which bodies are encoded.
    body: Vec<u8>,
    progress: Arc<PublishProgress>,
    /// Where events are handed over; `None` before the first ones.
    batches: Option<UnboundedSender<Vec<PendingMessage>>>,
    stop: Arc<ShutdownFlag>,
}

impl Publisher {
    /// Creates a publisher, which uses the timers and sockets of `runtime`.
    #[must_use]
    pub fn new(broker: Broker, config: PublishConfig, runtime: Handle) -> Self {
        Self {
            broker: Arc::new(broker),
            config: Arc::new(config),
            runtime,
            batch: Vec::new(),
            bytes: 0,
            body: Vec::new(),
            progress: Arc::default(),
            batches: None,
            stop: Arc::default(),
        }
    }

    /// Adds an event to the batch.
    fn push(&mut self, context: &EventContext<'_>, is_lifecycle: bool) {
        let event = context.event;
        let (tap, event_type) = (event.tap(), event.event_type());
        let (workspace, call) = (tap.workspace_id.as_deref(), tap.call_sid.as_deref());
        self.body.clear();
        cloud_event(context, &mut self.body);
        let id = context.id.unwrap_or_default();
        let PublishConfig { prefix, tap: own_name, leases, .. } = &*self.config;
        let subject = subject(prefix, workspace, call, event_type);
        let is_notice = event.kind().is_some_and(Kind::is_notice);
        // What a tap says of itself needs no lease.
        let lease = leases
            .as_ref()
            .zip(call.filter(|_| !is_notice))
            .and_then(|(leases, call)| leases.epoch(call).map(|epoch| (call.to_owned(), epoch)));
        let workspace_token = prefix.workspace_in(&subject);
        let message = PendingMessage {
            // The last notice of each tap can be found by its subject.
            subject: if is_notice {
                let name = event.field("tap").and_then(|field| field.text());
                of_tap(subject, name.as_deref().unwrap_or(own_name)).into()
            } else {
                subject.into()
            },
            workspace: workspace_token,
            id: format!("{}#{id}", cloudevent::source(workspace, call).concat()),
            event_type: event_type.to_owned(),
            body: Bytes::copy_from_slice(&self.body),
            is_lifecycle,
            lease,
        };
        self.bytes += message.size();
        self.batch.push(message);
    }

    /// Starts the task that publishes.
    fn start(&self) -> UnboundedSender<Vec<PendingMessage>> {
        let (sender, batches) = unbounded_channel();
        let task = PublishTask {
            broker: Arc::clone(&self.broker),
            config: Arc::clone(&self.config),
            headers: self.config.headers(self.broker.stream_name()),
            batches,
            progress: Arc::clone(&self.progress),
            stop: Arc::clone(&self.stop),
        };
        self.runtime.spawn(task.run());
        sender
    }

    /// Blocks until `awaited`, or until the run was asked to stop and has no time left.
    fn wait_for(&self, awaited: Awaited) -> Result<(), OutputError> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.progress.wait(awaited) => {}
                failure = DeliveryFailure::of_stop(&self.stop) => self.progress.fail(failure),
            }
        });
        self.progress().map(|_| ())
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
        Some(&self.config.tap)
    }

    fn tap_key(&self) -> Option<u64> {
        let PublishConfig { prefix, tap, .. } = &*self.config;
        let mut hash = Fnv::default();
        for part in [tap, &prefix.all(), &self.broker.stream_key()] {
            hash.update(part);
        }
        Some(hash.0)
    }

    fn last_stored(&self) -> Option<LastStored> {
        self.progress.counts().last_stored
    }

    fn holds(&self, last: LastStored) -> LocalBoxFuture<'_, bool> {
        let id = self.broker.header_at(last.place, message::ID);
        id.map(move |id| id.is_some_and(|id| message::id_hash(&id) == last.id)).boxed_local()
    }

    fn lifecycle(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        self.push(context, true);
        Ok(())
    }

    fn restarts(&self) -> u64 {
        self.progress.counts().restarts
    }

    fn is_full(&self) -> bool {
        self.bytes >= BATCH
    }

    /// Hands the events over, and blocks while too many are not acknowledged.
    fn flush(&mut self) -> Result<(), OutputError> {
        let batch = std::mem::take(&mut self.batch);
        let bytes = std::mem::take(&mut self.bytes);
        if batch.is_empty() {
            return Ok(());
        }
        self.batch.reserve(batch.len());
        let left = batch.iter().filter(|message| !message.is_lifecycle).count();
        self.progress.update(|counts| {
            counts.taken += batch.len() as u64;
            counts.left += left;
            counts.bytes += bytes;
        });
        if self.batches.is_none() {
            self.batches = Some(self.start());
        }
        if let Some(batches) = &self.batches {
            // If the task has ended, the progress says why.
            let _ = batches.send(batch);
        }
        if self.progress.counts().bytes > MAX_UNACKNOWLEDGED {
            self.wait_for(Awaited::Room)?;
        }
        Ok(())
    }

    fn acknowledge(&mut self) -> Result<(), OutputError> {
        self.wait_for(Awaited::Settled(self.progress.counts().taken))
    }

    fn progress(&self) -> Result<Option<DeliveryProgress>, OutputError> {
        let counts = self.progress.counts();
        let is_complete = counts.settled == counts.taken;
        match self.progress.failure().filter(|_| !is_complete) {
            None => {
                let (taken, delivered) = (counts.taken, counts.settled);
                Ok(Some(DeliveryProgress { taken, delivered }))
            }
            Some(failure) => Err(failure.into_error(
                "publish",
                &ResultCounts::counts(&*self.progress),
                counts.left,
            )),
        }
    }

    fn wait(&self, delivered: u64) -> LocalBoxFuture<'_, ()> {
        self.progress.wait(Awaited::Settled(delivered)).boxed_local()
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        if let Some(leases) = &self.config.leases {
            self.runtime.block_on(leases.release());
        }
        Ok(())
    }

    fn results(&self) -> Option<Arc<dyn ResultCounts>> {
        Some(Arc::clone(&self.progress) as _)
    }
}
