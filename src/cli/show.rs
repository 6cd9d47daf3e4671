//! The options of what is shown, and how.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Phi, Scrub};
use crate::status;

/// What is shown, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Show {
    /// How events are written: `pretty`, `ndjson`, `csv`, `tsv`, or `template=TEXT` in the language of Jinja; `pretty` on a
    /// terminal and `ndjson` elsewhere, if not given
    #[arg(short, long, value_name = "FORMAT")]
    pub output: Option<Output>,
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
    pub color: Color,
    /// Don't cut lines at the terminal's edge
    #[arg(long)]
    pub wrap: bool,
    /// What takes the place of what is hidden
    #[arg(long, value_enum, value_name = "MODE", default_value_t, help_heading = "Protected health information")]
    pub phi: Phi,
    /// Show a hidden field: `caller_id`, `call.started.caller_id`, or `all`; may repeat
    #[arg(long, value_name = "FIELD", value_delimiter = ',', help_heading = "Protected health information")]
    pub reveal: Vec<String>,
    /// Hide a field that is shown otherwise; goes before --reveal; may repeat
    #[arg(long, value_name = "FIELD", value_delimiter = ',', help_heading = "Protected health information")]
    pub redact: Vec<String>,
    /// With `--phi hash`, a file of at least 32 random bytes, mode 0600; a key is drawn for this run otherwise
    #[arg(long, value_name = "FILE", help_heading = "Protected health information")]
    pub phi_key_file: Option<PathBuf>,
    /// Which text is searched for telephone numbers, email addresses and the like, to be masked
    #[arg(long, value_enum, value_name = "TEXT", default_value_t, help_heading = "Protected health information")]
    pub scrub: Scrub,
    /// How news of the connection is told on stderr
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub status: status::Format,
}

/// The live screen.
#[derive(Debug, Args)]
#[command(next_help_heading = "Live screen")]
pub struct Screen {
    /// Show a live screen instead of lines; ? in it tells the keys
    #[arg(long, conflicts_with_all = ["output", "fields", "jq"])]
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

/// The formats of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A line for people.
    Pretty,
    /// A JSON object a line.
    Ndjson,
    /// A table between commas.
    Csv,
    /// A table between tabs.
    Tsv,
    /// A line by a template.
    Template(String),
}

impl std::str::FromStr for Output {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "pretty" => Ok(Self::Pretty),
            "ndjson" => Ok(Self::Ndjson),
            "csv" => Ok(Self::Csv),
            "tsv" => Ok(Self::Tsv),
            _ => text
                .strip_prefix("template=")
                .map(|source| Self::Template(source.to_owned()))
                .ok_or("give pretty, ndjson, csv, tsv or template=TEXT"),
        }
    }
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal that has them
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
