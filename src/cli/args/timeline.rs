//! The arguments of `evtap timeline`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::broker::{BrokerArgs, FromArgs};
use super::connection::{ConnectionArgs, DemoArgs};
use super::delivery::WaitArgs;
use super::filter::FilterArgs;
use super::metrics::MetricsArgs;
use super::output::ColorWhen;
use super::privacy::PrivacyArgs;
use super::range::RangeArgs;
use crate::output::status;

/// `evtap timeline`
#[derive(Debug, Args)]
pub struct TimelineArgs {
    /// Call to show: its SID or the beginning of it, or `demo`
    ///
    /// Without a call, lists the calls in the recordings.
    #[arg(value_name = "CALL")]
    pub call: Option<String>,
    /// Recordings of the workspace stream, the call's observer, or both; `-` is stdin
    ///
    /// Without a file, follows the live call.
    #[arg(value_name = "FILE", group = "stored", conflicts_with = "from")]
    pub files: Vec<PathBuf>,
    /// Follow the live call in this workspace until it ends
    #[arg(short, long, value_name = "ID", env = "AMIGO_WORKSPACE_ID", hide_env_values = true)]
    pub workspace: Option<String>,
    /// Format of the timeline
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: TimelineFormat,
    /// Report a silence that lasts longer than this
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub quiet: String,
    /// Stop following a live call after this long
    #[arg(long, value_name = "DURATION")]
    pub duration: Option<String>,
    /// Number of threads that process a recording
    ///
    /// Default: the number of processors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub threads: Option<u16>,
    /// When to use colours
    ///
    /// `auto` also respects `NO_COLOR` and `CLICOLOR_FORCE`.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: ColorWhen,
    /// Format of the status messages on stderr
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub status: status::StatusFormat,
    /// Which events are included.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// The range of time.
    #[command(flatten)]
    pub range: RangeArgs,
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

/// The formats of a timeline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum TimelineFormat {
    /// Text for people
    #[default]
    Text,
    /// One JSON object
    Json,
    /// One self-contained page with pictures, without scripts
    Html,
    /// The trace of the call as OTLP JSON, for a tracing backend
    Otlp,
}
