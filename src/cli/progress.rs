//! The progress line of a long replay, on stderr.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, Interval, interval_at};

use crate::output::status::{self, StatusFormat};
use crate::transport::progress::Progress;

/// Delay before the first report; a shorter replay needs no progress line.
const PATIENCE: Duration = Duration::from_millis(500);

/// Interval between reports.
const EVERY: Duration = Duration::from_millis(200);

/// Reports progress until it is dropped, which removes the line.
pub struct ProgressLine {
    told: Option<(Arc<Progress>, Instant, Interval)>,
}

impl ProgressLine {
    /// Creates a progress line. It is shown only if stderr is a terminal, the status format is
    /// text, and no events are written to the terminal; `is_quiet` says that nothing is written to
    /// stdout.
    #[must_use]
    pub fn new(progress: Option<Arc<Progress>>, format: StatusFormat, is_quiet: bool) -> Self {
        let is_terminal = std::io::stderr().is_terminal()
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let is_free = is_quiet || !std::io::stdout().is_terminal();
        let progress = progress.filter(|_| {
            matches!(format, StatusFormat::Text | StatusFormat::Inline) && is_terminal && is_free
        });
        let now = Instant::now();
        Self { told: progress.map(|progress| (progress, now, interval_at(now + PATIENCE, EVERY))) }
    }

    /// Waits for the next interval and reports the progress. Without progress, it never returns.
    pub async fn tell(&mut self) {
        match &mut self.told {
            None => std::future::pending().await,
            Some((progress, began, ticks)) => {
                ticks.tick().await;
                status::progress(Some(&progress.line(began.elapsed())));
            }
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if self.told.is_some() {
            status::progress(None);
        }
    }
}
