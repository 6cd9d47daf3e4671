//! `evtap __complete`: what may come next on a command line; completion scripts run it.

use crate::cli::args::CompleteArgs;
use crate::cli::completion;
use crate::cli::session::print;
use crate::error::{Exit, Result};

pub(super) fn run(args: &CompleteArgs) -> Result<Exit> {
    print(completion::next(args).as_bytes()).map(|_| Exit::Done)
}
