//! The arguments of `evtap __complete`.

use std::ffi::OsString;

use clap::Args;

/// `evtap __complete`, which completion scripts ask.
#[derive(Debug, Args)]
pub struct CompleteArgs {
    /// What has been typed of the word that is completed
    #[arg(long, value_name = "WORD", default_value = "", allow_hyphen_values = true)]
    pub current: OsString,
    /// The words before it, without the program's name
    #[arg(value_name = "WORD", last = true)]
    pub before: Vec<OsString>,
}
