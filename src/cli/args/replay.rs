//! The arguments of `evtap replay`.

use std::path::PathBuf;

use clap::Args;

use super::broker::{FromArgs, StoredCallsArgs, StoredWorkspacesArgs};
use super::delivery::{DeliveryArgs, MergeOrder};
use super::filter::{FilterArgs, StopArgs};
use super::output::OutputArgs;
use super::range::RangeArgs;
use super::rules::RulesArgs;
use super::screen::ScreenArgs;
use crate::cli::destinations::DestinationArgs;

/// `evtap replay`
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Recordings to replay; `-` is stdin
    ///
    /// NDJSON, a JSON array, CloudEvents or a raw SSE capture; plain, gzip or zstd.
    #[arg(required_unless_present = "from", conflicts_with_all = ["from", "workspace", "call"], value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The rules.
    #[command(flatten)]
    pub rules: RulesArgs,
    /// Which events are selected.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// The range of time.
    #[command(flatten)]
    pub range: RangeArgs,
    /// How events are printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// The live screen.
    #[command(flatten)]
    pub screen: ScreenArgs,
    /// When to stop.
    #[command(flatten)]
    pub stop: StopArgs,
    /// The broker to read from.
    #[command(flatten)]
    pub source: FromArgs,
    /// The workspaces to read from it.
    #[command(flatten)]
    pub workspaces: StoredWorkspacesArgs,
    /// The calls to read from it.
    #[command(flatten)]
    pub calls: StoredCallsArgs,
    /// Where events go besides stdout.
    #[command(flatten)]
    pub destinations: DestinationArgs,
    /// What delivery guarantees.
    #[command(flatten)]
    pub delivery: DeliveryArgs,
    /// Number of threads that process a recording
    ///
    /// Default: the number of processors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub threads: Option<u16>,
    /// Order in which several recordings are replayed
    ///
    /// `arrival` replays one after the other; `time` merges them by the times of their events, and
    /// keeps the order within each.
    #[arg(long, value_enum, value_name = "ORDER", default_value_t, hide_possible_values = true, conflicts_with_all = ["from", "tui"])]
    pub order: MergeOrder,
    /// Replay at N times real time
    ///
    /// 1 keeps the original pace of the events. Default: as fast as possible.
    #[arg(long, value_name = "N", help_heading = "Output")]
    pub speed: Option<f64>,
    /// Also trust the certificates in this PEM file when forwarding or publishing
    #[arg(long, value_name = "FILE", requires = "remote", help_heading = "Delivery")]
    pub ca_cert: Option<PathBuf>,
    /// Allow forwarding and publishing in plain text to other hosts
    #[arg(long, requires = "remote", help_heading = "Delivery")]
    pub insecure_http: bool,
}
