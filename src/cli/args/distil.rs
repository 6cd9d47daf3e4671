//! The arguments of `evtap distil`.

use std::path::PathBuf;

use clap::Args;

/// `evtap distil`
#[derive(Debug, Args)]
pub struct DistilArgs {
    /// Call to distil: its SID or the beginning of it, or `demo`
    #[arg(value_name = "CALL")]
    pub call: String,
    /// Recordings of the workspace stream, the call's observer, or both; `-` is stdin
    ///
    /// Recordings with revealed fields give texts of the right length. What is masked in a recording
    /// gets a text of usual length.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Seed of what is invented; another seed invents other people
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}
