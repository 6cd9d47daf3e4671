//! Options over environment over profile over defaults: one resolved configuration, or an error that says what to do.

mod edit;
pub(crate) mod file;
mod forward;
mod layers;
mod report;
mod screen;
mod stages;
mod stats;
mod timeline;

use std::io::IsTerminal;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use colored::control;
use jiff::Timestamp;

use crate::cli::args::{
    AuthArgs, ColorWhen, DeliveryArgs, MergeOrder, PhiMode, PrivacyArgs, ReconnectArgs, ScrubArg,
};
use crate::error::{Error, Exit, Result};
use crate::model::{Kind, is_call_sid, is_uuid};
use crate::output::status;
use crate::pipeline::pacing::Pace;
use crate::query::suggest;
use crate::redact::{self, KEY_LENGTH, Mode, Policy, PseudonymKey};
use crate::text::units::{
    BYTE_UNITS, DurationError, parse_duration, parse_positive_duration, parse_size,
};
use crate::transport::client::Network;
use crate::transport::credential::{self, Credential, KeySource};
use crate::transport::merge::Merge;
use crate::transport::{SourceConfig, private_file, recording};
#[cfg(feature = "internals")]
pub use edit::example;
pub use edit::{init, set_profile};
pub use file::{profiles, usual_path};
pub use forward::endpoint;
pub use layers::{ParseError, parse};
pub use report::ResolvedConfig;
pub use screen::screen;
pub use stages::{expectations, stages};
pub use stats::stats;
pub use timeline::{TimelinePlan, timeline};

/// The name of the built-in clinic, and of its call.
pub const DEMO: &str = "demo";

/// The ids of the workspaces to watch: UUIDs, or `demo` alone.
pub fn workspaces(given: &[String]) -> Result<Vec<String>> {
    if given.is_empty() {
        let advice = "give --workspace or set AMIGO_WORKSPACE_ID; `--workspace demo` needs neither account nor network";
        return Err(Error::usage("cannot watch", "no workspace is named", advice));
    }
    if given.len() > 1 && given.iter().any(|id| id == DEMO) {
        return Err(Error::usage(
            "cannot watch",
            "the demo can't be merged with a workspace",
            "watch it by itself",
        ));
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

/// The SIDs of several calls.
pub fn calls(sids: &[String]) -> Result<Vec<String>> {
    sids.iter().map(|sid| call(sid)).collect()
}

/// Where the API key comes from, if there is one.
#[must_use]
pub fn key_source(auth: &AuthArgs) -> Option<KeySource> {
    match (&auth.api_key_file, &auth.api_key_command) {
        (Some(path), _) => Some(KeySource::File(path.clone())),
        (None, Some(command)) => Some(KeySource::Command(command.clone())),
        (None, None) => std::env::var_os(credential::VARIABLE).map(|_| KeySource::Environment),
    }
}

/// The API key, and where it comes from.
pub async fn key(auth: &AuthArgs) -> Result<(Credential, KeySource)> {
    let Some(source) = key_source(auth) else {
        let advice = "set AMIGO_API_KEY or give --api-key-file";
        return Err(Error::new(Exit::Credential, "cannot connect", "there is no API key", advice));
    };
    Ok((source.read().await?, source))
}

/// The way to the network.
#[must_use]
pub fn network(auth: &AuthArgs) -> Network {
    let AuthArgs { proxy, ca_cert, insecure_http, .. } = auth;
    Network {
        proxy: proxy.clone(),
        ca_cert: ca_cert.clone(),
        insecure_http: *insecure_http,
        resolver: None,
    }
}

/// A rate of events, which must be above zero.
pub fn rate(option: &str, rate: f64) -> Result<f64> {
    if rate.is_finite() && rate > 0.0 {
        Ok(rate)
    } else {
        Err(Error::usage(
            format!("cannot use {option} {rate}"),
            "it is no rate",
            "give events per second, such as 5",
        ))
    }
}

/// The pace of a replay of these files, in multiples of real time.
pub fn pace(speed: Option<f64>, files: &[PathBuf]) -> Result<Arc<Pace>> {
    match speed {
        None => Ok(Arc::new(Pace::new(recording::sizes(files), f64::INFINITY))),
        Some(speed) if speed.is_finite() && speed > 0.0 => {
            Ok(Arc::new(Pace::new(recording::sizes(files), speed)))
        }
        Some(speed) => Err(Error::usage(
            format!("cannot use --speed {speed}"),
            "it is no speed",
            "give 1 for real time, or such as 10 or 0.5",
        )),
    }
}

/// What is hidden. Names that the model doesn't have are told of: a typing error would hide or reveal nothing.
pub fn policy(privacy: &PrivacyArgs, format: status::StatusFormat) -> Result<Policy> {
    let scrub = match privacy.scrub {
        ScrubArg::All => redact::ScrubMode::All,
        ScrubArg::Free => redact::ScrubMode::Free,
        ScrubArg::None => redact::ScrubMode::None,
    };
    let stands = privacy.config_defaults.contains("phi_key_file");
    let key_file =
        privacy.phi_key_file.as_deref().filter(|_| privacy.phi == PhiMode::Hash || !stands);
    let mut policy = Policy { mode: mode(privacy.phi, key_file)?, scrub, ..Policy::default() };
    reveal(&mut policy, &privacy.reveal, format)?;
    for name in &privacy.redact {
        check(name, |advice| {
            Err(Error::usage(
                format!("cannot redact {name}"),
                "no event in the model has such a field",
                advice,
            ))
        })?;
        policy.redact.add(name);
    }
    if privacy.scrub == ScrubArg::None && format != status::StatusFormat::None {
        status::report("free text is shown as it is, whatever it holds, by --scrub none");
    }
    Ok(policy)
}

/// Reveals fields by name, and says so.
fn reveal(policy: &mut Policy, names: &[String], format: status::StatusFormat) -> Result<()> {
    for name in names {
        check(name, |advice| {
            status::report(&format!(
                "--reveal {name}: no event in the model has such a field; {advice}, or it is shown should it arrive"
            ));
            Ok(())
        })?;
        policy.reveal.add(name);
    }
    if !names.is_empty() && format != status::StatusFormat::None {
        status::report(&format!("revealed by name: {}", names.join(", ")));
    }
    Ok(())
}

/// What takes the place of hidden values, with the key that it needs.
fn mode(phi: PhiMode, key_file: Option<&Path>) -> Result<Mode> {
    let key = key_file.map(|path| {
        let bytes = private_file::read_secret("--phi-key-file", path)?;
        PseudonymKey::new(&bytes).ok_or_else(|| {
            let advice = format!("make one with `head -c {KEY_LENGTH} /dev/urandom`");
            let why = format!("it has {} bytes, fewer than {KEY_LENGTH}", bytes.len());
            Error::usage(format!("cannot use --phi-key-file {}", path.display()), why, advice)
        })
    });
    match (phi, key.transpose()?) {
        (PhiMode::Hash, key) => Ok(Mode::Hash(key.unwrap_or_else(PseudonymKey::random))),
        (_, Some(_)) => Err(Error::usage(
            "cannot use --phi-key-file",
            "only pseudonyms have a key",
            "give --phi hash too",
        )),
        (PhiMode::Mask, None) => Ok(Mode::Mask),
        (PhiMode::Partial, None) => Ok(Mode::Partial),
        (PhiMode::Drop, None) => Ok(Mode::Drop),
    }
}

fn check(name: &str, unknown: impl FnOnce(String) -> Result<()>) -> Result<()> {
    let specs = || Kind::ALL.iter().map(|kind| kind.spec());
    let all: Vec<String> = specs()
        .flat_map(|spec| {
            spec.fields.iter().map(|field| field.name.to_owned()).chain(
                spec.fields.iter().map(|field| format!("{}.{}", spec.event_type, field.name)),
            )
        })
        .collect();
    if name == "all"
        || all.iter().any(|known| known == name)
        || matches!(name, "_tap.call_sid" | "_tap.workspace_id")
    {
        return Ok(());
    }
    unknown(match suggest::nearest(name, all.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean {meant}?"),
        None => "see `evtap schema`".to_owned(),
    })
}

/// Whether colours are on, by option, `NO_COLOR`, `CLICOLOR_FORCE` and the terminal, in this order.
pub fn colour(choice: ColorWhen) {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    control::set_override(match choice {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto if set("NO_COLOR") => false,
        ColorWhen::Auto if set("CLICOLOR_FORCE") => true,
        ColorWhen::Auto => {
            std::io::stdout().is_terminal()
                && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
    });
}

/// Parses a duration such as `30s`, `5m` or `1h30m`.
pub fn duration(option: &str, text: &str) -> Result<Duration> {
    parse_duration(text).map_err(|error| wrong_duration(option, text, error))
}

/// Parses a duration that must be longer than zero.
fn positive(option: &str, text: &str) -> Result<Duration> {
    parse_positive_duration(text).map_err(|error| wrong_duration(option, text, error))
}

fn wrong_duration(option: &str, text: &str, error: DurationError) -> Error {
    let what = format!("cannot use {option} {text}");
    Error::usage(what, error.to_string(), DurationError::ADVICE)
}

/// Parses a size such as `65536`, `512KiB` or `4MiB`, in bytes: from 1 KiB to 1 GiB.
pub fn size(option: &str, text: &str) -> Result<usize> {
    parse_size(text, BYTE_UNITS).filter(|bytes| (1 << 10..=1 << 30).contains(bytes)).ok_or_else(
        || {
            Error::usage(
                format!("cannot use {option} {text}"),
                "it is no size from 1KiB to 1024MiB",
                "give one such as 512KiB or 4MiB",
            )
        },
    )
}

/// The id to begin at: one, a time, or an age.
pub fn since(text: &str, now: Timestamp) -> Result<u64> {
    if let Some(id) = Some(text)
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
    {
        return Ok(id);
    }
    let moment = match duration("--since", text) {
        Ok(age) => now.checked_sub(age).ok(),
        Err(_) => text.parse::<Timestamp>().ok(),
    };
    moment.and_then(|moment| u64::try_from(moment.as_millisecond()).ok()).ok_or_else(|| {
        let advice = "give an id such as 1700000000000, a time such as 2026-05-05T10:00:00Z, or an age such as 3m";
        Error::usage(format!("cannot begin at --since {text}"), "it is no id, no time and no age", advice)
    })
}

/// How many threads work on a recording.
#[must_use]
pub fn threads(asked: Option<u16>) -> usize {
    asked.map_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get), usize::from)
}

/// How several streams become one.
pub fn merge(reconnect: &ReconnectArgs) -> Result<Merge> {
    let window = duration("--order-window", &reconnect.order_window)?;
    Ok(if reconnect.order == MergeOrder::Time { Merge::Time(window) } else { Merge::Arrival })
}

/// How much the sources bear.
pub fn limits(delivery: &DeliveryArgs, reconnect: Option<&ReconnectArgs>) -> Result<SourceConfig> {
    let silence = reconnect.and_then(|reconnect| reconnect.read_timeout.as_deref());
    Ok(SourceConfig {
        frame: size("--max-frame", &delivery.max_frame)?,
        silence: silence.map(|text| positive("--read-timeout", text)).transpose()?,
        reconnects: reconnect.and_then(|reconnect| reconnect.max_reconnects),
        ..SourceConfig::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_sizes_are_read() {
        assert_eq!(positive("-", "90s").expect("a length"), Duration::from_secs(90));
        for text in ["", "s", "5", "0s", "-1s"] {
            assert_eq!(positive("-", text).expect_err(text).exit, Exit::Usage);
        }
        for (text, expected) in [
            ("65536", 65536),
            ("512KiB", 1 << 19),
            ("4MiB", 4 << 20),
            ("2MB", 2_000_000),
            ("1024", 1024),
        ] {
            assert_eq!(size("-", text).expect("a size"), expected, "{text}");
        }
        for text in ["", "0", "1023", "1GB", "2000MiB", "x", "99999999999999999999"] {
            assert_eq!(size("-", text).expect_err(text).exit, Exit::Usage);
        }
    }

    #[test]
    fn a_beginning_is_an_id_a_time_or_an_age() {
        let now = Timestamp::from_millisecond(1_700_000_600_000).expect("a time");
        for (text, expected) in [
            ("1700000000000", 1_700_000_000_000),
            ("0", 0),
            ("2023-11-14T22:13:20Z", 1_700_000_000_000),
            ("2023-11-14T23:13:20.5+01:00", 1_700_000_000_500),
            ("10m", 1_700_000_000_000),
        ] {
            assert_eq!(since(text, now).expect("a moment"), expected, "{text}");
        }
        for text in ["", "yesterday", "10", "10y", "99999999999999999999", "1969-01-01T00:00:00Z"] {
            let read = since(text, now);
            assert!(text == "10" || read.expect_err(text).exit == Exit::Usage);
        }
    }
}
