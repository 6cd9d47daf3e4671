//! The back-off between connections: full jitter under a ceiling that doubles with every failure.
//!
//! It neither sleeps nor generates random numbers: the caller passes a random number and gets a
//! delay.

use std::time::Duration;

/// The first ceiling for SSE, until the server's `retry:` says otherwise.
pub const SSE: Duration = Duration::from_secs(3);

/// The first ceiling for the WebSocket.
pub const WEBSOCKET: Duration = Duration::from_secs(1);

/// The largest ceiling. A server's `retry:` beyond it counts as this.
pub const MAX: Duration = Duration::from_secs(30);

/// The smallest ceiling, so that `retry: 0` doesn't become a busy loop.
pub const MIN: Duration = Duration::from_millis(100);

/// A source of random numbers in [0, 1), which tests replace.
pub type Random = fn() -> f64;

/// The number of failures in a row, and the delay that follows from it.
#[derive(Debug, Clone)]
pub struct Backoff {
    initial: Duration,
    failures: u32,
}

impl Backoff {
    /// Creates a back-off without failures. `initial` is the first ceiling.
    #[must_use]
    pub fn new(initial: Duration) -> Self {
        Self { initial: initial.clamp(MIN, MAX), failures: 0 }
    }

    /// Replaces the first ceiling, as the server's `retry:` asks.
    pub fn set_initial(&mut self, initial: Duration) {
        self.initial = initial.clamp(MIN, MAX);
    }

    /// Forgets all failures, because a connection has delivered something.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Counts a failure, and returns the delay and the number of the attempt after it, from 1.
    ///
    /// The delay is at least `at_least`; a `Retry-After` may exceed [`MAX`]. `random` is in [0, 1).
    pub fn next(&mut self, at_least: Duration, random: f64) -> (Duration, u32) {
        let doubled = 2_u32.saturating_pow(self.failures);
        let ceiling = self.initial.saturating_mul(doubled).min(MAX);
        self.failures = self.failures.saturating_add(1);
        (ceiling.mul_f64(random).max(at_least), self.failures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALMOST_ONE: f64 = 1.0 - f64::EPSILON;

    /// Returns the rounded delays after `count` failures, in milliseconds.
    fn delays(backoff: &mut Backoff, at_least: u64, random: f64, count: u32) -> Vec<u128> {
        let delay =
            |_| (backoff.next(Duration::from_millis(at_least), random).0.as_micros() + 500) / 1000;
        (0..count).map(delay).collect()
    }

    #[test]
    fn doubles_under_jitter_to_the_maximum() {
        let rows: [(Duration, u64, f64, &[u128]); 8] = [
            (SSE, 0, ALMOST_ONE, &[3000, 6000, 12000, 24000, 30000, 30000]),
            (SSE, 0, 0.5, &[1500, 3000, 6000, 12000, 15000, 15000]),
            (SSE, 0, 0.0, &[0, 0, 0]),
            (WEBSOCKET, 0, ALMOST_ONE, &[1000, 2000, 4000, 8000, 16000, 30000, 30000]),
            (WEBSOCKET, 5000, ALMOST_ONE, &[5000, 5000, 5000, 8000, 16000, 30000]),
            (SSE, 120_000, 0.5, &[120_000, 120_000]),
            (Duration::ZERO, 0, ALMOST_ONE, &[100, 200, 400]),
            (Duration::MAX, 0, ALMOST_ONE, &[30000, 30000]),
        ];
        for (initial, at_least, random, expected) in rows {
            let count = u32::try_from(expected.len()).expect("small");
            assert_eq!(
                delays(&mut Backoff::new(initial), at_least, random, count),
                expected,
                "{initial:?} {random}"
            );
        }
    }

    #[test]
    fn a_healthy_connection_resets_the_delay_to_what_the_server_asked_for() {
        let mut backoff = Backoff::new(SSE);
        assert_eq!(delays(&mut backoff, 0, ALMOST_ONE, 3), [3000, 6000, 12000]);
        backoff.set_initial(Duration::from_millis(500));
        assert_eq!(
            delays(&mut backoff, 0, ALMOST_ONE, 1),
            [4000],
            "a new initial delay forgets no failure"
        );
        backoff.reset();
        assert_eq!(backoff.next(Duration::ZERO, ALMOST_ONE).1, 1, "attempts count from 1 again");
        assert_eq!(delays(&mut backoff, 0, ALMOST_ONE, 1), [1000]);
    }

    #[test]
    fn a_year_of_failures_neither_overflows_nor_grows() {
        let mut backoff = Backoff { initial: SSE, failures: u32::MAX - 1 };
        assert_eq!(delays(&mut backoff, 0, ALMOST_ONE, 3), [30000; 3]);
    }
}
