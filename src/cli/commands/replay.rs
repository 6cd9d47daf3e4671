//! `evtap replay`: prints the events of recordings.

use std::path::Path;
use std::sync::Arc;

use crate::cli::args::ReplayArgs;
use crate::cli::destinations::DestinationContext;
use crate::cli::session::SessionBuilder;
use crate::cli::{inputs, resolve};
use crate::error::{Exit, Result};
use crate::transport::client::Network;
use crate::transport::progress::Progress;
use crate::tui::config::ScreenConfig;

pub(super) async fn run(mut args: ReplayArgs) -> Result<Exit> {
    args.destinations.adapt(&mut args.output.privacy, args.output.status)?;
    let pace = resolve::pace(args.speed, &args.files)?;
    let stages = resolve::stages(&args.filter, &args.output, &args.stop, false)?;
    let names: Vec<_> = args.files.iter().map(|path| file_name(path)).collect();
    let screen = resolve::screen(
        &args.screen,
        &args.filter,
        &args.output,
        &stages.policy,
        &names.join(", "),
    )?
    .map(|screen| ScreenConfig { pace: Some(Arc::clone(&pace)), ..screen });
    let is_paced = args.speed.is_some() && screen.is_none();
    let limit = resolve::source_config(&args.delivery, None)?.max_frame;
    let network =
        Network { insecure_http: args.insecure_http, ca_cert: args.ca_cert, ..Network::default() };
    let destinations = args.destinations.resolve(&DestinationContext {
        network: &network,
        status: args.output.status,
        privacy: &args.output.privacy,
        policy: &stages.policy,
        filter: &args.filter,
        leases: None,
    })?;

    let session = SessionBuilder::new(stages)
        .with_destinations(destinations)
        .await?
        .with_fail_on_gap(args.delivery.fail_on_gap)
        .with_tui(screen);
    let progress = Arc::new(Progress::new(&args.files));
    // A paced replay runs on one thread. It reads ahead of the events that it prints, so its read
    // position does not show its progress.
    let session = if is_paced {
        session.with_pacing(pace)
    } else {
        session.with_threads(resolve::threads(args.threads)).with_progress(&progress, false)
    };

    inputs::replay(session, args.files, limit, progress).await
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
