//! The options of what is shown, and how.

use clap::{Args, ValueEnum};

use super::config_defaults::ConfigDefaults;
use super::privacy::PrivacyArgs;
use crate::output::{FormatChoice, list_formats, status};

/// What is shown, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// The format of events.
    #[arg(short, long, value_name = "FORMAT", help = format_help())]
    pub output: Option<FormatChoice>,
    /// Show these parts of each event alone: names of fields, `event_type`, `_tap.time`
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub fields: Vec<String>,
    /// Print what a jq program makes of each event, a line for each output
    #[arg(short = 'q', long, value_name = "PROGRAM", conflicts_with_all = ["output", "fields"])]
    pub jq: Option<String>,
    /// With --jq, print strings without their quotes
    #[arg(short, long, requires = "jq")]
    pub raw_strings: bool,
    /// Stop after that many events
    #[arg(short = 'n', long, value_name = "N")]
    pub limit: Option<u64>,
    /// When to use colours; `NO_COLOR` and `CLICOLOR_FORCE` are heeded too
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: ColorWhen,
    /// Which times `pretty` shows; other outputs have RFC 3339 in UTC; `local`, if not given
    #[arg(long, value_enum, value_name = "TIMES")]
    pub timestamps: Option<Timestamps>,
    /// The zone of the times that `pretty` and the live screen show, such as `Europe/Berlin`; this machine's, if not given
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<String>,
    /// Don't cut lines at the terminal's edge
    #[arg(long)]
    pub wrap: bool,
    /// Sum up on stderr at the end what was shown: counts, rates, percentiles
    #[arg(long)]
    pub stats: bool,
    /// How news of the connection is told on stderr
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub status: status::StatusFormat,
    /// What is hidden.
    #[command(flatten)]
    pub privacy: PrivacyArgs,
    /// The settings that nobody has typed.
    #[arg(skip)]
    pub config_defaults: ConfigDefaults,
}

fn format_help() -> String {
    format!(
        "Write events in this format: {}. The default is `pretty` on a terminal and `ndjson` \
         elsewhere",
        list_formats("`")
    )
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal that has them
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Which times are shown to people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Timestamps {
    /// The time of day, in this machine's zone or in that of --tz
    #[default]
    Local,
    /// The time of day in UTC
    Utc,
    /// The time since the first event
    Relative,
    /// The seconds since the event before
    Delta,
    /// None
    None,
}

/// The formats of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object
    Json,
}
