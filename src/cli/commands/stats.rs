//! `evtap stats`: prints counts and measurements of recordings or live streams.

use crate::cli::args::StatsArgs;
use crate::cli::inputs::Inputs;
use crate::cli::resolve;
use crate::cli::session::SessionBuilder;
use crate::error::{Exit, Result};

pub(super) async fn run(args: StatsArgs) -> Result<Exit> {
    let session = SessionBuilder::new(resolve::stats(&args)?);
    let inputs = Inputs {
        files: args.files,
        calls: args.call,
        workspaces: args.workspace,
        threads: resolve::threads(args.threads),
        is_quiet: args.every.is_none(),
        status: args.status,
    };
    inputs.run(session, &args.connection, &args.demo).await
}
