//! Decides when to draw a frame: only after a change, at most thirty times a second, and for at most
//! half of the time, so that slow frames leave time for events.

use std::time::{Duration, Instant};

/// The minimum time between two frames.
const FRAME_INTERVAL: Duration = Duration::from_millis(34);

/// Limits the frame rate.
#[derive(Debug, Default)]
pub struct FramePacer {
    last: Option<Instant>,
    /// How long the last frame took to draw.
    took: Duration,
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

    /// Records that the frame is complete.
    pub fn complete(&mut self, now: Instant) {
        self.took = self.last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
    }

    /// Returns how long the next frame has to wait.
    #[must_use]
    pub fn wait(&self, now: Instant) -> Duration {
        self.last.map_or(Duration::ZERO, |last| {
            FRAME_INTERVAL.max(self.took * 2).saturating_sub(now.saturating_duration_since(last))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawing_takes_at_most_half_of_the_time() {
        let (mut frames, began) = (FramePacer::default(), Instant::now());
        let at = |millis| began + Duration::from_millis(millis);
        assert!(frames.is_due(true, at(0)));
        frames.complete(at(500));
        assert!(!frames.is_due(true, at(999)) && frames.is_due(true, at(1000)));
        frames.complete(at(1001));
        assert!(!frames.is_due(true, at(1033)) && frames.is_due(true, at(1034)));
    }
}
