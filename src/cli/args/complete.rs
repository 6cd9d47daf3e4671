//! The arguments of `evtap __complete`.

use std::ffi::OsString;

use clap::Args;

/// `evtap __complete`, which completion scripts call.
#[derive(Debug, Args)]
pub struct CompleteArgs {
    /// The part of the word that has been typed
    #[arg(long, value_name = "WORD", default_value = "", allow_hyphen_values = true)]
    pub current: OsString,
    /// The preceding words, without the program's name
    #[arg(value_name = "WORD", last = true)]
    pub before: Vec<OsString>,
}
