//! The arguments of `evtap verify`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::broker::{BrokerArgs, FromArgs, StoredWorkspacesArgs};
use super::output::ReportFormat;

/// `evtap verify`
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("verified").args(["files", "from"]).required(true))]
pub struct VerifyArgs {
    /// Recordings to verify; `-` is stdin
    ///
    /// NDJSON, a JSON array, CloudEvents or a raw SSE capture; plain, gzip or zstd. Recordings of
    /// several taps may overlap.
    #[arg(value_name = "FILE", conflicts_with = "workspace")]
    pub files: Vec<PathBuf>,
    /// Format of the report
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: ReportFormat,
    /// The stream in place of recordings.
    #[command(flatten)]
    pub source: FromArgs,
    /// The workspaces to read from it.
    #[command(flatten)]
    pub workspaces: StoredWorkspacesArgs,
    /// With --from, start with what was stored at this time
    ///
    /// Takes the values of `replay --since`, or `all`, which is the default.
    #[arg(long, value_name = "TIME", requires = "from", help_heading = "Broker")]
    pub since: Option<String>,
    /// How to reach the broker.
    #[command(flatten)]
    pub broker: BrokerArgs,
    /// Also trust the certificates in this PEM file
    #[arg(long, value_name = "FILE", requires = "from")]
    pub ca_cert: Option<PathBuf>,
    /// Allow plain text to other hosts
    #[arg(long, requires = "from")]
    pub insecure_http: bool,
}
