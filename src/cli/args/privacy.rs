//! The options that control what is hidden.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::config_defaults::ConfigDefaults;
use super::list::trimmed;

/// Which fields are hidden, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Protected health information")]
pub struct PrivacyArgs {
    /// How hidden values are replaced
    #[arg(long, value_enum, value_name = "MODE", default_value_t)]
    pub phi: PhiMode,
    /// Show a hidden field; may be repeated
    ///
    /// `all` shows every field. Examples: `caller_id`, `call.started.caller_id`
    #[arg(long, value_name = "FIELD", value_delimiter = ',', value_parser = trimmed)]
    pub reveal: Vec<String>,
    /// Hide a field that is shown by default; takes precedence over --reveal; may be repeated
    #[arg(long, value_name = "FIELD", value_delimiter = ',', value_parser = trimmed)]
    pub redact: Vec<String>,
    /// With --phi hash, read the key for pseudonyms from this file
    ///
    /// The file has at least 32 random bytes and mode 0600. Default: a random key for this run, so
    /// that pseudonyms differ from run to run.
    #[arg(long, value_name = "FILE")]
    pub phi_key_file: Option<PathBuf>,
    /// Text in which telephone numbers, email addresses and other identifiers are masked
    #[arg(long, value_enum, value_name = "TEXT", default_value_t)]
    pub scrub: ScrubArg,
    /// Whether free text is masked, because another option shares the events with others.
    #[arg(skip)]
    pub hides_prose: bool,
    /// The settings that come from the environment or the configuration.
    #[arg(skip)]
    pub config_defaults: ConfigDefaults,
}

/// How hidden values are replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum PhiMode {
    /// `[redacted]`
    #[default]
    Mask,
    /// A keyed pseudonym, equal for equal values; not de-identified: whoever has the key can re-identify it
    Hash,
    /// `[redacted ..23]`, with the last two characters; not de-identified
    Partial,
    /// Nothing: the field is removed
    Drop,
}

/// The text in which identifiers are masked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ScrubArg {
    /// Every string that is shown
    All,
    /// Free text, such as `reason`
    #[default]
    Free,
    /// No text
    None,
}
