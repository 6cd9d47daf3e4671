//! A gauge: a share of a whole as a line.

use ratatui::style::Style;
use ratatui::text::Span;

use super::scale::steps;

/// Returns a line of `cells` cells of which `share` (0 to 1) is heavy, exact to half a cell. The rest
/// has the style `rest`.
#[must_use]
pub fn gauge(share: f64, cells: usize, style: Style, rest: Style) -> Vec<Span<'static>> {
    let halves = steps(share, 2 * cells);
    let filled = "━".repeat(halves / 2) + if halves.is_multiple_of(2) { "" } else { "╸" };
    let left = "─".repeat(cells - halves.div_ceil(2));
    let spans = [Span::styled(filled, style), Span::styled(left, rest)];
    spans.into_iter().filter(|span| !span.content.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(share: f64, cells: usize) -> String {
        let spans = gauge(share, cells, Style::new(), Style::new());
        spans.iter().map(|span| span.content.to_string()).collect()
    }

    #[test]
    fn a_gauge_is_exact_to_half_a_cell() {
        assert_eq!(drawn(0.0, 4), "────");
        assert_eq!(drawn(0.01, 4), "╸───");
        assert_eq!(drawn(0.5, 4), "━━──");
        assert_eq!(drawn(0.625, 4), "━━╸─");
        assert_eq!(drawn(1.0, 4), "━━━━");
        assert_eq!(drawn(0.5, 0), "");
    }
}
