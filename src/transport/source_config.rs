//! The limits of a live source, and the detection of a suspended machine.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::backoff::Random;
use super::call_lease::CallLeases;
use super::coverage::Heartbeat;
use super::meter::SourceMeter;

/// The default maximum size of a frame and of a line, in bytes. The platform's own client has the
/// same limit.
pub const FRAME_LIMIT: usize = 1 << 20;

/// How far the wall clock may run ahead of the monotonic clock before the machine is considered to
/// have been suspended.
const SUSPEND_THRESHOLD: Duration = Duration::from_secs(10);

/// How often the two clocks are compared.
pub(super) const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// The limits of a source.
///
/// Randomness and the clock are part of it, so that tests can control them.
#[derive(Debug, Clone)]
pub struct SourceConfig {
    /// The maximum size of a frame, in bytes.
    pub max_frame: usize,
    /// How long a connection may receive nothing at all before it is considered lost; `None` for
    /// the default of the transport.
    pub read_timeout: Option<Duration>,
    /// How long the first connection is tried again if the server cannot be reached.
    pub wait: Duration,
    /// How many reconnects in a row may fail; `None` for no limit.
    pub max_reconnects: Option<u32>,
    /// Whether events that were delivered on an earlier connection of a workspace's stream are
    /// passed on again, marked as replayed, so that the receiver can count them.
    pub pass_replayed: bool,
    /// How the tap announces what it has delivered; `None` if it does not.
    pub heartbeat: Option<Heartbeat>,
    /// The leases of calls, if other taps may observe the same ones; `None` if each observes for
    /// itself.
    pub leases: Option<Arc<CallLeases>>,
    /// Counts what the sources do; `None` if nobody asks.
    pub meter: Option<Arc<SourceMeter>>,
    /// The source of randomness for the back-off.
    pub random: Random,
    /// The wall clock.
    pub now: fn() -> Timestamp,
}

impl Default for SourceConfig {
    fn default() -> Self {
        Self {
            max_frame: FRAME_LIMIT,
            read_timeout: None,
            wait: Duration::ZERO,
            max_reconnects: None,
            pass_replayed: false,
            heartbeat: None,
            leases: None,
            meter: None,
            random: rand::random,
            now: Timestamp::now,
        }
    }
}

/// Detects that the machine was suspended: only the wall clock advanced, not the monotonic clock.
#[derive(Debug)]
pub(super) struct SuspendDetector {
    now: fn() -> Timestamp,
    last_wall: Timestamp,
    last_monotonic: Instant,
}

impl SuspendDetector {
    pub(super) fn new(now: fn() -> Timestamp) -> Self {
        Self { now, last_wall: now(), last_monotonic: Instant::now() }
    }

    /// Waits until the machine has been suspended.
    ///
    /// A wall clock that is set forward looks the same. It costs one reconnect.
    pub(super) async fn suspended(&mut self) {
        loop {
            tokio::time::sleep(CHECK_INTERVAL).await;
            let (wall, monotonic) = ((self.now)(), Instant::now());
            let wall_elapsed =
                Duration::try_from(wall.duration_since(self.last_wall)).unwrap_or_default();
            let elapsed = monotonic - self.last_monotonic;
            (self.last_wall, self.last_monotonic) = (wall, monotonic);
            if wall_elapsed > elapsed + SUSPEND_THRESHOLD {
                return;
            }
        }
    }
}

/// A wall clock that tests can move forward.
#[cfg(test)]
pub(super) mod test_clock {
    use std::cell::Cell;

    use std::time::SystemTime;

    use super::{Duration, Timestamp};

    thread_local! {
        static AHEAD: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    }

    /// Returns the real time plus everything that [`advance`] added.
    pub fn now() -> Timestamp {
        Timestamp::try_from(SystemTime::now() + AHEAD.get()).expect("a time")
    }

    /// Moves the clock forward.
    pub fn advance(by: Duration) {
        AHEAD.set(AHEAD.get() + by);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_suspend_is_detected_at_the_next_check_and_a_long_wait_is_not_a_suspend() {
        let mut detector = SuspendDetector::new(test_clock::now);
        // Virtual time runs ahead of the wall clock here, which is not a suspend.
        let waited = tokio::time::timeout(CHECK_INTERVAL * 1000, detector.suspended()).await;
        assert!(waited.is_err());
        test_clock::advance(Duration::from_secs(3600));
        let began = Instant::now();
        detector.suspended().await;
        assert!(began.elapsed() <= CHECK_INTERVAL);
        assert!(detector.suspended().now_or_never().is_none(), "once");
    }
}
