//! The pipeline: decode, redact, filter, then write and deliver each event.
//!
//! Events pass through the stages one at a time and in order. Only for a long recording, and only
//! if no stage depends on the order of events, do several workers (`worker`) process one chunk
//! each, and their output is merged in order (`parallel`). A chunk that a worker cannot process, or
//! that contains something to report or to decide in order, is processed again on a single thread.
//! The output is byte for byte the same as that of a single thread.

mod alerting;
pub mod pacing;
mod parallel;
mod range;
mod stages;
pub mod stop;
mod streams;
mod worker;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TryRecvError;

use crate::analysis::alerts::AlertStage;
use crate::delivery::{Delivery, Lifecycle};
use crate::error::{Error, Exit, Result};
use crate::model::catalog::TapGap;
use crate::model::decode::Decoder;
use crate::model::{Frame, Kind, Origin, TimeRange};
use crate::output::event_ids::EventIds;
use crate::output::status::{self, RunCounts};
use crate::output::{Observer, OutputError, Writer};
use crate::pipeline::pacing::Pace;
use crate::pipeline::range::{Indexing, is_in_range};
pub use crate::pipeline::stages::Stages;
use crate::pipeline::stop::{StopCondition, Verdict};
use crate::query::{EventContext, EventFilter, Failures};
use crate::redact::Redactor;
use crate::transport::pool::{self, InOrder as _};
use crate::transport::progress::Progress;
use crate::transport::recording::{PartTimes, TimeIndexes};
use crate::transport::shutdown::ShutdownFlag;
use crate::transport::{Chunk, Item, Receiver};

/// Takes items from a source and passes their events through the stages.
pub struct Pipeline {
    decoder: Decoder,
    redactor: Redactor,
    filter: EventFilter,
    writer: Option<Writer>,
    observers: Vec<Box<dyn Observer>>,
    alerts: Option<AlertStage>,
    /// The line of the current alert.
    alert_line: String,
    delivery: Delivery,
    /// The lifecycle of the tap, if a destination takes its events.
    lifecycle: Option<Lifecycle>,
    limit: Option<u64>,
    range: TimeRange,
    /// The times of the events of the current chunk, if there is a range.
    times: PartTimes,
    indexing: Option<Indexing>,
    stop: Box<dyn StopCondition>,
    status: status::StatusFormat,
    /// Creates ids of events, if an output needs them.
    ids: Option<EventIds>,
    /// The id of the current event, if an output needs it.
    id: String,
    counts: RunCounts,
    /// The shown events that count towards the limit.
    counted: u64,
    /// Whether the last event ended the run.
    is_ended: bool,
    shutdown: Arc<ShutdownFlag>,
    threads: usize,
    progress: Option<Arc<Progress>>,
    pace: Option<Arc<Pace>>,
    /// The index of the recording that is read.
    recording: usize,
    /// The counts when that recording began.
    counts_before: RunCounts,
    /// The recordings in which nothing is an event.
    without_events: Vec<usize>,
}

/// Where an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EventOrigin {
    /// The input of the run.
    Input,
    /// The rules of the run.
    Rules,
}

/// The result of a run.
#[derive(Debug)]
pub struct RunOutcome {
    /// The status to exit with.
    pub exit: Exit,
    /// Why the run ended early, if an event could not be encoded, written or delivered.
    pub failure: Option<Error>,
    /// The counts of the run.
    pub counts: RunCounts,
    /// The indexes of the recordings in which nothing is an event.
    pub without_events: Vec<usize>,
    /// What the stop condition decided.
    pub verdict: Option<Verdict>,
    /// A report to print to stdout.
    pub report: Option<String>,
    /// Lines for the program that runs evtap.
    pub annotations: Vec<String>,
}

impl Pipeline {
    /// Creates a pipeline of these stages, which runs on one thread and delivers to stdout only.
    #[must_use]
    pub fn new(stages: Stages) -> Self {
        let Stages { policy, filter, writer, observers, alerts, limit, stop, status } = stages;
        Self {
            decoder: Decoder::default(),
            redactor: Redactor::new(policy),
            filter,
            writer,
            observers,
            alerts,
            alert_line: String::new(),
            delivery: Delivery::default(),
            lifecycle: None,
            limit,
            range: TimeRange::default(),
            times: PartTimes::default(),
            indexing: None,
            stop,
            status,
            ids: None,
            id: String::new(),
            counts: RunCounts::default(),
            counted: 0,
            is_ended: false,
            shutdown: Arc::default(),
            threads: 1,
            progress: None,
            pace: None,
            recording: 0,
            counts_before: RunCounts::default(),
            without_events: Vec::new(),
        }
    }

    /// Sets the number of workers, which is ignored where the order of events matters.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Sets the range of time whose events are read. The others are only counted.
    #[must_use]
    pub fn with_range(mut self, range: TimeRange) -> Self {
        self.range = range;
        self
    }

    /// Sets where to save which times occur in which part of the recordings.
    #[must_use]
    pub fn with_indexes(
        mut self,
        indexes: Option<Arc<TimeIndexes>>,
        recordings: &[PathBuf],
    ) -> Self {
        self.indexing = indexes.map(|indexes| Indexing::new(indexes, recordings.to_owned()));
        self
    }

    /// Sets the delivery of events besides stdout.
    #[must_use]
    pub fn with_delivery(mut self, delivery: Delivery) -> Self {
        self.lifecycle = delivery.tap().map(Lifecycle::new);
        if let Some((alerts, saved)) = self.alerts.as_mut().zip(delivery.rules()) {
            alerts.restore(&saved);
        }
        self.delivery = delivery;
        self.delivery.stop_on(&self.shutdown);
        self
    }

    /// Sets a progress display, which is given the number of events.
    #[must_use]
    pub fn with_progress(mut self, progress: Option<Arc<Progress>>) -> Self {
        self.progress = progress;
        self
    }

    /// Sets the pace: each event is held back until it is due.
    #[must_use]
    pub fn with_pace(mut self, pace: Option<Arc<Pace>>) -> Self {
        self.pace = pace;
        self
    }

    /// Returns a flag that ends the run after the current event when another thread sets it.
    #[must_use]
    pub fn shutdown(&self) -> Arc<ShutdownFlag> {
        Arc::clone(&self.shutdown)
    }

    /// Processes items until there are no more or the run ends. The output is flushed whenever no
    /// item is waiting.
    ///
    /// This blocks the thread; `runtime` provides the timers. A closed pipe on stdout is not a
    /// failure: it ends the run.
    pub fn run(mut self, mut items: Receiver, runtime: &Handle) -> RunOutcome {
        let needs_ids =
            self.delivery.needs_ids() || self.writer.as_ref().is_some_and(Writer::needs_ids);
        self.ids = needs_ids.then(EventIds::default);
        let processed = self.process(&mut items, runtime);
        let processed = processed.and_then(|exit| self.finish_alerts().map(|()| exit));
        // The output is completed even after a failure.
        let finished = self.finish_output();
        let processed = processed.and_then(|exit| {
            finished?;
            self.end_lifecycle()?;
            let save = self.alerts.as_ref().map(|alerts| || alerts.save());
            self.delivery.finish(save.as_ref().map(|save| save as _))?;
            Ok(exit)
        });
        let processed = processed.map_err(|error| {
            // What was handed over before the failure is still delivered, if that takes little time.
            self.shutdown.set();
            let completed = self.delivery.complete();
            if is_closed_pipe(&error) { completed.err().unwrap_or(error) } else { error }
        });
        self.delivery.end();
        self.counts.destinations = self.delivery.counts();
        self.counts.failed = self.failures();
        let failure = match processed {
            Ok(_) => None,
            // The reader closed the pipe, as `head` does once it has enough.
            Err(error) if is_closed_pipe(&error) => None,
            Err(OutputError::Io(error)) => {
                let why = error.kind().to_string();
                let advice = "free some space, or write elsewhere";
                Some(Error::new(Exit::Failure, "cannot write the output", why, advice))
            }
            Err(OutputError::Failed(error)) => Some(error),
        };
        let exit = failure.as_ref().map_or_else(|| self.stop.end(), |error| error.exit);
        let stop = failure.is_none().then_some(&self.stop);
        let verdict = stop.and_then(|stop| stop.verdict());
        let report = stop.and_then(|stop| stop.report());
        let annotations = stop.map(|stop| stop.annotations()).unwrap_or_default();
        let (counts, without_events) = (self.counts, self.without_events);
        RunOutcome { exit, failure, counts, without_events, verdict, report, annotations }
    }

    fn process(&mut self, items: &mut Receiver, runtime: &Handle) -> Result<Exit, OutputError> {
        if self.limit == Some(0) {
            return Ok(self.stop.end());
        }
        loop {
            let deadline = self.stop.deadline();
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return Ok(self.stop.end());
            }
            let item = match items.try_recv() {
                Ok(item) => item,
                Err(TryRecvError::Disconnected) => return Ok(self.end_of_items()),
                Err(TryRecvError::Empty) => {
                    self.flush_all()?;
                    let next = if deadline.is_none() && !self.delivery.is_unsettled() {
                        items.blocking_recv()
                    } else {
                        match runtime.block_on(next_item(items, &self.delivery, deadline)) {
                            Some(next) => next,
                            None => continue,
                        }
                    };
                    let Some(item) = next else { return Ok(self.end_of_items()) };
                    item
                }
            };
            if matches!(&item, Item::Chunk(chunk) if chunk.is_large())
                && let Some(workers) = self.workers()
            {
                return pool::run(self, Some(item), items, workers, runtime)
                    .unwrap_or_else(|| Ok(self.end_of_items()));
            }
            if let Some(end) = self.item(&item) {
                return end;
            }
            self.report_progress();
        }
    }

    /// Handles the end of all items, and returns the exit status.
    fn end_of_items(&mut self) -> Exit {
        self.end_recording();
        self.stop.end()
    }

    fn chunk(&mut self, chunk: &Chunk) -> Result<Option<Exit>, OutputError> {
        let origin = Origin::default();
        self.times = PartTimes::default();
        for frame in chunk.frames(&origin) {
            if let Some(exit) = self.frame(frame)? {
                return Ok(Some(exit));
            }
        }
        if let Some(indexing) = &mut self.indexing {
            indexing.add(chunk, &self.times);
        }
        Ok(None)
    }

    /// Returns the failure counters of the expressions that workers evaluate.
    fn expressions(&mut self) -> impl Iterator<Item = &mut Failures> {
        let encoder = self.writer.as_mut().and_then(Writer::failures);
        let rules = self.alerts.as_mut().map(AlertStage::failures_each);
        let rules = rules.into_iter().flatten();
        self.filter.failures_each().chain(encoder).chain(self.stop.failures_each()).chain(rules)
    }

    fn failures(&mut self) -> u64 {
        let observers: u64 = self.observers.iter().map(|observer| observer.failures()).sum();
        let expressions: u64 = self.expressions().map(|failures| failures.count()).sum();
        expressions + observers
    }

    /// Handles an event. Returns the exit status if the run ends with it, and whether so much is
    /// pending that it must be delivered.
    fn event(
        &mut self,
        frame: Frame<'_>,
        source: EventOrigin,
    ) -> Result<(Option<Exit>, bool), OutputError> {
        if frame.flags.replayed && self.ids.is_none() {
            return Ok((None, false));
        }
        let shown = self.redactor.decode_and_redact(&mut self.decoder, frame);
        if source == EventOrigin::Input
            && !is_in_range(self.range, &shown, &mut self.counts, &mut self.times)
        {
            return Ok((None, false));
        }
        if let Some(ids) = &mut self.ids {
            ids.next(&shown, frame.flags.connection, &mut self.id);
        }
        if frame.flags.replayed || self.delivery.is_known(&frame, &shown) {
            return Ok((None, false));
        }
        if let Some(pace) = &self.pace
            && source == EventOrigin::Input
        {
            let time = shown.tap().moment();
            // Earlier events are flushed before the wait.
            if pace.is_early(time) {
                flush(
                    self.writer.as_mut(),
                    &mut self.observers,
                    &mut self.delivery,
                    self.alerts.as_ref(),
                )?;
            }
            if !pace.wait(time, self.stop.deadline()) {
                return Ok((Some(self.stop.end()), false));
            }
        }
        let context = EventContext::new(&shown)
            .with_position(self.recording, frame.offset)
            .with_id(self.ids.is_some().then_some(&*self.id));
        self.counts.observe(&shown);
        if shown.kind() == Some(Kind::TapGap)
            && let Some(gap) = shown.read::<TapGap>()
        {
            self.counts.gaps += 1;
            status::gap(self.status, frame.origin, &gap);
        }
        let is_decided = self.stop.observe(&context)?;
        let mut is_shown = true;
        if let Some(alerts) = &mut self.alerts
            && source == EventOrigin::Input
        {
            alerts.event(&context);
            is_shown = !alerts.is_only();
        }
        if is_shown && self.filter.matches(&context) {
            for observer in &mut self.observers {
                observer.event(&context)?;
            }
            if let Some(writer) = &mut self.writer {
                writer.event(&context)?;
            }
            self.delivery.event(&context)?;
            self.counts.shown += 1;
            if !shown.kind().is_some_and(Kind::is_notice) {
                self.counted += 1;
                self.stop.passed();
            }
        } else {
            for observer in &mut self.observers {
                observer.filtered_out(&context)?;
            }
            // Others must know of the gap, even if it is not shown here.
            if shown.kind() == Some(Kind::TapGap) {
                self.delivery.lifecycle(&context)?;
            }
            self.counts.filtered += 1;
        }
        if let Some(lifecycle) = &mut self.lifecycle {
            lifecycle.advance(&frame);
        }
        let is_full = self.delivery.advance(&frame, &shown);
        self.is_ended = is_decided || self.limit.is_some_and(|limit| self.counted >= limit);
        let is_done = self.is_ended || self.shutdown.is_set();
        Ok((is_done.then(|| self.stop.end()), is_full))
    }

    fn flush_all(&mut self) -> Result<(), OutputError> {
        let alerts = self.alerts.as_ref();
        flush(self.writer.as_mut(), &mut self.observers, &mut self.delivery, alerts)
    }

    /// Completes the output. Observers finish even if writing fails.
    fn finish_output(&mut self) -> io::Result<()> {
        let mut finished = self.writer.as_mut().map_or(Ok(()), Writer::finish);
        for observer in &mut self.observers {
            finished = finished.and(observer.finish());
        }
        finished
    }
}

fn is_closed_pipe(error: &OutputError) -> bool {
    matches!(error, OutputError::Io(error) if error.kind() == io::ErrorKind::BrokenPipe)
}

/// Waits for the next item. Returns `None` at the deadline, and when events have been delivered in
/// the background.
async fn next_item(
    items: &mut Receiver,
    delivery: &Delivery,
    deadline: Option<Instant>,
) -> Option<Option<Item>> {
    let end = async {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        next = items.recv() => Some(next),
        () = delivery.wait(), if delivery.is_unsettled() => None,
        () = end => None,
    }
}

/// Flushes stdout before delivering, so that the cursor never gets ahead of stdout.
fn flush(
    writer: Option<&mut Writer>,
    observers: &mut [Box<dyn Observer>],
    delivery: &mut Delivery,
    alerts: Option<&AlertStage>,
) -> Result<(), OutputError> {
    writer.map_or(Ok(()), Writer::flush)?;
    for observer in observers {
        observer.flush()?;
    }
    let save = alerts.map(|alerts| || alerts.save());
    delivery.flush(save.as_ref().map(|save| save as _))
}

#[cfg(test)]
mod tests;
