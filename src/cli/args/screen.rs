//! The options of the live screen.

use clap::{Args, ValueEnum};

/// The live screen.
#[derive(Debug, Args)]
#[command(next_help_heading = "Live screen")]
pub struct ScreenArgs {
    /// Show a live screen instead of lines; ? in it tells the keys
    #[arg(long, conflicts_with_all = ["output", "fields", "jq", "timestamps", "stats"])]
    pub tui: bool,
    /// How much the live screen keeps: events, a size such as 64MiB, or both, with a comma between
    #[arg(long, value_name = "LIMIT", requires = "tui", default_value = "100000,64MiB")]
    pub buffer: String,
    /// What the live screen's colours are to be read on; `auto` goes by COLORFGBG, and asks the terminal
    #[arg(long, value_enum, value_name = "GROUND", requires = "tui", default_value_t)]
    pub background: Background,
}

/// What colours are read on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Background {
    /// What the terminal has
    #[default]
    Auto,
    /// Something dark
    Dark,
    /// Something light
    Light,
}
