//! The arguments of `evtap help`.

use clap::Args;

/// `evtap help`
#[derive(Debug, Args)]
pub struct HelpArgs {
    /// Command or topic to explain
    ///
    /// Default: list the commands and topics.
    #[arg(value_name = "TOPIC")]
    pub words: Vec<String>,
}
