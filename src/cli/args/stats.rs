//! What people type for figures.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::connection::{ConnectionArgs, DemoArgs};
use super::filter::{FilterArgs, StopArgs};
use super::output::ColorWhen;
use super::privacy::PrivacyArgs;
use crate::output::status;

/// `evtap stats`
#[derive(Debug, Args)]
pub struct StatsArgs {
    /// Recordings, as for `replay`; `-` is stdin; a live stream if there is none
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The id of the workspace whose stream is counted, or `demo`; may repeat
    #[arg(
        short,
        long,
        value_name = "ID",
        env = "AMIGO_WORKSPACE_ID",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub workspace: Vec<String>,
    /// The SID of the call whose observer is counted, or `demo`; may repeat
    #[arg(short, long, value_name = "SID", value_delimiter = ',', conflicts_with = "files")]
    pub call: Vec<String>,
    /// How figures are written
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: StatsOutputArgs,
    /// Write a row for each stretch of so much time, such as 1m, instead of a sum: by the events' own time in recordings, by
    /// the clock on a live stream
    #[arg(long, value_name = "TIME")]
    pub every: Option<String>,
    /// Count by what a jq expression gives of each event, such as `.tool_name`
    #[arg(long, value_name = "EXPR")]
    pub group_by: Option<String>,
    /// How many threads work on a recording; as many as there are processors, if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), requires = "files")]
    pub threads: Option<u16>,
    /// When to use colours; `NO_COLOR` and `CLICOLOR_FORCE` are heeded too
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: ColorWhen,
    /// How news of the connection is told on stderr
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub status: status::StatusFormat,
    /// Which events are counted.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// When to stop.
    #[command(flatten)]
    pub stop: StopArgs,
    /// What is hidden.
    #[command(flatten)]
    pub privacy: PrivacyArgs,
    /// Where the platform is.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// The built-in clinic.
    #[command(flatten)]
    pub demo: DemoArgs,
}

/// The formats of figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum StatsOutputArgs {
    /// Tables for people
    #[default]
    Text,
    /// One JSON object, or one a line with --every
    Json,
    /// A table between commas, with --every
    Csv,
}
