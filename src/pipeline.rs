//! The walk of one event: frame, event, shown, select, sink. One way, no back edges.
//!
//! Of a long recording, several threads walk one piece each (`worker`), where nothing depends on the order of events but the
//! order in which they are written (`pool`). What they can't do or must not tell is walked again in its turn, one event
//! after the other: what comes out is the same, to the byte.

pub mod pacing;
mod pool;
pub mod stop;
mod worker;

use std::io;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TryRecvError;

use crate::delivery::Delivery;
use crate::error::{Error, Exit, Result};
use crate::model::Kind;
use crate::model::catalog::TapGap;
use crate::model::decode::Decoder;
use crate::model::{Frame, Origin};
use crate::output::status::{self, RunCounts};
use crate::output::{EventSink, OutputError};
use crate::pipeline::pacing::Pace;
use crate::pipeline::stop::StopCondition;
use crate::query::{EventContext, EventFilter, Failures};
use crate::redact::{Policy, Redactor};
use crate::transport::progress::Progress;
use crate::transport::shutdown::ShutdownFlag;
use crate::transport::{Chunk, Item, Receiver};
use worker::{Worker, WorkerOutput};

/// The stages after decoding.
pub struct Stages {
    /// What is hidden.
    pub policy: Policy,
    /// Which events are kept.
    pub select: EventFilter,
    /// Where they go.
    pub sink: Box<dyn EventSink>,
    /// How many of them.
    pub limit: Option<u64>,
    /// What ends the run before that.
    pub judge: Box<dyn StopCondition>,
    /// How news is told.
    pub status: status::StatusFormat,
}

/// The stages, wired.
pub struct Pipeline {
    decoder: Decoder,
    redactor: Redactor,
    select: EventFilter,
    sink: Box<dyn EventSink>,
    delivery: Delivery,
    limit: Option<u64>,
    judge: Box<dyn StopCondition>,
    status: status::StatusFormat,
    counts: RunCounts,
    stop: Arc<ShutdownFlag>,
    /// How many threads may walk.
    threads: usize,
    progress: Option<Arc<Progress>>,
    pace: Option<Arc<Pace>>,
    /// The number of the recording that is read.
    recording: usize,
}

/// How a run went.
#[derive(Debug)]
pub struct RunOutcome {
    /// The status to exit with.
    pub exit: Exit,
    /// What it has done.
    pub counts: RunCounts,
    /// What there is to report on stdout.
    pub report: Option<String>,
}

impl Pipeline {
    /// A walk through these stages.
    #[must_use]
    pub fn new(stages: Stages) -> Self {
        let Stages { policy, select, sink, limit, judge, status } = stages;
        Self {
            decoder: Decoder::default(),
            redactor: Redactor::new(policy),
            select,
            sink,
            delivery: Delivery::default(),
            limit,
            judge,
            status,
            counts: RunCounts::default(),
            stop: Arc::default(),
            threads: 1,
            progress: None,
            pace: None,
            recording: 0,
        }
    }

    /// The same, on so many threads where the order of events doesn't matter.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// The same, with what events are delivered to beside the sink.
    #[must_use]
    pub fn with_delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self.delivery.stop_on(&self.stop);
        self
    }

    /// The same, telling how many events have come.
    #[must_use]
    pub fn with_progress(mut self, progress: Option<Arc<Progress>>) -> Self {
        self.progress = progress;
        self
    }

    /// The same, with events no sooner than they are due.
    #[must_use]
    pub fn with_pace(mut self, pace: Option<Arc<Pace>>) -> Self {
        self.pace = pace;
        self
    }

    /// Set from another thread, it ends the walk after the line in hand, whatever still waits.
    #[must_use]
    pub fn stop(&self) -> Arc<ShutdownFlag> {
        Arc::clone(&self.stop)
    }

    /// Takes items until there are no more, or enough. Blocks, waiting by the timers of `runtime`. What has been shown is
    /// flushed whenever nothing is at hand.
    pub fn run(mut self, mut items: Receiver, runtime: &Handle) -> Result<RunOutcome> {
        let taken = self.take(&mut items, runtime);
        // What went before a failure is whole.
        let finished = self.sink.finish();
        let taken = taken.and_then(|exit| {
            finished?;
            self.delivery.finish()?;
            Ok(exit)
        });
        let exit = match taken {
            Ok(exit) => exit,
            // The reader of the pipe has what it wanted.
            Err(OutputError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Err(OutputError::Io(error)) => {
                let advice = "free some space, or write elsewhere";
                return Err(Error::new(
                    Exit::Failure,
                    "cannot write the events",
                    error.kind().to_string(),
                    advice,
                ));
            }
            Err(OutputError::Failed(error)) => return Err(error),
        };
        if let Some(reason) = self.judge.reason() {
            status::verdict(self.status, &reason);
        }
        self.counts.forwarded = self.delivery.forwarded();
        self.counts.failed = self.select.failures() + self.sink.failures() + self.judge.failures();
        Ok(RunOutcome { exit, counts: self.counts, report: self.judge.report() })
    }

    fn take(&mut self, items: &mut Receiver, runtime: &Handle) -> Result<Exit, OutputError> {
        if self.limit == Some(0) {
            return Ok(Exit::Done);
        }
        loop {
            let deadline = self.judge.deadline();
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return Ok(self.judge.end());
            }
            let item = match items.try_recv() {
                Ok(item) => item,
                Err(TryRecvError::Disconnected) => return Ok(self.judge.end()),
                Err(TryRecvError::Empty) => {
                    self.flush()?;
                    let next = match deadline {
                        None => items.blocking_recv(),
                        Some(deadline) => {
                            match runtime.block_on(async {
                                tokio::time::timeout_at(deadline.into(), items.recv()).await
                            }) {
                                Ok(next) => next,
                                Err(_) => continue,
                            }
                        }
                    };
                    let Some(item) = next else { return Ok(self.judge.end()) };
                    item
                }
            };
            if matches!(&item, Item::Chunk(piece) if piece.is_large())
                && let Some(workers) = self.workers()
            {
                return pool::run(self, item, items, workers, runtime)
                    .unwrap_or_else(|| Ok(self.judge.end()));
            }
            if let Some(exit) = self.item(&item)? {
                return Ok(exit);
            }
            self.tell();
        }
    }

    fn item(&mut self, item: &Item) -> Result<Option<Exit>, OutputError> {
        match item {
            Item::Frame(frame) => self.frame(frame.as_frame()),
            Item::Chunk(piece) => self.piece(piece),
            Item::Recording(number) => {
                self.recording = *number;
                Ok(None)
            }
            Item::Connection(news) => {
                self.flush()?;
                if self.sink.news(news)? {
                    return Ok(None);
                }
                if self.status == status::StatusFormat::Inline
                    && let Some(frame) = news.frame(Timestamp::now())
                {
                    return self.frame(frame.as_frame());
                }
                status::news(self.status, news);
                Ok(None)
            }
        }
    }

    fn piece(&mut self, piece: &Chunk) -> Result<Option<Exit>, OutputError> {
        let origin = Origin::default();
        for frame in piece.frames(&origin) {
            if let Some(exit) = self.frame(frame)? {
                return Ok(Some(exit));
            }
        }
        Ok(None)
    }

    /// A lane for each thread, if there may be several and nothing here depends on what came before.
    fn workers(&mut self) -> Option<Vec<Worker>> {
        // They are not tried for again.
        let threads = std::mem::replace(&mut self.threads, 1);
        let is_free =
            threads > 1 && self.limit.is_none() && self.judge.is_noop() && self.delivery.is_none();
        let worker = || {
            let (redactor, select) = (self.redactor.fork(), self.select.fork());
            Some(Worker {
                decoder: Decoder::default(),
                redactor,
                select,
                render: self.sink.fork()?,
            })
        };
        is_free.then(|| (0..threads).map(|_| worker()).collect())?
    }

    /// Takes what a lane has made of a piece, or walks it again if that must not go out as it is.
    fn accept(
        &mut self,
        piece: &Chunk,
        walked: &WorkerOutput,
        out: &[u8],
    ) -> Result<Option<Exit>, OutputError> {
        // The first failure of an expression is told.
        let is_first = |(ours, theirs): (&mut Failures, &u64)| ours.count() == 0 && *theirs > 0;
        if walked.is_news
            || self
                .select
                .failures_each()
                .chain(self.sink.expression())
                .zip(&walked.failures)
                .any(is_first)
            || !self.sink.take(out, walked.counted.as_deref())?
        {
            return self.piece(piece);
        }
        for (ours, theirs) in
            self.select.failures_each().chain(self.sink.expression()).zip(&walked.failures)
        {
            ours.add(*theirs);
        }
        self.counts.add(&walked.counts);
        Ok(self.stop.is_set().then_some(Exit::Done))
    }

    /// Tells how many events have come.
    fn tell(&self) {
        if let Some(progress) = &self.progress {
            progress.set_events(self.counts.shown + self.counts.filtered);
        }
    }

    fn frame(&mut self, frame: Frame<'_>) -> Result<Option<Exit>, OutputError> {
        let shown = self.redactor.decode_and_redact(&mut self.decoder, frame);
        if self.delivery.is_known(&frame, &shown) {
            return Ok(None);
        }
        if let Some(pace) = &self.pace {
            let time = shown.tap().moment();
            // What came before is out before it waits.
            if pace.is_early(time) {
                self.sink.flush()?;
                self.delivery.flush()?;
            }
            if !pace.wait(time, self.judge.deadline()) {
                return Ok(Some(self.judge.end()));
            }
        }
        let context = EventContext::new(&shown).with_position(self.recording, frame.offset);
        self.counts.observe(&shown);
        if shown.kind() == Some(Kind::TapGap)
            && let Some(gap) = shown.read::<TapGap>()
        {
            self.counts.gaps += 1;
            status::gap(self.status, frame.origin, &gap);
        }
        let verdict = self.judge.observe(&context)?;
        if self.select.matches(&context)? {
            self.sink.event(&context)?;
            self.delivery.event(&shown)?;
            self.counts.shown += 1;
        } else {
            self.sink.filtered_out(&context)?;
            self.counts.filtered += 1;
        }
        if self.delivery.advance(&frame, &shown) {
            self.flush()?;
        }
        let enough =
            self.limit.is_some_and(|limit| self.counts.shown >= limit) || self.stop.is_set();
        Ok(verdict.or(enough.then_some(Exit::Done)))
    }

    /// First the sink, then the cursor: it never runs ahead of what is out.
    fn flush(&mut self) -> Result<(), OutputError> {
        self.sink.flush()?;
        self.delivery.flush()
    }
}
