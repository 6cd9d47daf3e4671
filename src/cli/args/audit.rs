//! The arguments of `evtap audit`.

use std::path::PathBuf;

use clap::Args;

use super::list::trimmed;
use super::output::ReportFormat;
use super::range::RangeArgs;

/// `evtap audit`
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Recordings to check; `-` is stdin
    ///
    /// NDJSON, a JSON array, CloudEvents or a raw SSE capture; plain, gzip or zstd.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Accept what detectors find in this field; may be repeated
    ///
    /// Write `EVENT.FIELD` for one event type, such as `channel.email_bounced.from_address`. Fields
    /// that are hidden by their class cannot be allowed. Example: `from_address`
    #[arg(long, value_name = "FIELD", value_delimiter = ',', value_parser = trimmed)]
    pub allow: Vec<String>,
    /// Format of the report
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: ReportFormat,
    /// Number of threads that audit a recording
    ///
    /// Default: the number of processors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub threads: Option<u16>,
    /// The range of time.
    #[command(flatten)]
    pub range: RangeArgs,
}
