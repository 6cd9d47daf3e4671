//! The arguments of `evtap schema`.

use clap::Args;

use super::output::ColorWhen;

/// `evtap schema`
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// One event, such as `call.ended`; all of them otherwise
    #[arg(value_name = "EVENT")]
    pub event: Option<String>,
    /// List what is hidden, and why
    #[arg(long, conflicts_with = "json_schema")]
    pub phi: bool,
    /// One JSON object, for machines
    #[arg(long, conflicts_with = "json_schema")]
    pub json: bool,
    /// A JSON Schema of the lines that evtap writes
    #[arg(long)]
    pub json_schema: bool,
    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: ColorWhen,
}
