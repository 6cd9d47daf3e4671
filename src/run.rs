//! Each command, as a sentence: resolve the configuration, wire sources to the walk, wait for the end or a signal.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::cli::{self, Cli, Command};
use crate::config;
use crate::credential::Credential;
use crate::delivery::{Cursor, Delivery, Record};
use crate::emulator;
use crate::error::{Error, Exit, Result};
use crate::platform::{Platform, Source};
use crate::schema;
use crate::shutdown;
use crate::sink::raw;
use crate::source::client::Network;
use crate::source::order::Merge;
use crate::source::sse::Start;
use crate::source::{self, Sender, frames, replay};
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

async fn watch(options: cli::Watch) -> Result<Exit> {
    let workspaces = config::workspaces(&options.workspace)?;
    let limits = config::limits(&options.delivery, Some(&options.liveness))?;
    let (platform, workspaces) = if workspaces == [config::DEMO] {
        (Platform::demo(&options.demo, limits).await?, vec![emulator::DEMO_WORKSPACE.to_owned()])
    } else {
        (Platform::at(&options.connection, limits)?, workspaces)
    };
    let order = config::merge(&options.liveness)?;
    let now = jiff::Timestamp::now();
    let since = options.resume.since.as_deref().map(|since| config::since(since, now)).transpose()?;
    let mut cursor = options.resume.cursor.as_deref().map(Cursor::open).transpose()?;
    let mut starts = Vec::new();
    for workspace in &workspaces {
        let begin = since.unwrap_or_else(|| u64::try_from(now.as_millisecond()).unwrap_or_default());
        let start = cursor.as_mut().map(|cursor| cursor.start(workspace, begin)).transpose()?.flatten();
        starts.push(start.unwrap_or_else(|| since.map_or(Start::Now, Start::Since)));
    }
    let output = Output { show: &options.show, delivery: &options.delivery, cursor, order };
    output
        .stream(workspaces.len() > 1, |tx| {
            let streams = workspaces.into_iter().zip(starts);
            streams.map(|(workspace, start)| platform.workspace(workspace, start, options.auto_observe, tx.clone())).collect()
        })
        .await
}

async fn observe(options: cli::Observe) -> Result<Exit> {
    let calls: Vec<String> = options.call.iter().map(|call| config::call(call)).collect::<Result<_>>()?;
    let limits = config::limits(&options.delivery, Some(&options.liveness))?;
    let is_demo = calls == [config::DEMO];
    let workspace = options.workspace.as_deref().filter(|_| !is_demo).map(config::workspace).transpose()?;
    let (platform, workspace, calls) = match workspace {
        _ if is_demo => (
            Platform::demo(&options.demo, limits).await?,
            emulator::DEMO_WORKSPACE.to_owned(),
            vec![emulator::DEMO_CALL.to_owned()],
        ),
        _ if calls.iter().any(|call| call == config::DEMO) => {
            return Err(Error::usage("cannot observe", "the demo can't be merged with a call", "observe it by itself"));
        }
        Some(workspace) => (Platform::at(&options.connection, limits)?, workspace, calls),
        None => {
            return Err(Error::usage(
                "cannot observe",
                "the call's workspace is not named",
                "give --workspace or set AMIGO_WORKSPACE_ID",
            ));
        }
    };
    let order = config::merge(&options.liveness)?;
    let output = Output { show: &options.show, delivery: &options.delivery, cursor: None, order };
    let sources = |tx: Sender| calls.into_iter().map(|call| platform.call(workspace.clone(), call, tx.clone())).collect();
    output.stream(false, sources).await
}

async fn serve(options: cli::Serve) -> Result<Exit> {
    if !options.listen.ip().is_loopback() && !options.allow_remote {
        let advice = "listen on 127.0.0.1, or give --allow-remote";
        return Err(Error::usage("cannot serve", "other machines could reach that address", advice));
    }
    let failed = |error: std::io::Error| {
        Error::new(
            Exit::Failure,
            format!("cannot listen on {}", options.listen),
            error.kind().to_string(),
            "choose another address with --listen",
        )
    };
    let emulation = emulator::Options {
        seed: options.seed,
        rate: config::rate("--rate", options.rate)?,
        once: options.once,
        api_key: options.api_key_file.as_deref().map(Credential::read).transpose()?,
        workspace: options.workspace.as_deref().map(config::workspace).transpose()?,
        max_streams: options.max_streams,
        faults: [options.faults, options.fault_script.as_deref().map(emulator::read_script).transpose()?.unwrap_or_default()]
            .concat(),
        ..emulator::Options::default()
    };
    let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let workspace = emulation.workspace.clone().unwrap_or_else(|| emulator::DEMO_WORKSPACE.to_owned());
    status::say(&format!("serving a synthetic clinic on http://{address}; try"));
    status::say(&format!("  curl -N -H 'Authorization: Bearer demo' http://{address}/v1/{workspace}/events/stream"));
    status::say(&format!("  AMIGO_API_KEY=demo evtap watch --base-url http://{address} --workspace {workspace}"));
    status::say(&format!(
        "  AMIGO_API_KEY=demo evtap observe --base-url http://{address} --workspace {workspace} --call {}",
        emulator::DEMO_CALL
    ));
    let (stop, stopped) = oneshot::channel::<()>();
    let mut serving = tokio::spawn(emulator::run(listener, emulation, async {
        // The sender is never dropped before it has sent.
        let _ = stopped.await;
    }));
    let served = tokio::select! {
        served = &mut serving => served,
        signal = shutdown::signal() => {
            let _ = stop.send(());
            let _ = tokio::time::timeout(GRACE, serving).await;
            return Ok(signal.unwrap_or(Exit::Failure));
        }
    };
    match served {
        Ok(Ok(())) => Ok(Exit::Done),
        Ok(Err(error)) => Err(failed(error)),
        Err(_) => Err(Error::new(Exit::Failure, "cannot serve on", "the emulator broke down", "report this as a bug")),
    }
}

async fn frames(options: cli::Frames) -> Result<Exit> {
    if options.reveal.as_deref() != Some("all") {
        let advice = "give --reveal all, and mind where the output goes; `watch` and `observe` redact";
        return Err(Error::usage(
            "cannot print raw frames",
            "they may hold protected health information, and nothing in them can be hidden",
            advice,
        ));
    }
    let credential = match (&options.api_key_file, std::env::var_os("AMIGO_API_KEY")) {
        (None, None) => None,
        (file, _) => Some(config::credential(file.as_deref())?),
    };
    let network = Network { insecure_http: options.insecure_http, ..Network::default() };
    let (tx, mut rx) = mpsc::channel(source::QUEUE);
    let url = options.url;
    let reading = tokio::spawn(async move { frames::run(&url, credential.as_ref(), &network, &tx).await });
    let mut left = options.limit.unwrap_or(u64::MAX);
    let mut signal = std::pin::pin!(shutdown::signal());
    while left > 0 {
        tokio::select! {
            raw = rx.recv() => match raw {
                Some(raw) => {
                    left -= 1;
                    if print(&raw::line(&raw))? == Printed::Unread {
                        return Ok(Exit::Done);
                    }
                }
                None => return reading.await.unwrap_or(Ok(())).map(|()| Exit::Done),
            },
            signal = &mut signal => return Ok(signal.unwrap_or(Exit::Failure)),
        }
    }
    Ok(Exit::Done)
}

async fn replay(options: cli::Replay) -> Result<Exit> {
    let files = options.files;
    let limit = config::limits(&options.delivery, None)?.frame;
    let output = Output { show: &options.show, delivery: &options.delivery, cursor: None, order: Merge::Arrival };
    output.stream(false, |tx| vec![recordings(files, limit, tx)]).await
}

fn recordings(files: Vec<PathBuf>, limit: usize, tx: Sender) -> Source {
    Box::pin(async move {
        let reading = tokio::task::spawn_blocking(move || files.iter().try_for_each(|file| replay::run(file, limit, &tx)));
        reading
            .await
            .unwrap_or_else(|_| Err(Error::new(Exit::Failure, "cannot read on", "the reader broke down", "report this as a bug")))
    })
}

/// Where events go, and in which order.
struct Output<'a> {
    show: &'a cli::Show,
    delivery: &'a cli::Delivery,
    cursor: Option<Cursor>,
    order: Merge,
}

impl Output<'_> {
    /// Wires sources to the walk, and waits until all are over, enough has been seen, or a signal comes.
    async fn stream(self, workspaces: bool, sources: impl FnOnce(Sender) -> Vec<Source>) -> Result<Exit> {
        let Self { show, delivery, cursor, order } = self;
        config::colour(show.color);
        let record = delivery.record.as_deref().map(Record::open).transpose()?;
        let walk = Walk::new(config::policy(show)?, config::sink(show, workspaces), show.limit, show.status)
            .with_delivery(Delivery::new(record, cursor));
        let (tx, rx) = source::channel(source::QUEUE);
        let mut running: JoinSet<_> = sources(tx).into_iter().collect();
        let mut walking = spawn(walk, order.apply(rx));

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
        let (exit, counts) = outcome
            .unwrap_or_else(|_| Err(Error::new(Exit::Failure, "cannot go on", "the walk broke down", "report this as a bug")))?;
        status::summary(show.status, &counts, std::io::stderr().is_terminal());
        let exit = if delivery.fail_on_gap && counts.gaps > 0 { Exit::Lost } else { exit };
        failure.map_or(Ok(exit), Err)
    }
}

/// The walk blocks on stdout, so it has a thread of its own; signals are heard even while a pipe is stuck.
fn spawn(walk: Walk, items: source::Receiver) -> oneshot::Receiver<Result<(Exit, status::Counts)>> {
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
    print(text.as_bytes()).map(|_| Exit::Done)
}

/// Whether there is still a reader at the other end of stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Printed {
    Read,
    Unread,
}

/// Writes to stdout. A reader that has gone has what it wanted.
fn print(bytes: &[u8]) -> Result<Printed> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(Printed::Read),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Printed::Unread),
        Err(error) => Err(Error::new(Exit::Failure, "cannot write to stdout", error.kind().to_string(), "write elsewhere")),
    }
}
