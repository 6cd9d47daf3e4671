//! Resolves what to connect to and how: workspaces, calls, the API key, the network and the limits
//! of sources.

use std::time::Duration;

use super::value::{duration, positive_duration, size};
use crate::cli::args::{AuthArgs, DeliveryArgs, MergeOrder, ReconnectArgs, WaitArgs};
use crate::emulator::{MAX_DEMO, demo_workspace};
use crate::error::{Error, Exit, Result};
use crate::model::{is_call_sid, is_uuid};
use crate::output::status::{self, StatusFormat};
use crate::transport::SourceConfig;
use crate::transport::client::Network;
use crate::transport::credential::{self, Credential, KeySource};
use crate::transport::merge::Merge;
use crate::transport::private_file::is_private;

/// The name of the built-in demo workspace and of its call.
pub const DEMO: &str = "demo";

/// The workspaces that a command reads.
#[derive(Debug, PartialEq, Eq)]
pub struct Workspaces {
    /// Their ids, each once.
    pub ids: Vec<String>,
    /// Whether they are clinics of the emulator.
    pub are_demo: bool,
}

/// Checks the workspaces to read, which are UUIDs, or clinics of the emulator: `demo`, `demo:2` and
/// so on.
pub fn workspaces(given: &[String]) -> Result<Workspaces> {
    if given.is_empty() {
        let advice = "give --workspace or set AMIGO_WORKSPACE_ID; `--workspace demo` needs neither account nor network";
        return Err(Error::usage("cannot watch", "no workspace is named", advice)
            .with_setting("--workspace"));
    }
    let demos = given.iter().filter(|id| is_demo(id)).count();
    if demos > 0 && demos < given.len() {
        return Err(Error::usage(
            "cannot watch",
            "the demo can't be merged with a workspace",
            "watch it by itself; `demo:2` is a second clinic",
        )
        .with_setting("--workspace"));
    }
    let mut ids = Vec::with_capacity(given.len());
    for id in given {
        let id = workspace(id)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(Workspaces { ids, are_demo: demos > 0 })
}

/// Whether a workspace is a clinic of the emulator.
#[must_use]
pub fn is_demo(workspace: &str) -> bool {
    workspace == DEMO || workspace.strip_prefix(DEMO).is_some_and(|rest| rest.starts_with(':'))
}

/// Checks the id of a workspace and returns it in lower case, for `demo` and `demo:2` too.
pub fn workspace(id: &str) -> Result<String> {
    if is_uuid(id) {
        return Ok(id.to_ascii_lowercase());
    }
    if is_demo(id) {
        let number = id[DEMO.len()..].strip_prefix(':').unwrap_or("1");
        let number = number.parse().ok().filter(|number| (1..=MAX_DEMO).contains(number));
        return number.map(demo_workspace).ok_or_else(|| {
            let why = format!("the number of a demo clinic is from 1 to {MAX_DEMO}");
            Error::usage("cannot use that workspace", why, "write it like `demo:2`")
                .with_setting("--workspace")
        });
    }
    let advice = "copy it from the platform's settings, such as 1b4e28ba-2fa1-11d2-883f-0016d3cca427, or try `demo`";
    Err(Error::usage("cannot use that workspace", "its id is not a UUID", advice)
        .with_setting("--workspace"))
}

/// Checks the SID of a call, which is `CA` and 32 letters or digits, or `demo`.
pub fn call(sid: &str) -> Result<String> {
    if sid == DEMO || is_call_sid(sid) {
        return Ok(sid.to_owned());
    }
    let advice = "copy the call_sid of a call.started event, or try `demo`";
    Err(Error::usage("cannot use that call", "its SID is not CA and 32 letters or digits", advice))
}

/// Checks the SIDs of several calls.
pub fn calls(sids: &[String]) -> Result<Vec<String>> {
    sids.iter().map(|sid| call(sid)).collect()
}

/// Returns where the API key comes from, or `None` if no source is set.
#[must_use]
pub fn key_source(auth: &AuthArgs) -> Option<KeySource> {
    match (&auth.api_key_file, &auth.api_key_command) {
        (Some(path), _) => Some(KeySource::File(path.clone())),
        (None, Some(command)) => Some(KeySource::Command(command.0.clone())),
        (None, None) => {
            let key = std::env::var_os(credential::API_KEY_VARIABLE);
            key.filter(|key| !key.is_empty()).map(|_| KeySource::Environment)
        }
    }
}

/// Warns if other users can read the file with the API key.
pub fn warn_if_exposed(source: &KeySource, format: StatusFormat) {
    let KeySource::File(path) = source else { return };
    if std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && !is_private(&meta)) {
        let what = format!("the API key in {} is not safe", path.display());
        let advice = "run `chmod 600` on it, and consider a new key";
        let why = "other users can read or write the file";
        status::warning(format, &Error::new(Exit::Credential, what, why, advice));
    }
}

/// Reads the API key and returns it with its source.
pub async fn api_key(auth: &AuthArgs) -> Result<(Credential, KeySource)> {
    let Some(source) = key_source(auth) else {
        let advice = "set AMIGO_API_KEY or give --api-key-file";
        return Err(Error::new(Exit::Credential, "cannot connect", "no API key", advice));
    };
    Ok((source.read().await?, source))
}

/// Returns the network settings: the proxy, the CA certificate and whether plain HTTP is allowed.
#[must_use]
pub fn network(auth: &AuthArgs) -> Network {
    let AuthArgs { proxy, ca_cert, insecure_http, .. } = auth;
    Network {
        proxy: proxy.as_ref().map(|proxy| proxy.0.clone()),
        ca_cert: ca_cert.clone(),
        insecure_http: *insecure_http,
        resolver: None,
    }
}

/// Returns how the events of several streams are merged.
pub fn merge(reconnect: &ReconnectArgs) -> Result<Merge> {
    let window = duration("--order-window", &reconnect.order_window)?;
    Ok(if reconnect.order == MergeOrder::Time { Merge::Time(window) } else { Merge::Arrival })
}

/// Returns how long to wait for a server that cannot be reached yet.
pub fn wait(args: &WaitArgs) -> Result<Duration> {
    args.wait.as_deref().map_or(Ok(Duration::ZERO), |text| positive_duration("--wait", text))
}

/// Returns the limits of the sources: frame size, read timeout and number of reconnects.
pub fn source_config(
    delivery: &DeliveryArgs,
    reconnect: Option<&ReconnectArgs>,
) -> Result<SourceConfig> {
    let wait = reconnect.map(|reconnect| wait(&reconnect.wait)).transpose()?.unwrap_or_default();
    let silence = reconnect.and_then(|reconnect| reconnect.read_timeout.as_deref());
    Ok(SourceConfig {
        max_frame: size("--max-frame", &delivery.max_frame)?,
        read_timeout: silence.map(|text| positive_duration("--read-timeout", text)).transpose()?,
        wait,
        max_reconnects: reconnect.and_then(|reconnect| reconnect.max_reconnects),
        // Ids of events contain a count that also depends on events that were delivered before.
        pass_replayed: true,
        ..SourceConfig::default()
    })
}
