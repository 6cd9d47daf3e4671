//! `evtap audit`: checks whether recordings can be shared.

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::analysis::audit;
use crate::cli::args::{AuditArgs, ReportFormat};
use crate::cli::config;
use crate::cli::progress::ProgressLine;
use crate::cli::resolve;
use crate::cli::session::print_with;
use crate::error::{Error, Exit, Result};
use crate::output::status;
use crate::transport::progress::Progress;
use crate::transport::recording::{self, TimeIndexes};
use crate::transport::shutdown;

pub(super) async fn run(args: AuditArgs) -> Result<Exit> {
    let allowed = resolve::allowed_fields(&args.allow)?;
    let files = recording::expand(args.files)?;
    let range = resolve::time_range(&args.range, false)?;
    let indexes = TimeIndexes::in_cache(config::cache_dir(), range);
    let progress = Arc::new(Progress::new(&files));
    let mut progress_line =
        ProgressLine::new(Some(Arc::clone(&progress)), status::StatusFormat::Text, true);
    // Reading blocks and cannot be aborted, so a signal does not wait for it.
    let (runtime, threads) = (Handle::current(), resolve::threads(args.threads));
    let mut reading = tokio::task::spawn_blocking(move || {
        audit::audit_files(&files, &allowed, range, indexes.as_ref(), threads, &progress, &runtime)
    });
    let mut signal = std::pin::pin!(shutdown::wait_for_signal());
    let report = loop {
        tokio::select! {
            report = &mut reading => break report,
            signal = &mut signal => return Ok(signal.unwrap_or(Exit::Failure)),
            () = progress_line.tell() => {}
        }
    };
    drop(progress_line);
    let report = report.unwrap_or_else(|_| {
        Err(Error::new(
            Exit::Failure,
            "cannot continue reading",
            "the reader panicked",
            "report this as a bug",
        ))
    })?;
    print_with(|out| match args.output {
        ReportFormat::Text => report.write_text(out),
        ReportFormat::Json => report.write_json(out),
    })?;
    Ok(if report.is_clean() { Exit::Done } else { Exit::Verdict })
}
