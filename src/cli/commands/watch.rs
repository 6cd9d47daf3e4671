//! `evtap watch`: prints the event streams of one or more workspaces.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::analysis::traces::TracedStreams;
use crate::cli::args::{MergeOrder, WatchArgs};
use crate::cli::broker_input::{BrokerInput, BrokerRequest, selected_types, shows_taps};
use crate::cli::destinations::DestinationContext;
use crate::cli::metrics::MetricsServer;
use crate::cli::open_files;
use crate::cli::platform::{KeyedPlatform, Platform};
use crate::cli::resolve;
use crate::cli::session::SessionBuilder;
use crate::cli::shard::Shard;
use crate::cli::starts::Starts;
use crate::cli::workspaces::{WorkspaceTaps, WorkspacesFile};
use crate::error::{Error, Exit, Result};
use crate::pipeline::Stages;
use crate::transport::auto_observe::ObserverSlots;
use crate::transport::shutdown::Hangup;
use crate::transport::{Sender, SourceConfig};
use crate::tui::config::ScreenConfig;
use crate::tui::screen::Screen;

/// The watched workspaces and their source.
enum Watched {
    /// The workspaces in a file, which may change.
    File(WorkspacesFile, KeyedPlatform, Hangup),
    /// The workspaces with these ids.
    List(Platform, Vec<String>),
}

pub(super) async fn run(mut args: WatchArgs) -> Result<Exit> {
    let status = args.output.status;
    args.destinations.adapt(&mut args.output.privacy, status)?;
    args.rules.for_screen = args.screen.tui;
    args.otlp.require_observers(args.auto_observe.is_some())?;
    let network = resolve::network(&args.connection.auth);
    let request = BrokerRequest {
        workspaces: &args.workspace,
        calls: &args.follow.calls.call,
        types: if args.rules.is_any() {
            &[]
        } else {
            selected_types(&args.filter, Some(&args.stop))
        },
        since: args.resume.since.as_deref(),
        consumer: args.follow.consumer.as_deref(),
        shows_taps: shows_taps(status, Some(&args.filter)),
        is_sorted: args.reconnect.order == MergeOrder::Time,
        ..BrokerRequest::default()
    };
    let from = args.follow.from.as_deref();
    if let Some(broker) = BrokerInput::resolve(from, &args.destinations.broker, &network, &request)?
    {
        return Box::pin(read(args, &broker)).await;
    }
    let file = args.workspaces_file.clone();
    let file = file.map(|path| workspaces_file(path, &args)).transpose()?;
    let listed = match &file {
        Some(_) => resolve::Workspaces { ids: Vec::new(), are_demo: false },
        None => of_shard(resolve::workspaces(&args.workspace)?, args.shard)?,
    };
    let has_several = file.is_some() || listed.ids.len() > 1;
    let stages = stages(&args, has_several)?;
    let title = match &file {
        Some(file) => file.path.display().to_string(),
        None => args.workspace.join(", "),
    };
    let screen = screen(&args, &stages, &title)?;
    let metrics = MetricsServer::bind(&args.metrics, status).await?;
    let network = resolve::network(&args.connection.auth);
    let leases = match args.auto_observe {
        Some(_) => args.destinations.leases(&network).await?,
        None => None,
    };
    let limits = SourceConfig {
        heartbeat: resolve::heartbeat(&args.destinations, &args.rules)?,
        leases: leases.clone(),
        meter: metrics.as_ref().map(MetricsServer::meter),
        ..resolve::source_config(&args.delivery, Some(&args.reconnect))?
    };
    let mut destinations = args.destinations.resolve(&DestinationContext {
        network: &network,
        status,
        privacy: &args.output.privacy,
        policy: &stages.policy,
        filter: &args.filter,
        leases: leases.as_ref(),
        broker: &args.destinations.broker,
        source: None,
    })?;
    destinations.extend(args.otlp.resolve(&network, args.output.status, TracedStreams::All)?);
    destinations.extend(resolve::notifier(&args.rules, args.output.status)?);
    if let Some(since) = &args.resume.since {
        resolve::since(since, Timestamp::now())?;
    }

    let watched = if let Some(file) = file {
        open_files::raise_limit();
        let hangup = hangup()?;
        let platform = KeyedPlatform::connect(&args.connection, limits, status).await?;
        Watched::File(file, platform, hangup)
    } else {
        let (platform, ids) =
            Platform::for_workspaces(listed, &args.connection, &args.demo, limits, status).await?;
        Watched::List(platform, ids)
    };
    let starts = Starts::open(&args.resume, status)?;
    let session = SessionBuilder::new(stages)
        .with_destinations(destinations)
        .await?
        .with_cursor(starts.cursor())
        .with_fail_on_gap(args.delivery.fail_on_gap)
        .with_merge(resolve::merge(&args.reconnect)?)
        .with_reloads(matches!(watched, Watched::File(..)))
        .with_tui(screen)
        .with_metrics(metrics);

    let slots = args.auto_observe.map(ObserverSlots::new);
    match watched {
        Watched::File(file, platform, hangup) => {
            let taps = WorkspaceTaps { file, platform, starts, slots, status, hangup };
            session.run(|tx| vec![Box::pin(taps.run(tx))]).await
        }
        Watched::List(platform, ids) => {
            let begin = starts.of(&ids, Timestamp::now())?;
            let source =
                |tx: &Sender, (id, start)| platform.workspace(id, start, slots.clone(), tx.clone());
            let streams = ids.into_iter().zip(begin);
            session.run(|tx| streams.map(|stream| source(&tx, stream)).collect()).await
        }
    }
}

/// Waits for SIGHUP from now on.
fn hangup() -> Result<Hangup> {
    Hangup::new().map_err(|error| {
        let why = error.kind().to_string();
        Error::new(Exit::Failure, "cannot wait for SIGHUP", why, "try again")
    })
}

/// Returns the file of workspaces, to which those of the command line are added.
fn workspaces_file(path: PathBuf, args: &WatchArgs) -> Result<WorkspacesFile> {
    let named = if args.workspace.is_empty() {
        Vec::new()
    } else {
        let resolve::Workspaces { ids, are_demo } = resolve::workspaces(&args.workspace)?;
        if are_demo {
            let why = "the demo can't be merged with the workspaces of a file";
            let advice = "watch it by itself, or leave it out";
            return Err(Error::usage("cannot watch", why, advice).with_setting("--workspace"));
        }
        ids
    };
    Ok(WorkspacesFile { path, named, shard: args.shard })
}

/// Builds the stages of the pipeline.
fn stages(args: &WatchArgs, has_several: bool) -> Result<Stages> {
    let WatchArgs { filter, output, stop, rules, .. } = args;
    resolve::stages(filter, output, stop, has_several, rules)
}

/// Returns the configuration of the live screen, which opens with what needs attention.
fn screen(args: &WatchArgs, stages: &Stages, title: &str) -> Result<Option<ScreenConfig>> {
    let WatchArgs { screen, filter, output, rules, .. } = args;
    let config = resolve::screen(screen, filter, output, &stages.policy, title)?;
    let (first_screen, notifies) = (Screen::Now, rules.bell);
    Ok(config.map(|config| ScreenConfig { first_screen, notifies, ..config }))
}

/// Returns the workspaces of a shard.
fn of_shard(workspaces: resolve::Workspaces, shard: Option<Shard>) -> Result<resolve::Workspaces> {
    let Some(shard) = shard else { return Ok(workspaces) };
    let resolve::Workspaces { mut ids, are_demo } = workspaces;
    ids.retain(|id| shard.has(id));
    if ids.is_empty() {
        let why = format!("no workspace belongs to shard {shard}");
        let advice = "use fewer shards, or a --workspaces-file, to which workspaces can be added";
        return Err(Error::usage("cannot watch", why, advice).with_setting("--shard"));
    }
    Ok(resolve::Workspaces { ids, are_demo })
}

/// Prints the events of a broker as they are stored.
async fn read(args: WatchArgs, broker: &BrokerInput) -> Result<Exit> {
    let has_several = args.workspace.len() != 1;
    let stages = stages(&args, has_several)?;
    let title = broker.name();
    let screen = screen(&args, &stages, &title)?;
    let metrics = MetricsServer::bind(&args.metrics, args.output.status).await?;
    let limits = SourceConfig {
        meter: metrics.as_ref().map(MetricsServer::meter),
        ..resolve::source_config(&args.delivery, Some(&args.reconnect))?
    };
    let mut destinations = args.destinations.resolve(&DestinationContext {
        network: &resolve::network(&args.connection.auth),
        status: args.output.status,
        privacy: &args.output.privacy,
        policy: &stages.policy,
        filter: &args.filter,
        leases: None,
        broker: &args.destinations.broker,
        source: Some(&broker.name()),
    })?;
    destinations.extend(resolve::notifier(&args.rules, args.output.status)?);
    let session = SessionBuilder::new(stages)
        .with_destinations(destinations)
        .await?
        .with_resumption(args.follow.consumer.is_some())
        .with_fail_on_gap(args.delivery.fail_on_gap)
        .with_merge(resolve::merge(&args.reconnect)?)
        .with_tui(screen)
        .with_metrics(metrics);
    let ended = session.run(|tx| vec![broker.source(limits, None, tx)]).await;
    broker.release().await;
    ended
}
