//! `evtap timeline`: shows one call from its beginning to its end, from recordings or live.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use jiff::Timestamp;

use crate::analysis::timeline::collect::CollectedEvents;
use crate::analysis::timeline::{self, Timeline, build, collect};
use crate::analysis::traces::{otlp, recorded_trace};
use crate::cli::args::{TimelineArgs, TimelineFormat};
use crate::cli::broker_input::{BrokerInput, BrokerRequest, selected_types, shows_taps};
use crate::cli::inputs;
use crate::cli::metrics::MetricsServer;
use crate::cli::platform::Platform;
use crate::cli::resolve::{self, TimelinePlan};
use crate::cli::session::{Printed, SessionBuilder, print, print_with};
use crate::error::{Error, Exit, Result};
use crate::transport::progress::Progress;
use crate::transport::recording;
use crate::transport::sse::Start;
use crate::transport::{Sender, SourceConfig};

/// How far back the workspace's stream is read for a live call, in milliseconds. It is a little
/// less than the five minutes that the platform keeps.
const LOOK_BACK: u64 = 290_000;

/// The width of the text where stdout is not a terminal.
const DEFAULT_WIDTH: usize = 80;

pub(super) async fn run(args: TimelineArgs) -> Result<Exit> {
    let TimelinePlan { call, files, stages, collected, quiet_ms } = resolve::timeline(&args)?;
    let files = recording::expand(files)?;
    let session = SessionBuilder::new(stages);
    let metrics = MetricsServer::bind(&args.metrics, args.status).await?;
    let workspaces: Vec<_> = args.workspace.iter().cloned().collect();
    let request = BrokerRequest {
        workspaces: &workspaces,
        types: selected_types(&args.filter, None),
        since: args.range.since.as_deref(),
        ends: true,
        shows_taps: shows_taps(args.status, Some(&args.filter)),
        ..BrokerRequest::default()
    };
    let network = resolve::network(&args.connection.auth);
    let from = args.source.from.as_deref();
    let broker = BrokerInput::resolve(from, &args.broker, &network, &request)?;
    let limits = SourceConfig {
        wait: resolve::wait(&args.wait)?,
        meter: metrics.as_ref().map(MetricsServer::meter),
        ..SourceConfig::default()
    };
    let session = session.with_metrics(metrics);
    let session = if broker.is_none() && files.is_empty() {
        resolve::refuse_range(&args.range, "a live call is followed from its beginning")?;
        session
    } else {
        session.with_range(resolve::time_range(&args.range, broker.is_some())?)
    };
    let ended = if let Some(broker) = broker {
        let session = session.with_threads(resolve::threads(args.threads));
        inputs::read(session, &broker, limits, true).await
    } else if files.is_empty() {
        follow(&args, call.as_deref().unwrap_or_default(), limits, session).await
    } else {
        let progress = Arc::new(Progress::new(&files));
        let limit = SourceConfig::default().max_frame;
        let threads = resolve::threads(args.threads);
        let session = session.with_threads(threads).with_progress(&progress, true);
        inputs::replay(session, files, limit, progress).await
    };
    let mut collected = collect::lock(&collected);
    if collected.is_empty() && ended.is_err() {
        return ended;
    }
    if call.is_none() {
        return print_with(|out| list(&collected, args.output, out)).and(ended);
    }
    let sid = match collected.wanted_sid("show the timeline of") {
        Ok(sid) => sid,
        Err(error) => return ended.and(Err(error)),
    };
    if args.output == TimelineFormat::Otlp {
        return print_trace(&collected, &sid).and(ended);
    }
    let timeline = build::build(&mut collected, &sid, quiet_ms, args.privacy.reveal.clone());
    print_with(|out| write(&timeline, args.output, out)).and(ended)
}

/// Follows a live call, and its workspace, until the call is over.
async fn follow(
    args: &TimelineArgs,
    call: &str,
    limits: SourceConfig,
    session: SessionBuilder,
) -> Result<Exit> {
    let calls = vec![resolve::call(call)?];
    let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
    let (platform, workspace, calls) = Platform::for_calls(
        calls,
        args.workspace.as_deref(),
        &args.connection,
        &args.demo,
        limits,
        args.status,
    )
    .await?;
    // The call has already begun, so ask the platform to replay the events that it still keeps.
    let since = Start::Since(now.saturating_sub(LOOK_BACK));
    let source =
        |tx: &Sender, call| platform.whole_call(workspace.clone(), call, since, tx.clone());
    session.run(|tx| calls.into_iter().map(|call| source(&tx, call)).collect()).await
}

/// Lists the calls that were found.
fn list(
    collected: &CollectedEvents,
    format: TimelineFormat,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        TimelineFormat::Json => timeline::json::list(collected, out),
        _ => timeline::text::list(collected, out),
    }
}

/// Writes the timeline of a call.
fn write(timeline: &Timeline, format: TimelineFormat, out: &mut dyn Write) -> io::Result<()> {
    match format {
        TimelineFormat::Text => timeline::text::text(timeline, terminal_width(), out),
        TimelineFormat::Json => timeline::json::json(timeline, out),
        TimelineFormat::Html => timeline::html::html(timeline, out),
        TimelineFormat::Otlp => Ok(()),
    }
}

/// Prints the trace of a call as one OTLP request.
fn print_trace(collected: &CollectedEvents, sid: &str) -> Result<Printed> {
    let Some(spans) = recorded_trace(collected, sid) else {
        let why = "its events have no time";
        let advice = "record them with evtap, such as with --record";
        return Err(Error::new(Exit::Failure, "cannot write the trace", why, advice));
    };
    let mut text = otlp::request(otlp::resource_spans(&spans).iter().map(|part| &*part.json));
    text.push('\n');
    print(text.as_bytes())
}

fn terminal_width() -> usize {
    let size = std::io::stdout().is_terminal().then(crossterm::terminal::size);
    size.and_then(std::result::Result::ok).map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width))
}
