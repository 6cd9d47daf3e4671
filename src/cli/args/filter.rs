//! The options that select events and decide when to stop.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

/// Which events are selected.
#[derive(Debug, Args)]
#[command(next_help_heading = "Selection")]
pub struct FilterArgs {
    /// Print only events that match a jq expression; may be repeated
    ///
    /// An event must match every filter. `@NAME` uses a filter from the configuration.
    /// Example: `.duration_seconds > 60`
    #[arg(short, long = "filter", value_name = "EXPR")]
    pub filters: Vec<String>,
    /// Read a filter from this file, which keeps it out of the shell history
    #[arg(long, value_name = "FILE")]
    pub filter_file: Option<PathBuf>,
    /// Print only events whose type matches a glob; may be repeated
    ///
    /// An event must match at least one glob. Examples: `call.*`, `surface.{created,submitted}`
    #[arg(short = 'e', long = "event", value_name = "GLOB")]
    pub events: Vec<String>,
    /// Drop events whose type matches a glob; may be repeated
    #[arg(short = 'E', long = "exclude", value_name = "GLOB")]
    pub excludes: Vec<String>,
    /// Print only events in which a visible string matches a regular expression
    ///
    /// Smart case: the match is case-sensitive only if the pattern has an upper-case letter.
    #[arg(long, value_name = "REGEX")]
    pub grep: Option<String>,
    /// Set $NAME to a string in all expressions; may be repeated
    #[arg(long = "arg", num_args = 2, value_names = ["NAME", "VALUE"])]
    pub args: Vec<String>,
    /// Set $NAME to a JSON value in all expressions; may be repeated
    #[arg(long = "argjson", num_args = 2, value_names = ["NAME", "JSON"])]
    pub json_args: Vec<String>,
    /// Don't check expressions against the event model
    #[arg(long)]
    pub no_check: bool,
    /// The named filters of the configuration.
    #[arg(skip)]
    pub named: BTreeMap<String, String>,
}

/// When to stop before the stream ends.
#[derive(Debug, Args)]
#[command(next_help_heading = "Stopping")]
pub struct StopArgs {
    /// Stop at the first event that matches a jq expression
    ///
    /// Exits with status 7 if the run ends without a match, whatever ends it.
    #[arg(long, value_name = "EXPR")]
    pub until: Option<String>,
    /// Exit with status 7 at the first event that matches a jq expression
    #[arg(long, value_name = "EXPR")]
    pub fail_if: Option<String>,
    /// Stop after this long
    ///
    /// Examples: `30s`, `5m`, `1h30m`
    #[arg(long, value_name = "DURATION")]
    pub duration: Option<String>,
    /// Stop after this long without an event that passes the filters
    #[arg(long, value_name = "DURATION")]
    pub idle_timeout: Option<String>,
}
