//! Runs the pipeline for one call, which can be cancelled at any time.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;

use super::scope::{EventScope, ScopeObserver, ScopeReport, TakeEvents, lock};
use crate::cli::inputs;
use crate::cli::platform::SourceTask;
use crate::cli::session::{pipeline_panicked, spawn};
use crate::error::{Error, Result};
use crate::output::status::StatusFormat;
use crate::pipeline::{Pipeline, Stages};
use crate::query::EventFilter;
use crate::redact::Policy;
use crate::text::units::counted;
use crate::transport::progress::Progress;
use crate::transport::shutdown::ShutdownFlag;
use crate::transport::{self, Sender, SourceConfig};

/// How long a call may read recordings. Clients usually wait for a minute.
const READ_TIME: Duration = Duration::from_secs(40);

/// One run of the pipeline.
pub struct AgentRun {
    /// The policy of what is hidden.
    pub policy: Policy,
    /// Which events are selected.
    pub filter: EventFilter,
    /// Which of them the call is about.
    pub scope: EventScope,
    /// What takes them.
    pub taker: Box<dyn TakeEvents>,
    /// How long to listen to a live source.
    pub listen: Duration,
}

/// Ends the pipeline when the call ends or is cancelled.
struct StopOnDrop(Arc<ShutdownFlag>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

impl AgentRun {
    /// Reads recordings, of which the first is that of the scope's start.
    pub async fn read(self, files: Vec<std::path::PathBuf>) -> Result<ScopeReport> {
        let progress = Arc::new(Progress::new(&files));
        let limit = SourceConfig::default().max_frame;
        self.run(move |tx| vec![inputs::recordings(files, limit, None, progress, tx)]).await
    }

    /// Runs the pipeline on sources until they end, the time is up, or nothing more is needed.
    pub async fn run(self, sources: impl FnOnce(Sender) -> Vec<SourceTask>) -> Result<ScopeReport> {
        let Self { policy, filter, scope, taker, listen } = self;
        let (is_live, since, until) = (scope.is_live, scope.since, scope.until);
        let time = if is_live { listen } else { READ_TIME };
        let (report, done) = (Arc::default(), Arc::<ShutdownFlag>::default());
        let observer = ScopeObserver::new(scope, taker, Arc::clone(&report), Arc::clone(&done));
        let pipeline = Pipeline::new(Stages {
            filter,
            status: StatusFormat::None,
            ..Stages::observing(policy, vec![Box::new(observer)])
        });
        let _stop = StopOnDrop(pipeline.shutdown());
        let stop = pipeline.shutdown();
        let (tx, rx) = transport::channel(transport::QUEUE_CAPACITY);
        let mut running: JoinSet<_> = sources(tx).into_iter().collect();
        let mut outcome = spawn(pipeline, rx)?;
        let mut failure = None;
        let mut is_timed_out = false;
        let mut is_ending = false;
        let deadline = tokio::time::sleep(time);
        tokio::pin!(deadline);
        let outcome = loop {
            tokio::select! {
                outcome = &mut outcome => break outcome.map_err(|_| pipeline_panicked())?,
                Some(ended) = running.join_next() => note_failure(ended, &mut failure),
                () = done.wait(), if !is_ending => is_ending = true,
                () = &mut deadline, if !is_ending => (is_ending, is_timed_out) = (true, true),
            }
            if is_ending {
                stop.set();
                // Without a sender, the pipeline does not wait for a further event.
                running.abort_all();
            }
        };
        while let Some(ended) = running.try_join_next() {
            note_failure(ended, &mut failure);
        }
        if let Some(error) = failure.or(outcome.failure) {
            return Err(error);
        }
        let mut report = std::mem::take(&mut *lock::<ScopeReport>(&report));
        let evidence = &mut report.evidence;
        if is_timed_out && !is_live {
            report.is_cut = true;
            evidence.reasons.push("the time for one call was up".to_owned());
        } else if is_live {
            if until.is_some_and(|until| until > Timestamp::now()) {
                evidence.reasons.push("`until` has not been reached".to_owned());
            }
        } else if !report.is_cut {
            evidence.compare(since, until);
        }
        if outcome.counts.failed > 0 {
            let count = counted(outcome.counts.failed, "event");
            evidence.reasons.push(format!(
                "the query failed on {count}; `//` and `?` help where a field is missing"
            ));
        }
        let empty = outcome.without_events.len() as u64;
        if empty > 0 && !report.is_cut {
            let count = counted(empty, "recording");
            evidence.reasons.push(format!("{count} without any event"));
        }
        Ok(report)
    }
}

/// Keeps the first failure of a source. A source that was aborted did not fail.
fn note_failure(ended: Result<Result<()>, tokio::task::JoinError>, failure: &mut Option<Error>) {
    if let Ok(Err(error)) = ended {
        failure.get_or_insert(error);
    }
}
