//! `evtap serve`: runs the emulator, which serves a synthetic clinic on the platform's two
//! endpoints.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::cli::args::ServeArgs;
use crate::cli::open_files;
use crate::cli::resolve;
use crate::cli::session::GRACE;
use crate::emulator::{self, ScenarioOptions, ServedWorkspaces, Trigger, demo_workspace};
use crate::error::{Error, Exit, Result};
use crate::output::status;
use crate::text::units::counted;
use crate::transport::credential::Credential;
use crate::transport::input_file::cause;
use crate::transport::private_file;
use crate::transport::shutdown;

pub(super) async fn run(args: ServeArgs) -> Result<Exit> {
    if !args.trigger.is_empty() {
        return trigger(args).await;
    }
    if !args.listen.ip().is_loopback() && !args.allow_remote {
        return Err(Error::usage(
            "cannot serve",
            "other machines can reach this address",
            "listen on 127.0.0.1, or give --allow-remote",
        ));
    }
    let listen = args.listen;
    let failed = |error: std::io::Error| {
        Error::new(
            Exit::Failure,
            format!("cannot listen on {listen}"),
            error.kind().to_string(),
            "choose another address with --listen",
        )
    };
    let ready_file = args.ready_file.clone();
    let options = options(args)?;
    let is_scenario = options.scenario.is_some();
    open_files::raise_limit();
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    report_usage(address, &options.workspaces, is_scenario);
    // The listener accepts connections from now on, whether or not the emulator already runs.
    let _ready = ready_file.map(|path| ReadyFile::write(path, address)).transpose()?;

    let (stop, stopped) = oneshot::channel::<()>();
    let mut serving = tokio::spawn(emulator::run(listener, options, async {
        // The sender is dropped only after it has sent, so an error cannot occur here.
        let _ = stopped.await;
    }));
    let served = tokio::select! {
        served = &mut serving => served,
        signal = shutdown::wait_for_signal() => {
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
            "cannot continue serving",
            "the emulator panicked",
            "report this as a bug",
        )),
    }
}

/// Sends one event to the clients of a running emulator.
async fn trigger(args: ServeArgs) -> Result<Exit> {
    let workspace = args.workspace.as_deref().map(resolve::workspace).transpose()?;
    let trigger = Trigger::parse(&args.trigger, workspace)?;
    let api_key = args.api_key_file.as_deref().map(Credential::read).transpose()?;
    let clients = trigger.send(args.listen, api_key.as_ref()).await?;
    if clients == 0 {
        let advice = "start one first, such as `evtap watch`";
        let why = "no client is connected";
        return Err(Error::new(Exit::Failure, "nobody received the event", why, advice));
    }
    status::report(&format!("{} received the event", counted(clients as u64, "client")));
    Ok(Exit::Done)
}

fn options(args: ServeArgs) -> Result<emulator::Options> {
    let rate = resolve::rate("--rate", args.rate)?;
    let api_key = args.api_key_file.as_deref().map(Credential::read).transpose()?;
    let workspaces = match (args.workspaces, args.workspace.as_deref()) {
        (Some(number), _) => ServedWorkspaces::Demo(number),
        (None, Some(only)) => ServedWorkspaces::One(resolve::workspace(only)?),
        (None, None) => ServedWorkspaces::Any,
    };
    let mut faults = args.faults;
    if let Some(path) = &args.fault_script {
        faults.extend(emulator::read_script(path)?);
    }
    let scenario = match &args.scenario.scenario {
        None => None,
        Some(path) => Some(ScenarioOptions {
            scenario: Arc::new(emulator::read_scenario(path)?),
            speed: resolve::speed(args.scenario.speed)?,
            repeats: args.scenario.repeat,
        }),
    };
    Ok(emulator::Options {
        scenario,
        seed: args.seed,
        rate,
        once: args.once,
        api_key,
        workspaces,
        max_streams: args.max_streams,
        faults,
        request_log: args.log_requests.then_some(status::report as fn(&str)),
        ..emulator::Options::default()
    })
}

/// A file that exists while the server accepts connections.
struct ReadyFile(PathBuf);

impl ReadyFile {
    /// Writes the base URL. The file replaces an earlier one at once, so that nobody reads a part.
    fn write(path: PathBuf, address: SocketAddr) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::new(
                Exit::Failure,
                format!("cannot write --ready-file {}", path.display()),
                cause(&error),
                "name a file in a directory that exists and is writable",
            )
        };
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}.tmp", std::process::id()));
        let temporary = PathBuf::from(name);
        let written = private_file::create_new(&temporary)
            .and_then(|mut file| writeln!(file, "http://{address}"))
            .and_then(|()| std::fs::rename(&temporary, &path));
        if let Err(error) = written {
            let _ = std::fs::remove_file(&temporary);
            return Err(failed(error));
        }
        Ok(Self(path))
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Reports the address and some commands to try.
fn report_usage(address: SocketAddr, workspaces: &ServedWorkspaces, is_scenario: bool) {
    let base = format!("http://{address}");
    let workspace = match workspaces {
        ServedWorkspaces::One(only) => only,
        ServedWorkspaces::Any | ServedWorkspaces::Demo(_) => emulator::DEMO_WORKSPACE,
    };
    let watch = format!("--base-url {base} --workspace {workspace}");
    status::report(&match workspaces {
        ServedWorkspaces::Demo(last @ 2..) => {
            let to = demo_workspace(*last);
            format!("serving {last} synthetic clinics, {workspace} to {to}, on {base}; try:")
        }
        _ if is_scenario => format!("serving a scenario on {base}; try:"),
        _ => format!("serving a synthetic clinic on {base}; try:"),
    });
    for command in [
        format!("curl -N -H 'Authorization: Bearer demo' {base}/v1/{workspace}/events/stream"),
        format!("AMIGO_API_KEY=demo evtap watch {watch}"),
        format!("AMIGO_API_KEY=demo evtap observe {watch} --call {}", emulator::DEMO_CALL),
    ] {
        status::report(&format!("  {command}"));
    }
}
