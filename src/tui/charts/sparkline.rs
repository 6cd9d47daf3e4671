//! A sparkline: values over time in one line of text.

use super::scale::{ChartScale, fit, steps};

/// Columns of zero to seven eighths of a line. A full one would touch the line above.
const LEVELS: [char; 8] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇'];

/// Returns the values as columns in `cells` cells, the newest at the right. `max` has the highest
/// column. A value that is not a number leaves its cell empty, as zero does.
#[must_use]
pub fn sparkline(values: &[f64], cells: usize, max: f64) -> String {
    let shown = if values.len() > cells { fit(values, cells) } else { values.to_vec() };
    let empty = std::iter::repeat_n(' ', cells - shown.len());
    empty
        .chain(shown.into_iter().map(|value| level(ChartScale::Linear.share(value, max))))
        .collect()
}

/// Returns the column for a share of the highest one, from 0 to 1.
#[must_use]
pub fn level(share: f64) -> char {
    LEVELS[steps(share, LEVELS.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_columns_with_the_newest_at_the_right() {
        assert_eq!(sparkline(&[0.0, 1.0, 3.5, 7.0], 6, 7.0), "   ▁▄▇");
        assert_eq!(sparkline(&[0.001, f64::NAN, 9.0], 3, 7.0), "▁ ▇");
        assert_eq!(sparkline(&[1.0, 7.0, 1.0, 1.0], 2, 7.0), "▇▁", "a peak stays");
        assert_eq!(sparkline(&[], 2, 7.0), "  ");
        assert_eq!(sparkline(&[1.0], 0, 7.0), "");
        assert_eq!(sparkline(&[1.0], 1, 0.0), " ");
    }
}
