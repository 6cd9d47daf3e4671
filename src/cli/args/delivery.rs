//! The options for resuming a stream, for delivery guarantees, and for reconnecting.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Where to resume a stream.
#[derive(Debug, Args)]
#[command(next_help_heading = "Resuming")]
pub struct ResumeArgs {
    /// Start from an earlier event
    ///
    /// Give an event id (`1700000000000`), a time (`2026-05-05T10:00:00Z`), a date or an age (`90s`,
    /// `3m ago`). The platform keeps events for five minutes; a `tap.gap` event reports what it no
    /// longer has. With --from, also `all`.
    #[arg(long, value_name = "ID|TIME|AGE")]
    pub since: Option<String>,
    /// Save the position in this file and resume from it next time
    ///
    /// The cursor moves only after events are delivered. Each save replaces the whole file (mode
    /// 0600); the file is synced to disk once a second. --since applies only to workspaces that
    /// have no position in the file yet.
    #[arg(long, value_name = "FILE")]
    pub cursor: Option<PathBuf>,
}

/// What delivery guarantees.
#[derive(Debug, Args)]
#[command(next_help_heading = "Delivery")]
pub struct DeliveryArgs {
    /// Exit with status 8 if there was a gap, or if a destination did not take everything
    #[arg(long)]
    pub fail_on_gap: bool,
    /// Maximum size of a frame or line
    ///
    /// A `tap.malformed` event reports a larger one.
    #[arg(long, value_name = "SIZE", default_value = "1MiB")]
    pub max_frame: String,
}

/// How connections are kept open and merged.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct ReconnectArgs {
    /// Reconnect after this long without any data
    ///
    /// Comments and pongs count as data. Default: 2m for a workspace, 1m for a call.
    #[arg(long, value_name = "DURATION")]
    pub read_timeout: Option<String>,
    /// Exit with status 5 after N failed reconnects in a row
    ///
    /// Default: unlimited.
    #[arg(long, value_name = "N")]
    pub max_reconnects: Option<u32>,
    /// How long to wait for the server.
    #[command(flatten)]
    pub wait: WaitArgs,
    /// Order in which several streams are merged
    #[arg(long, value_enum, value_name = "ORDER", default_value_t)]
    pub order: MergeOrder,
    /// With --order time, how long an event waits for earlier events of other streams
    #[arg(long, value_name = "DURATION", default_value = "1s")]
    pub order_window: String,
}

/// How long to wait for a server that is about to start.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct WaitArgs {
    /// Wait this long for a server that cannot be reached yet
    ///
    /// Connects again until then; a refused key or an unknown workspace ends the wait. Default: a
    /// first connection that fails ends the command. Example: `30s`
    #[arg(long, value_name = "DURATION")]
    pub wait: Option<String>,
}

/// How several streams are merged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum MergeOrder {
    /// In the order of arrival
    #[default]
    Arrival,
    /// By event time, within --order-window
    Time,
}
