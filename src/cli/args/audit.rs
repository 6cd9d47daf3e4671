//! The arguments of `evtap audit`.

use std::path::PathBuf;

use clap::Args;

use super::output::ReportFormat;

/// `evtap audit`
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// NDJSON, by evtap or not, CloudEvents, or a raw SSE capture, plain or packed by gzip or zstd; `-` is stdin
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// How the findings are written
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: ReportFormat,
}
