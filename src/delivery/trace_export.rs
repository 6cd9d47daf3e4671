//! Exporting the traces of calls to a collector, by OTLP over HTTP.
//!
//! The exporter builds spans from the events that are shown, and a task of its own posts them. The
//! pipeline does not wait for the collector: spans wait in a limited queue, and those that do not
//! fit are dropped and counted. At the end of the run the exporter waits a limited time for the
//! collector to take the rest.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::destination::Destination;
use super::results::ResultCounts;
use super::trace_collector_client::{CollectorClient, Posted};
use super::trace_queue::TraceQueue;
use crate::analysis::traces::{CallSpans, TraceCollector, TracedStreams, otlp};
use crate::output::OutputError;
use crate::output::status::{DestinationCounts, StatusFormat};
use crate::output::trace_status;
use crate::query::EventContext;
use crate::transport::shutdown::ShutdownFlag;

/// How often calls are looked for that are over, in a stream without events.
const TICK: Duration = Duration::from_secs(1);

/// The time that the collector has to take the rest when the run ends by itself.
const END_GRACE: Duration = Duration::from_secs(10);

/// The time that the collector has to take the rest when the run was asked to stop. It is less than
/// the time that the pipeline has to finish.
const STOP_GRACE: Duration = Duration::from_millis(800);

/// Exports the traces of calls.
pub struct TraceExporter {
    shared: Arc<Shared>,
    runtime: Handle,
    task: Option<JoinHandle<()>>,
    stop: Arc<ShutdownFlag>,
    status: StatusFormat,
}

/// What the exporter and its task share.
struct Shared {
    state: Mutex<ExportState>,
    /// The number of requests that were repeated.
    retries: AtomicU64,
    /// Wakes the task when spans wait or the run ends.
    wake: Notify,
    status: StatusFormat,
}

struct ExportState {
    collector: TraceCollector,
    queue: TraceQueue,
    counts: DestinationCounts,
    is_ending: bool,
}

impl TraceExporter {
    /// Creates an exporter to a collector, which uses the timers and sockets of `runtime`.
    #[must_use]
    pub fn new(client: CollectorClient, streams: TracedStreams, runtime: Handle) -> Self {
        let status = client.status;
        let counts = DestinationCounts {
            unit: Some("span"),
            dropped: Some(0),
            ..DestinationCounts::new("collector", "exported")
        };
        let state = ExportState {
            collector: TraceCollector::new(streams),
            queue: TraceQueue::default(),
            counts,
            is_ending: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            retries: AtomicU64::new(0),
            wake: Notify::new(),
            status,
        });
        let task = runtime.spawn(export(Arc::clone(&shared), client));
        Self { shared, runtime, task: Some(task), stop: Arc::default(), status }
    }

    /// Builds spans, and puts them into the queue.
    fn collect(&self, spans: impl FnOnce(&mut TraceCollector) -> Vec<CallSpans>) {
        self.shared.collect(spans);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, ExportState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn collect(&self, spans: impl FnOnce(&mut TraceCollector) -> Vec<CallSpans>) {
        let mut state = self.lock();
        let calls = spans(&mut state.collector);
        if calls.is_empty() {
            return;
        }
        let was_full = state.queue.dropped() > 0;
        for part in calls.iter().flat_map(otlp::resource_spans) {
            state.queue.push(part);
        }
        let is_full = state.queue.dropped() > 0;
        drop(state);
        if is_full && !was_full {
            trace_status::dropped(self.status);
        }
        self.wake.notify_one();
    }

    /// Ends the current request with a result, and counts its spans.
    fn end_batch(&self, posted: &Posted) {
        let mut state = self.lock();
        let spans = state.queue.end_batch();
        let (refused, why) = match posted {
            Posted::Accepted { rejected } => {
                (spans.min(*rejected), "the collector rejected a part of a request")
            }
            Posted::Refused(why) => (spans, why.as_str()),
        };
        let is_first = state.counts.refused == 0;
        state.counts.refused += refused;
        state.counts.delivered += spans - refused;
        drop(state);
        if refused > 0 {
            trace_status::refused(self.status, why, refused, is_first);
        }
    }
}

/// Posts the spans in the queue until the run ends and the queue is empty.
async fn export(shared: Arc<Shared>, mut client: CollectorClient) {
    let mut tick = tokio::time::interval(TICK);
    loop {
        let batch = shared.lock().queue.take_batch();
        if let Some(body) = batch {
            let posted = client.deliver(body.into(), &shared.retries).await;
            shared.end_batch(&posted);
            continue;
        }
        if shared.lock().is_ending {
            return;
        }
        tokio::select! {
            () = shared.wake.notified() => {}
            _ = tick.tick() => shared.collect(|collector| collector.expire(Timestamp::now())),
        }
    }
}

impl Destination for TraceExporter {
    fn stop_on(&mut self, stop: &Arc<ShutdownFlag>) {
        self.stop = Arc::clone(stop);
    }

    fn lifecycle(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        self.event(context)
    }

    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        self.collect(|collector| collector.observe(context.event, Timestamp::now()));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        self.collect(|collector| collector.expire(Timestamp::now()));
        Ok(())
    }

    fn end(&mut self) {
        let Some(mut task) = self.task.take() else { return };
        self.collect(TraceCollector::finish);
        self.shared.lock().is_ending = true;
        self.shared.wake.notify_one();
        let stop = Arc::clone(&self.stop);
        self.runtime.block_on(async {
            let stopped = async {
                stop.wait().await;
                tokio::time::sleep(STOP_GRACE).await;
            };
            tokio::select! {
                biased;
                _ = &mut task => {}
                () = stopped => task.abort(),
                () = tokio::time::sleep(END_GRACE) => task.abort(),
            }
        });
        let mut state = self.shared.lock();
        let unsent = state.queue.drop_all();
        let late = state.collector.late();
        drop(state);
        if unsent > 0 {
            trace_status::unsent(self.status, unsent);
        }
        if late > 0 {
            trace_status::late(self.status, late);
        }
    }

    fn results(&self) -> Option<Arc<dyn ResultCounts>> {
        Some(Arc::clone(&self.shared) as _)
    }
}

impl ResultCounts for Shared {
    fn counts(&self) -> DestinationCounts {
        let state = self.lock();
        DestinationCounts { dropped: Some(state.queue.dropped()), ..state.counts }
    }

    fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The spans that wait are not shown.
        self.counts().fmt(formatter)
    }
}
