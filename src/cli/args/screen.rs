//! The options of the live screen.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{ArgAction, Args, ValueEnum};

use crate::tui::key_map::KeyChoices;
use crate::tui::style::{ThemeEntries, ThemeName};

/// The live screen.
#[derive(Debug, Args)]
#[command(next_help_heading = "Live screen")]
pub struct ScreenArgs {
    /// Show a live screen instead of printing lines; press ? for the keys
    #[arg(long, group = "rung", conflicts_with_all = ["output", "fields", "jq", "timestamps", "stats"])]
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
    /// Colours of the live screen
    ///
    /// `auto` suits the background of the terminal. Keys and colours of your own belong in the
    /// configuration, below `[tui.keys]` and `[tui.theme]`.
    #[arg(
        long,
        value_name = "THEME",
        requires = "tui",
        default_value = ThemeName::Auto.name(),
        value_parser = themes(),
    )]
    pub theme: String,
    /// Whether the live screen remembers its layout, filters and marks until the next time
    ///
    /// What is kept contains no event data but ids. See `evtap help tui`.
    #[arg(
        long,
        value_name = "BOOL",
        requires = "tui",
        default_value_t = true,
        action = ArgAction::Set,
    )]
    pub remember: bool,
    /// The keys and the theme of the configuration.
    #[arg(skip)]
    pub appearance: Appearance,
}

/// What the configuration says about the live screen, besides options.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Appearance {
    /// The keys of actions, by name.
    pub keys: KeyChoices,
    /// The colours of roles, by name.
    pub theme: ThemeEntries,
}

fn themes() -> PossibleValuesParser {
    PossibleValuesParser::new(ThemeName::ALL.map(|theme| {
        let value = PossibleValue::new(theme.name()).help(theme.description());
        if theme == ThemeName::ColourBlind { value.alias("color-blind") } else { value }
    }))
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
