//! Each command, as a sentence: resolve the configuration, wire sources to the walk, wait for the end or a signal.

use std::future::Future;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::cli::{self, Cli, Command};
use crate::config;
use crate::error::{Error, Exit, Result};
use crate::schema;
use crate::shutdown;
use crate::source::{self, Sender, replay};
use crate::status;
use crate::walk::Walk;

/// How long the walk may take to finish the line in hand once a signal has come.
const GRACE: Duration = Duration::from_secs(2);

/// Runs a command to its end.
pub async fn run(cli: Cli) -> Result<Exit> {
    match cli.command {
        Command::Watch(options) => watch(options).await,
        Command::Observe(options) => observe(options).await,
        Command::Replay(options) => replay(options).await,
        Command::Serve(options) => serve(options).await,
        Command::Schema(options) => print_schema(&options),
        Command::Frames(options) => frames(options).await,
    }
}

/// A source, as a task that ends when its stream is over for good.
type Source = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

async fn replay(options: cli::Replay) -> Result<Exit> {
    let files = options.files;
    stream(&options.show, false, |tx| vec![recordings(files, tx)]).await
}

fn recordings(files: Vec<PathBuf>, tx: Sender) -> Source {
    Box::pin(async move {
        let reading = tokio::task::spawn_blocking(move || files.iter().try_for_each(|file| replay::run(file, &tx)));
        reading.await.unwrap_or_else(|_| Err(Error::new(Exit::Failure, "cannot read on", "the reader broke down", "report this as a bug")))
    })
}

/// Wires sources to the walk, and waits until all are over, enough has been seen, or a signal comes.
async fn stream(show: &cli::Show, workspaces: bool, sources: impl FnOnce(Sender) -> Vec<Source>) -> Result<Exit> {
    config::colour(show.color);
    let walk = Walk::new(config::policy(show)?, config::sink(show, workspaces), show.limit, show.status);
    let (tx, rx) = mpsc::channel(source::QUEUE);
    let mut running: JoinSet<_> = sources(tx).into_iter().collect();
    let mut walking = spawn(walk, rx);

    let mut signal = std::pin::pin!(shutdown::signal());
    let mut failure = None;
    let outcome = loop {
        tokio::select! {
            outcome = &mut walking => break outcome,
            Some(ended) = running.join_next() => {
                if let Ok(Err(error)) = ended {
                    // The others go on; the first failure decides how the process exits.
                    if !running.is_empty() {
                        status::failed(show.status, &error);
                    }
                    failure.get_or_insert(error);
                }
            }
            signal = &mut signal => {
                let exit = signal.unwrap_or(Exit::Failure);
                running.abort_all();
                let outcome = tokio::time::timeout(GRACE, walking).await;
                if let Ok(Ok(Ok((_, counts)))) = outcome {
                    status::summary(show.status, &counts, std::io::stderr().is_terminal());
                }
                return Ok(exit);
            }
        }
    };
    // Every source has closed its end by now, so what they had to say is at hand.
    while let Some(ended) = running.try_join_next() {
        if let Ok(Err(error)) = ended {
            failure.get_or_insert(error);
        }
    }
    let (exit, counts) = outcome.unwrap_or_else(|_| Err(Error::new(Exit::Failure, "cannot go on", "the walk broke down", "report this as a bug")))?;
    status::summary(show.status, &counts, std::io::stderr().is_terminal());
    failure.map_or(Ok(exit), Err)
}

/// The walk blocks on stdout, so it has a thread of its own; signals are heard even while a pipe is stuck.
fn spawn(walk: Walk, items: mpsc::Receiver<source::Item>) -> oneshot::Receiver<Result<(Exit, status::Counts)>> {
    let (done, walking) = oneshot::channel();
    std::thread::spawn(move || {
        // Nobody is left to hear it after a signal.
        let _ = done.send(walk.run(items));
    });
    walking
}

fn print_schema(options: &cli::Schema) -> Result<Exit> {
    config::colour(options.color);
    let specs = schema::select(options.event.as_deref())?;
    let text = if options.json {
        schema::json(&specs).to_string() + "\n"
    } else if options.json_schema {
        format!("{:#}\n", schema::json_schema(&specs))
    } else if let ([spec], Some(_)) = (specs.as_slice(), &options.event) {
        schema::detail(spec)
    } else {
        schema::list(&specs)
    };
    print(text.as_bytes())
}

/// Writes to stdout. A reader that has gone has what it wanted.
fn print(bytes: &[u8]) -> Result<Exit> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(Exit::Done),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(error) => Err(Error::new(Exit::Failure, "cannot write to stdout", error.kind().to_string(), "write elsewhere")),
    }
}
