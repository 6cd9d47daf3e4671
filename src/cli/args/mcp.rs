//! The arguments of `evtap mcp`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::connection::{ConnectionArgs, DemoArgs};
use super::list::trimmed;
use super::privacy::ScrubArg;

/// `evtap mcp`
///
/// It has no option that shows a hidden field, and the configuration cannot show one either.
#[derive(Debug, Args)]
pub struct McpArgs {
    /// Recordings that the tools may read, or directories of recordings
    ///
    /// The tools read no other file.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Let the tools read the stream of this workspace: its id; may be repeated
    ///
    /// They may always read the built-in clinic, `demo`.
    #[arg(
        short,
        long,
        value_name = "ID",
        env = "AMIGO_WORKSPACE_ID",
        hide_env_values = true,
        value_delimiter = ',', value_parser = trimmed
    )]
    pub workspace: Vec<String>,
    /// Hide a field that is shown by default; may be repeated
    #[arg(
        long,
        value_name = "FIELD",
        value_delimiter = ',', value_parser = trimmed,
        help_heading = "Protected health information"
    )]
    pub redact: Vec<String>,
    /// Text in which telephone numbers, email addresses and other identifiers are masked
    ///
    /// Free text is masked as a whole. `all` searches the other strings that are shown too.
    #[arg(
        long,
        value_enum,
        value_name = "TEXT",
        default_value_t,
        help_heading = "Protected health information"
    )]
    pub scrub: ScrubArg,
    /// How to reach the platform.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// The built-in clinic.
    #[command(flatten)]
    pub demo: DemoArgs,
    /// The named filters of the configuration.
    #[arg(skip)]
    pub named: BTreeMap<String, String>,
}
