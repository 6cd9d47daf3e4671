//! `evtap doctor`: checks step by step what a connection needs, and advises on what fails.
//!
//! Of what a server sends, the report shows only statuses, dates and durations. It never shows a
//! secret.

mod local;
mod network;
mod report;
mod tls;

use std::path::PathBuf;

use crate::cli::args::{self, ConfigChoice};
use crate::cli::config;
use crate::cli::platform::Platform;
use crate::cli::resolve;
use crate::emulator;
use crate::error::{Exit, Result};
use crate::transport::SourceConfig;
use crate::transport::client::{Client, Endpoints};
use crate::transport::connect_error::ConnectError;
use crate::transport::credential::{Credential, KeySource};
use crate::transport::probe::{self, OpenedStream};
use report::{CheckResult, DoctorReport, milliseconds};

/// Runs every check that the options allow.
pub async fn run(options: args::DoctorArgs, choice: &ConfigChoice) -> Result<Exit> {
    resolve::apply_color(options.color);
    let mut report = DoctorReport::new(options.output);
    report.add(configuration(&options, choice))?;
    let demo = options.call.as_deref() == Some(resolve::DEMO)
        || options.workspace.iter().any(|id| resolve::is_demo(id));
    if demo {
        let (client, keys) =
            Platform::demo(&options.demo, SourceConfig::default()).await?.into_parts();
        report.add(CheckResult::ok("key", "not needed: the demo"))?;
        let call = options.call.as_ref().map(|_| emulator::DEMO_CALL.to_owned());
        let clinics = options.workspace.iter().filter(|id| resolve::is_demo(id)).cloned();
        let clinics: Vec<_> = clinics.collect();
        let workspaces = if clinics.is_empty() {
            vec![emulator::DEMO_WORKSPACE.to_owned()]
        } else {
            resolve::workspaces(&clinics)?.ids
        };
        let origins = client.endpoints().clone();
        network(&options, &origins, &mut report).await?;
        streams(&client, &keys.current(), &workspaces, call.as_deref(), &mut report).await?;
    } else {
        platform(&options, &mut report).await?;
    }
    files(&options, choice, &mut report)?;
    report.add(local::terminal())?;
    report.finish()
}

/// Checks whether the settings can be used, and names the file and profile they come from.
fn configuration(options: &args::DoctorArgs, choice: &ConfigChoice) -> CheckResult {
    if let Some(error) = &options.broken {
        return CheckResult::error("configuration", error);
    }
    let path = settings_file(choice);
    match (path, &choice.profile) {
        (None, _) => {
            CheckResult::ok("configuration", "no file; using options, environment and defaults")
        }
        (Some(path), None) => CheckResult::ok("configuration", path.display().to_string()),
        (Some(path), Some(profile)) => {
            CheckResult::ok("configuration", format!("{}, profile {profile}", path.display()))
        }
    }
}

fn settings_file(choice: &ConfigChoice) -> Option<PathBuf> {
    choice.config.clone().or_else(config::default_path).filter(|path| path.exists())
}

/// Checks the key, the network and the streams of a platform that is not the demo.
async fn platform(options: &args::DoctorArgs, report: &mut DoctorReport) -> Result<()> {
    let (connection, auth) = (&options.connection, &options.connection.auth);
    let key = match resolve::api_key(auth).await {
        Ok((key, source)) => {
            report.add(CheckResult::ok("key", format!("legal, from {}", describe(&source))))?;
            Some(key)
        }
        Err(error) => {
            report.add(CheckResult::error("key", &error))?;
            None
        }
    };
    let settings = resolve::network(auth);
    let endpoints = Endpoints::resolve(
        &connection.base_url,
        connection.agent_base_url.as_deref(),
        settings.insecure_http,
    );
    let client = endpoints.and_then(|endpoints| Client::new(endpoints, &settings));
    let client = match client {
        Ok(client) => client,
        Err(error) => return report.add(CheckResult::error("URLs", &error)).map(drop),
    };
    network(options, client.endpoints(), report).await?;
    let workspaces: Vec<_> =
        match options.workspace.iter().map(|id| resolve::workspace(id)).collect::<Result<_>>() {
            Ok(workspaces) => workspaces,
            Err(error) => return report.add(CheckResult::error("workspace", &error)).map(drop),
        };
    let call = match options.call.as_deref().map(resolve::call).transpose() {
        Ok(call) => call,
        Err(error) => return report.add(CheckResult::error("call", &error)).map(drop),
    };
    match key {
        Some(key) => streams(&client, &key, &workspaces, call.as_deref(), report).await,
        None => Ok(()),
    }
}

/// Describes where a key comes from. A command is not shown, because it may hold a secret.
fn describe(source: &KeySource) -> String {
    match source {
        KeySource::Environment => crate::transport::credential::API_KEY_VARIABLE.to_owned(),
        KeySource::File(path) => path.display().to_string(),
        KeySource::Command(_) | KeySource::Program(_) => "--api-key-command".to_owned(),
    }
}

/// Checks the connection to both origins, or to one if they are the same.
async fn network(
    options: &args::DoctorArgs,
    endpoints: &Endpoints,
    report: &mut DoctorReport,
) -> Result<()> {
    let settings = resolve::network(&options.connection.auth);
    let (base, agent) = endpoints.origins();
    network::check_origin("", base, &settings, report).await?;
    if base.origin() != agent.origin() {
        network::check_origin("agent ", agent, &settings, report).await?;
    }
    Ok(())
}

/// Opens the streams of the workspaces, and the observer of the call.
async fn streams(
    client: &Client,
    key: &Credential,
    workspaces: &[String],
    call: Option<&str>,
    report: &mut DoctorReport,
) -> Result<()> {
    if workspaces.is_empty() {
        report.add(CheckResult::skipped("stream", "no workspace is named; give --workspace"))?;
    }
    for workspace in workspaces {
        let check =
            if workspaces.len() == 1 { "stream".to_owned() } else { format!("stream {workspace}") };
        report.add(stream(check, probe::workspace(client, workspace, key).await))?;
    }
    match (call, workspaces.first()) {
        (None, _) => report.add(CheckResult::skipped("observer", "no call is named; give --call")),
        (Some(_), None) => report.add(CheckResult::skipped(
            "observer",
            "the call's workspace is not named; give --workspace",
        )),
        (Some(call), Some(workspace)) => {
            report.add(stream("observer", probe::call(client, workspace, call, key).await))
        }
    }
    .map(drop)
}

fn stream(
    check: impl Into<String>,
    opened: std::result::Result<OpenedStream, ConnectError>,
) -> CheckResult {
    match opened {
        Ok(OpenedStream { after, first: Some(first) }) => {
            CheckResult::ok(check, format!("open; first frame after {}", milliseconds(first)))
                .with_duration(after)
        }
        Ok(OpenedStream { after, first: None }) => {
            let found = format!(
                "open, but nothing was received for {} s",
                probe::FIRST_FRAME_TIMEOUT.as_secs()
            );
            let advice =
                "check for a proxy that buffers the stream: it must not buffer text/event-stream";
            CheckResult::warning(check, found, advice).with_duration(after)
        }
        Err(failure) => CheckResult::failure(check, failure),
    }
}

/// Checks the modes of the files that the options and settings name.
fn files(
    options: &args::DoctorArgs,
    choice: &ConfigChoice,
    report: &mut DoctorReport,
) -> Result<()> {
    let settings = settings_file(choice);
    let files = [
        ("settings file", settings.as_deref(), false),
        ("key file", options.connection.auth.api_key_file.as_deref(), false),
        ("pseudonyms' key", options.phi_key_file.as_deref(), false),
        ("cursor", options.cursor.as_deref(), true),
        ("record", options.record.as_deref(), true),
    ];
    for (check, path, is_written) in files {
        if let Some(path) = path {
            report.add(local::private(check, path, is_written))?;
        }
    }
    Ok(())
}
