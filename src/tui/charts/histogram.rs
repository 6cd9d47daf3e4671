//! A histogram: columns over several lines, with axes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::axes::{Axes, middle};
use super::scale::{ChartScale, axis_end, steps, value};
use crate::text::units::count;

/// The columns of zero to eight eighths of a cell.
const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// A histogram of the counts of bins, each of which is labelled with its lower limit.
#[derive(Debug, Clone)]
pub struct Histogram<'a> {
    bins: &'a [(String, u64)],
    style: Style,
    axis_style: Style,
}

impl<'a> Histogram<'a> {
    /// Creates a histogram of bins: their lower limits and their counts.
    #[must_use]
    pub const fn new(bins: &'a [(String, u64)], style: Style, axis_style: Style) -> Self {
        Self { bins, style, axis_style }
    }
}

impl Widget for &Histogram<'_> {
    /// Bins that do not fit at the right are left out, so that no count is drawn wrongly.
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        if area.is_empty() || self.bins.is_empty() {
            return;
        }
        let max = self.bins.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let end = axis_end(value(max).max(5.0));
        let label = |number: f64| {
            let digits = format!("{number:.0}");
            digits.parse().map_or(digits, count)
        };
        let (top, middle) = (label(end), middle(end).map(label));
        let mut axes =
            Axes { top, middle, labels: &[], has_label_line: false, style: self.axis_style };
        let room = usize::from(area.width).saturating_sub(axes.label_width() + 3);
        let pitch = (room / self.bins.len()).clamp(1, 12);
        let labels: Vec<_> = self
            .bins
            .iter()
            .enumerate()
            .map(|(bin, (label, _))| (bin * pitch, label.clone()))
            .collect();
        axes.labels = &labels;
        let plot = axes.render(area, buffer);
        // A space keeps neighbours apart.
        let width = if pitch > 1 { pitch - 1 } else { 1 };
        for (x, (_, number)) in (plot.x..plot.right()).step_by(pitch).zip(self.bins) {
            let rows = usize::from(plot.height);
            let height = steps(ChartScale::Linear.share(value(*number), end), 8 * rows);
            for (row, y) in (plot.y..plot.bottom()).rev().enumerate() {
                let symbol = EIGHTHS[height.saturating_sub(8 * row).min(8)];
                let width = width.min((plot.right() - x).into());
                if symbol != " " {
                    buffer.set_string(x, y, symbol.repeat(width), self.style);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(bins: &[(String, u64)], width: u16, height: u16) -> Vec<String> {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        Histogram::new(bins, Style::new(), Style::new()).render(buffer.area, &mut buffer);
        let symbols: Vec<_> = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        symbols.chunks(width.into()).map(|line| line.concat().trim_end().to_owned()).collect()
    }

    fn bins() -> Vec<(String, u64)> {
        [("0", 1), ("100", 10), ("200", 5), ("500", 0), ("1 s", 2)]
            .map(|(label, count)| (label.to_owned(), count))
            .to_vec()
    }

    #[test]
    fn bins_are_columns_with_their_limits_below() {
        assert_eq!(
            drawn(&bins(), 25, 3),
            [" 10 ┤    ███", "    │▂▂▂ ███ ███     ▃▃▃", "  0 └0───100─200─500─1 s─"]
        );
    }

    #[test]
    fn a_high_histogram_has_a_label_in_the_middle() {
        let seen = drawn(&bins(), 25, 9);
        assert!(seen[0].starts_with(" 10 ┤") && seen[4].starts_with("  5 ┤    ███"), "{seen:?}");
    }

    #[test]
    fn a_histogram_without_room_is_still_drawn() {
        for (width, height) in [(1, 1), (4, 1), (5, 2), (14, 3), (60, 1), (300, 12)] {
            drawn(&bins(), width, height);
            drawn(&[], width, height);
        }
    }
}
