//! A session: the sources, pipeline, destinations, live screen and signal handling of one run.

use std::future::Future;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::cli::config;
use crate::cli::destinations::OpenDestination;
use crate::cli::metrics::MetricsServer;
use crate::cli::platform::SourceTask;
use crate::cli::progress::ProgressLine;
use crate::delivery::{Cursor, Delivery, Destination};
use crate::error::{Error, Exit, Result};
use crate::model::TimeRange;
use crate::output::status::{self, DestinationCounts, StatusFormat};
use crate::pipeline::pacing::Pace;
use crate::pipeline::{Pipeline, RunOutcome, Stages};
use crate::query::program::THREAD_STACK;
use crate::transport::merge::Merge;
use crate::transport::progress::Progress;
use crate::transport::recording::TimeIndexes;
use crate::transport::{self, Sender, recording, shutdown};
use crate::tui::config::ScreenConfig;
use crate::tui::{LiveScreen, view};

/// How long the pipeline may take to finish the current event after a signal.
pub const GRACE: Duration = Duration::from_secs(2);

/// Configures a session and runs it.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct SessionBuilder {
    stages: Stages,
    destinations: Vec<Box<dyn Destination>>,
    cursor: Option<Cursor>,
    resumes: bool,
    merge: Merge,
    fail_on_gap: bool,
    threads: usize,
    screen: Option<ScreenConfig>,
    progress: Option<Arc<Progress>>,
    is_quiet: bool,
    pace: Option<Arc<Pace>>,
    recordings: Vec<PathBuf>,
    reloads: bool,
    metrics: Option<MetricsServer>,
    range: TimeRange,
    indexes: Option<Arc<TimeIndexes>>,
}

impl SessionBuilder {
    /// Creates a session with default options: one thread, no destination besides stdout.
    pub fn new(stages: Stages) -> Self {
        Self {
            stages,
            destinations: Vec::new(),
            cursor: None,
            resumes: false,
            merge: Merge::Arrival,
            fail_on_gap: false,
            threads: 1,
            screen: None,
            progress: None,
            is_quiet: false,
            pace: None,
            recordings: Vec::new(),
            reloads: false,
            metrics: None,
            range: TimeRange::default(),
            indexes: None,
        }
    }

    /// Opens destinations, which take events after stdout and in this order.
    pub async fn with_destinations(mut self, destinations: Vec<OpenDestination>) -> Result<Self> {
        for open in destinations {
            self.destinations.push(open(Handle::current()).await?);
        }
        Ok(self)
    }

    /// Sets the cursor, which advances once all destinations have acknowledged.
    pub fn with_cursor(self, cursor: Option<Cursor>) -> Self {
        let resumes = cursor.as_ref().is_some_and(Cursor::resumes);
        Self { cursor, resumes, ..self }
    }

    /// Says whether the source continues where an earlier run ended.
    pub fn with_resumption(self, resumes: bool) -> Self {
        Self { resumes, ..self }
    }

    /// Makes an otherwise successful run exit with [`Exit::Lost`] after a gap or a refused event.
    pub fn with_fail_on_gap(self, fail_on_gap: bool) -> Self {
        Self { fail_on_gap, ..self }
    }

    /// Sets how several streams are merged.
    pub fn with_merge(self, merge: Merge) -> Self {
        Self { merge, ..self }
    }

    /// Sets the worker count; ignored where event order matters.
    pub fn with_threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// Sets the range of time whose events are read.
    pub fn with_range(self, range: TimeRange) -> Self {
        Self { range, ..self }
    }

    /// Returns what is known of the times in recordings, which is also saved at the end; `None` if
    /// there is no range.
    pub fn use_indexes(&mut self) -> Option<Arc<TimeIndexes>> {
        self.indexes = TimeIndexes::in_cache(config::cache_dir(), self.range).map(Arc::new);
        self.indexes.clone()
    }

    /// Shows the live screen, if one was asked for.
    pub fn with_tui(self, screen: Option<ScreenConfig>) -> Self {
        Self { screen, ..self }
    }

    /// Serves metrics of the run, if that was asked for.
    pub fn with_metrics(self, metrics: Option<MetricsServer>) -> Self {
        Self { metrics, ..self }
    }

    /// Holds each event back until it is due.
    pub fn with_pacing(self, pace: Arc<Pace>) -> Self {
        Self { pace: Some(pace), ..self }
    }

    /// Leaves SIGHUP to a source that reads a file again, unless there is a live screen.
    pub fn with_reloads(self, reloads: bool) -> Self {
        Self { reloads, ..self }
    }

    /// Names the recordings that are read, in order. Without an event in one of them, the run fails.
    pub fn with_recordings(self, recordings: &[PathBuf]) -> Self {
        Self { recordings: recordings.to_owned(), ..self }
    }

    /// Reports how much of the recordings has been read. `is_quiet` says that nothing is written
    /// until the end.
    pub fn with_progress(self, progress: &Arc<Progress>, is_quiet: bool) -> Self {
        Self { progress: Some(Arc::clone(progress)), is_quiet, ..self }
    }

    /// Runs the session until all sources have ended, a stop condition holds or a signal arrives.
    pub fn run(
        self,
        sources: impl FnOnce(Sender) -> Vec<SourceTask>,
    ) -> impl Future<Output = Result<Exit>> {
        // It is large, and a part of the future of every command.
        Box::pin(self.run_to_end(sources))
    }

    async fn run_to_end(self, sources: impl FnOnce(Sender) -> Vec<SourceTask>) -> Result<Exit> {
        let Self { mut stages, merge, fail_on_gap, screen, progress, pace, .. } = self;
        let mut live =
            screen.map(|setup| LiveScreen::open(setup, &mut stages, view::draw)).transpose()?;
        let _serving = self.metrics.map(|metrics| metrics.start(&self.destinations, &mut stages));
        let has_screen = live.is_some();
        let (format, is_watched) = (stages.status, std::io::stderr().is_terminal());
        let mut progress_line =
            ProgressLine::new(progress.clone().filter(|_| !has_screen), format, self.is_quiet);
        let pipeline = Pipeline::new(stages)
            .with_delivery(delivery(self.destinations, self.cursor, self.resumes).await)
            .with_progress(progress)
            .with_threads(self.threads)
            .with_range(self.range)
            .with_indexes(self.indexes, &self.recordings)
            .with_pace(pace.clone());
        let (tx, rx) = transport::channel(transport::QUEUE_CAPACITY);
        let mut running: JoinSet<_> = sources(tx).into_iter().collect();
        let stop = pipeline.shutdown();
        let mut outcome = spawn(pipeline, merge.apply(rx))?;

        let mut signal = std::pin::pin!(async {
            if has_screen {
                shutdown::wait_for_terminal_signal().await
            } else if self.reloads {
                shutdown::wait_for_end().await
            } else {
                shutdown::wait_for_signal().await
            }
        });
        let mut failure = None;
        let outcome = loop {
            tokio::select! {
                outcome = &mut outcome => break outcome,
                Some(ended) = running.join_next() => {
                    if let Ok(Err(error)) = ended {
                        // The other sources continue. The first failure decides the exit status.
                        if let Some(live) = &live {
                            live.show_failure(&error);
                        } else if !running.is_empty() {
                            status::failed(format, &error);
                        }
                        failure.get_or_insert(error);
                    }
                }
                () = progress_line.tell() => {}
                exit = ended(&mut signal, &mut live) => {
                    drop(progress_line);
                    stop.set();
                    if let Some(pace) = &pace {
                        pace.end();
                    }
                    running.abort_all();
                    close(live).await;
                    let Ok(Ok(outcome)) = tokio::time::timeout(GRACE, outcome).await else {
                        let exit = exit?;
                        let why = "nothing reads it";
                        let advice = "the last line may be incomplete";
                        let error = Error::new(exit, "cannot finish writing to stdout", why, advice);
                        status::failed(format, &error);
                        return Ok(exit);
                    };
                    // A user who closes the live screen ends the run like a limit.
                    let is_closed = matches!(exit, Ok(Exit::Done));
                    if let Some(verdict) = outcome.verdict.filter(|_| is_closed) {
                        status::verdict(format, verdict.is_met, &verdict.reason);
                    }
                    if let Some(error) = &outcome.failure {
                        status::failed(format, error);
                    }
                    status::summary(format, &outcome.counts, is_watched);
                    return if is_closed { Ok(outcome.exit) } else { exit };
                }
            }
        };
        drop(progress_line);
        if live.is_some() {
            while let Some(ended) = running.try_join_next() {
                if let Ok(Err(error)) = ended {
                    failure.get_or_insert(error);
                }
            }
            show_failures(live.as_ref(), failure.as_ref(), outcome.as_ref().ok(), &self.recordings);
            // The events stay on the screen until the user closes it.
            let exit = ended(&mut signal, &mut live).await;
            close(live).await;
            if !matches!(exit, Ok(Exit::Done)) {
                return exit;
            }
        }
        // Every source has closed its end of the channel by now, so each result is available.
        while let Some(ended) = running.try_join_next() {
            if let Ok(Err(error)) = ended {
                failure.get_or_insert(error);
            }
        }
        let outcome = outcome.map_err(|_| pipeline_panicked())?;
        let ending = Ending { recordings: &self.recordings, format, is_watched, fail_on_gap };
        ending.report(outcome, failure)
    }
}

/// Creates the error for a pipeline that panicked.
pub fn pipeline_panicked() -> Error {
    let why = "the pipeline thread panicked";
    Error::new(Exit::Failure, "cannot continue", why, "report this as a bug")
}

/// Creates the delivery of a run, which continues where an earlier one ended if it `resumes`.
async fn delivery(
    destinations: Vec<Box<dyn Destination>>,
    cursor: Option<Cursor>,
    resumes: bool,
) -> Delivery {
    let mut delivery = Delivery::new(destinations, cursor);
    delivery.resume_tap().await;
    if !resumes {
        delivery.begin_anew();
    }
    delivery
}

/// What the end of a run depends on.
struct Ending<'s> {
    recordings: &'s [PathBuf],
    format: StatusFormat,
    is_watched: bool,
    fail_on_gap: bool,
}

impl Ending<'_> {
    /// Reports the outcome of a run whose sources ended, of which the first one to fail had
    /// `failure`, and returns the exit status.
    fn report(&self, outcome: RunOutcome, mut failure: Option<Error>) -> Result<Exit> {
        if let Some(report) = &outcome.report {
            print(report.as_bytes())?;
        }
        if self.format != StatusFormat::Json {
            // GitHub Actions reads both streams. These lines quote only what the user wrote.
            status::lines(&outcome.annotations.join("\n"));
        }
        if let Some(verdict) = &outcome.verdict {
            status::verdict(self.format, verdict.is_met, &verdict.reason);
        }
        if outcome.failure.is_none() || self.format == StatusFormat::Json {
            status::summary(self.format, &outcome.counts, self.is_watched);
        }
        if let Some(error) = outcome.failure {
            return Err(error);
        }
        if failure.is_none() {
            let mut errors = outcome
                .without_events
                .iter()
                .filter_map(|number| self.recordings.get(*number))
                .map(|path| recording::no_events(path));
            failure = errors.next();
            errors.for_each(|error| status::failed(self.format, &error));
        }
        let refused = outcome.counts.destinations.iter().any(DestinationCounts::has_losses);
        let is_lost =
            self.fail_on_gap && (outcome.counts.gaps > 0 || refused) && outcome.exit == Exit::Done;
        failure.map_or(Ok(if is_lost { Exit::Lost } else { outcome.exit }), Err)
    }
}

/// Waits for a signal, or until the live screen is closed, and returns the exit status.
async fn ended(
    signal: &mut (impl Future<Output = io::Result<Exit>> + Unpin),
    live: &mut Option<LiveScreen>,
) -> Result<Exit> {
    match live {
        None => Ok(signal.await.unwrap_or(Exit::Failure)),
        Some(screen) => tokio::select! {
            signal = signal => Ok(signal.unwrap_or(Exit::Failure)),
            closed = screen.closed() => {
                *live = None;
                closed
            }
        },
    }
}

/// Shows on the live screen why a run failed.
fn show_failures(
    live: Option<&LiveScreen>,
    failure: Option<&Error>,
    outcome: Option<&RunOutcome>,
    recordings: &[PathBuf],
) {
    let Some(live) = live else { return };
    let without_events = outcome.map_or(&[][..], |outcome| &outcome.without_events);
    let empty = without_events.iter().filter_map(|number| recordings.get(*number));
    failure
        .into_iter()
        .chain(outcome.and_then(|outcome| outcome.failure.as_ref()))
        .for_each(|error| live.show_failure(error));
    empty.for_each(|path| live.show_failure(&recording::no_events(path)));
}

async fn close(live: Option<LiveScreen>) {
    if let Some(live) = live {
        live.close().await;
    }
}

/// Starts the pipeline on a thread of its own, because it blocks on stdout and signals must be
/// handled even while a pipe is full. jq programs need a large stack.
pub fn spawn(
    pipeline: Pipeline,
    items: transport::Receiver,
) -> Result<oneshot::Receiver<RunOutcome>> {
    let (done, outcome) = oneshot::channel();
    let runtime = Handle::current();
    let thread = std::thread::Builder::new().name("pipeline".to_owned()).stack_size(THREAD_STACK);
    thread
        .spawn(move || {
            // After a signal, nobody may be waiting for the result.
            let _ = done.send(pipeline.run(items, &runtime));
        })
        .map_err(|error| Error::thread_failed(&error))?;
    Ok(outcome)
}

/// Whether stdout still has a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Printed {
    Read,
    Unread,
}

/// Writes to stdout. A closed pipe is not an error: its reader has read enough.
pub fn print(bytes: &[u8]) -> Result<Printed> {
    print_with(|out| out.write_all(bytes))
}

/// Lets a function write to stdout, like [`print`].
pub fn print_with(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Printed> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Ok(()) => Ok(Printed::Read),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Printed::Unread),
        Err(error) => Err(stdout_failed(&error)),
    }
}

/// Creates the error for a failed write to stdout.
pub fn stdout_failed(error: &io::Error) -> Error {
    let why = error.kind().to_string();
    Error::new(Exit::Failure, "cannot write to stdout", why, "free some space, or write elsewhere")
}
