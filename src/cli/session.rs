//! Sources, walk, screen and signals, wired for the time of one run.

use std::future::Future;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::cli::args;
use crate::cli::platform::SourceTask;
use crate::cli::progress::ProgressLine;
use crate::delivery::{Cursor, Delivery, Endpoint, Forwarder, Recorder};
use crate::error::{Error, Exit, Result};
use crate::output::status;
use crate::pipeline::pacing::Pace;
use crate::pipeline::{Pipeline, RunOutcome, Stages};
use crate::query::program::THREAD_STACK;
use crate::transport::merge::Merge;
use crate::transport::progress::Progress;
use crate::transport::{self, Sender, shutdown};
use crate::tui::config::ScreenConfig;
use crate::tui::{LiveScreen, view};

/// How long the walk may take to finish the line in hand once a signal has come.
pub const GRACE: Duration = Duration::from_secs(2);

/// The walk, and how the sources come to it.
pub struct SessionBuilder {
    stages: Stages,
    delivery: Delivery,
    merge: Merge,
    fail_on_gap: bool,
    threads: usize,
    screen: Option<ScreenConfig>,
    progress: Option<Arc<Progress>>,
    is_quiet: bool,
    pace: Option<Arc<Pace>>,
}

impl SessionBuilder {
    /// With nothing beside the walk.
    pub fn new_with(stages: Stages) -> Self {
        let delivery = Delivery::default();
        Self {
            stages,
            delivery,
            merge: Merge::Arrival,
            fail_on_gap: false,
            threads: 1,
            screen: None,
            progress: None,
            is_quiet: false,
            pace: None,
        }
    }

    pub fn new(
        stages: Stages,
        options: &args::DeliveryArgs,
        cursor: Option<Cursor>,
    ) -> Result<Self> {
        let record = options.record.as_deref().map(Recorder::open).transpose()?;
        Ok(Self {
            delivery: Delivery::new(record, cursor),
            fail_on_gap: options.fail_on_gap,
            ..Self::new_with(stages)
        })
    }

    /// With an endpoint that events are posted to, if one was asked for.
    pub fn forwarding(mut self, endpoint: Option<Endpoint>) -> Self {
        self.delivery = self
            .delivery
            .forwarding(endpoint.map(|endpoint| Forwarder::new(endpoint, Handle::current())));
        self
    }

    pub fn merged(self, merge: Merge) -> Self {
        Self { merge, ..self }
    }

    /// With so many threads where that changes nothing.
    pub fn on_threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// With the live screen, if one was asked for.
    pub fn on(self, screen: Option<ScreenConfig>) -> Self {
        Self { screen, ..self }
    }

    /// With events no sooner than they are due.
    pub fn at(self, pace: Arc<Pace>) -> Self {
        Self { pace: Some(pace), ..self }
    }

    /// With recordings of which it is told how far they have been read; `is_quiet` if nothing is written until the end.
    pub fn following(self, progress: &Arc<Progress>, is_quiet: bool) -> Self {
        Self { progress: Some(Arc::clone(progress)), is_quiet, ..self }
    }

    /// Wires sources to the walk, and waits until all are over, enough has been seen, or a signal comes.
    pub async fn stream(self, sources: impl FnOnce(Sender) -> Vec<SourceTask>) -> Result<Exit> {
        let Self {
            mut stages,
            delivery,
            merge,
            fail_on_gap,
            threads,
            screen,
            progress,
            is_quiet,
            pace,
        } = self;
        let mut live =
            screen.map(|setup| LiveScreen::open(setup, &mut stages, view::draw)).transpose()?;
        let at_terminal = live.is_some();
        let format = stages.status;
        let watched = std::io::stderr().is_terminal();
        let mut telling =
            ProgressLine::new(progress.clone().filter(|_| live.is_none()), format, is_quiet);
        let walk = Pipeline::new(stages)
            .with_delivery(delivery)
            .with_progress(progress)
            .with_threads(threads)
            .with_pace(pace.clone());
        let (tx, rx) = transport::channel(transport::QUEUE_CAPACITY);
        let mut running: JoinSet<_> = sources(tx).into_iter().collect();
        let stop = walk.shutdown();
        let mut walking = spawn(walk, merge.apply(rx))?;

        let mut signal = std::pin::pin!(async {
            if at_terminal {
                shutdown::wait_for_terminal_signal().await
            } else {
                shutdown::wait_for_signal().await
            }
        });
        let mut failure = None;
        let outcome = loop {
            tokio::select! {
                outcome = &mut walking => break outcome,
                Some(ended) = running.join_next() => {
                    if let Ok(Err(error)) = ended {
                        // The others go on; the first failure decides how the process exits.
                        if !running.is_empty() {
                            status::failed(format, &error);
                        }
                        failure.get_or_insert(error);
                    }
                }
                () = telling.tell() => {}
                exit = ended(&mut signal, &mut live) => {
                    drop(telling);
                    stop.set();
                    if let Some(pace) = &pace {
                        pace.end();
                    }
                    running.abort_all();
                    close(live).await;
                    let outcome = tokio::time::timeout(GRACE, walking).await;
                    match outcome {
                        Ok(Ok(Ok(outcome))) => status::summary(format, &outcome.counts, watched),
                        Ok(Ok(Err(error))) => status::failed(format, &error),
                        _ => {}
                    }
                    return exit;
                }
            }
        };
        drop(telling);
        if live.is_some() {
            // What was shown stays to be looked at.
            let exit = ended(&mut signal, &mut live).await;
            close(live).await;
            if !matches!(exit, Ok(Exit::Done)) {
                return exit;
            }
        }
        // Every source has closed its end by now, so what they had to say is at hand.
        while let Some(ended) = running.try_join_next() {
            if let Ok(Err(error)) = ended {
                failure.get_or_insert(error);
            }
        }
        let outcome = outcome.unwrap_or_else(|_| {
            Err(Error::new(
                Exit::Failure,
                "cannot go on",
                "the walk broke down",
                "report this as a bug",
            ))
        })?;
        if let Some(report) = &outcome.report {
            print(report.as_bytes())?;
        }
        status::summary(format, &outcome.counts, watched);
        let refused = outcome.counts.forwarded.is_some_and(|forwarded| forwarded.refused > 0);
        let lost =
            fail_on_gap && (outcome.counts.gaps > 0 || refused) && outcome.exit == Exit::Done;
        failure.map_or(Ok(if lost { Exit::Lost } else { outcome.exit }), Err)
    }
}

/// Waits for a signal, or for the end of the screen if there is one; says how the process is to exit.
async fn ended(
    signal: &mut (impl Future<Output = std::io::Result<Exit>> + Unpin),
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

async fn close(live: Option<LiveScreen>) {
    if let Some(live) = live {
        live.close().await;
    }
}

/// The walk blocks on stdout, so it has a thread of its own; signals are heard even while a pipe is stuck. Its stack is
/// what jq programs may need.
fn spawn(
    walk: Pipeline,
    items: transport::Receiver,
) -> Result<oneshot::Receiver<Result<RunOutcome>>> {
    let (done, walking) = oneshot::channel();
    let runtime = Handle::current();
    let thread = std::thread::Builder::new().name("pipeline".to_owned()).stack_size(THREAD_STACK);
    thread
        .spawn(move || {
            // Nobody is left to hear it after a signal.
            let _ = done.send(walk.run(items, &runtime));
        })
        .map_err(|error| Error::thread_failed(&error))?;
    Ok(walking)
}

/// Whether there is still a reader at the other end of stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Printed {
    Read,
    Unread,
}

/// Writes to stdout. A reader that has gone has what it wanted.
pub fn print(bytes: &[u8]) -> Result<Printed> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(Printed::Read),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Printed::Unread),
        Err(error) => Err(Error::new(
            Exit::Failure,
            "cannot write to stdout",
            error.kind().to_string(),
            "write elsewhere",
        )),
    }
}
