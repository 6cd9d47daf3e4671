//! How long something took, told by percentiles.

use hdrhistogram::Histogram;

/// Up to how many measurements are kept as they are, so that the percentiles of few are exact.
const FEW: usize = 256;

/// Cells of the histogram in a millisecond.
const CELLS: f64 = 10.0;

/// The longest that is told apart, in milliseconds: ten days.
const LONGEST: f64 = 864_000_000.0;

/// Measurements in milliseconds. Percentiles are by nearest rank: exact of a few hundred, within 0.1 % (or 0.1 ms) of more.
#[derive(Debug, Clone, Default)]
pub struct DurationHistogram {
    few: Vec<f64>,
    many: Option<Histogram<u32>>,
    bounds: Option<(f64, f64)>,
    count: u64,
}

impl DurationHistogram {
    /// Adds one. What is no length of time is left out.
    pub fn add(&mut self, millis: f64) {
        if !millis.is_finite() || millis < 0.0 {
            return;
        }
        self.count += 1;
        self.bounds = Some(
            self.bounds
                .map_or((millis, millis), |bounds| (bounds.0.min(millis), bounds.1.max(millis))),
        );
        self.keep(millis);
    }

    fn keep(&mut self, millis: f64) {
        if self.many.is_none() && self.few.len() < FEW {
            return self.few.push(millis);
        }
        record(self.spread(), millis);
    }

    /// The histogram, with what was kept as it is in it.
    fn spread(&mut self) -> &mut Histogram<u32> {
        let few = std::mem::take(&mut self.few);
        let histogram = self.many.get_or_insert_with(Self::histogram);
        for millis in few {
            record(histogram, millis);
        }
        histogram
    }

    /// Of three digits, growing with what is put into it.
    fn histogram() -> Histogram<u32> {
        let mut histogram = Histogram::new_with_bounds(1, 2, 3).expect("these are bounds");
        histogram.auto(true);
        histogram
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        let Some((least, most)) = other.bounds else { return };
        self.count += other.count;
        self.bounds = Some(
            self.bounds.map_or((least, most), |bounds| (bounds.0.min(least), bounds.1.max(most))),
        );
        other.few.iter().for_each(|millis| self.keep(*millis));
        if let Some(histogram) = &other.many {
            // It grows as far as it has to.
            let _ = self.spread().add(histogram);
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The least and the most of them.
    #[must_use]
    pub const fn bounds(&self) -> Option<(f64, f64)> {
        self.bounds
    }

    /// The values that 50, 95 and 99 in a hundred are at or below.
    #[must_use]
    pub fn percentiles(&self) -> Option<[f64; 3]> {
        let (least, most) = self.bounds?;
        // The nearest rank: the smallest value that so many are at or below.
        let ranks = [50, 95, 99].map(|percent| (self.count * percent).div_ceil(100));
        let Some(histogram) = &self.many else {
            let mut sorted = self.few.clone();
            sorted.sort_by(f64::total_cmp);
            return Some(ranks.map(|rank| sorted[usize::try_from(rank).unwrap_or(usize::MAX) - 1]));
        };
        let mut found = [most; 3];
        let (mut at, mut passed) = (0, 0);
        for step in histogram.iter_recorded() {
            passed += step.count_since_last_iteration();
            while ranks.get(at).is_some_and(|rank| *rank <= passed) {
                #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
                let middle = histogram.median_equivalent(step.value_iterated_to()) as f64 / CELLS;
                found[at] = middle.clamp(least, most);
                at += 1;
            }
        }
        Some(found)
    }
}

fn record(histogram: &mut Histogram<u32>, millis: f64) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "neither negative nor beyond the longest"
    )]
    let cell = (millis.min(LONGEST) * CELLS).round() as u64;
    // It grows as far as it has to.
    let _ = histogram.record(cell);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, on all values.
    fn exact(values: &[f64]) -> Option<[f64; 3]> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let rank = |percent: usize| sorted[(sorted.len() * percent).div_ceil(100) - 1];
        (!sorted.is_empty()).then(|| [50, 95, 99].map(rank))
    }

    fn close(told: Option<[f64; 3]>, exact: Option<[f64; 3]>) -> bool {
        match (told, exact) {
            (Some(told), Some(exact)) => told
                .iter()
                .zip(exact)
                .all(|(told, exact)| (told - exact).abs() <= (exact * 0.001).max(0.1)),
            (told, exact) => told.is_none() && exact.is_none(),
        }
    }

    fn measured(values: &[f64]) -> DurationHistogram {
        let mut measured = DurationHistogram::default();
        for value in values {
            measured.add(*value);
        }
        measured
    }

    /// Lengths of time of every magnitude, often the same.
    fn lengths() -> impl Strategy<Value = Vec<f64>> {
        let length =
            prop_oneof![0.0..1.0, 0.0..5_000.0, 0.0..LONGEST, (0u32..20).prop_map(f64::from)];
        prop::collection::vec(length, 0..1500)
    }

    proptest! {
        #[test]
        fn percentiles_are_those_of_the_definition(values in lengths()) {
            let told = measured(&values);
            prop_assert!(close(told.percentiles(), exact(&values)));
            prop_assert!(values.len() > FEW || told.percentiles() == exact(&values), "of few they are exact");
            prop_assert_eq!(told.count(), values.len() as u64);
            let most = values.iter().copied().reduce(f64::max);
            prop_assert_eq!(told.bounds().map(|bounds| bounds.1), most);
        }

        #[test]
        fn what_is_measured_in_parts_is_measured(values in lengths(), at in any::<prop::sample::Index>()) {
            let (first, second) = values.split_at(at.index(values.len() + 1));
            let mut merged = measured(first);
            merged.merge(&measured(second));
            prop_assert!(close(merged.percentiles(), exact(&values)));
            prop_assert_eq!((merged.count(), merged.bounds()), (measured(&values).count(), measured(&values).bounds()));
        }
    }

    #[test]
    fn what_is_no_length_of_time_is_left_out_and_what_is_too_long_is_the_longest() {
        let mut measured = measured(&[f64::NAN, f64::INFINITY, -1.0]);
        assert_eq!((measured.count(), measured.percentiles(), measured.bounds()), (0, None, None));
        (0..1000).for_each(|_| measured.add(1e300));
        assert_eq!(measured.bounds(), Some((1e300, 1e300)));
        assert_eq!(measured.percentiles(), Some([1e300; 3]), "as all are the same");
    }
}
