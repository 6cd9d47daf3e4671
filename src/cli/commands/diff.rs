//! `evtap diff`: compares two calls, recordings or directories of recordings.

use std::path::PathBuf;
use std::sync::Arc;

use crate::analysis::diff::{self, DiffCollector, DiffThreshold, RunComparison, RunProfile};
use crate::cli::args::{DiffArgs, DiffFormat};
use crate::cli::inputs;
use crate::cli::resolve;
use crate::cli::session::{SessionBuilder, print_with};
use crate::error::{Error, Exit, Result};
use crate::transport::SourceConfig;
use crate::transport::progress::Progress;
use crate::transport::recording;

/// The smallest difference of shares that is reported: five percentage points.
const SHARES: f64 = 0.05;

pub(super) async fn run(args: DiffArgs) -> Result<Exit> {
    // Whatever is to fail must be noticed.
    let percent = args.fail_slower.map_or(args.threshold, |percent| percent.min(args.threshold));
    if args.call.len() > 2 {
        let advice = "give one for both recordings, or one for each";
        return Err(Error::usage("cannot compare the calls", "more than two are given", advice));
    }
    let first = args.call.first().cloned();
    let second = args.call.get(1).or(args.call.first()).cloned();
    let mut profiles = Vec::new();
    for (path, call) in [(&args.first, first), (&args.second, second)] {
        match profile(&args, path.clone(), call).await? {
            Ok(profile) => profiles.push(profile),
            Err(exit) => return Ok(exit),
        }
    }
    let [a, b] = &profiles[..] else { return Ok(Exit::Failure) };
    let comparison =
        RunComparison::new(a, b, DiffThreshold { durations: percent / 100.0, shares: SHARES });
    let names = [&args.first, &args.second].map(|path| path.display().to_string());
    let names = (&*names[0], &*names[1]);
    print_with(|out| match args.output {
        DiffFormat::Text => out.write_all(diff::text(&comparison, names).as_bytes()),
        DiffFormat::Json => writeln!(out, "{}", diff::json(&comparison, names)),
        DiffFormat::Html => diff::html(&comparison, names, out),
    })?;
    let fails = args.fail_slower.is_some_and(|percent| comparison.slowdown() * 100.0 >= percent);
    Ok(if fails { Exit::Verdict } else { Exit::Done })
}

/// Profiles one side. Returns the exit status if a signal ended that.
async fn profile(
    args: &DiffArgs,
    path: PathBuf,
    call: Option<String>,
) -> Result<Result<RunProfile, Exit>> {
    let (collector, profile) = DiffCollector::new(call.clone());
    let session = SessionBuilder::new(resolve::diff(&args.filter, collector)?)
        .with_range(resolve::time_range(&args.range, false)?);
    let name = path.display().to_string();
    let files = recording::expand(vec![path])?;
    let progress = Arc::new(Progress::new(&files));
    let session = session.with_progress(&progress, true);
    let limit = SourceConfig::default().max_frame;
    let ended = Box::pin(inputs::replay(session, files, limit, progress)).await?;
    if ended != Exit::Done {
        return Ok(Err(ended));
    }
    let profile = diff::take(&profile);
    if call.is_some() && profile.calls == 0 {
        let what = format!("cannot compare {name}");
        let advice = format!("list its calls with `evtap timeline {name}`");
        return Err(Error::new(Exit::Failure, what, "the call is not in it", advice));
    }
    Ok(Ok(profile))
}
