//! How the workspace develops: the calls that are on, and the latency of first audio.
//!
//! Time is divided into slices of equal length. When there are too many, two become one each, up to
//! a limit, and then the oldest are dropped. The whole session is therefore visible for hours, in
//! bounded memory. In a replay, the times are those of the events.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::charts::scale::value;
use crate::model::Kind;
use crate::redact::RedactedEvent;

/// The maximum number of slices.
const MAX_SLICES: usize = 240;

/// The longest slice, in seconds. All slices together are then about four hours long.
const MAX_SECONDS: i64 = 64;

/// The number of classes that latencies are counted in.
const CLASSES: usize = 64;

/// The classes of latencies in which a value doubles.
const CLASSES_PER_OCTAVE: f64 = 6.0;

/// The lower end of the first class, in milliseconds.
const SHORTEST: f64 = 16.0;

/// What happened in a slice of time.
#[derive(Debug, Clone, Default)]
struct TrendSlice {
    /// The most calls that were on at the same time.
    calls: u64,
    /// The latencies of first audio by class, if there were any.
    latencies: Option<Box<[u16; CLASSES]>>,
}

/// The slices up to now.
#[derive(Debug, Clone)]
pub struct Trends {
    slices: VecDeque<TrendSlice>,
    /// The length of a slice, in seconds.
    seconds: i64,
    /// The number of the last slice since 1970.
    last: i64,
    /// The number of calls that are on.
    calls: u64,
    /// The most calls that were on at the same time.
    peak: u64,
}

impl Default for Trends {
    fn default() -> Self {
        Self { slices: VecDeque::new(), seconds: 1, last: 0, calls: 0, peak: 0 }
    }
}

impl Trends {
    /// Adds an event that happens `at` a time, after which `calls` are on.
    pub fn observe(
        &mut self,
        kind: Option<Kind>,
        event: &RedactedEvent<'_>,
        at: Timestamp,
        calls: u64,
    ) {
        self.advance(at);
        self.calls = calls;
        self.peak = self.peak.max(calls);
        if let Some(slice) = self.slices.back_mut() {
            slice.calls = slice.calls.max(calls);
        }
        if kind == Some(Kind::Latency)
            && let Some(millis) = event.field("e2e_ttfb_ms").and_then(|field| field.number())
            && millis > 0.0
        {
            self.add_latency(at, millis);
        }
    }

    fn add_latency(&mut self, at: Timestamp, millis: f64) {
        // An event may be a little older than the newest one.
        let back =
            usize::try_from(self.last - at.as_second().div_euclid(self.seconds)).unwrap_or(0);
        let Some(place) = self.slices.len().checked_sub(back + 1) else { return };
        let counts = self.slices[place].latencies.get_or_insert_with(|| Box::new([0; CLASSES]));
        let count = &mut counts[class(millis)];
        *count = count.saturating_add(1);
    }

    /// Lets time pass.
    pub fn advance(&mut self, now: Timestamp) {
        let second = now.as_second();
        if self.slices.is_empty() {
            self.last = second.div_euclid(self.seconds);
            self.slices.push_back(TrendSlice { calls: self.calls, latencies: None });
        }
        let most = i64::try_from(MAX_SLICES).unwrap_or(i64::MAX);
        while second.div_euclid(self.seconds) - self.last > most && self.seconds < MAX_SECONDS {
            self.coarsen();
        }
        let missing = second.div_euclid(self.seconds) - self.last;
        if missing > most {
            self.slices.clear();
        }
        for _ in 0..missing.min(most) {
            self.slices.push_back(TrendSlice { calls: self.calls, latencies: None });
        }
        self.last += missing.max(0);
        while self.slices.len() > MAX_SLICES {
            if self.seconds < MAX_SECONDS {
                self.coarsen();
            } else {
                self.slices.pop_front();
            }
        }
    }

    /// Makes one slice of two.
    fn coarsen(&mut self) {
        let first = self.last + 1 - i64::try_from(self.slices.len()).unwrap_or(0);
        let mut coarse: VecDeque<TrendSlice> = VecDeque::new();
        for (number, slice) in (first..).zip(std::mem::take(&mut self.slices)) {
            match coarse.back_mut().filter(|_| number.rem_euclid(2) == 1) {
                Some(before) => before.merge(slice),
                None => coarse.push_back(slice),
            }
        }
        self.slices = coarse;
        self.last = self.last.div_euclid(2);
        self.seconds *= 2;
    }

    /// Returns the approximate memory use, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let measured = self.slices.iter().filter(|slice| slice.latencies.is_some()).count();
        self.slices.capacity() * size_of::<TrendSlice>() + measured * size_of::<[u16; CLASSES]>()
    }

    /// Returns the number of calls that are on.
    #[must_use]
    pub const fn ongoing(&self) -> u64 {
        self.calls
    }

    /// Returns the most calls that were on at the same time.
    #[must_use]
    pub const fn peak(&self) -> u64 {
        self.peak
    }

    /// Returns the time that the slices cover, in seconds.
    #[must_use]
    pub fn covered_seconds(&self) -> i64 {
        i64::try_from(self.slices.len()).unwrap_or(0) * self.seconds
    }

    /// Returns the most calls at the same time in each slice, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<f64> {
        self.slices.iter().map(|slice| value(slice.calls)).collect()
    }

    /// Returns the 95th percentile of first audio in each slice, oldest first, in milliseconds; 0
    /// where there was none. It is about 6 % exact.
    #[must_use]
    pub fn latencies(&self) -> Vec<f64> {
        let percentile = |slice: &TrendSlice| slice.latencies.as_deref().map_or(0.0, percentile_95);
        self.slices.iter().map(percentile).collect()
    }
}

impl TrendSlice {
    fn merge(&mut self, other: Self) {
        self.calls = self.calls.max(other.calls);
        match (&mut self.latencies, other.latencies) {
            (Some(own), Some(other)) => {
                own.iter_mut()
                    .zip(*other)
                    .for_each(|(own, other)| *own = own.saturating_add(other));
            }
            (own @ None, other) => *own = other,
            (Some(_), None) => {}
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the value is limited to the classes"
)]
fn class(millis: f64) -> usize {
    let class = (millis / SHORTEST).log2() * CLASSES_PER_OCTAVE;
    class.clamp(0.0, (CLASSES - 1) as f64) as usize
}

/// Returns the middle of the class that has the 95th percentile by nearest rank.
fn percentile_95(counts: &[u16; CLASSES]) -> f64 {
    let all: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    let rank = (all * 95).div_ceil(100);
    let mut passed = 0;
    let place = counts.iter().position(|count| {
        passed += u64::from(*count);
        passed >= rank
    });
    #[expect(clippy::cast_precision_loss, reason = "there are few classes")]
    let place = place.unwrap_or(0) as f64 + 0.5;
    SHORTEST * (place / CLASSES_PER_OCTAVE).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn the_whole_session_is_kept_in_few_slices() {
        for seconds in [1, 100, 240, 241, 1000, 12_000, 40_000] {
            let mut trends = Trends::default();
            for second in 0..seconds {
                trends.calls = u64::try_from(second % 97).expect("not negative");
                trends.advance(at(1_000_003 + second));
                if let Some(slice) = trends.slices.back_mut() {
                    slice.calls = slice.calls.max(trends.calls);
                }
            }
            assert!(trends.slices.len() <= MAX_SLICES, "{seconds}: {}", trends.slices.len());
            let most = i64::try_from(MAX_SLICES).expect("few") * MAX_SECONDS;
            let covered = trends.covered_seconds();
            assert!(covered >= seconds.min(most) && covered <= seconds + 2 * trends.seconds);
            let drawn = trends.calls();
            let highest = drawn.iter().copied().fold(0.0, f64::max);
            let expected = f64::from(u32::try_from(seconds.min(97) - 1).expect("small"));
            assert!((highest - expected).abs() < 1e-9, "{seconds}: {highest}");
        }
    }

    #[test]
    fn a_long_pause_takes_few_steps() {
        let mut trends = Trends::default();
        trends.advance(at(5));
        trends.advance(at(1_700_000_000));
        trends.advance(at(4));
        assert_eq!(trends.slices.len(), MAX_SLICES);
        assert_eq!(trends.last, 1_700_000_000 / MAX_SECONDS);
    }

    #[test]
    fn the_percentile_is_close() {
        let mut trends = Trends::default();
        trends.advance(at(100));
        for number in 1..=100 {
            trends.add_latency(at(100), f64::from(number) * 10.0);
        }
        let [seen] = trends.latencies()[..] else { panic!("one slice") };
        assert!((seen / 950.0 - 1.0).abs() < 0.065, "{seen}");
        trends.add_latency(at(100), 1e9);
        trends.add_latency(at(100), 0.001);
        trends.add_latency(at(1), 5.0);
        trends.advance(at(130));
        assert_eq!(trends.latencies().last(), Some(&0.0), "there is none in the last second");
    }
}
