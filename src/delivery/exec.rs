//! Notification: a program is run for each alert, with the alert on its stdin.
//!
//! Programs run beside the pipeline, which never waits for them: at most a few at a time, and the
//! alerts that wait for them are limited. What cannot be passed on is reported and counted.

use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::destination::Destination;
use crate::model::Kind;
use crate::output::OutputError;
use crate::output::ndjson;
use crate::output::status::{self, DestinationCounts, StatusFormat};
use crate::query::EventContext;
use crate::transport::credential::SECRET_VARIABLES;
use crate::transport::shutdown::ShutdownFlag;

/// The maximum number of programs that run at the same time.
const MAX_RUNNING: usize = 4;

/// The maximum number of alerts that wait for a program.
const MAX_WAITING: usize = 1024;

/// The time that is left for programs after the run was asked to stop.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// The program to run, and how.
#[derive(Debug, Clone)]
pub struct ExecConfig {
    /// The program.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// How long it may run.
    pub timeout: Duration,
    /// The format of status messages.
    pub status: StatusFormat,
}

/// Runs a program for each alert.
pub struct ExecNotifier {
    sender: Option<mpsc::Sender<Vec<u8>>>,
    worker: Option<tokio::task::JoinHandle<()>>,
    results: Arc<ExecResults>,
    runtime: Handle,
    stop: Arc<Mutex<Arc<ShutdownFlag>>>,
}

/// The results of the programs.
struct ExecResults {
    succeeded: AtomicU64,
    failed: AtomicU64,
    status: StatusFormat,
}

impl ExecResults {
    /// Counts an alert that was not passed on, and reports the first.
    fn fail(&self, why: &str) {
        if self.failed.fetch_add(1, Ordering::Relaxed) == 0 && self.status != StatusFormat::None {
            status::warn(&format!(
                "the command of --exec failed: {why}; the alert is not passed on again (reported \
                 once, and counted)"
            ));
        }
    }
}

impl ExecNotifier {
    /// Creates a notifier that uses the processes and timers of `runtime`.
    #[must_use]
    pub fn new(config: ExecConfig, runtime: Handle) -> Self {
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        let results = Arc::new(ExecResults {
            succeeded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            status: config.status,
        });
        let worker = runtime.spawn(run_all(config, receiver, Arc::clone(&results)));
        let stop = Arc::default();
        Self { sender: Some(sender), worker: Some(worker), results, runtime, stop }
    }
}

impl Destination for ExecNotifier {
    fn stop_on(&mut self, stop: &Arc<ShutdownFlag>) {
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(stop);
    }

    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        if context.event.kind() == Some(Kind::TapAlert)
            && let Some(sender) = &self.sender
        {
            let mut line = Vec::new();
            ndjson::line(context.event, &mut line);
            if sender.try_send(line).is_err() {
                self.results.fail("too many alerts wait for it");
            }
        }
        Ok(())
    }

    fn takes_lines(&self) -> bool {
        true
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    /// Waits for the programs that are left.
    fn end(&mut self) {
        self.sender = None;
        let Some(mut worker) = self.worker.take() else { return };
        let stop = Arc::clone(&self.stop.lock().unwrap_or_else(PoisonError::into_inner));
        self.runtime.block_on(async {
            tokio::select! {
                _ = &mut worker => {}
                () = async { stop.wait().await; tokio::time::sleep(STOP_GRACE).await } => {
                    worker.abort();
                    // Its programs are killed when it is dropped.
                    let _ = worker.await;
                    self.results.fail("the run ended before it did");
                }
            }
        });
    }

    fn counts(&self) -> Option<DestinationCounts> {
        Some(DestinationCounts {
            delivered: self.results.succeeded.load(Ordering::Relaxed),
            refused: self.results.failed.load(Ordering::Relaxed),
            ..DestinationCounts::new("command", "notified")
        })
    }
}

/// Runs the program for each alert until there are no more.
async fn run_all(
    config: ExecConfig,
    mut alerts: mpsc::Receiver<Vec<u8>>,
    results: Arc<ExecResults>,
) {
    let config = Arc::new(config);
    let mut running = JoinSet::new();
    while let Some(alert) = alerts.recv().await {
        while running.len() >= MAX_RUNNING {
            running.join_next().await;
        }
        let (config, results) = (Arc::clone(&config), Arc::clone(&results));
        running.spawn(async move {
            match run(&config, &alert).await {
                Ok(()) => _ = results.succeeded.fetch_add(1, Ordering::Relaxed),
                Err(why) => results.fail(&why),
            }
        });
    }
    while running.join_next().await.is_some() {}
}

/// Kills the program and everything that it has started.
struct ProcessGroup(Child);

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(pid) = self.0.id().and_then(|pid| i32::try_from(pid).ok())
            && let Some(pid) = rustix::process::Pid::from_raw(pid)
        {
            // It may have ended meanwhile.
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }
}

/// Runs the program for an alert, and returns why it failed.
async fn run(config: &ExecConfig, alert: &[u8]) -> Result<(), String> {
    let mut command = Command::new(&config.program);
    for variable in SECRET_VARIABLES {
        command.env_remove(variable);
    }
    command
        .args(&config.arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let child = command.spawn().map_err(|error| format!("cannot run it ({})", error.kind()))?;
    let mut group = ProcessGroup(child);
    let mut stdin = group.0.stdin.take();
    let ended = tokio::time::timeout(config.timeout, async {
        if let Some(mut stdin) = stdin.take() {
            // A program need not read the alert.
            let _ = stdin.write_all(alert).await;
        }
        group.0.wait().await
    });
    match ended.await {
        Ok(Ok(ended)) if ended.success() => Ok(()),
        Ok(Ok(ended)) => Err(ended
            .code()
            .map_or_else(|| "it was killed".to_owned(), |code| format!("it exited with {code}"))),
        Ok(Err(error)) => Err(error.kind().to_string()),
        Err(_) => Err(format!("it ran longer than {:?} and was killed", config.timeout)),
    }
}
