//! What people type about protected health information.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::manual;

/// `evtap audit`
#[derive(Debug, Args)]
#[command(after_long_help = manual::after("audit"))]
pub struct Audit {
    /// NDJSON, by evtap or not, CloudEvents, or a raw SSE capture; `-` is stdin
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// How the findings are written
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: Report,
}

/// The formats of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Report {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object
    Json,
}

/// What takes the place of what is hidden.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Phi {
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
pub enum Scrub {
    /// Every string that is shown
    All,
    /// The fields that hold prose, such as `reason`
    #[default]
    Free,
    /// None
    None,
}
