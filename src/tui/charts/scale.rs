//! Scales: how long the mark for a value is.

/// How the length of a mark follows from its value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ChartScale {
    /// The length is proportional to the value.
    #[default]
    Linear,
    /// The length is proportional to the number of digits, so that small values stay visible beside
    /// large ones.
    Logarithmic,
}

impl ChartScale {
    /// Chooses the scale for values that are compared: logarithmic if the largest one is at least a
    /// hundred times the smallest one that is not zero.
    #[must_use]
    pub fn for_values(values: impl IntoIterator<Item = f64>) -> Self {
        let values = values.into_iter().filter(|value| *value > 0.0);
        let (min, max) =
            values.fold((f64::INFINITY, 0.0), |(min, max), value| (value.min(min), value.max(max)));
        if max >= 100.0 * min { Self::Logarithmic } else { Self::Linear }
    }

    /// Returns the length for `value` as a share of that for `max`, from 0 to 1.
    #[must_use]
    pub fn share(self, value: f64, max: f64) -> f64 {
        // Neither holds for a value that is not a number.
        if !(value > 0.0 && max > 0.0) {
            return 0.0;
        }
        match self {
            _ if value >= max => 1.0,
            Self::Linear => value / max,
            Self::Logarithmic => value.ln_1p() / max.ln_1p(),
        }
    }
}

/// Returns a count as a value of a chart.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a chart has few steps")]
pub const fn value(count: u64) -> f64 {
    count as f64
}

/// Returns how many of `all` steps a share takes: none for nothing, and at least one for anything
/// else.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a terminal has few cells"
)]
pub fn steps(share: f64, all: usize) -> usize {
    if share > 0.0 { ((share * all as f64).round() as usize).clamp(1.min(all), all) } else { 0 }
}

/// Returns the end of an axis that `max` fits on: a whole number below ten, times a power of ten.
#[must_use]
pub fn axis_end(max: f64) -> f64 {
    round_up(max, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0])
}

/// Returns a width of bins that is not less than `min`: 1, 2 or 5 times a power of ten.
#[must_use]
pub fn bin_width(min: f64) -> f64 {
    round_up(min, &[1.0, 2.0, 5.0])
}

fn round_up(value: f64, steps: &[f64]) -> f64 {
    if !(value > 0.0 && value.is_finite()) {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    // The division is not exact, and a value on a step must not go to the next one.
    let mut ends = steps.iter().map(|step| step * power);
    ends.find(|end| value <= end * 1.000_001).unwrap_or(10.0 * power)
}

/// Fits values to a number of cells: combines neighbours into the largest one, or repeats values. A
/// peak is never lost.
#[must_use]
pub fn fit(values: &[f64], cells: usize) -> Vec<f64> {
    let count = values.len();
    if count == 0 {
        return Vec::new();
    }
    let largest = |cell: usize| {
        let from = cell * count / cells;
        let to = ((cell + 1) * count / cells).clamp(from + 1, count);
        values[from..to].iter().copied().fold(f64::NAN, f64::max)
    };
    (0..cells).map(largest).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counts_that_differ_by_decades_get_a_logarithmic_scale() {
        assert_eq!(ChartScale::for_values([]), ChartScale::Linear);
        assert_eq!(ChartScale::for_values([0.0, 7.0]), ChartScale::Linear);
        assert_eq!(ChartScale::for_values([5.0, 499.0]), ChartScale::Linear);
        assert_eq!(ChartScale::for_values([0.0, 5.0, 500.0]), ChartScale::Logarithmic);
        let share = |value| ChartScale::Logarithmic.share(value, 9999.0);
        assert!((share(99.0) - 0.5).abs() < 1e-9 && (share(9999.0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_end_of_an_axis_is_round() {
        let ends = [0.0, 0.03, 1.0, 1.1, 7.0, 10.0, 19.0, 521.0, 1000.0, f64::NAN].map(axis_end);
        let expected = [1.0, 0.03, 1.0, 2.0, 8.0, 10.0, 20.0, 600.0, 1000.0, 1.0];
        let is_close = |(end, expected): (&f64, &f64)| (end - expected).abs() < 1e-9;
        assert!(ends.iter().zip(&expected).all(is_close), "{ends:?}");
        let widths = [0.5, 3.0, 24.0, 51.0].map(bin_width);
        assert!(widths.iter().zip(&[0.5, 5.0, 50.0, 100.0]).all(is_close), "{widths:?}");
    }

    #[test]
    fn fitting_keeps_peaks_and_gaps() {
        assert_eq!(fit(&[1.0, 9.0, 2.0, 3.0], 2), [9.0, 3.0]);
        assert_eq!(fit(&[1.0, 2.0], 4), [1.0, 1.0, 2.0, 2.0]);
        assert!(fit(&[f64::NAN, f64::NAN, 1.0], 2)[0].is_nan());
        assert!(fit(&[], 4).is_empty() && fit(&[1.0], 0).is_empty());
    }

    proptest! {
        #[test]
        fn shares_and_steps_stay_within_their_limits(value in any::<f64>(), max in any::<f64>(), all in 0_usize..300) {
            for scale in [ChartScale::Linear, ChartScale::Logarithmic] {
                let share = scale.share(value, max);
                prop_assert!((0.0..=1.0).contains(&share));
                let steps = steps(share, all);
                prop_assert!(steps <= all && (steps > 0) == (share > 0.0 && all > 0));
            }
            prop_assert!(axis_end(max) >= max || !max.is_finite());
        }

        #[test]
        fn fitting_never_loses_the_largest_value(values in prop::collection::vec(0.0..1e6, 1..300), cells in 1_usize..300) {
            let fitted = fit(&values, cells);
            prop_assert_eq!(fitted.len(), cells);
            let max = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
            prop_assert_eq!(max(&fitted).to_bits(), max(&values).to_bits());
        }
    }
}
