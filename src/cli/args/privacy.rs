//! What people type about protected health information.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::config_defaults::ConfigDefaults;

/// What is hidden.
#[derive(Debug, Args)]
#[command(next_help_heading = "Protected health information")]
pub struct PrivacyArgs {
    /// What takes the place of what is hidden
    #[arg(long, value_enum, value_name = "MODE", default_value_t)]
    pub phi: PhiMode,
    /// Show a hidden field: `caller_id`, `call.started.caller_id`, or `all`; may repeat
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    pub reveal: Vec<String>,
    /// Hide a field that is shown otherwise; goes before --reveal; may repeat
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    pub redact: Vec<String>,
    /// With `--phi hash`, a file of at least 32 random bytes, mode 0600; a key is drawn for this run otherwise
    #[arg(long, value_name = "FILE")]
    pub phi_key_file: Option<PathBuf>,
    /// Which text is searched for telephone numbers, email addresses and the like, to be masked
    #[arg(long, value_enum, value_name = "TEXT", default_value_t)]
    pub scrub: ScrubArg,
    /// The settings that nobody has typed.
    #[arg(skip)]
    pub config_defaults: ConfigDefaults,
}

/// What takes the place of what is hidden.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum PhiMode {
    /// `[redacted]`
    #[default]
    Mask,
    /// A pseudonym, the same for the same value, by a key: not de-identified, as who has the key can tell whose it is
    Hash,
    /// `[redacted ..23]`, with the last two characters: not de-identified either
    Partial,
    /// Nothing: the field is left out
    Drop,
}

/// Which text is searched for identifiers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ScrubArg {
    /// Every string that is shown
    All,
    /// The fields that hold prose, such as `reason`
    #[default]
    Free,
    /// None
    None,
}
