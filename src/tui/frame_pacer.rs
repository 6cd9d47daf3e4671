//! Decides when to draw a frame: only after a change, at most thirty times a second, and for at most
//! half of the time, so that slow frames leave time for events. A frame that answers a key does not
//! wait for its turn in the second.

use std::time::{Duration, Instant};

/// The minimum time between two frames.
const FRAME_INTERVAL: Duration = Duration::from_millis(34);

/// Limits the frame rate.
#[derive(Debug, Default)]
pub struct FramePacer {
    last: Option<Instant>,
    /// How long the last frame took to draw.
    took: Duration,
    /// Whether the next frame answers a key.
    is_awaited: bool,
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

    /// Records that the user waits for the next frame.
    pub const fn expect_answer(&mut self) {
        self.is_awaited = true;
    }

    /// Records that the frame is complete.
    pub fn complete(&mut self, now: Instant) {
        self.is_awaited = false;
        self.took = self.last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
    }

    /// Returns how long the next frame has to wait.
    #[must_use]
    pub fn wait(&self, now: Instant) -> Duration {
        let interval = if self.is_awaited { Duration::ZERO } else { FRAME_INTERVAL };
        self.last.map_or(Duration::ZERO, |last| {
            interval.max(self.took * 2).saturating_sub(now.saturating_duration_since(last))
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

    #[test]
    fn the_answer_to_a_key_does_not_wait_for_the_frame_rate() {
        let (mut frames, began) = (FramePacer::default(), Instant::now());
        let at = |millis| began + Duration::from_millis(millis);
        assert!(frames.is_due(true, at(0)));
        frames.complete(at(3));
        assert!(!frames.is_due(true, at(6)));
        frames.expect_answer();
        assert!(!frames.is_due(false, at(6)), "nothing changed");
        assert!(!frames.is_due(true, at(5)), "half of the time is for events");
        assert!(frames.is_due(true, at(6)));
        frames.complete(at(9));
        assert!(!frames.is_due(true, at(39)) && frames.is_due(true, at(40)));
    }
}
