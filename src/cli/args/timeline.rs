//! What people type for the course of a call.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::connection::{ConnectionArgs, DemoArgs};
use super::filter::FilterArgs;
use super::output::ColorWhen;
use super::privacy::PrivacyArgs;
use crate::output::status;

/// `evtap timeline`
#[derive(Debug, Args)]
pub struct TimelineArgs {
    /// The call's SID or its beginning, or `demo`; the calls that there are are listed if none is named
    #[arg(value_name = "CALL")]
    pub call: Option<String>,
    /// Recordings of the workspace's stream, the call's observer, or both; `-` is stdin; live streams if there is none
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The id of the call's workspace, to follow it live until it is over
    #[arg(short, long, value_name = "ID", env = "AMIGO_WORKSPACE_ID", hide_env_values = true)]
    pub workspace: Option<String>,
    /// How the timeline is written
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: TimelineFormat,
    /// Tell of it when nothing comes for longer than that
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub quiet: String,
    /// Follow a live call no longer than that
    #[arg(long, value_name = "TIME")]
    pub duration: Option<String>,
    /// When to use colours; `NO_COLOR` and `CLICOLOR_FORCE` are heeded too
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: ColorWhen,
    /// How news of the connection is told on stderr
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub status: status::StatusFormat,
    /// Which events are in it.
    #[command(flatten)]
    pub filter: FilterArgs,
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

/// The formats of a timeline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum TimelineFormat {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object
    Json,
    /// One page that loads and runs nothing
    Html,
}
