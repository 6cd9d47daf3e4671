//! The options of the live screen.

use clap::{Args, ValueEnum};

/// The live screen.
#[derive(Debug, Args)]
#[command(next_help_heading = "Live screen")]
pub struct ScreenArgs {
    /// Show a live screen instead of printing lines; press ? for the keys
    #[arg(long, conflicts_with_all = ["output", "fields", "jq", "timestamps", "stats"])]
    pub tui: bool,
    /// How much the live screen keeps: a number of events, a size, or both
    ///
    /// Examples: `5000`, `64MiB`, `5000,64MiB`
    #[arg(long, value_name = "LIMIT", requires = "tui", default_value = "100000,64MiB")]
    pub buffer: String,
    /// Background that the colours of the live screen are chosen for
    ///
    /// `auto` uses `COLORFGBG`, or asks the terminal.
    #[arg(long, value_enum, value_name = "BACKGROUND", requires = "tui", default_value_t)]
    pub background: Background,
}

/// The background that colours are chosen for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Background {
    /// The background of the terminal
    #[default]
    Auto,
    /// A dark background
    Dark,
    /// A light background
    Light,
}
