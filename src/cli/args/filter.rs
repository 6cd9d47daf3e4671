//! The options of which events are kept, and until when.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

/// Which events are kept.
#[derive(Debug, Args)]
#[command(next_help_heading = "Selection")]
pub struct FilterArgs {
    /// Keep the events for which a jq expression is true, or one that has a name in the configuration: `@NAME`; may repeat, all
    /// must hold
    #[arg(short, long = "filter", value_name = "EXPR")]
    pub filters: Vec<String>,
    /// The same from a file, out of the shell's history
    #[arg(long, value_name = "FILE")]
    pub filter_file: Option<PathBuf>,
    /// Keep the events whose type matches, such as `call.*` or `surface.{created,submitted}`; may repeat, one must match
    #[arg(short = 'e', long = "event", value_name = "GLOB")]
    pub events: Vec<String>,
    /// Drop the events whose type matches; may repeat
    #[arg(short = 'E', long = "exclude", value_name = "GLOB")]
    pub excludes: Vec<String>,
    /// Keep the events in which a string that is seen matches; capitals matter if there are any
    #[arg(long, value_name = "REGEX")]
    pub grep: Option<String>,
    /// Let expressions use a string as $NAME; may repeat
    #[arg(long = "arg", num_args = 2, value_names = ["NAME", "VALUE"])]
    pub args: Vec<String>,
    /// Let expressions use a JSON value as $NAME; may repeat
    #[arg(long = "argjson", num_args = 2, value_names = ["NAME", "JSON"])]
    pub json_args: Vec<String>,
    /// Don't hold expressions against the model of events
    #[arg(long)]
    pub no_check: bool,
    /// The filters that have names, from the configuration.
    #[arg(skip)]
    pub named: BTreeMap<String, String>,
}

/// When to stop before the stream does.
#[derive(Debug, Args)]
#[command(next_help_heading = "Stopping")]
pub struct StopArgs {
    /// Stop once a jq expression is true of an event; status 7 if it never is
    #[arg(long, value_name = "EXPR")]
    pub until: Option<String>,
    /// Stop with status 7 once a jq expression is true of an event
    #[arg(long, value_name = "EXPR")]
    pub fail_if: Option<String>,
    /// Stop after that long, such as 30s, 5m or 1h30m
    #[arg(long, value_name = "TIME")]
    pub duration: Option<String>,
    /// Stop once no event has come for that long
    #[arg(long, value_name = "TIME")]
    pub idle_timeout: Option<String>,
}
