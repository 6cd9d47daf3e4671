//! `evtap expect`: checks that certain events arrive, in order and in time.

use crate::cli::args::ExpectArgs;
use crate::cli::inputs::Inputs;
use crate::cli::resolve;
use crate::cli::session::SessionBuilder;
use crate::error::{Exit, Result};

pub(super) async fn run(args: ExpectArgs) -> Result<Exit> {
    let stages = resolve::expectations(&args, args.replay.is_empty())?;
    let session = SessionBuilder::new(stages);
    let inputs = Inputs {
        files: args.replay,
        calls: args.call.into_iter().collect(),
        workspaces: args.workspace.into_iter().collect(),
        threads: resolve::threads(args.threads),
        is_quiet: true,
        status: args.status,
    };
    inputs.run(session, &args.connection, &args.demo).await
}
