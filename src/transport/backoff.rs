//! How long to wait before the next connection: full jitter under a ceiling that doubles with every failure.
//!
//! Pure: it neither sleeps nor draws numbers. The caller gives a random number and takes a delay.

use std::time::Duration;

/// The first ceiling for SSE, until the server's `retry:` says otherwise.
pub const SSE: Duration = Duration::from_secs(3);

/// The first ceiling for the WebSocket.
pub const WEBSOCKET: Duration = Duration::from_secs(1);

/// The largest ceiling. A server's `retry:` beyond it counts as this.
pub const MAX: Duration = Duration::from_secs(30);

/// The smallest ceiling, so that `retry: 0` doesn't become a busy loop.
pub const MIN: Duration = Duration::from_millis(100);

/// A number in [0, 1). An argument wherever it is needed, so that tests can do without chance.
pub type Random = fn() -> f64;

/// The state of reconnecting.
#[derive(Debug, Clone)]
pub struct Backoff {
    initial: Duration,
    failures: u32,
}

impl Backoff {
    /// Nothing has failed yet.
    #[must_use]
    pub fn new(initial: Duration) -> Self {
        Self { initial: initial.clamp(MIN, MAX), failures: 0 }
    }

    /// The server's `retry:` takes the place of the initial delay.
    pub fn set_initial(&mut self, initial: Duration) {
        self.initial = initial.clamp(MIN, MAX);
    }

    /// A connection delivered something: the next failure is the first again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Counts a failure. Gives the delay, which is no shorter than `at_least` (a `Retry-After` may exceed [`MAX`]), and
    /// the number of the try that follows it, from 1. `random` is in [0, 1).
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

    /// The delays in milliseconds of the first failures, rounded.
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
    fn a_healthy_connection_begins_anew_with_what_the_server_asked_for() {
        let mut backoff = Backoff::new(SSE);
        assert_eq!(delays(&mut backoff, 0, ALMOST_ONE, 3), [3000, 6000, 12000]);
        backoff.set_initial(Duration::from_millis(500));
        assert_eq!(
            delays(&mut backoff, 0, ALMOST_ONE, 1),
            [4000],
            "a new initial delay forgets no failure"
        );
        backoff.reset();
        assert_eq!(backoff.next(Duration::ZERO, ALMOST_ONE).1, 1, "tries count from 1 again");
        assert_eq!(delays(&mut backoff, 0, ALMOST_ONE, 1), [1000]);
    }

    #[test]
    fn a_year_of_failures_neither_overflows_nor_grows() {
        let mut backoff = Backoff { initial: SSE, failures: u32::MAX - 1 };
        assert_eq!(delays(&mut backoff, 0, ALMOST_ONE, 3), [30000; 3]);
    }
}
