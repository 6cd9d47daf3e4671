//! The arguments of `evtap stats`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::broker::{BrokerArgs, FromArgs};
use super::connection::{ConnectionArgs, DemoArgs};
use super::delivery::WaitArgs;
use super::filter::{FilterArgs, StopArgs};
use super::list::trimmed;
use super::metrics::MetricsArgs;
use super::output::ColorWhen;
use super::privacy::PrivacyArgs;
use super::range::RangeArgs;
use crate::output::status;

/// `evtap stats`
#[derive(Debug, Args)]
pub struct StatsArgs {
    /// Recordings to count, as for `replay`; `-` is stdin
    ///
    /// Without a file, counts a live stream.
    #[arg(value_name = "FILE", group = "stored", conflicts_with = "from")]
    pub files: Vec<PathBuf>,
    /// Count the stream of this workspace: its id, or `demo`; may be repeated
    #[arg(
        short,
        long,
        value_name = "ID",
        env = "AMIGO_WORKSPACE_ID",
        hide_env_values = true,
        value_delimiter = ',', value_parser = trimmed
    )]
    pub workspace: Vec<String>,
    /// Count the events of this call: its SID, or `demo`; may be repeated
    #[arg(short, long, value_name = "SID", value_delimiter = ',', value_parser = trimmed, conflicts_with = "files")]
    pub call: Vec<String>,
    /// Format of the statistics
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: StatsOutputArgs,
    /// Print a row for each interval of this length instead of one total
    ///
    /// Recordings use the time of the events, live streams the clock. Example: `1m`
    #[arg(long, value_name = "DURATION")]
    pub every: Option<String>,
    /// Group events by the value of a jq expression
    ///
    /// Example: `.tool_name`
    #[arg(long, value_name = "EXPR")]
    pub group_by: Option<String>,
    /// Number of threads that process a recording
    ///
    /// Default: the number of processors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), requires = "stored")]
    pub threads: Option<u16>,
    /// When to use colours
    ///
    /// `auto` also respects `NO_COLOR` and `CLICOLOR_FORCE`.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: ColorWhen,
    /// Format of the status messages on stderr
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub status: status::StatusFormat,
    /// Which events are counted.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// The range of time.
    #[command(flatten)]
    pub range: RangeArgs,
    /// When to stop.
    #[command(flatten)]
    pub stop: StopArgs,
    /// Which fields are hidden, and how.
    #[command(flatten)]
    pub privacy: PrivacyArgs,
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
}

/// The formats of statistics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum StatsOutputArgs {
    /// Tables for people
    #[default]
    Text,
    /// One JSON object, or one per row with --every
    Json,
    /// Comma-separated values; needs --every
    Csv,
    /// One self-contained page with charts, without scripts
    Html,
}
