//! When a frame is drawn: only once something has changed, and at most thirty times a second.

use std::time::{Duration, Instant};

/// The least time between two frames.
const FRAME: Duration = Duration::from_millis(34);

/// The frames so far.
#[derive(Debug, Default)]
pub struct FramePacer {
    last: Option<Instant>,
}

impl FramePacer {
    /// Whether to draw now, where something has changed. If so, it is taken for drawn.
    pub fn is_due(&mut self, changed: bool, now: Instant) -> bool {
        let is_due = changed && self.wait(now).is_zero();
        if is_due {
            self.last = Some(now);
        }
        is_due
    }

    /// How long the next frame has to wait.
    #[must_use]
    pub fn wait(&self, now: Instant) -> Duration {
        self.last.map_or(Duration::ZERO, |last| {
            FRAME.saturating_sub(now.saturating_duration_since(last))
        })
    }
}
