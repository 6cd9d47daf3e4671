//! Horizontal bars: one value, or the parts of a whole.

use ratatui::style::Style;
use ratatui::text::Span;

use super::scale::steps;

/// Returns a bar that takes `share` (0 to 1) of `cells` cells. It is half as high as its line, and
/// exact to half a cell. Something always takes at least half a cell.
#[must_use]
pub fn bar(share: f64, cells: usize) -> String {
    let halves = steps(share, 2 * cells);
    "▄".repeat(halves / 2) + if halves.is_multiple_of(2) { "" } else { "▖" }
}

/// A part of a [`stacked_bar`].
#[derive(Debug, Clone, Copy)]
pub struct BarPart {
    /// The value.
    pub value: f64,
    /// The character that the part is drawn with, one cell wide. It tells the parts apart without
    /// colours.
    pub symbol: char,
    /// The style.
    pub style: Style,
}

/// Returns a bar of `cells` cells that is divided in proportion to the parts. Each part that is not
/// zero takes at least one cell if there are enough of them.
#[must_use]
pub fn stacked_bar(parts: &[BarPart], cells: usize) -> Vec<Span<'static>> {
    let value = |part: &BarPart| if part.value > 0.0 { part.value } else { 0.0 };
    let all: f64 = parts.iter().map(value).sum();
    let mut widths: Vec<_> =
        parts.iter().map(|part| steps(value(part) / all.max(f64::MIN_POSITIVE), cells)).collect();
    // Rounding leaves a few cells too many or too few, which the widest part can best spare.
    while let Some(widest) = (0..widths.len()).max_by_key(|at| widths[*at]).filter(|_| all > 0.0) {
        match widths.iter().sum::<usize>() {
            sum if sum > cells => widths[widest] -= 1,
            sum if sum < cells => widths[widest] += 1,
            _ => break,
        }
    }
    let spans = parts.iter().zip(widths).filter(|(_, width)| *width > 0);
    spans
        .map(|(part, width)| Span::styled(part.symbol.to_string().repeat(width), part.style))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_exact_to_half_a_cell() {
        assert_eq!(bar(1.0, 4), "▄▄▄▄");
        assert_eq!(bar(0.625, 4), "▄▄▖");
        assert_eq!(bar(0.001, 4), "▖");
        assert_eq!(bar(0.0, 4), "");
        assert_eq!(bar(1.0, 0), "");
    }

    fn stacked(values: &[f64], cells: usize) -> String {
        let parts = values.iter().zip("abcd".chars());
        let part =
            |(value, symbol): (&f64, char)| BarPart { value: *value, symbol, style: Style::new() };
        let parts: Vec<_> = parts.map(part).collect();
        stacked_bar(&parts, cells).iter().map(|span| span.content.to_string()).collect()
    }

    #[test]
    fn the_parts_of_a_bar_take_all_of_it() {
        assert_eq!(stacked(&[2.0, 1.0, 1.0], 8), "aaaabbcc");
        assert_eq!(stacked(&[1.0, 1.0, 1.0], 8), "aaabbbcc");
        assert_eq!(stacked(&[1e6, 1.0, 0.0, 1.0], 8), "aaaaaabd", "small parts are seen");
        assert_eq!(stacked(&[1.0, 1.0, 1.0], 2).len(), 2);
        assert_eq!(stacked(&[0.0, f64::NAN, -1.0], 8), "");
        assert_eq!(stacked(&[], 8), "");
    }
}
