//! `evtap observe`: prints the events of one or more live calls, from their observer sockets.

use crate::analysis::traces::TracedStreams;
use crate::cli::args::ObserveArgs;
use crate::cli::destinations::DestinationContext;
use crate::cli::metrics::MetricsServer;
use crate::cli::platform::Platform;
use crate::cli::resolve;
use crate::cli::session::SessionBuilder;
use crate::error::{Exit, Result};
use crate::pipeline::Stages;
use crate::transport::SourceConfig;
use crate::tui::config::ScreenConfig;
use crate::tui::screen::Screen;

pub(super) async fn run(mut args: ObserveArgs) -> Result<Exit> {
    args.destinations.adapt(&mut args.output.privacy, args.output.status)?;
    args.rules.for_screen = args.screen.tui;
    let calls = resolve::calls(&args.call)?;
    let stages = stages(&args)?;
    let screen = resolve::screen(
        &args.screen,
        &args.filter,
        &args.output,
        &stages.policy,
        &format!("call {}", calls.join(", ")),
    )?;
    let first_screen = if calls.len() == 1 { Screen::Call } else { Screen::Calls };
    let screen =
        screen.map(|screen| ScreenConfig { first_screen, notifies: args.rules.bell, ..screen });
    let metrics = MetricsServer::bind(&args.metrics, args.output.status).await?;
    let network = resolve::network(&args.connection.auth);
    let leases = args.destinations.leases(&network).await?;
    let limits = SourceConfig {
        heartbeat: resolve::heartbeat(&args.destinations, &args.rules)?,
        leases: leases.clone(),
        meter: metrics.as_ref().map(MetricsServer::meter),
        ..resolve::source_config(&args.delivery, Some(&args.reconnect))?
    };
    let mut destinations = args.destinations.resolve(&DestinationContext {
        network: &network,
        status: args.output.status,
        privacy: &args.output.privacy,
        policy: &stages.policy,
        filter: &args.filter,
        leases: leases.as_ref(),
        broker: &args.destinations.broker,
        source: None,
    })?;
    destinations.extend(args.otlp.resolve(
        &network,
        args.output.status,
        TracedStreams::Observers,
    )?);
    destinations.extend(resolve::notifier(&args.rules, args.output.status)?);

    let workspace = args.workspace.as_deref();
    let (platform, workspace, calls) = Platform::for_calls(
        calls,
        workspace,
        &args.connection,
        &args.demo,
        limits,
        args.output.status,
    )
    .await?;
    let session = SessionBuilder::new(stages)
        .with_destinations(destinations)
        .await?
        .with_fail_on_gap(args.delivery.fail_on_gap)
        .with_merge(resolve::merge(&args.reconnect)?)
        .with_tui(screen)
        .with_metrics(metrics);

    session
        .run(|tx| {
            let source = |call| platform.call(workspace.clone(), call, tx.clone());
            calls.into_iter().map(source).collect()
        })
        .await
}

/// Builds the stages of the pipeline.
fn stages(args: &ObserveArgs) -> Result<Stages> {
    let ObserveArgs { filter, output, stop, rules, .. } = args;
    resolve::stages(filter, output, stop, false, rules)
}
