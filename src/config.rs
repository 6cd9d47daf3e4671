//! Options over environment over defaults: one resolved configuration, or an error that says what to do.

mod screen;
mod stages;

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use colored::control;

use crate::cli::{Color, Phi, Show};
use crate::credential::Credential;
use crate::error::{Error, Exit, Result};
use crate::event::{Kind, is_call_sid, is_uuid};
use crate::redact::{Mode, Policy};
use crate::schema;
use crate::status;
pub use screen::screen;
pub use stages::{expectations, stages};

/// The name of the built-in clinic, and of its call.
pub const DEMO: &str = "demo";

/// The ids of the workspaces to watch: UUIDs, or `demo` alone.
pub fn workspaces(given: &[String]) -> Result<Vec<String>> {
    if given.is_empty() {
        let advice = "give --workspace or set AMIGO_WORKSPACE_ID; `--workspace demo` needs neither account nor network";
        return Err(Error::usage("cannot watch", "no workspace is named", advice));
    }
    if given.len() > 1 && given.iter().any(|id| id == DEMO) {
        return Err(Error::usage("cannot watch", "the demo can't be merged with a workspace", "watch it by itself"));
    }
    given.iter().map(|id| workspace(id)).collect()
}

/// One workspace's id, in lower case.
pub fn workspace(id: &str) -> Result<String> {
    if id == DEMO || is_uuid(id) {
        return Ok(id.to_ascii_lowercase());
    }
    let advice = "copy it from the platform's settings, such as 1b4e28ba-2fa1-11d2-883f-0016d3cca427, or try `demo`";
    Err(Error::usage("cannot use that workspace", "its id is no UUID", advice))
}

/// A call's SID.
pub fn call(sid: &str) -> Result<String> {
    if sid == DEMO || is_call_sid(sid) {
        return Ok(sid.to_owned());
    }
    let advice = "copy the call_sid of a call.started event, or try `demo`";
    Err(Error::usage("cannot use that call", "its SID isn't CA and 32 letters or digits", advice))
}

/// The API key, from the file or from `AMIGO_API_KEY`.
pub fn credential(file: Option<&Path>) -> Result<Credential> {
    if let Some(path) = file {
        return Credential::read(path);
    }
    match std::env::var("AMIGO_API_KEY") {
        Ok(key) => Credential::new(&key, "AMIGO_API_KEY"),
        Err(_) => {
            Err(Error::new(Exit::Credential, "cannot connect", "there is no API key", "set AMIGO_API_KEY or give --api-key-file"))
        }
    }
}

/// A rate of events, which must be above zero.
pub fn rate(option: &str, rate: f64) -> Result<f64> {
    if rate.is_finite() && rate > 0.0 {
        Ok(rate)
    } else {
        Err(Error::usage(format!("cannot use {option} {rate}"), "it is no rate", "give events per second, such as 5"))
    }
}

/// What is hidden. Names that the model doesn't have are told of: a typing error would hide or reveal nothing.
pub fn policy(show: &Show) -> Result<Policy> {
    let mode = match show.phi {
        Phi::Mask => Mode::Mask,
        Phi::Drop => Mode::Drop,
    };
    let mut policy = Policy { mode, ..Policy::default() };
    for name in &show.reveal {
        check(name, |advice| {
            status::say(&format!(
                "--reveal {name}: no event in the model has such a field; {advice}, or it is shown should it arrive"
            ));
            Ok(())
        })?;
        policy.reveal.add(name);
    }
    for name in &show.redact {
        check(name, |advice| {
            Err(Error::usage(format!("cannot redact {name}"), "no event in the model has such a field", advice))
        })?;
        policy.redact.add(name);
    }
    if !show.reveal.is_empty() && show.status != status::Format::None {
        status::say(&format!("revealed by name: {}", show.reveal.join(", ")));
    }
    Ok(policy)
}

fn check(name: &str, unknown: impl FnOnce(String) -> Result<()>) -> Result<()> {
    let specs = || Kind::ALL.iter().map(|kind| kind.spec());
    let all: Vec<String> = specs()
        .flat_map(|spec| {
            spec.fields
                .iter()
                .map(|field| field.name.to_owned())
                .chain(spec.fields.iter().map(|field| format!("{}.{}", spec.event_type, field.name)))
        })
        .collect();
    if name == "all" || all.iter().any(|known| known == name) || matches!(name, "_tap.call_sid" | "_tap.workspace_id") {
        return Ok(());
    }
    unknown(match schema::nearest(name, all.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean {meant}?"),
        None => "see `evtap schema`".to_owned(),
    })
}

/// Whether colours are on, by option, `NO_COLOR`, `CLICOLOR_FORCE` and the terminal, in this order.
pub fn colour(choice: Color) {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    control::set_override(match choice {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if set("NO_COLOR") => false,
        Color::Auto if set("CLICOLOR_FORCE") => true,
        Color::Auto => std::io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
    });
}

/// A length of time, such as `30s`, `5m` or `1h30m`.
pub fn duration(option: &str, text: &str) -> Result<Duration> {
    let parsed = text.parse::<jiff::SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    parsed.ok_or_else(|| {
        Error::usage(format!("cannot use {option} {text}"), "it is no length of time", "write it like 30s, 5m or 1h30m")
    })
}
