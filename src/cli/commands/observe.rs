//! `evtap observe`: the observer sockets of one or more live calls.

use crate::cli::args::ObserveArgs;
use crate::cli::platform::Platform;
use crate::cli::resolve;
use crate::cli::session::SessionBuilder;
use crate::error::{Exit, Result};

pub(super) async fn run(args: ObserveArgs) -> Result<Exit> {
    let calls = resolve::calls(&args.call)?;
    let stages = resolve::stages(&args.filter, &args.output, &args.stop, false)?;
    let screen = resolve::screen(
        &args.screen,
        &args.filter,
        &args.output,
        &stages.policy,
        &format!("call {}", calls.join(", ")),
    )?;
    let limits = resolve::source_config(&args.delivery, Some(&args.reconnect))?;
    let network = resolve::network(&args.connection.auth);
    let endpoint = resolve::endpoint(&args.forward, &network, args.output.status)?;

    let workspace = args.workspace.as_deref();
    let (platform, workspace, calls) =
        Platform::for_calls(calls, workspace, &args.connection, &args.demo, limits).await?;
    let session = SessionBuilder::new(stages, &args.delivery, None)?
        .forwarding(endpoint)
        .merged(resolve::merge(&args.reconnect)?)
        .on(screen);

    session
        .stream(|tx| {
            let source = |call| platform.call(workspace.clone(), call, tx.clone());
            calls.into_iter().map(source).collect()
        })
        .await
}
