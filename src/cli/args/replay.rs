//! The arguments of `evtap replay`.

use std::path::PathBuf;

use clap::Args;

use super::delivery::DeliveryArgs;
use super::filter::{FilterArgs, StopArgs};
use super::output::OutputArgs;
use super::screen::ScreenArgs;
use crate::cli::destinations::DestinationArgs;

/// `evtap replay`
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// NDJSON (evtap's own, bare events or CloudEvents) or a raw SSE capture, plain or packed by gzip or zstd; `-` is stdin
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Which events are kept.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// What is shown, and how.
    #[command(flatten)]
    pub output: OutputArgs,
    /// The live screen.
    #[command(flatten)]
    pub screen: ScreenArgs,
    /// When to stop.
    #[command(flatten)]
    pub stop: StopArgs,
    /// Where events go besides stdout.
    #[command(flatten)]
    pub destinations: DestinationArgs,
    /// How events are delivered.
    #[command(flatten)]
    pub delivery: DeliveryArgs,
    /// How many threads work on a recording; as many as there are processors, if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub threads: Option<u16>,
    /// Replay at so many times real time, by the times of the events: 1 is real time; as fast as it goes, if not given
    #[arg(long, value_name = "N", help_heading = "Output")]
    pub speed: Option<f64>,
    /// Forward in the clear to hosts other than this one
    #[arg(long, requires = "url", help_heading = "Forwarding")]
    pub insecure_http: bool,
}
