//! Each command, as a sentence: resolve the configuration, wire sources to the walk, wait for the end or a signal.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::analysis::audit;
use crate::analysis::timeline::{self, build, collect};
use crate::cli::args::{self, Cli, Command};
use crate::cli::config::{self, TimelinePlan};
use crate::cli::platform::{Platform, SourceTask};
use crate::cli::progress::ProgressLine;
use crate::cli::session::{GRACE, Printed, SessionBuilder, print};
use crate::cli::{completion, doctor, generate, schema};
use crate::delivery::Cursor;
use crate::emulator;
use crate::error::{Error, Exit, Result};
use crate::output::{raw, status};
use crate::text::terminal;
use crate::transport::client::Network;
use crate::transport::credential::Credential;
use crate::transport::progress::Progress;
use crate::transport::sse::Start;
use crate::transport::{self, Item, Sender, SourceConfig, raw_frames, recording, shutdown};
use crate::tui::state::ScreenConfig;

/// How far back a call's workspace is looked at, in milliseconds: a little less than the platform keeps.
const KEPT: u64 = 290_000;

/// Runs a command to its end.
pub async fn run(cli: Cli) -> Result<Exit> {
    match cli.command {
        Command::Watch(options) => watch(options).await,
        Command::Observe(options) => observe(options).await,
        Command::Replay(options) => replay(options).await,
        Command::Expect(options) => expect(options).await,
        Command::Stats(options) => stats(options).await,
        Command::Timeline(options) => timeline(options).await,
        Command::Serve(options) => serve(options).await,
        Command::Schema(options) => print_schema(&options),
        Command::Audit(options) => audit(options).await,
        Command::Frames(options) => frames(options).await,
        Command::Config(options) => configure(&options, &cli.choice),
        Command::Doctor(options) => doctor::run(options, &cli.choice).await,
        Command::Generate(options) => {
            print(generate::run(&options)?.as_bytes()).map(|_| Exit::Done)
        }
        Command::Complete(options) => {
            print(completion::next(&options).as_bytes()).map(|_| Exit::Done)
        }
    }
}

async fn watch(options: args::WatchArgs) -> Result<Exit> {
    let workspaces = config::workspaces(&options.workspace)?;
    let stages =
        config::stages(&options.pick, &options.show, &options.until, workspaces.len() > 1)?;
    let screen = config::screen(
        &options.screen,
        &options.pick,
        &options.show,
        &stages.policy,
        &workspaces.join(", "),
    )?;
    let limits = config::limits(&options.delivery, Some(&options.liveness))?;
    let endpoint = config::endpoint(
        &options.forward,
        &config::network(&options.connection.access),
        options.show.status,
    )?;
    let now = Timestamp::now();
    let since =
        options.resume.since.as_deref().map(|since| config::since(since, now)).transpose()?;
    let (platform, workspaces) =
        Platform::of_workspaces(workspaces, &options.connection, &options.demo, limits).await?;
    let mut cursor = options.resume.cursor.as_deref().map(Cursor::open).transpose()?;
    let mut starts = Vec::new();
    for workspace in &workspaces {
        let begin =
            since.unwrap_or_else(|| u64::try_from(now.as_millisecond()).unwrap_or_default());
        let start =
            cursor.as_mut().map(|cursor| cursor.start(workspace, begin)).transpose()?.flatten();
        starts.push(start.unwrap_or_else(|| since.map_or(Start::Now, Start::Since)));
    }
    let wiring = SessionBuilder::new(stages, &options.delivery, cursor)?
        .forwarding(endpoint)
        .merged(config::merge(&options.liveness)?)
        .on(screen);
    let streams = workspaces.into_iter().zip(starts);
    let observers = options.auto_observe;
    let source =
        |tx: Sender, (workspace, start)| platform.workspace(workspace, start, observers, tx);
    wiring.stream(|tx| streams.map(|stream| source(tx.clone(), stream)).collect()).await
}

async fn observe(options: args::ObserveArgs) -> Result<Exit> {
    let calls: Vec<_> =
        options.call.iter().map(|call| config::call(call)).collect::<Result<_>>()?;
    let stages = config::stages(&options.pick, &options.show, &options.until, false)?;
    let screen = config::screen(
        &options.screen,
        &options.pick,
        &options.show,
        &stages.policy,
        &format!("call {}", calls.join(", ")),
    )?;
    let limits = config::limits(&options.delivery, Some(&options.liveness))?;
    let endpoint = config::endpoint(
        &options.forward,
        &config::network(&options.connection.access),
        options.show.status,
    )?;
    let (platform, workspace, calls) = Platform::of_calls(
        calls,
        options.workspace.as_deref(),
        &options.connection,
        &options.demo,
        limits,
    )
    .await?;
    let wiring = SessionBuilder::new(stages, &options.delivery, None)?
        .forwarding(endpoint)
        .merged(config::merge(&options.liveness)?)
        .on(screen);
    wiring
        .stream(|tx| {
            calls
                .into_iter()
                .map(|call| platform.call(workspace.clone(), call, tx.clone()))
                .collect()
        })
        .await
}

async fn expect(options: args::ExpectArgs) -> Result<Exit> {
    let stages = config::expectations(&options, options.replay.is_empty())?;
    let workspaces = options.workspace.into_iter().collect();
    let calls = options.call.into_iter().collect();
    let streams =
        InputStreams { files: options.replay, calls, workspaces, threads: 1, is_quiet: true };
    streams.through(SessionBuilder::new_with(stages), &options.connection, &options.demo).await
}

async fn stats(options: args::StatsArgs) -> Result<Exit> {
    let stages = config::figures(&options)?;
    let is_quiet = options.every.is_none();
    let threads = config::threads(options.threads);
    let streams = InputStreams {
        files: options.files,
        calls: options.call,
        workspaces: options.workspace,
        threads,
        is_quiet,
    };
    streams.through(SessionBuilder::new_with(stages), &options.connection, &options.demo).await
}

async fn timeline(options: args::TimelineArgs) -> Result<Exit> {
    let TimelinePlan { call, files, stages, gathered, quiet } = config::timeline(&options)?;
    let wiring = SessionBuilder::new_with(stages);
    let limits = SourceConfig::default();
    let ended = if files.is_empty() {
        let calls = vec![config::call(call.as_deref().unwrap_or_default())?];
        let now = Timestamp::now().as_millisecond();
        let (platform, workspace, calls) = Platform::of_calls(
            calls,
            options.workspace.as_deref(),
            &options.connection,
            &options.demo,
            limits,
        )
        .await?;
        // The call has begun before, and the workspace's stream is kept for some minutes.
        let since = Start::Since(u64::try_from(now).unwrap_or_default().saturating_sub(KEPT));
        let source = |tx: Sender, call| platform.whole_call(workspace.clone(), call, since, tx);
        wiring.stream(|tx| calls.into_iter().map(|call| source(tx.clone(), call)).collect()).await
    } else {
        let progress = Arc::new(Progress::new(&files));
        let wiring = wiring.following(&progress, true);
        wiring.stream(|tx| vec![recordings(files, limits.frame, progress, tx)]).await
    };
    let mut gathered = collect::lock(&gathered);
    if gathered.calls.is_empty() && ended.is_err() {
        return ended;
    }
    let told = if call.is_none() {
        Ok(match options.output {
            args::TimelineFormat::Json => timeline::json::list(&gathered),
            args::TimelineFormat::Text | args::TimelineFormat::Html => {
                timeline::text::list(&gathered)
            }
        })
    } else {
        gathered.found().map(|sid| {
            let timeline = build::build(&mut gathered, &sid, quiet, options.privacy.reveal);
            match options.output {
                args::TimelineFormat::Text => timeline::text::text(&timeline, width()),
                args::TimelineFormat::Json => timeline::json::json(&timeline),
                args::TimelineFormat::Html => timeline::html::html(&timeline),
            }
        })
    };
    match told {
        Ok(text) => print(text.as_bytes()).and(ended),
        Err(error) => ended.and(Err(error)),
    }
}

/// The columns of the terminal, or as many as are usual.
fn width() -> usize {
    let terminal = std::io::stdout().is_terminal().then(crossterm::terminal::size);
    terminal.and_then(std::result::Result::ok).map_or(80, |(columns, _)| usize::from(columns))
}

/// What a command looks at: recordings, else calls, else workspaces.
struct InputStreams {
    files: Vec<PathBuf>,
    calls: Vec<String>,
    workspaces: Vec<String>,
    /// How many threads may work on recordings.
    threads: usize,
    /// Nothing is written until the end.
    is_quiet: bool,
}

impl InputStreams {
    async fn through(
        self,
        wiring: SessionBuilder,
        connection: &args::ConnectionArgs,
        demo: &args::DemoArgs,
    ) -> Result<Exit> {
        let limits = SourceConfig::default();
        if !self.files.is_empty() {
            let progress = Arc::new(Progress::new(&self.files));
            let wiring = wiring.on_threads(self.threads).following(&progress, self.is_quiet);
            return wiring
                .stream(|tx| vec![recordings(self.files, limits.frame, progress, tx)])
                .await;
        }
        if !self.calls.is_empty() {
            let calls: Vec<_> =
                self.calls.iter().map(|call| config::call(call)).collect::<Result<_>>()?;
            let workspace = self.workspaces.first().map(String::as_str);
            let (platform, workspace, calls) =
                Platform::of_calls(calls, workspace, connection, demo, limits).await?;
            let source = |tx: Sender, call| platform.call(workspace.clone(), call, tx);
            return wiring
                .stream(|tx| calls.into_iter().map(|call| source(tx.clone(), call)).collect())
                .await;
        }
        let workspaces = config::workspaces(&self.workspaces)?;
        let (platform, workspaces) =
            Platform::of_workspaces(workspaces, connection, demo, limits).await?;
        let source = |tx: Sender, workspace| platform.workspace(workspace, Start::Now, None, tx);
        wiring
            .stream(|tx| {
                workspaces.into_iter().map(|workspace| source(tx.clone(), workspace)).collect()
            })
            .await
    }
}

async fn serve(options: args::ServeArgs) -> Result<Exit> {
    if !options.listen.ip().is_loopback() && !options.allow_remote {
        let advice = "listen on 127.0.0.1, or give --allow-remote";
        return Err(Error::usage(
            "cannot serve",
            "other machines could reach that address",
            advice,
        ));
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
        faults: [
            options.faults,
            options
                .fault_script
                .as_deref()
                .map(emulator::read_script)
                .transpose()?
                .unwrap_or_default(),
        ]
        .concat(),
        ..emulator::Options::default()
    };
    let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let workspace =
        emulation.workspace.clone().unwrap_or_else(|| emulator::DEMO_WORKSPACE.to_owned());
    status::report(&format!("serving a synthetic clinic on http://{address}; try"));
    status::report(&format!(
        "  curl -N -H 'Authorization: Bearer demo' http://{address}/v1/{workspace}/events/stream"
    ));
    status::report(&format!(
        "  AMIGO_API_KEY=demo evtap watch --base-url http://{address} --workspace {workspace}"
    ));
    status::report(&format!(
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
        Err(_) => Err(Error::new(
            Exit::Failure,
            "cannot serve on",
            "the emulator broke down",
            "report this as a bug",
        )),
    }
}

fn configure(options: &args::ConfigArgs, choice: &args::ConfigChoice) -> Result<Exit> {
    let command = args::definition();
    let watch = command.find_subcommand("watch").expect("there is such a command");
    let usual = choice.config.clone().or_else(config::usual_path);
    let path = usual.ok_or_else(|| {
        let advice = "set HOME or XDG_CONFIG_HOME, or give --config";
        Error::usage("cannot find the configuration", "there is no home directory", advice)
    })?;
    match &options.action {
        Some(args::ConfigAction::Path) => {
            return print(
                format!("{}\n", terminal::visible(&path.display().to_string())).as_bytes(),
            )
            .map(|_| Exit::Done);
        }
        Some(args::ConfigAction::Init) => config::init(&path, watch)?,
        Some(args::ConfigAction::SetProfile(profile)) => {
            config::set_profile(&path, &profile.name, &profile.settings, watch)?
        }
        None => {
            config::colour(args::ColorWhen::Auto);
            let settled = config::ResolvedConfig::resolve(&options.options, choice)?;
            let text = if options.output == args::ReportFormat::Json {
                settled.json()
            } else {
                settled.text()
            };
            return print(text.as_bytes()).map(|_| Exit::Done);
        }
    }
    status::report(&format!("wrote {}", path.display()));
    Ok(Exit::Done)
}

async fn frames(options: args::FramesArgs) -> Result<Exit> {
    if options.reveal.as_deref() != Some("all") {
        let advice =
            "give --reveal all, and mind where the output goes; `watch` and `observe` redact";
        return Err(Error::usage(
            "cannot print raw frames",
            "they may hold protected health information, and nothing in them can be hidden",
            advice,
        ));
    }
    let credential = match config::key_source(&options.access) {
        None => None,
        Some(source) => Some(source.read().await?),
    };
    let network = config::network(&options.access);
    let (tx, mut rx) = mpsc::channel(transport::QUEUE);
    let url = options.url;
    let reading =
        tokio::spawn(
            async move { raw_frames::run(&url, credential.as_ref(), &network, &tx).await },
        );
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

async fn replay(options: args::ReplayArgs) -> Result<Exit> {
    let pace = config::pace(options.speed, &options.files)?;
    let stages = config::stages(&options.pick, &options.show, &options.until, false)?;
    let name = |file: &PathBuf| {
        file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned()
    };
    let names: Vec<_> = options.files.iter().map(name).collect();
    let screen = config::screen(
        &options.screen,
        &options.pick,
        &options.show,
        &stages.policy,
        &names.join(", "),
    )?
    .map(|setup| ScreenConfig { pace: Some(Arc::clone(&pace)), ..setup });
    let is_paced = options.speed.is_some() && screen.is_none();
    let limit = config::limits(&options.delivery, None)?.frame;
    let network = Network { insecure_http: options.insecure_http, ..Network::default() };
    let endpoint = config::endpoint(&options.forward, &network, options.show.status)?;
    let wiring =
        SessionBuilder::new(stages, &options.delivery, None)?.forwarding(endpoint).on(screen);
    let progress = Arc::new(Progress::new(&options.files));
    // At a pace, one event comes after the other, and what has been read tells nothing.
    let wiring = if is_paced {
        wiring.at(pace)
    } else {
        wiring.on_threads(config::threads(options.threads)).following(&progress, false)
    };
    wiring.stream(|tx| vec![recordings(options.files, limit, progress, tx)]).await
}

fn recordings(
    files: Vec<PathBuf>,
    limit: usize,
    progress: Arc<Progress>,
    tx: Sender,
) -> SourceTask {
    Box::pin(async move {
        // Reading blocks and can't be aborted. Dropping this future takes back what is lent to it, and the channel to the walk
        // stays open until the outcome of the reading is known.
        let lent = tx.blocking();
        let reading = tokio::task::spawn_blocking(move || {
            files.iter().enumerate().try_for_each(|(number, file)| {
                // Where nobody takes that any more, nobody takes what is read.
                let _ = lent.blocking_send(Item::Recording(number));
                recording::run(file, limit, &progress, &lent)
            })
        });
        reading.await.unwrap_or_else(|_| {
            Err(Error::new(
                Exit::Failure,
                "cannot read on",
                "the reader broke down",
                "report this as a bug",
            ))
        })
    })
}

/// Reading blocks, and can't be cut short: a signal doesn't wait for it.
async fn audit(options: args::AuditArgs) -> Result<Exit> {
    let progress = Arc::new(Progress::new(&options.files));
    let mut telling =
        ProgressLine::new(Some(Arc::clone(&progress)), status::StatusFormat::Text, true);
    let mut reading = tokio::task::spawn_blocking(move || audit::files(&options.files, &progress));
    let mut signal = std::pin::pin!(shutdown::signal());
    let report = loop {
        tokio::select! {
            report = &mut reading => break report,
            signal = &mut signal => return Ok(signal.unwrap_or(Exit::Failure)),
            () = telling.tell() => {}
        }
    };
    drop(telling);
    let report = report.unwrap_or_else(|_| {
        Err(Error::new(
            Exit::Failure,
            "cannot read on",
            "the reader broke down",
            "report this as a bug",
        ))
    })?;
    let text = match options.output {
        args::ReportFormat::Text => report.text(),
        args::ReportFormat::Json => report.json().to_string() + "\n",
    };
    print(text.as_bytes())?;
    Ok(if report.is_clean() { Exit::Done } else { Exit::Verdict })
}

fn print_schema(options: &args::SchemaArgs) -> Result<Exit> {
    config::colour(options.color);
    let specs = schema::select(options.event.as_deref())?;
    let text = if options.phi {
        schema::hidden(&specs, options.json)
    } else if options.json {
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
