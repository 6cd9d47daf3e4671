//! `evtap replay`: prints the events of recordings.

use std::path::Path;
use std::sync::Arc;

use crate::cli::args::{MergeOrder, ReplayArgs};
use crate::cli::broker_input::{BrokerInput, BrokerRequest, selected_types, shows_taps};
use crate::cli::destinations::DestinationContext;
use crate::cli::session::SessionBuilder;
use crate::cli::{inputs, resolve};
use crate::error::{Exit, Result};
use crate::pipeline::Stages;
use crate::transport::client::Network;
use crate::transport::progress::Progress;
use crate::transport::recording;
use crate::tui::config::ScreenConfig;

pub(super) async fn run(mut args: ReplayArgs) -> Result<Exit> {
    args.destinations.adapt(&mut args.output.privacy, args.output.status)?;
    args.rules.for_screen = args.screen.tui;
    args.files = recording::expand(args.files)?;
    let pace = resolve::pace(args.speed, &args.files)?;
    let has_several = args.source.from.is_some() && args.workspaces.workspace.len() != 1;
    let stages = stages(&args, has_several)?;
    let network =
        Network { insecure_http: args.insecure_http, ca_cert: args.ca_cert, ..Network::default() };
    let request = BrokerRequest {
        workspaces: &args.workspaces.workspace,
        calls: &args.calls.call,
        types: if args.rules.is_any() {
            &[]
        } else {
            selected_types(&args.filter, Some(&args.stop))
        },
        since: args.range.since.as_deref(),
        ends: true,
        shows_taps: shows_taps(args.output.status, Some(&args.filter)),
        ..BrokerRequest::default()
    };
    let from = args.source.from.as_deref();
    let broker = BrokerInput::resolve(from, &args.destinations.broker, &network, &request)?;
    let mut names: Vec<_> = args.files.iter().map(|path| file_name(path)).collect();
    names.extend(broker.as_ref().map(BrokerInput::name));
    let screen = resolve::screen(
        &args.screen,
        &args.filter,
        &args.output,
        &stages.policy,
        &names.join(", "),
    )?
    .map(|screen| {
        let notifies = args.rules.bell;
        ScreenConfig { pace: Some(Arc::clone(&pace)), notifies, ..screen }
    });
    let is_merged = args.order == MergeOrder::Time && args.files.len() > 1 && screen.is_none();
    let is_paced = args.speed.is_some() && screen.is_none();
    let limits = resolve::source_config(&args.delivery, None)?;
    let mut destinations = args.destinations.resolve(&DestinationContext {
        network: &network,
        status: args.output.status,
        privacy: &args.output.privacy,
        policy: &stages.policy,
        filter: &args.filter,
        leases: None,
        broker: &args.destinations.broker,
        source: broker.as_ref().map(BrokerInput::name).as_deref(),
    })?;
    destinations.extend(resolve::notifier(&args.rules, args.output.status)?);

    let session = SessionBuilder::new(stages)
        .with_destinations(destinations)
        .await?
        .with_range(resolve::time_range(&args.range, broker.is_some())?)
        .with_fail_on_gap(args.delivery.fail_on_gap)
        .with_tui(screen);
    if let Some(broker) = broker {
        let session = if is_paced {
            session.with_pacing(pace)
        } else {
            session.with_threads(resolve::threads(args.threads))
        };
        return inputs::read(session, &broker, limits, false).await;
    }
    let progress = Arc::new(Progress::new(&args.files));
    // A paced replay runs on one thread. It reads ahead of the events that it prints, so its read
    // position does not show its progress.
    let session = if is_paced {
        session.with_pacing(pace)
    } else {
        session.with_threads(resolve::threads(args.threads)).with_progress(&progress, false)
    };

    if is_merged {
        return inputs::replay_merged(session, args.files, limits.max_frame, progress).await;
    }
    inputs::replay(session, args.files, limits.max_frame, progress).await
}

/// Builds the stages of the pipeline.
fn stages(args: &ReplayArgs, has_several: bool) -> Result<Stages> {
    let ReplayArgs { filter, output, stop, rules, .. } = args;
    resolve::stages(filter, output, stop, has_several, rules)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
