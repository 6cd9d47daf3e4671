//! Percentiles of durations, with bounded memory.

use hdrhistogram::Histogram;

/// The number of durations that are kept as they are, which makes their percentiles exact.
const MAX_EXACT: usize = 256;

/// The most memory that a histogram takes, in bytes.
const MAX_HISTOGRAM_BYTES: usize = 256 << 10;

/// The number of histogram cells for a millisecond.
const CELLS_PER_MILLI: f64 = 10.0;

/// The longest duration that has its own cell, in milliseconds: ten days.
const MAX_MILLIS: f64 = 864_000_000.0;

/// A set of durations in milliseconds.
///
/// Percentiles are by nearest rank. They are exact for a few hundred durations, and within 0.1 % or
/// 0.1 ms for more.
#[derive(Debug, Clone, Default)]
pub struct DurationHistogram {
    /// All durations, as long as they are few.
    exact: Vec<f64>,
    histogram: Option<Box<Histogram<u32>>>,
    bounds: Option<(f64, f64)>,
    count: u64,
}

impl DurationHistogram {
    /// Adds a duration. Ignores values that are negative or not finite.
    pub fn add(&mut self, millis: f64) {
        if !millis.is_finite() || millis < 0.0 {
            return;
        }
        self.count += 1;
        self.bounds = Some(
            self.bounds
                .map_or((millis, millis), |bounds| (bounds.0.min(millis), bounds.1.max(millis))),
        );
        self.insert(millis);
    }

    fn insert(&mut self, millis: f64) {
        if self.histogram.is_none() && self.exact.len() < MAX_EXACT {
            return self.exact.push(millis);
        }
        record(self.histogram_mut(), millis);
    }

    /// Returns the histogram, after moving the exact durations into it.
    fn histogram_mut(&mut self) -> &mut Histogram<u32> {
        let exact = std::mem::take(&mut self.exact);
        let histogram = self.histogram.get_or_insert_with(|| Box::new(growing_histogram()));
        for millis in exact {
            record(histogram, millis);
        }
        histogram
    }

    /// Adds the other's durations.
    pub fn merge(&mut self, other: &Self) {
        let Some((min, max)) = other.bounds else { return };
        self.count += other.count;
        self.bounds =
            Some(self.bounds.map_or((min, max), |bounds| (bounds.0.min(min), bounds.1.max(max))));
        other.exact.iter().for_each(|millis| self.insert(*millis));
        if let Some(histogram) = &other.histogram {
            let histogram: &Histogram<u32> = histogram;
            // An error would mean a value out of range, but the histogram grows.
            let _ = self.histogram_mut().add(histogram);
        }
    }

    /// Returns the approximate memory use besides that of the struct, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        // A histogram that has grown may have reserved twice as many cells.
        self.exact.capacity() * size_of::<f64>() + self.cells() * 2 * size_of::<u32>()
    }

    /// Returns the approximate memory use of a copy, which reserves nothing, in bytes.
    #[must_use]
    pub fn copied_bytes(&self) -> usize {
        self.exact.len() * size_of::<f64>() + self.cells() * size_of::<u32>()
    }

    fn cells(&self) -> usize {
        self.histogram.as_ref().map_or(0, |it| it.distinct_values())
    }

    /// Returns the most memory that [`bytes`](Self::bytes) can grow by when a part is merged, if at
    /// most `more` durations are added in all.
    #[must_use]
    pub fn max_growth(&self, part: &Self, more: u64) -> usize {
        match (&self.histogram, self.bounds, part.bounds) {
            (_, _, None) => 0,
            (Some(_), Some((_, max)), Some((_, longest))) if longest <= max => 0,
            // The capacity of a vector at most doubles.
            _ if self.count + more <= MAX_EXACT as u64 => 2 * MAX_EXACT * size_of::<f64>(),
            _ => MAX_HISTOGRAM_BYTES,
        }
    }

    /// Returns the number of durations.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Returns the shortest and the longest duration.
    #[must_use]
    pub const fn bounds(&self) -> Option<(f64, f64)> {
        self.bounds
    }

    /// Returns how many durations there are from each limit up to the next one. The last number
    /// includes all longer ones. Durations below the first limit are left out.
    #[must_use]
    pub fn counts(&self, limits: &[f64]) -> Vec<u64> {
        let mut counts = vec![0; limits.len()];
        let mut add = |millis: f64, number: u64| {
            let at = limits.partition_point(|limit| *limit <= millis).checked_sub(1);
            if let Some(count) = at.and_then(|at| counts.get_mut(at)) {
                *count += number;
            }
        };
        self.exact.iter().for_each(|millis| add(*millis, 1));
        let Some(histogram) = &self.histogram else { return counts };
        for cell in histogram.iter_recorded() {
            let lowest = histogram.lowest_equivalent(cell.value_iterated_to());
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            let millis = lowest as f64 / CELLS_PER_MILLI;
            add(millis, cell.count_since_last_iteration());
        }
        counts
    }

    /// Returns the 50th, 95th and 99th percentile.
    #[must_use]
    pub fn percentiles(&self) -> Option<[f64; 3]> {
        let (min, max) = self.bounds?;
        // Nearest rank: the smallest duration that at least this share of all is at or below.
        let ranks = [50, 95, 99].map(|percent| (self.count * percent).div_ceil(100));
        let Some(histogram) = &self.histogram else {
            let mut sorted = self.exact.clone();
            sorted.sort_by(f64::total_cmp);
            return Some(ranks.map(|rank| sorted[usize::try_from(rank).unwrap_or(usize::MAX) - 1]));
        };
        let mut percentiles = [max; 3];
        let (mut at, mut passed) = (0, 0);
        for cell in histogram.iter_recorded() {
            passed += cell.count_since_last_iteration();
            while ranks.get(at).is_some_and(|rank| *rank <= passed) {
                #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
                let middle = histogram.median_equivalent(cell.value_iterated_to()) as f64;
                percentiles[at] = (middle / CELLS_PER_MILLI).clamp(min, max);
                at += 1;
            }
        }
        Some(percentiles)
    }
}

/// Creates a histogram with a precision of three digits and a range that grows as needed.
fn growing_histogram() -> Histogram<u32> {
    let mut histogram = Histogram::new_with_bounds(1, 2, 3).expect("these are bounds");
    histogram.auto(true);
    histogram
}

fn record(histogram: &mut Histogram<u32>, millis: f64) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "neither negative nor above the longest"
    )]
    let cell = (millis.min(MAX_MILLIS) * CELLS_PER_MILLI).round() as u64;
    // An error would mean a value out of range, but the histogram grows.
    let _ = histogram.record(cell);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Computes the percentiles by definition.
    fn exact(values: &[f64]) -> Option<[f64; 3]> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let rank = |percent: usize| sorted[(sorted.len() * percent).div_ceil(100) - 1];
        (!sorted.is_empty()).then(|| [50, 95, 99].map(rank))
    }

    fn is_close(actual: Option<[f64; 3]>, exact: Option<[f64; 3]>) -> bool {
        match (actual, exact) {
            (Some(actual), Some(exact)) => actual
                .iter()
                .zip(exact)
                .all(|(actual, exact)| (actual - exact).abs() <= (exact * 0.001).max(0.1)),
            (actual, exact) => actual.is_none() && exact.is_none(),
        }
    }

    fn histogram(values: &[f64]) -> DurationHistogram {
        let mut histogram = DurationHistogram::default();
        for value in values {
            histogram.add(*value);
        }
        histogram
    }

    /// Generates durations of every magnitude, with many repetitions.
    fn durations() -> impl Strategy<Value = Vec<f64>> {
        let duration =
            prop_oneof![0.0..1.0, 0.0..5_000.0, 0.0..MAX_MILLIS, (0u32..20).prop_map(f64::from)];
        prop::collection::vec(duration, 0..1500)
    }

    proptest! {
        #[test]
        fn percentiles_match_the_definition(values in durations()) {
            let actual = histogram(&values);
            let exact = exact(&values);
            prop_assert!(is_close(actual.percentiles(), exact));
            prop_assert!(values.len() > MAX_EXACT || actual.percentiles() == exact);
            prop_assert_eq!(actual.count(), values.len() as u64);
            let max = values.iter().copied().reduce(f64::max);
            prop_assert_eq!(actual.bounds().map(|bounds| bounds.1), max);
        }

        #[test]
        fn merging_parts_gives_the_whole(
            values in durations(), at in any::<prop::sample::Index>()
        ) {
            let (first, second) = values.split_at(at.index(values.len() + 1));
            let mut merged = histogram(first);
            let part = histogram(second);
            let max_bytes = merged.bytes() + merged.max_growth(&part, part.count());
            merged.merge(&part);
            prop_assert!(merged.bytes() <= max_bytes);
            let whole = histogram(&values);
            prop_assert!(is_close(merged.percentiles(), exact(&values)));
            prop_assert_eq!(merged.percentiles(), whole.percentiles());
            prop_assert_eq!(merged.bytes(), whole.bytes());
            prop_assert_eq!((merged.count(), merged.bounds()), (whole.count(), whole.bounds()));
        }
    }

    #[test]
    fn durations_are_counted_between_limits() {
        for repetitions in [1, 1000] {
            let mut histogram = DurationHistogram::default();
            for _ in 0..repetitions {
                for millis in [5.0, 10.0, 15.0, 20.0, 900.0] {
                    histogram.add(millis);
                }
            }
            let counts = histogram.counts(&[10.0, 20.0, 30.0]);
            assert_eq!(counts, [2, 1, 1].map(|number| number * repetitions));
        }
    }

    #[test]
    fn invalid_durations_are_ignored_and_very_long_ones_are_counted() {
        let mut histogram = histogram(&[f64::NAN, f64::INFINITY, -1.0]);
        assert_eq!((histogram.count(), histogram.percentiles()), (0, None));
        assert_eq!(histogram.bounds(), None);
        (0..1000).for_each(|_| histogram.add(1e300));
        assert_eq!(histogram.bounds(), Some((1e300, 1e300)));
        assert_eq!(histogram.percentiles(), Some([1e300; 3]), "clamped to the bounds");
        assert!(histogram.bytes() <= MAX_HISTOGRAM_BYTES, "{}", histogram.bytes());
    }
}
