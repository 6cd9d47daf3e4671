//! The arguments of `evtap expect`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::broker::{BrokerArgs, FromArgs};
use super::connection::{ConnectionArgs, DemoArgs};
use super::delivery::WaitArgs;
use super::list::trimmed;
use super::metrics::MetricsArgs;
use super::range::RangeArgs;
use crate::output::status;

/// `evtap expect`
#[derive(Debug, Args)]
pub struct ExpectArgs {
    /// Read the steps from this file
    ///
    /// Each line is a step: `[within DURATION] EXPR`
    #[arg(value_name = "FILE", required_unless_present = "then", conflicts_with = "then")]
    pub file: Option<PathBuf>,
    /// Add a step: `[within DURATION] EXPR`; may be repeated
    ///
    /// EXPR is a jq expression, or `@NAME` for a filter from the configuration.
    /// Example: `within 30s .event_type == "call.ended"`
    #[arg(long, value_name = "STEP")]
    pub then: Vec<String>,
    /// Check the stream of this workspace: its id, or `demo`
    #[arg(short, long, value_name = "ID", env = "AMIGO_WORKSPACE_ID", hide_env_values = true)]
    pub workspace: Option<String>,
    /// Check this call: its SID, or `demo`
    #[arg(short, long, value_name = "SID", conflicts_with = "replay")]
    pub call: Option<String>,
    /// Check this recording; `-` is stdin; may be repeated
    #[arg(long, value_name = "FILE", group = "stored", conflicts_with = "from")]
    pub replay: Vec<PathBuf>,
    /// Number of threads that process a recording
    ///
    /// Default: the number of processors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), requires = "stored")]
    pub threads: Option<u16>,
    /// Let expressions see this hidden field; may be repeated
    #[arg(long, value_name = "FIELD", value_delimiter = ',', value_parser = trimmed)]
    pub reveal: Vec<String>,
    /// Set $NAME to a string in all expressions; may be repeated
    #[arg(long = "arg", num_args = 2, value_names = ["NAME", "VALUE"])]
    pub args: Vec<String>,
    /// Don't check expressions against the event model
    #[arg(long)]
    pub no_check: bool,
    /// Format of the status messages on stderr
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub status: status::StatusFormat,
    /// The range of time.
    #[command(flatten)]
    pub range: RangeArgs,
    /// The broker to read from.
    #[command(flatten)]
    pub source: FromArgs,
    /// How to reach the broker.
    #[command(flatten)]
    pub broker: BrokerArgs,
    /// Metrics of the run.
    #[command(flatten)]
    pub metrics: MetricsArgs,
    /// How to reach the platform.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// How long to wait for the server.
    #[command(flatten)]
    pub wait: WaitArgs,
    /// The built-in clinic.
    #[command(flatten)]
    pub demo: DemoArgs,
    /// The named filters of the configuration.
    #[arg(skip)]
    pub named: BTreeMap<String, String>,
}
