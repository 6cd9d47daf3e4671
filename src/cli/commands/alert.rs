//! `evtap alert`: reports events that should have happened and did not.

use std::sync::Arc;

use jiff::Timestamp;

use crate::cli::args::{AlertArgs, MergeOrder};
use crate::cli::broker_input::{BrokerInput, BrokerRequest};
use crate::cli::destinations::DestinationContext;
use crate::cli::metrics::MetricsServer;
use crate::cli::platform::{Platform, SourceTask};
use crate::cli::session::SessionBuilder;
use crate::cli::starts::Starts;
use crate::cli::{inputs, resolve};
use crate::error::{Error, Exit, Result};
use crate::transport::auto_observe::ObserverSlots;
use crate::transport::progress::Progress;
use crate::transport::{Sender, SourceConfig};

pub(super) async fn run(mut args: AlertArgs) -> Result<Exit> {
    if args.rules.rules.is_none() && !args.rules.builtin {
        let advice = "give a file to --rules, or --builtin for the built-in ones";
        return Err(Error::usage("cannot run alert", "it has no rules", advice));
    }
    args.rules.is_only = true;
    args.destinations.adapt(&mut args.output.privacy, args.output.status)?;
    let has_several = args.workspace.len() > 1 || args.from.is_some();
    let stages = resolve::alert_stages(&args, has_several)?;
    let metrics = MetricsServer::bind(&args.metrics, args.output.status).await?;
    let network = resolve::network(&args.connection.auth);
    let request = BrokerRequest {
        workspaces: &args.workspace,
        calls: &args.call,
        since: args.resume.since.as_deref(),
        ends: args.test,
        is_sorted: args.reconnect.order == MergeOrder::Time,
        ..BrokerRequest::default()
    };
    let from = args.from.as_deref();
    let broker = BrokerInput::resolve(from, &args.destinations.broker, &network, &request)?;
    let mut destinations = args.destinations.resolve(&DestinationContext {
        network: &network,
        status: args.output.status,
        privacy: &args.output.privacy,
        policy: &stages.policy,
        filter: &args.filter,
        leases: None,
        broker: &args.destinations.broker,
        // Only alerts are published, so no event is stored again in the stream that is read.
        source: None,
    })?;
    destinations.extend(resolve::notifier(&args.rules, args.output.status)?);
    let session = SessionBuilder::new(stages)
        .with_destinations(destinations)
        .await?
        .with_fail_on_gap(args.delivery.fail_on_gap)
        .with_merge(resolve::merge(&args.reconnect)?);
    let limits = SourceConfig {
        meter: metrics.as_ref().map(MetricsServer::meter),
        heartbeat: resolve::heartbeat(&args.destinations, &args.rules)?,
        ..resolve::source_config(&args.delivery, Some(&args.reconnect))?
    };
    let session = session.with_metrics(metrics);
    if let Some(broker) = broker {
        return inputs::read(session, &broker, limits, false).await;
    }
    if !args.files.is_empty() {
        return Box::pin(replay(args, session, limits)).await;
    }
    Box::pin(live(args, session, limits)).await
}

async fn replay(args: AlertArgs, session: SessionBuilder, limits: SourceConfig) -> Result<Exit> {
    let progress = Arc::new(Progress::new(&args.files));
    // A paced replay runs on one thread, and reads ahead of the events that it handles.
    let session = if args.speed.is_some() {
        session.with_pacing(resolve::pace(args.speed, &args.files)?)
    } else {
        session.with_threads(resolve::threads(args.threads)).with_progress(&progress, false)
    };
    inputs::replay(session, args.files, limits.max_frame, progress).await
}

async fn live(args: AlertArgs, session: SessionBuilder, limits: SourceConfig) -> Result<Exit> {
    let AlertArgs { workspace, call, connection, demo, resume, .. } = &args;
    let status = args.output.status;
    if !call.is_empty() {
        let calls = resolve::calls(call)?;
        let workspace = workspace.first().map(String::as_str);
        let (platform, workspace, calls) =
            Platform::for_calls(calls, workspace, connection, demo, limits, status).await?;
        let source = |tx: &Sender, call| platform.call(workspace.clone(), call, tx.clone());
        return session.run(|tx| calls.into_iter().map(|call| source(&tx, call)).collect()).await;
    }
    if let Some(since) = &resume.since {
        resolve::since(since, Timestamp::now())?;
    }
    let listed = resolve::workspaces(workspace)?;
    let (platform, ids) =
        Platform::for_workspaces(listed, connection, demo, limits, status).await?;
    let starts = Starts::open(resume, status)?;
    let slots = args.auto_observe.map(ObserverSlots::new);
    let begin = starts.of(&ids, Timestamp::now())?;
    let session = session.with_cursor(starts.cursor());
    let source = |tx: &Sender, (id, start)| -> SourceTask {
        platform.workspace(id, start, slots.clone(), tx.clone())
    };
    let streams = ids.into_iter().zip(begin);
    session.run(|tx| streams.map(|stream| source(&tx, stream)).collect()).await
}
