//! `evtap verify`: shows what recordings cover.

use std::sync::Arc;

use crate::analysis::verify::{self, VerifyCollector, VerifyReport};
use crate::cli::args::{ReportFormat, VerifyArgs};
use crate::cli::inputs;
use crate::cli::resolve;
use crate::cli::session::{SessionBuilder, print};
use crate::error::{Exit, Result};
use crate::transport::SourceConfig;
use crate::transport::progress::Progress;

pub(super) async fn run(args: VerifyArgs) -> Result<Exit> {
    let (collector, streams) = VerifyCollector::new();
    let session = SessionBuilder::new(resolve::verify(collector));
    let names: Vec<_> = args.files.iter().map(|file| file.display().to_string()).collect();
    let progress = Arc::new(Progress::new(&args.files));
    let session = session.with_progress(&progress, true);
    let limit = SourceConfig::default().max_frame;
    let ended = inputs::replay(session, args.files, limit, progress).await?;
    if ended != Exit::Done {
        return Ok(ended);
    }
    let report = VerifyReport::new(&verify::lock(&streams), &names);
    let text = match args.output {
        ReportFormat::Text => report.text(),
        ReportFormat::Json => report.json().to_string() + "\n",
    };
    print(text.as_bytes())?;
    Ok(if report.is_complete() { Exit::Done } else { Exit::Lost })
}
