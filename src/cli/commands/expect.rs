//! `evtap expect`: checks that certain events arrive, in order and in time.

use crate::cli::args::ExpectArgs;
use crate::cli::broker_input::{BrokerInput, BrokerRequest, shows_taps};
use crate::cli::inputs::Inputs;
use crate::cli::metrics::MetricsServer;
use crate::cli::resolve;
use crate::cli::session::SessionBuilder;
use crate::error::{Exit, Result};
use crate::transport::recording;

pub(super) async fn run(args: ExpectArgs) -> Result<Exit> {
    let is_live = args.replay.is_empty() && args.source.from.is_none();
    let stages = resolve::expectations(&args, is_live)?;
    let session = SessionBuilder::new(stages);
    let metrics = MetricsServer::bind(&args.metrics, args.status).await?;
    let network = resolve::network(&args.connection.auth);
    let workspaces: Vec<_> = args.workspace.into_iter().collect();
    let calls: Vec<_> = args.call.into_iter().collect();
    let request = BrokerRequest {
        workspaces: &workspaces,
        calls: &calls,
        since: args.range.since.as_deref(),
        ends: true,
        shows_taps: shows_taps(args.status, None),
        ..BrokerRequest::default()
    };
    let from = args.source.from.as_deref();
    let broker = BrokerInput::resolve(from, &args.broker, &network, &request)?;
    let inputs = Inputs {
        broker,
        files: recording::expand(args.replay)?,
        calls,
        workspaces,
        threads: resolve::threads(args.threads),
        is_quiet: true,
        status: args.status,
        range: args.range,
        wait: resolve::wait(&args.wait)?,
        metrics,
    };
    Box::pin(inputs.run(session, &args.connection, &args.demo)).await
}
