//! The options that limit a command to a range of time.

use clap::Args;

/// The range of time that is read.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Selection")]
pub struct RangeArgs {
    /// Read only events from this time on
    ///
    /// Give a time (`2026-05-05T10:00:00Z`), a date (`2026-05-05` or `2026-05-05 10:00`, in the time
    /// zone of this machine), `today`, `yesterday`, an age (`90s`, `2h ago`, `3d`) or an event id.
    /// Events without a time are left out. With --from, start with what was stored then, or with
    /// `all`, which is the default.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Read only events before this time
    ///
    /// Takes the same values as --since. An event at exactly this time is left out.
    #[arg(long, value_name = "TIME")]
    pub before: Option<String>,
}
