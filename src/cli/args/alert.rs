//! The arguments of `evtap alert`.

use std::path::PathBuf;

use clap::Args;

use super::connection::{ConnectionArgs, DemoArgs};
use super::delivery::{DeliveryArgs, ReconnectArgs, ResumeArgs};
use super::filter::{FilterArgs, StopArgs};
use super::list::trimmed;
use super::metrics::MetricsArgs;
use super::output::OutputArgs;
use super::rules::RulesArgs;
use crate::cli::destinations::DestinationArgs;

/// `evtap alert`
#[derive(Debug, Args)]
pub struct AlertArgs {
    /// Recordings to apply the rules to, as for `replay`; `-` is stdin
    ///
    /// Without a file, applies them to a live stream.
    #[arg(value_name = "FILE", group = "stored", conflicts_with = "from")]
    pub files: Vec<PathBuf>,
    /// The rules.
    #[command(flatten)]
    pub rules: RulesArgs,
    /// Print a table of the alerts instead of events
    ///
    /// Shows what rules would have reported before they are used.
    #[arg(long, conflicts_with_all = ["output", "fields", "jq", "record", "url", "publish", "exec", "bell"])]
    pub test: bool,
    /// Apply the rules to the stream of this workspace: its id, or `demo`; may be repeated
    #[arg(
        short,
        long,
        value_name = "ID",
        env = "AMIGO_WORKSPACE_ID",
        hide_env_values = true,
        value_delimiter = ',', value_parser = trimmed
    )]
    pub workspace: Vec<String>,
    /// Apply the rules to this call: its SID, or `demo`; may be repeated
    #[arg(short, long, value_name = "SID", value_delimiter = ',', value_parser = trimmed, conflicts_with_all = ["files", "cursor"])]
    pub call: Vec<String>,
    /// Also observe each call that starts, at most N at a time in all workspaces together
    #[arg(long, value_name = "N", conflicts_with_all = ["files", "call"])]
    pub auto_observe: Option<usize>,
    /// Which alerts are selected.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// How alerts are printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// When to stop.
    #[command(flatten)]
    pub stop: StopArgs,
    /// Where to resume.
    #[command(flatten)]
    pub resume: ResumeArgs,
    /// Read from a stream of a NATS server instead of the platform
    ///
    /// `nats://HOST[:PORT]/STREAM`, or `tls://` for TLS. Follows the stream as it grows; with --test,
    /// reads what it holds.
    #[arg(long, value_name = "URL", help_heading = "Broker", groups = ["broker", "remote"], conflicts_with_all = ["cursor", "auto_observe"])]
    pub from: Option<String>,
    /// Where alerts go besides stdout.
    #[command(flatten)]
    pub destinations: DestinationArgs,
    /// What delivery guarantees.
    #[command(flatten)]
    pub delivery: DeliveryArgs,
    /// How connections are kept open and merged.
    #[command(flatten)]
    pub reconnect: ReconnectArgs,
    /// The metrics of a live run.
    #[command(flatten)]
    pub metrics: MetricsArgs,
    /// Number of threads that process a recording
    ///
    /// Default: the number of processors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), requires = "stored")]
    pub threads: Option<u16>,
    /// Replay recordings at N times real time
    ///
    /// 1 keeps the original pace of the events. Default: as fast as possible.
    #[arg(long, value_name = "N", requires = "stored", help_heading = "Output")]
    pub speed: Option<f64>,
    /// How to reach the platform.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// The built-in clinic.
    #[command(flatten)]
    pub demo: DemoArgs,
}
