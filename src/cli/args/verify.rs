//! The arguments of `evtap verify`.

use std::path::PathBuf;

use clap::Args;

use super::output::ReportFormat;

/// `evtap verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Recordings to verify; `-` is stdin
    ///
    /// NDJSON, a JSON array, CloudEvents or a raw SSE capture; plain, gzip or zstd. Recordings of
    /// several taps may overlap.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Format of the report
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: ReportFormat,
}
