//! The arguments of `evtap schema`.

use clap::Args;

use super::output::ColorWhen;

/// `evtap schema`
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct SchemaArgs {
    /// Event to describe, such as `call.ended`, or a glob of events to list, such as `call.*`
    ///
    /// Default: list all events.
    #[arg(value_name = "EVENT")]
    pub event: Option<String>,
    /// List the hidden fields and why they are hidden
    #[arg(long, conflicts_with = "json_schema")]
    pub phi: bool,
    /// Print one JSON object
    #[arg(long, conflicts_with = "json_schema")]
    pub json: bool,
    /// Print a JSON Schema of the lines that evtap writes
    #[arg(long)]
    pub json_schema: bool,
    /// Print a JSON Schema of the lines that --status json writes to stderr
    #[arg(long, conflicts_with_all = ["event", "phi", "json", "json_schema"])]
    pub status: bool,
    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: ColorWhen,
}
