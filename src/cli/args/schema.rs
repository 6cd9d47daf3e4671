//! The arguments of `evtap schema`.

use clap::{Args, ValueEnum};

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
    #[arg(long, conflicts_with_all = ["json_schema", "sql", "typescript"])]
    pub phi: bool,
    /// Print one JSON object
    #[arg(long, conflicts_with_all = ["json_schema", "sql", "typescript"])]
    pub json: bool,
    /// Print a JSON Schema of the lines that evtap writes
    #[arg(long, conflicts_with_all = ["sql", "typescript"])]
    pub json_schema: bool,
    /// Print statements that create typed views of recordings
    ///
    /// There is a view for each event type, with a column for each field, and others for all events,
    /// for `_tap` and for drift. The database variable `recordings` names the files to read. A hidden
    /// value is NULL in a column of a number, a time or a structure.
    #[arg(long, value_enum, value_name = "DATABASE", conflicts_with = "typescript")]
    pub sql: Option<SqlDialect>,
    /// Print TypeScript types of the lines that evtap writes
    #[arg(long)]
    pub typescript: bool,
    /// Print a JSON Schema of the lines that --status json writes to stderr
    #[arg(long, conflicts_with_all = ["event", "phi", "json", "json_schema", "sql", "typescript"])]
    pub status: bool,
    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: ColorWhen,
}

/// A database that views are written for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum SqlDialect {
    /// DuckDB 1.4 or later
    Duckdb,
}
