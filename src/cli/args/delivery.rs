//! The options of delivery: where to begin, what becomes of events beside stdout, how connections are kept.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Where to begin.
#[derive(Debug, Args)]
#[command(next_help_heading = "Resuming")]
pub struct ResumeArgs {
    /// Begin in the past: an id (`1700000000000`), a time (`2026-05-05T10:00:00Z`), or an age (`90s`, `3m`). The platform keeps
    /// five minutes; what it no longer has is named by a tap.gap line
    #[arg(long, value_name = "ID|TIME|AGE")]
    pub since: Option<String>,
    /// Keep the position in this file, and begin there next time; --since counts where it has none yet. It moves once events
    /// are out, is replaced whole (mode 0600), and is forced to disk once a second
    #[arg(long, value_name = "FILE")]
    pub cursor: Option<PathBuf>,
}

/// What becomes of events beside stdout.
#[derive(Debug, Args)]
#[command(next_help_heading = "Delivery")]
pub struct DeliveryArgs {
    /// Exit with status 8 if there was a gap, or an event that the endpoint of --forward refused
    #[arg(long)]
    pub fail_on_gap: bool,
    /// The largest frame or line; a larger one becomes a tap.malformed line
    #[arg(long, value_name = "SIZE", default_value = "1MiB")]
    pub max_frame: String,
}

/// How connections are kept.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct ReconnectArgs {
    /// Reconnect when nothing came for so long, not even a comment or a pong; 2m for a workspace and 1m for a call, if not given
    #[arg(long, value_name = "DURATION")]
    pub read_timeout: Option<String>,
    /// Give up, with status 5, after that many reconnects in a row have failed; without end if not given
    #[arg(long, value_name = "N")]
    pub max_reconnects: Option<u32>,
    /// How several streams are merged
    #[arg(long, value_enum, value_name = "ORDER", default_value_t)]
    pub order: MergeOrder,
    /// How long events wait for earlier ones of other streams, with --order time
    #[arg(long, value_name = "DURATION", default_value = "1s")]
    pub order_window: String,
}

/// How several streams are merged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum MergeOrder {
    /// As events arrive
    #[default]
    Arrival,
    /// By their time, within a window
    Time,
}
