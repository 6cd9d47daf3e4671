//! Resolves which fields are hidden and what replaces their values.

use std::path::Path;

#[cfg(feature = "mcp")]
use crate::cli::args::ConfigDefaults;
use crate::cli::args::{PhiMode, PrivacyArgs, ScrubArg};
use crate::error::{Error, Result};
use crate::model::{FieldSpec, Kind};
use crate::output::status;
use crate::query::suggest;
use crate::redact::{self, FieldNames, KEY_LENGTH, Mode, Policy, PseudonymKey};
use crate::text::units::counted;
use crate::transport::private_file;

/// The option that names the file with the key of pseudonyms.
const KEY_FILE: &str = "--phi-key-file";

/// Returns the policy for hidden fields.
///
/// A field name that the model does not have is an error in `--redact` and a message in `--reveal`,
/// because a typing mistake would hide or reveal nothing.
pub fn policy(privacy: &PrivacyArgs, format: status::StatusFormat) -> Result<Policy> {
    let scrub = match privacy.scrub {
        ScrubArg::All => redact::ScrubMode::All,
        ScrubArg::Free => redact::ScrubMode::Free,
        ScrubArg::None => redact::ScrubMode::None,
    };
    let is_default = privacy.config_defaults.contains("phi_key_file");
    let key_file =
        privacy.phi_key_file.as_deref().filter(|_| privacy.phi == PhiMode::Hash || !is_default);
    let mut policy = Policy {
        mode: mode(privacy.phi, key_file)?,
        scrub,
        hides_free: privacy.hides_prose,
        ..Policy::default()
    };
    reveal(&mut policy, &privacy.reveal, format)?;
    for name in &privacy.redact {
        check_field(name, |advice| {
            Err(Error::usage(
                format!("cannot redact {name}"),
                "no event in the model has such a field",
                advice,
            )
            .with_setting("--redact"))
        })?;
        policy.redact.add(name);
    }
    if privacy.scrub == ScrubArg::None && format != status::StatusFormat::None {
        status::report("identifiers in free text are not masked (--scrub none)");
    }
    Ok(policy)
}

/// Returns the policy for events that an agent reads: hidden fields and free text are masked.
///
/// Nothing can be revealed; `redact` hides more.
#[cfg(feature = "mcp")]
pub fn agent_policy(redact: &[String], scrub: ScrubArg) -> Result<Policy> {
    if scrub == ScrubArg::None {
        let advice = "omit it, or give `all`";
        return Err(Error::usage(
            "cannot use --scrub none",
            "it shows more than the default",
            advice,
        )
        .with_setting("--scrub"));
    }
    let privacy = PrivacyArgs {
        phi: PhiMode::Mask,
        reveal: Vec::new(),
        redact: redact.to_vec(),
        phi_key_file: None,
        scrub,
        hides_prose: true,
        config_defaults: ConfigDefaults::default(),
    };
    policy(&privacy, status::StatusFormat::None)
}

/// Returns the fields in which `audit` accepts identifiers.
///
/// A field that the model does not have, or that is hidden by its class, is an error.
pub fn allowed_fields(names: &[String]) -> Result<FieldNames> {
    let mut allowed = FieldNames::default();
    for name in names {
        let refuse = |why: &str, advice: String| {
            Error::usage(format!("cannot allow {name}"), why, advice).with_setting("--allow")
        };
        if name == "all" {
            let advice = "name the fields that may contain identifiers".to_owned();
            return Err(refuse("a field must be named", advice));
        }
        check_field(name, |advice| Err(refuse("no event in the model has such a field", advice)))?;
        let is_hidden = Kind::ALL
            .iter()
            .map(|kind| kind.spec())
            .flat_map(|spec| {
                let is_named = |field: &&FieldSpec| {
                    field.name == name
                        || name
                            .strip_prefix(spec.event_type)
                            .and_then(|rest| rest.strip_prefix('.'))
                            == Some(field.name)
                };
                spec.fields.iter().filter(is_named)
            })
            .all(|field| field.class.is_hidden());
        if is_hidden {
            return Err(refuse(
                "the field is hidden by its class",
                "record it masked, which is the default".to_owned(),
            ));
        }
        allowed.add(name);
    }
    Ok(allowed)
}

/// Reveals fields by name and reports this in status messages.
pub(super) fn reveal(
    policy: &mut Policy,
    names: &[String],
    format: status::StatusFormat,
) -> Result<()> {
    for name in names {
        check_field(name, |advice| {
            status::warn(&format!(
                "--reveal {name}: no event in the model has such a field; {advice}; if such a field arrives, it is shown"
            ));
            Ok(())
        })?;
        policy.reveal.add(name);
    }
    if !names.is_empty() && format != status::StatusFormat::None {
        status::report(&format!("hidden fields are shown (--reveal): {}", names.join(", ")));
    }
    Ok(())
}

/// Returns what replaces hidden values, with the key of pseudonyms if they are used.
fn mode(phi: PhiMode, key_file: Option<&Path>) -> Result<Mode> {
    let key = key_file.map(|path| {
        let bytes = private_file::read_secret(KEY_FILE, path)
            .map_err(|error| error.with_setting(KEY_FILE))?;
        PseudonymKey::new(&bytes).ok_or_else(|| {
            let advice = format!("create one with `head -c {KEY_LENGTH} /dev/urandom`");
            let why =
                format!("it has {}, fewer than {KEY_LENGTH}", counted(bytes.len() as u64, "byte"));
            Error::invalid_value(KEY_FILE, path.display(), why, advice)
        })
    });
    match (phi, key.transpose()?) {
        (PhiMode::Hash, key) => Ok(Mode::Hash(key.unwrap_or_else(PseudonymKey::random))),
        (_, Some(_)) => Err(Error::usage(
            "cannot use --phi-key-file",
            "only pseudonyms use a key",
            "give --phi hash too",
        )
        .with_setting(KEY_FILE)),
        (PhiMode::Mask, None) => Ok(Mode::Mask),
        (PhiMode::Partial, None) => Ok(Mode::Partial),
        (PhiMode::Drop, None) => Ok(Mode::Drop),
    }
}

/// Calls `unknown` with advice if no event in the model has a field of that name.
fn check_field(name: &str, unknown: impl FnOnce(String) -> Result<()>) -> Result<()> {
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
