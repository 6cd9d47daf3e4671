//! How much a live source bears before it gives a frame, a connection or the stream up.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::backoff::Random;

/// The largest frame, and the largest line of one, in bytes. The platform's own client gives up beyond it.
pub const FRAME_LIMIT: usize = 1 << 20;

/// How far the two clocks may drift apart before the machine is taken to have slept.
const SLEPT: Duration = Duration::from_secs(10);

/// How often the clocks are compared.
pub(super) const LOOK: Duration = Duration::from_secs(5);

/// The limits of a source. Chance and the clock come with them, so that tests can do without either.
#[derive(Debug, Clone, Copy)]
pub struct SourceConfig {
    /// The largest frame in bytes.
    pub max_frame: usize,
    /// How long a connection may bring nothing at all; the transport's own default if it is not given.
    pub read_timeout: Option<Duration>,
    /// How many tries in a row may fail.
    pub max_reconnects: Option<u32>,
    /// Chance, for the back-off.
    pub random: Random,
    /// The wall clock.
    pub now: fn() -> Timestamp,
}

impl Default for SourceConfig {
    fn default() -> Self {
        Self {
            max_frame: FRAME_LIMIT,
            read_timeout: None,
            max_reconnects: None,
            random: rand::random,
            now: Timestamp::now,
        }
    }
}

/// Notices that the machine slept: the wall clock went on and the monotonic one did not.
#[derive(Debug)]
pub(super) struct SuspendDetector {
    now: fn() -> Timestamp,
    wall: Timestamp,
    steady: Instant,
}

impl SuspendDetector {
    pub(super) fn new(now: fn() -> Timestamp) -> Self {
        Self { now, wall: now(), steady: Instant::now() }
    }

    /// Waits until the machine has slept. A clock that was set forward looks the same, and costs one reconnect.
    pub(super) async fn slept(&mut self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let (wall, steady) = ((self.now)(), Instant::now());
            let passed = Duration::try_from(wall.duration_since(self.wall)).unwrap_or_default();
            let lived = steady - self.steady;
            (self.wall, self.steady) = (wall, steady);
            if passed > lived + SLEPT {
                return;
            }
        }
    }
}

/// A clock for tests that stands still but for what is added to it.
#[cfg(test)]
pub(super) mod hand {
    use std::cell::Cell;

    use std::time::SystemTime;

    use super::{Duration, Timestamp};

    thread_local! {
        static AHEAD: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    }

    /// The time by that clock, which goes with the real one.
    pub fn now() -> Timestamp {
        Timestamp::try_from(SystemTime::now() + AHEAD.get()).expect("a time")
    }

    /// Moves it forward.
    pub fn advance(by: Duration) {
        AHEAD.set(AHEAD.get() + by);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_sleep_is_noticed_at_the_next_look_and_a_long_wait_is_none() {
        let mut awake = SuspendDetector::new(hand::now);
        // Virtual time runs ahead of the wall clock here, which is no sleep.
        assert!(tokio::time::timeout(LOOK * 1000, awake.slept()).await.is_err());
        hand::advance(Duration::from_secs(3600));
        let began = Instant::now();
        awake.slept().await;
        assert!(began.elapsed() <= LOOK);
        assert!(awake.slept().now_or_never().is_none(), "once");
    }
}
