//! `evtap watch`: prints the event streams of one or more workspaces.

use jiff::Timestamp;

use crate::cli::args::WatchArgs;
use crate::cli::destinations::DestinationContext;
use crate::cli::platform::Platform;
use crate::cli::resolve;
use crate::cli::session::SessionBuilder;
use crate::delivery::Cursor;
use crate::error::{Error, Exit, Result};
use crate::output::status;
use crate::transport::Sender;
use crate::transport::auto_observe::ObserverSlots;
use crate::transport::sse::Start;

pub(super) async fn run(mut args: WatchArgs) -> Result<Exit> {
    args.destinations.adapt(&mut args.output.privacy, args.output.status)?;
    let workspaces = resolve::workspaces(&args.workspace)?;
    let stages = resolve::stages(&args.filter, &args.output, &args.stop, workspaces.ids.len() > 1)?;
    let screen = resolve::screen(
        &args.screen,
        &args.filter,
        &args.output,
        &stages.policy,
        &args.workspace.join(", "),
    )?;
    let limits = resolve::source_config(&args.delivery, Some(&args.reconnect))?;
    let network = resolve::network(&args.connection.auth);
    let destinations = args.destinations.resolve(&DestinationContext {
        network: &network,
        status: args.output.status,
        privacy: &args.output.privacy,
        policy: &stages.policy,
        filter: &args.filter,
    })?;
    let now = Timestamp::now();
    let since = args.resume.since.as_deref().map(|since| resolve::since(since, now)).transpose()?;

    let (platform, workspaces) = Platform::for_workspaces(
        workspaces,
        &args.connection,
        &args.demo,
        limits,
        args.output.status,
    )
    .await?;
    let mut cursor = args.resume.cursor.as_deref().map(Cursor::open).transpose()?;
    let begin = since.unwrap_or_else(|| u64::try_from(now.as_millisecond()).unwrap_or_default());
    let mut starts = Vec::new();
    for workspace in &workspaces {
        let position =
            cursor.as_mut().map(|cursor| cursor.start(workspace, begin)).transpose()?.flatten();
        starts.push(position.unwrap_or_else(|| since.map_or(Start::Now, Start::Since)));
    }
    if since
        .is_some_and(|since| i64::try_from(since).is_ok_and(|since| since > now.as_millisecond()))
    {
        let why = "no event is from then yet, so evtap begins with the next one";
        let warning = Error::usage("--since is in the future", why, "check the time");
        status::warning(args.output.status, &warning);
    }
    let session = SessionBuilder::new(stages)
        .with_destinations(destinations)
        .await?
        .with_cursor(cursor)
        .with_fail_on_gap(args.delivery.fail_on_gap)
        .with_merge(resolve::merge(&args.reconnect)?)
        .with_tui(screen);

    let slots = args.auto_observe.map(ObserverSlots::new);
    let source = |tx: &Sender, (workspace, start)| {
        platform.workspace(workspace, start, slots.clone(), tx.clone())
    };
    let streams = workspaces.into_iter().zip(starts);
    session.run(|tx| streams.map(|stream| source(&tx, stream)).collect()).await
}
