//! `evtap stats`: prints counts and measurements of recordings or live streams.

use crate::cli::args::StatsArgs;
use crate::cli::broker_input::{BrokerInput, BrokerRequest, selected_types, shows_taps};
use crate::cli::inputs::Inputs;
use crate::cli::metrics::MetricsServer;
use crate::cli::resolve;
use crate::cli::session::SessionBuilder;
use crate::error::{Exit, Result};
use crate::transport::recording;

pub(super) async fn run(args: StatsArgs) -> Result<Exit> {
    let session = SessionBuilder::new(resolve::stats(&args)?);
    let metrics = MetricsServer::bind(&args.metrics, args.status).await?;
    let network = resolve::network(&args.connection.auth);
    let request = BrokerRequest {
        workspaces: &args.workspace,
        calls: &args.call,
        types: selected_types(&args.filter, Some(&args.stop)),
        since: args.range.since.as_deref(),
        ends: true,
        shows_taps: shows_taps(args.status, Some(&args.filter)),
        ..BrokerRequest::default()
    };
    let from = args.source.from.as_deref();
    let broker = BrokerInput::resolve(from, &args.broker, &network, &request)?;
    let inputs = Inputs {
        broker,
        files: recording::expand(args.files)?,
        calls: args.call,
        workspaces: args.workspace,
        threads: resolve::threads(args.threads),
        is_quiet: args.every.is_none(),
        status: args.status,
        range: args.range,
        wait: resolve::wait(&args.wait)?,
        metrics,
    };
    Box::pin(inputs.run(session, &args.connection, &args.demo)).await
}
