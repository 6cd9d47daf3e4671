//! The progress line of a long replay, on stderr.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, Interval, interval_at};

use crate::output::status::{self, StatusFormat};
use crate::transport::progress::Progress;

/// What is over sooner needs no telling.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often it is told.
const EVERY: Duration = Duration::from_millis(200);

/// Tells of a progress until it is dropped, which takes the line away.
pub struct ProgressLine {
    told: Option<(Arc<Progress>, Instant, Interval)>,
}

impl ProgressLine {
    /// On stderr, if that is a terminal for people, and unless events are written to the same: `is_quiet` says that they
    /// are not.
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

    /// Waits until it is time, and tells. For ever if there is nothing to tell.
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
