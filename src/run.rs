//! Each command, as a sentence: resolve the configuration, wire sources to the walk, wait for the end or a signal.

use std::future::Future;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::cli::{self, Cli, Command};
use crate::config;
use crate::credential::Credential;
use crate::emulator;
use crate::error::{Error, Exit, Result};
use crate::schema;
use crate::select::program::THREAD_STACK;
use crate::shutdown;
use crate::sink::raw;
use crate::source::client::{Client, Endpoints, Network};
use crate::source::{self, Sender, frames, observer, replay, sse};
use crate::status;
use crate::tui::Live;
use crate::tui::state::Setup;
use crate::walk::{Outcome, Stages, Walk};

/// How long the walk may take to finish the line in hand once a signal has come.
const GRACE: Duration = Duration::from_secs(2);

/// Runs a command to its end.
pub async fn run(cli: Cli) -> Result<Exit> {
    match cli.command {
        Command::Watch(options) => watch(options).await,
        Command::Observe(options) => observe(options).await,
        Command::Replay(options) => replay(options).await,
        Command::Expect(options) => expect(options).await,
        Command::Serve(options) => serve(options).await,
        Command::Schema(options) => print_schema(&options),
        Command::Frames(options) => frames(options).await,
    }
}

/// A source, as a task that ends when its stream is over for good.
type Source = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

async fn watch(options: cli::Watch) -> Result<Exit> {
    let workspaces = config::workspaces(&options.workspace)?;
    let stages = config::stages(&options.pick, &options.show, &options.until, workspaces.len() > 1)?;
    let screen = config::screen(&options.screen, &options.pick, &options.show, &stages.policy, &workspaces.join(", "))?;
    let (platform, workspaces) = Platform::of_workspaces(workspaces, &options.connection, &options.demo).await?;
    stream(stages, screen, |tx| workspaces.into_iter().map(|workspace| platform.workspace(workspace, tx.clone())).collect()).await
}

async fn observe(options: cli::Observe) -> Result<Exit> {
    let call = config::call(&options.call)?;
    let stages = config::stages(&options.pick, &options.show, &options.until, false)?;
    let screen = config::screen(&options.screen, &options.pick, &options.show, &stages.policy, &format!("call {call}"))?;
    let (platform, workspace, call) =
        Platform::of_call(call, options.workspace.as_deref(), &options.connection, &options.demo).await?;
    stream(stages, screen, |tx| vec![platform.call(workspace, call, tx)]).await
}

async fn expect(options: cli::Expect) -> Result<Exit> {
    let stages = config::expectations(&options, options.replay.is_empty())?;
    if !options.replay.is_empty() {
        return stream(stages, None, |tx| vec![recordings(options.replay, tx)]).await;
    }
    if let Some(call) = &options.call {
        let call = config::call(call)?;
        let (platform, workspace, call) =
            Platform::of_call(call, options.workspace.as_deref(), &options.connection, &options.demo).await?;
        return stream(stages, None, |tx| vec![platform.call(workspace, call, tx)]).await;
    }
    let workspaces = config::workspaces(&options.workspace.into_iter().collect::<Vec<_>>())?;
    let (platform, workspaces) = Platform::of_workspaces(workspaces, &options.connection, &options.demo).await?;
    stream(stages, None, |tx| workspaces.into_iter().map(|workspace| platform.workspace(workspace, tx.clone())).collect()).await
}

/// The platform, or what stands in for it, and the key to it.
#[derive(Clone)]
struct Platform {
    client: Client,
    credential: Credential,
}

impl Platform {
    fn at(connection: &cli::Connection) -> Result<Self> {
        let endpoints = Endpoints::resolve(&connection.base_url, connection.agent_base_url.as_deref(), connection.insecure_http)?;
        let credential = config::credential(connection.api_key_file.as_deref())?;
        let network = Network { insecure_http: connection.insecure_http, ..Network::default() };
        Ok(Self { client: Client::new(endpoints, &network)?, credential })
    }

    /// Starts the emulator in this process, on a free port of the loopback interface.
    async fn demo(demo: &cli::Demo) -> Result<Self> {
        let failed =
            |error: std::io::Error| Error::new(Exit::Failure, "cannot start the demo", error.kind().to_string(), "try again");
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let options = emulator::Options {
            seed: demo.demo_seed,
            rate: config::rate("--demo-rate", demo.demo_rate)?,
            ..emulator::Options::default()
        };
        tokio::spawn(emulator::run(listener, options, std::future::pending()));
        let endpoints = Endpoints::resolve(&format!("http://{address}"), None, false)?;
        Ok(Self { client: Client::new(endpoints, &Network::default())?, credential: Credential::new("demo", "the demo")? })
    }

    /// The platform that these workspaces are on, `demo` standing for the emulator's.
    async fn of_workspaces(
        workspaces: Vec<String>,
        connection: &cli::Connection,
        demo: &cli::Demo,
    ) -> Result<(Self, Vec<String>)> {
        if workspaces == [config::DEMO] {
            return Ok((Self::demo(demo).await?, vec![emulator::DEMO_WORKSPACE.to_owned()]));
        }
        Ok((Self::at(connection)?, workspaces))
    }

    /// The platform that this call is on, with its workspace and its SID.
    async fn of_call(
        call: String,
        workspace: Option<&str>,
        connection: &cli::Connection,
        demo: &cli::Demo,
    ) -> Result<(Self, String, String)> {
        if call == config::DEMO {
            return Ok((Self::demo(demo).await?, emulator::DEMO_WORKSPACE.to_owned(), emulator::DEMO_CALL.to_owned()));
        }
        let Some(workspace) = workspace else {
            return Err(Error::usage(
                "cannot observe",
                "the call's workspace is not named",
                "give --workspace or set AMIGO_WORKSPACE_ID",
            ));
        };
        Ok((Self::at(connection)?, config::workspace(workspace)?, call))
    }

    fn workspace(&self, workspace: String, tx: Sender) -> Source {
        let Self { client, credential } = self.clone();
        Box::pin(async move { sse::run(&client, &workspace, &credential, rand::random, &tx).await })
    }

    fn call(&self, workspace: String, call: String, tx: Sender) -> Source {
        let Self { client, credential } = self.clone();
        Box::pin(async move { observer::run(&client, &workspace, &call, &credential, rand::random, &tx).await })
    }
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
        faults: options.faults,
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
    let stages = config::stages(&options.pick, &options.show, &options.until, false)?;
    let names: Vec<_> = options.files.iter().map(|file| file.display().to_string()).collect();
    let screen = config::screen(&options.screen, &options.pick, &options.show, &stages.policy, &names.join(", "))?
        .map(|setup| Setup { pace: Some(Arc::default()), ..setup });
    stream(stages, screen, |tx| vec![recordings(options.files, tx)]).await
}

fn recordings(files: Vec<PathBuf>, tx: Sender) -> Source {
    Box::pin(async move {
        // Reading blocks and can't be aborted, so the end of the channel to the walk is held here: dropping this future
        // closes it, and it stays open until the outcome of the reading is known.
        let (read, mut items) = mpsc::channel(1);
        let reading = tokio::task::spawn_blocking(move || files.iter().try_for_each(|file| replay::run(file, &read)));
        while let Some(item) = items.recv().await {
            if tx.send(item).await.is_err() {
                items.close();
            }
        }
        reading
            .await
            .unwrap_or_else(|_| Err(Error::new(Exit::Failure, "cannot read on", "the reader broke down", "report this as a bug")))
    })
}

/// Wires sources to the walk, and waits until all are over, enough has been seen, or a signal comes.
async fn stream(mut stages: Stages, screen: Option<Setup>, sources: impl FnOnce(Sender) -> Vec<Source>) -> Result<Exit> {
    let mut live = screen.map(|setup| Live::open(setup, &mut stages)).transpose()?;
    let format = stages.status;
    let watched = std::io::stderr().is_terminal();
    let walk = Walk::new(stages);
    let (tx, rx) = mpsc::channel(source::QUEUE);
    let mut running: JoinSet<_> = sources(tx).into_iter().collect();
    let stop = walk.stop();
    let mut walking = spawn(walk, rx)?;

    let mut signal = std::pin::pin!(shutdown::signal());
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
            exit = ended(&mut signal, &mut live) => {
                stop.store(true, Ordering::Relaxed);
                running.abort_all();
                close(live).await;
                let outcome = tokio::time::timeout(GRACE, walking).await;
                if let Ok(Ok(Ok(outcome))) = outcome {
                    status::summary(format, &outcome.counts, watched);
                }
                return exit;
            }
        }
    };
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
    let outcome = outcome
        .unwrap_or_else(|_| Err(Error::new(Exit::Failure, "cannot go on", "the walk broke down", "report this as a bug")))?;
    if let Some(report) = &outcome.report {
        print(report.as_bytes())?;
    }
    status::summary(format, &outcome.counts, watched);
    failure.map_or(Ok(outcome.exit), Err)
}

/// Waits for a signal, or for the end of the screen if there is one; says how the process is to exit.
async fn ended(signal: &mut (impl Future<Output = std::io::Result<Exit>> + Unpin), live: &mut Option<Live>) -> Result<Exit> {
    match live {
        None => Ok(signal.await.unwrap_or(Exit::Failure)),
        Some(screen) => tokio::select! {
            signal = signal => Ok(signal.unwrap_or(Exit::Failure)),
            closed = screen.closed() => {
                *live = None;
                closed.map(|()| Exit::Done)
            }
        },
    }
}

async fn close(live: Option<Live>) {
    if let Some(live) = live {
        live.close().await;
    }
}

/// The walk blocks on stdout, so it has a thread of its own; signals are heard even while a pipe is stuck. Its stack is
/// what jq programs may need.
fn spawn(walk: Walk, items: mpsc::Receiver<source::Item>) -> Result<oneshot::Receiver<Result<Outcome>>> {
    let (done, walking) = oneshot::channel();
    let runtime = Handle::current();
    let thread = std::thread::Builder::new().name("walk".to_owned()).stack_size(THREAD_STACK);
    thread
        .spawn(move || {
            // Nobody is left to hear it after a signal.
            let _ = done.send(walk.run(items, &runtime));
        })
        .map_err(|error| {
            Error::new(Exit::Failure, "cannot start", error.kind().to_string(), "free some of the machine's memory")
        })?;
    Ok(walking)
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
