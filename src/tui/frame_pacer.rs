//! Decides when to draw a frame: only after a change, and at most thirty times a second.

use std::time::{Duration, Instant};

/// The minimum time between two frames.
const FRAME_INTERVAL: Duration = Duration::from_millis(34);

/// Limits the frame rate.
#[derive(Debug, Default)]
pub struct FramePacer {
    last: Option<Instant>,
}

impl FramePacer {
    /// Returns whether to draw a frame now, and if so, records it as drawn.
    pub fn is_due(&mut self, changed: bool, now: Instant) -> bool {
        let is_due = changed && self.wait(now).is_zero();
        if is_due {
            self.last = Some(now);
        }
        is_due
    }

    /// Returns how long the next frame has to wait.
    #[must_use]
    pub fn wait(&self, now: Instant) -> Duration {
        self.last.map_or(Duration::ZERO, |last| {
            FRAME_INTERVAL.saturating_sub(now.saturating_duration_since(last))
        })
    }
}
