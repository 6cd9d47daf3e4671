//! A graph of values over time, drawn with braille patterns.
//!
//! Each cell shows two values side by side, with four steps in each line. The area below the values
//! is filled.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use super::axes::{Axes, middle};
use super::scale::{ChartScale, axis_end, fit, steps};

/// The dots of the two columns of a braille pattern, from the bottom to the top.
const DOTS: [[u32; 4]; 2] = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]];

/// The number of steps in a line.
const STEPS: usize = DOTS[0].len();

/// The height from which on the times have a line of their own.
const LABEL_LINE_HEIGHT: u16 = 7;

/// A mark on the time axis.
#[derive(Debug, Clone, Copy)]
pub struct GraphMark {
    /// The index of the value that is marked.
    pub at: usize,
    /// The mark, one cell wide.
    pub symbol: char,
    /// The style of the mark.
    pub style: Style,
}

/// A graph with a value axis, which begins at zero, and a time axis. The values are spread over the
/// whole width.
#[derive(Debug, Clone)]
pub struct Graph<'a> {
    values: &'a [f64],
    style: Style,
    axis_style: Style,
    format: fn(f64) -> String,
    from: String,
    to: String,
    marks: &'a [GraphMark],
}

impl<'a> Graph<'a> {
    /// Creates a graph of values, the oldest first. One that is not a number leaves a gap. `format`
    /// formats the end of the value axis, with its unit.
    #[must_use]
    pub const fn new(values: &'a [f64], format: fn(f64) -> String) -> Self {
        Self {
            values,
            style: Style::new(),
            axis_style: Style::new(),
            format,
            from: String::new(),
            to: String::new(),
            marks: &[],
        }
    }

    /// Sets the styles of the values and of the axes.
    #[must_use]
    pub const fn styles(mut self, values: Style, axes: Style) -> Self {
        (self.style, self.axis_style) = (values, axes);
        self
    }

    /// Sets the texts at the beginning and the end of the time axis.
    #[must_use]
    pub fn times(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        (self.from, self.to) = (from.into(), to.into());
        self
    }

    /// Marks values on the time axis. A later mark covers an earlier one in the same cell.
    #[must_use]
    pub const fn marks(mut self, marks: &'a [GraphMark]) -> Self {
        self.marks = marks;
        self
    }
}

impl Widget for &Graph<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        if area.is_empty() {
            return;
        }
        let end = axis_end(self.values.iter().copied().fold(0.0, f64::max));
        let top = (self.format)(end);
        let middle = middle(end).map(self.format);
        let mut axes =
            Axes { top, middle, labels: &[], has_label_line: false, style: self.axis_style };
        // The axes take the same room whatever the labels below are, so the plot has this width.
        let width = usize::from(area.width).saturating_sub(axes.label_width() + 3);
        let marks = self.marks.iter().filter(|mark| mark.at < self.values.len());
        let marks: Vec<_> = marks.map(|mark| (mark.at * width / self.values.len(), mark)).collect();
        let has_label_line = area.height >= LABEL_LINE_HEIGHT;
        let last = width.saturating_sub(self.to.width());
        let labels = [(0, self.from.clone()), (last, self.to.clone())].into_iter();
        // A mark is worth more than a label.
        let labels = labels.filter(|(cell, label)| {
            let is_covered = |at: usize| (*cell..cell + label.width()).contains(&at);
            has_label_line || !marks.iter().any(|(at, _)| is_covered(*at))
        });
        let labels: Vec<_> = labels.collect();
        (axes.labels, axes.has_label_line) = (&labels, has_label_line);
        let plot = axes.render(area, buffer);
        plot_values(self.values, end, plot, self.style, buffer);
        if plot.bottom() < area.bottom() {
            for (cell, mark) in marks {
                let x = plot.x + u16::try_from(cell).unwrap_or(0);
                buffer.set_string(x, plot.bottom(), mark.symbol.to_string(), mark.style);
            }
        }
    }
}

/// Draws the values without axes, where `end` has the full height.
fn plot_values(values: &[f64], end: f64, plot: Rect, style: Style, buffer: &mut Buffer) {
    let rows = usize::from(plot.height);
    let heights: Vec<_> = fit(values, 2 * usize::from(plot.width))
        .into_iter()
        .map(|value| steps(ChartScale::Linear.share(value, end), STEPS * rows))
        .collect();
    for (x, pair) in (plot.x..).zip(heights.chunks(2)) {
        for (row, y) in (plot.y..plot.bottom()).rev().enumerate() {
            let dots = DOTS
                .iter()
                .zip(pair)
                .flat_map(|(dots, height)| &dots[..height.saturating_sub(STEPS * row).min(STEPS)]);
            let pattern = dots.fold(0x2800, |pattern, dot| pattern | dot);
            if pattern > 0x2800
                && let Some(symbol) = char::from_u32(pattern)
            {
                buffer.set_string(x, y, symbol.to_string(), style);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(graph: &Graph<'_>, width: u16, height: u16) -> Vec<String> {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        graph.render(buffer.area, &mut buffer);
        let symbols: Vec<_> = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        symbols.chunks(width.into()).map(|line| line.concat().trim_end().to_owned()).collect()
    }

    fn per_second(value: f64) -> String {
        format!("{value}/s")
    }

    #[test]
    fn a_graph_has_axes_with_a_unit_and_times() {
        let values: Vec<_> = (0..=20).map(f64::from).collect();
        let marks = [GraphMark { at: 12, symbol: '!', style: Style::new() }];
        let graph = Graph::new(&values, per_second).times("16:20", "16:24").marks(&marks);
        assert_eq!(
            drawn(&graph, 28, 3),
            [
                " 20/s ┤            ⣀⣀⣤⣤⣤⣶⣶⣿⣿",
                "      │ ⣀⣀⣀⣤⣤⣤⣶⣶⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿",
                "    0 └16:20───────!───16:24"
            ]
        );
        assert_eq!(
            drawn(&graph, 28, 7)[5..],
            ["    0 └────────────!────────", "       16:20           16:24"]
        );
    }

    #[test]
    fn a_label_in_the_middle_may_be_the_widest() {
        let format =
            |value: f64| if value >= 10.0 { "1 s".to_owned() } else { "500 ms".to_owned() };
        let lines = drawn(&Graph::new(&[10.0, 5.0], format), 30, 12);
        assert!(
            lines[0].starts_with("    1 s ┤ ") || lines[0].starts_with("    1 s ┤⣿"),
            "{lines:#?}"
        );
        assert!(lines.iter().any(|line| line.starts_with(" 500 ms ┤")), "{lines:#?}");
        let axes =
            lines.iter().filter(|line| line.chars().nth(8).is_some_and(|it| "┤│└".contains(it)));
        assert_eq!(axes.count(), 11, "{lines:#?}");
    }

    #[test]
    fn a_mark_takes_the_place_of_a_label() {
        let marks = [GraphMark { at: 1, symbol: '!', style: Style::new() }];
        let graph = Graph::new(&[1.0, 5.0], per_second).times("16:20", "16:24").marks(&marks);
        assert_eq!(drawn(&graph, 26, 2)[1], "   0 └16:20─────!────16:24");
        assert_eq!(drawn(&graph, 16, 2)[1], "   0 └16:20!────");
    }

    #[test]
    fn a_graph_without_room_for_axes_is_a_sparkline() {
        let values = [0.0, 1.0, 2.0, 3.0, 4.0, f64::NAN, 0.0, 5.0];
        let graph = Graph::new(&values, per_second).times("16:20", "16:24");
        assert_eq!(drawn(&graph, 4, 1), ["⢀⣤⡆⢸"]);
        for (width, height) in [(1, 1), (3, 1), (12, 2), (13, 2), (13, 3), (40, 1), (300, 9)] {
            drawn(&graph, width, height);
            drawn(&Graph::new(&[], per_second), width, height);
        }
    }

    #[test]
    fn labels_that_do_not_fit_are_left_out() {
        let graph = Graph::new(&[1.0, 5.0], per_second).times("16:20", "16:24");
        assert_eq!(drawn(&graph, 16, 2)[1], "   0 └16:20─────");
        assert_eq!(drawn(&graph, 17, 2)[1], "   0 └16:20─16:24");
    }
}
