//! The arguments of `evtap diff`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::filter::FilterArgs;
use super::range::RangeArgs;

/// `evtap diff`
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// First recording, or a directory of recordings
    #[arg(value_name = "A")]
    pub first: PathBuf,
    /// Second recording, or a directory of recordings
    #[arg(value_name = "B")]
    pub second: PathBuf,
    /// Compare only this call: its SID; a second one is that of B
    #[arg(short, long, value_name = "SID", num_args = 1)]
    pub call: Vec<String>,
    /// Format of the report
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: DiffFormat,
    /// Smallest difference of durations to report, in per cent
    #[arg(long, value_name = "PERCENT", default_value = "10", value_parser = percent)]
    pub threshold: f64,
    /// Exit with status 7 if anything became slower by so many per cent
    ///
    /// Example: `25`
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub fail_slower: Option<f64>,
    /// Which events are compared.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// The range of time.
    #[command(flatten)]
    pub range: RangeArgs,
}

/// The formats of a comparison.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// Text for people
    #[default]
    Text,
    /// One JSON object
    Json,
    /// One self-contained page with bars, without scripts
    Html,
}

/// Parses a number of per cent, such as `25` or `25%`.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim_end().parse().ok();
    let number = number.filter(|percent: &f64| (0.0..1e6).contains(percent));
    number.ok_or_else(|| "a number of per cent is needed, such as 25".to_owned())
}
