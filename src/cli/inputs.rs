//! The inputs of a command: recordings, live calls or live workspaces.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::cli::args::{ConnectionArgs, DemoArgs, RangeArgs};
use crate::cli::broker_input::BrokerInput;
use crate::cli::metrics::MetricsServer;
use crate::cli::platform::{Platform, SourceTask};
use crate::cli::resolve;
use crate::cli::session::SessionBuilder;
use crate::error::{Error, Exit, Result};
use crate::output::status::StatusFormat;
use crate::transport::progress::Progress;
use crate::transport::recording::TimeIndexes;
use crate::transport::sse::Start;
use crate::transport::{BlockingSender, Item, Sender, SourceConfig, recording, recording_merge};

/// The inputs of a command. A broker takes precedence over recordings, recordings over calls, and
/// calls over workspaces.
pub struct Inputs {
    pub broker: Option<BrokerInput>,
    pub files: Vec<PathBuf>,
    pub calls: Vec<String>,
    pub workspaces: Vec<String>,
    /// The number of threads that process recordings.
    pub threads: usize,
    /// Whether nothing is printed before the end, so that a progress line can be shown.
    pub is_quiet: bool,
    /// The format of status messages.
    pub status: StatusFormat,
    /// The range of time that is read.
    pub range: RangeArgs,
    /// How long to wait for the server of a live source.
    pub wait: Duration,
    /// What serves the metrics of a live run, if anything does.
    pub metrics: Option<MetricsServer>,
}

impl Inputs {
    /// Runs a session on the inputs.
    pub async fn run(
        self,
        session: SessionBuilder,
        connection: &ConnectionArgs,
        demo: &DemoArgs,
    ) -> Result<Exit> {
        let limits = SourceConfig {
            wait: self.wait,
            meter: self.metrics.as_ref().map(MetricsServer::meter),
            ..SourceConfig::default()
        };
        let session = session.with_metrics(self.metrics);
        if let Some(broker) = self.broker {
            let range = resolve::time_range(&self.range, true)?;
            let session = session.with_threads(self.threads).with_range(range);
            return read(session, &broker, limits, self.is_quiet).await;
        }
        if !self.files.is_empty() {
            let progress = Arc::new(Progress::new(&self.files));
            let session = session
                .with_threads(self.threads)
                .with_range(resolve::time_range(&self.range, false)?)
                .with_progress(&progress, self.is_quiet);
            return replay(session, self.files, limits.max_frame, progress).await;
        }
        if !self.calls.is_empty() {
            resolve::refuse_range(&self.range, "the platform keeps no events of a call")?;
            let calls = resolve::calls(&self.calls)?;
            let workspace = self.workspaces.first().map(String::as_str);
            let (platform, workspace, calls) =
                Platform::for_calls(calls, workspace, connection, demo, limits, self.status)
                    .await?;
            let source = |tx: &Sender, call| platform.call(workspace.clone(), call, tx.clone());
            return session
                .run(|tx| calls.into_iter().map(|call| source(&tx, call)).collect())
                .await;
        }
        let RangeArgs { since, before } = self.range;
        let live = RangeArgs { since: None, before };
        resolve::refuse_range(&live, "a live stream goes on; --duration ends it")?;
        let since = since.map(|since| resolve::since(&since, Timestamp::now())).transpose()?;
        let start = since.map_or(Start::Now, Start::Since);
        let workspaces = resolve::workspaces(&self.workspaces)?;
        let (platform, workspaces) =
            Platform::for_workspaces(workspaces, connection, demo, limits, self.status).await?;
        let source =
            |tx: &Sender, workspace| platform.workspace(workspace, start, None, tx.clone());
        session
            .run(|tx| workspaces.into_iter().map(|workspace| source(&tx, workspace)).collect())
            .await
    }
}

/// Runs a session on recordings, which are read one after the other. `limit` is the maximum size of
/// an event, in bytes.
pub async fn replay(
    session: SessionBuilder,
    files: Vec<PathBuf>,
    limit: usize,
    progress: Arc<Progress>,
) -> Result<Exit> {
    let mut session = session.with_recordings(&files);
    let indexes = session.use_indexes();
    session.run(|tx| vec![recordings(files, limit, indexes, progress, tx)]).await
}

/// Runs a session on recordings, which are merged by the times of their events.
pub async fn replay_merged(
    session: SessionBuilder,
    files: Vec<PathBuf>,
    limit: usize,
    progress: Arc<Progress>,
) -> Result<Exit> {
    let session = session.with_recordings(&files);
    let read = move |sender: &BlockingSender| {
        recording_merge::run_merged(&files, limit, &progress, sender)
    };
    session.run(|tx| vec![blocking_source(tx, read)]).await
}

/// Runs a session on what a broker has stored. `is_quiet` says that nothing is printed before the
/// end.
pub async fn read(
    session: SessionBuilder,
    broker: &BrokerInput,
    limits: SourceConfig,
    is_quiet: bool,
) -> Result<Exit> {
    let progress = Arc::new(Progress::default());
    let session = session.with_progress(&progress, is_quiet);
    session.run(|tx| vec![broker.source(limits, Some(progress), tx)]).await
}

/// Returns a source that reads recordings one after the other.
pub fn recordings(
    files: Vec<PathBuf>,
    limit: usize,
    indexes: Option<Arc<TimeIndexes>>,
    progress: Arc<Progress>,
    tx: Sender,
) -> SourceTask {
    blocking_source(tx, move |sender| {
        files.iter().enumerate().try_for_each(|(number, file)| {
            // If the pipeline has ended, `recording::run` notices it too.
            let _ = sender.blocking_send(Item::Recording(number));
            recording::run(file, limit, indexes.as_deref(), &progress, sender)
        })
    })
}

/// Returns a source that reads on a thread of its own.
fn blocking_source(
    tx: Sender,
    read: impl FnOnce(&BlockingSender) -> Result<()> + Send + 'static,
) -> SourceTask {
    Box::pin(async move {
        // Reading blocks and cannot be aborted. Dropping this future closes the blocking sender.
        // The channel to the pipeline stays open until the result of the reading is known.
        let sender = tx.blocking();
        let reading = tokio::task::spawn_blocking(move || read(&sender));
        reading.await.unwrap_or_else(|_| {
            Err(Error::new(
                Exit::Failure,
                "cannot continue reading",
                "the reader panicked",
                "report this as a bug",
            ))
        })
    })
}
