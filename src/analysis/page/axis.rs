//! Scales of pictures, and the round numbers that label them.

use jiff::Timestamp;

use crate::analysis::stats::text::span;

/// Lengths between two labels of a time axis, in milliseconds.
const STEPS: &[i64] = &[
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    15_000,
    30_000,
    60_000,
    120_000,
    300_000,
    600_000,
    900_000,
    1_800_000,
    3_600_000,
    7_200_000,
    10_800_000,
    21_600_000,
    43_200_000,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    28 * DAY,
];

const DAY: i64 = 86_400_000;

/// A scale from time in milliseconds to percent of a picture's width.
#[derive(Debug, Clone, Copy)]
pub struct TimeScale {
    from: i64,
    to: i64,
}

impl TimeScale {
    /// Creates a scale of a range that is at least a millisecond long.
    #[must_use]
    pub const fn new(from: i64, to: i64) -> Self {
        Self { from, to: if to > from { to } else { from.saturating_add(1) } }
    }

    /// Returns the length in milliseconds.
    #[must_use]
    pub const fn length(&self) -> i64 {
        self.to.saturating_sub(self.from)
    }

    /// Returns the place of a time in percent. Times outside are placed at the nearest edge.
    #[must_use]
    pub fn place(&self, at: i64) -> f64 {
        let at = at.clamp(self.from, self.to).saturating_sub(self.from);
        float(at) * 100.0 / float(self.length())
    }

    /// Returns times that are multiples of a round step, at most `most` of them, and the step.
    #[must_use]
    pub fn ticks(&self, most: i64) -> (Vec<i64>, i64) {
        let most = most.max(1);
        let needed = self.length().saturating_add(most - 1) / most;
        let step = STEPS.iter().copied().find(|step| *step >= needed).unwrap_or_else(|| {
            let longest = 28 * DAY;
            needed.div_euclid(longest).saturating_add(1).saturating_mul(longest)
        });
        let first = self.from.div_euclid(step).saturating_mul(step);
        let ticks = (0..=most + 1).map(|number| first.saturating_add(number.saturating_mul(step)));
        (ticks.filter(|tick| (self.from..=self.to).contains(tick)).collect(), step)
    }
}

/// Formats a time since the start of a call for a label of an axis with this step.
#[must_use]
pub fn since_start(millis: i64, step: i64) -> String {
    let (sign, millis) = (if millis < 0 { "-" } else { "" }, millis.unsigned_abs());
    let (seconds, rest) = (millis / 1000, millis % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = match step {
        ..10 => format!(".{rest:03}"),
        10..100 => format!(".{:02}", rest / 10),
        100..1000 => format!(".{}", rest / 100),
        _ => String::new(),
    };
    if hours > 0 {
        format!("{sign}{hours}:{minutes:02}:{seconds:02}{fraction}")
    } else {
        format!("{sign}{minutes}:{seconds:02}{fraction}")
    }
}

/// Formats a moment in UTC for a label of an axis with this step.
#[must_use]
pub fn moment(millis: i64, step: i64) -> String {
    let Ok(time) = Timestamp::from_millisecond(millis) else { return String::new() };
    let format = match step {
        ..1000 => "%T%.3f",
        1000..60_000 => "%T",
        60_000..DAY => "%H:%M",
        _ => "%F",
    };
    time.strftime(format).to_string()
}

/// Formats a duration in milliseconds for a label of an axis.
#[must_use]
pub fn duration(millis: f64) -> String {
    let is_whole = |unit: f64| millis % unit == 0.0;
    match millis {
        0.0 => "0".to_owned(),
        ..1000.0 if is_whole(1.0) => format!("{millis:.0} ms"),
        ..60_000.0 if is_whole(1000.0) => format!("{:.0} s", millis / 1000.0),
        ..3_600_000.0 if is_whole(60_000.0) => format!("{:.0} min", millis / 60_000.0),
        _ if is_whole(3_600_000.0) => format!("{:.0} h", millis / 3_600_000.0),
        _ => span(millis),
    }
}

/// Returns a round step, 1, 2 or 5 times a power of ten, that divides `max` into at most `most`
/// parts.
#[must_use]
pub fn round_step(max: f64, most: f64) -> f64 {
    let needed = (max / most).max(f64::MIN_POSITIVE);
    let magnitude = 10_f64.powf(needed.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * magnitude);
    // The last one is taken if the logarithm was rounded down.
    step.into_iter().find(|step| *step >= needed).unwrap_or(magnitude * 20.0)
}

/// Converts a length for a picture, where rounding does not matter.
#[expect(clippy::cast_precision_loss, reason = "lengths in a picture are rounded anyway")]
#[must_use]
pub const fn float(number: i64) -> f64 {
    number as f64
}

/// Converts a count for a picture, where rounding does not matter.
#[expect(clippy::cast_precision_loss, reason = "lengths in a picture are rounded anyway")]
#[must_use]
pub const fn float_of(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let (ticks, step) = TimeScale::new(0, 75_000).ticks(8);
        assert_eq!(
            (step, ticks),
            (10_000, vec![0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 70_000])
        );
        for (from, to) in [(0, 1), (-5, 7), (3, 1_000_003), (0, i64::MAX), (i64::MIN, i64::MAX)] {
            let (ticks, _) = TimeScale::new(from, to).ticks(8);
            assert!(ticks.len() <= 10, "{from} {to}: {ticks:?}");
            assert!(ticks.iter().all(|tick| (from..=to).contains(tick)));
        }
        assert!(!TimeScale::new(0, 75_000).ticks(8).0.is_empty());
    }

    #[test]
    fn places_are_percentages() {
        let scale = TimeScale::new(100, 300);
        let places = [0, 100, 200, 300, 900].map(|at| scale.place(at).to_string());
        assert_eq!(places, ["0", "0", "50", "100", "100"]);
        assert_eq!(TimeScale::new(5, 5).place(5).to_string(), "0");
    }

    #[test]
    fn labels_have_the_digits_that_their_step_needs() {
        assert_eq!(since_start(75_000, 10_000), "1:15");
        assert_eq!(since_start(1_500, 500), "0:01.5");
        assert_eq!(since_start(3_725_000, 60_000), "1:02:05");
        assert_eq!(moment(1_700_000_000_000, 60_000), "22:13");
        assert_eq!(moment(1_700_000_000_000, DAY), "2023-11-14");
    }

    #[test]
    fn durations_are_as_short_as_their_unit_allows() {
        let labels = [0.0, 0.5, 250.0, 1500.0, 8000.0, 300_000.0, 7_200_000.0].map(duration);
        assert_eq!(labels, ["0", "0.5 ms", "250 ms", "1.5 s", "8 s", "5 min", "2 h"]);
    }

    #[test]
    fn steps_are_round() {
        let steps = [7.0, 95.0, 1000.0, 0.4].map(|max| round_step(max, 5.0).to_string());
        assert_eq!(steps, ["2", "20", "200", "0.1"]);
    }
}
