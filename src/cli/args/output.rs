//! The options that control how events are printed.

use clap::{Args, ValueEnum};

use super::config_defaults::ConfigDefaults;
use super::list::trimmed;
use super::privacy::PrivacyArgs;
use crate::output::{FormatChoice, list_formats, status};

/// How events are printed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// The format of events.
    #[arg(short, long, value_name = "FORMAT", help = format_help())]
    pub output: Option<FormatChoice>,
    /// Print only these fields of each event
    ///
    /// A name that no event has is an error, as in a filter.
    /// Examples: `call_sid`, `event_type`, `_tap.time`
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = trimmed)]
    pub fields: Vec<String>,
    /// Print the output of a jq program for each event, one value per line
    #[arg(short = 'q', long, value_name = "PROGRAM", conflicts_with_all = ["output", "fields"])]
    pub jq: Option<String>,
    /// With --jq, print strings without quotes
    #[arg(short, long, requires = "jq")]
    pub raw_strings: bool,
    /// Stop after N events
    ///
    /// Notices of evtap, such as `tap.gap`, do not count.
    #[arg(short = 'n', long, value_name = "N")]
    pub limit: Option<u64>,
    /// When to use colours
    ///
    /// `auto` also respects `NO_COLOR` and `CLICOLOR_FORCE`.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: ColorWhen,
    /// Times that `pretty` shows
    ///
    /// Other formats always use RFC 3339 in UTC. Default: `local`.
    #[arg(long, value_enum, value_name = "TIMES")]
    pub timestamps: Option<Timestamps>,
    /// Time zone of the times in `pretty` and on the live screen
    ///
    /// Default: the time zone of this machine. Example: `Europe/Berlin`
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<String>,
    /// Don't truncate lines at the width of the terminal
    #[arg(long)]
    pub wrap: bool,
    /// Print statistics on stderr at the end: counts, rates and percentiles
    #[arg(long)]
    pub stats: bool,
    /// Format of the status messages on stderr
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub status: status::StatusFormat,
    /// Which fields are hidden, and how.
    #[command(flatten)]
    pub privacy: PrivacyArgs,
    /// The settings that come from the environment or the configuration.
    #[arg(skip)]
    pub config_defaults: ConfigDefaults,
}

fn format_help() -> String {
    format!(
        "Format of events: {}. Default: `pretty` on a terminal, `ndjson` elsewhere",
        list_formats("`")
    )
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal that supports colours
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The times that the format for people shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Timestamps {
    /// Time of day, in the time zone of this machine or of --tz
    #[default]
    Local,
    /// Time of day in UTC
    Utc,
    /// Time since the first event
    Relative,
    /// Seconds since the previous event
    Delta,
    /// No times
    None,
}

/// The formats of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Text for people
    #[default]
    Text,
    /// One JSON object
    Json,
}
