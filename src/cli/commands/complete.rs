//! `evtap __complete`: lists the words that can come next on a command line, for the completion
//! scripts.

use crate::cli::args::CompleteArgs;
use crate::cli::completion;
use crate::cli::session::print;
use crate::error::{Exit, Result};

pub(super) fn run(args: &CompleteArgs) -> Result<Exit> {
    print(completion::next(args).as_bytes()).map(|_| Exit::Done)
}
