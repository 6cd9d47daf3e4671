//! The axes of charts: the values at the left and a line below.
//!
//! ```text
//!  20 ┤
//!     │   plot
//!  10 ┤
//!     │
//!   0 └16:20 ──────! 16:24
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

/// The height of a plot from which on the middle of the value axis is labelled.
const MIDDLE_HEIGHT: u16 = 8;

/// Returns the middle of a value axis that ends at `end`, if it is a whole number.
pub(super) fn middle(end: f64) -> Option<f64> {
    Some(end / 2.0).filter(|middle| middle.fract() == 0.0)
}

/// The axes of a chart.
pub(super) struct Axes<'a> {
    /// The label of the end of the value axis.
    pub(super) top: String,
    /// The label of its middle, which is left out if the chart is low.
    pub(super) middle: Option<String>,
    /// Texts on the line below: their cells from the left of the plot. One that does not fit or
    /// touches the one before is left out.
    pub(super) labels: &'a [(usize, String)],
    /// Whether the labels have a line of their own.
    pub(super) has_label_line: bool,
    pub(super) style: Style,
}

impl Axes<'_> {
    /// Returns the width of the widest label of the value axis. It does not depend on which labels
    /// there is room for.
    pub(super) fn label_width(&self) -> usize {
        self.top.width().max(self.middle.as_ref().map_or(0, |middle| middle.width()))
    }

    /// Draws the axes. Returns the area of the plot, which is the whole area if there is no room
    /// for axes.
    pub(super) fn render(&self, area: Rect, buffer: &mut Buffer) -> Rect {
        let width = u16::try_from(self.label_width()).unwrap_or(u16::MAX);
        if area.height < 2 + u16::from(self.has_label_line) || area.width < width.saturating_add(10)
        {
            return area;
        }
        let left = width + 3;
        let plot = Rect {
            x: area.x + left,
            width: area.width - left,
            height: area.height - 1 - u16::from(self.has_label_line),
            ..area
        };
        let axis = plot.x - 1;
        let label = |text: &str| format!(" {text:>0$} ┤", usize::from(width));
        buffer.set_string(area.x, area.y, label(&self.top), self.style);
        for y in area.y + 1..plot.bottom() {
            buffer.set_string(axis, y, "│", self.style);
        }
        if let Some(middle) = self.middle.as_ref().filter(|_| plot.height >= MIDDLE_HEIGHT) {
            buffer.set_string(area.x, plot.y + plot.height / 2, label(middle), self.style);
        }
        let line = format!(" {:>1$} └{2}", 0, usize::from(width), "─".repeat(plot.width.into()));
        buffer.set_string(area.x, plot.bottom(), line, self.style);
        let mut free = 0;
        for (cell, label) in self.labels {
            let end = cell + label.width();
            if *cell >= free && end <= usize::from(plot.width) {
                let x = plot.x + u16::try_from(*cell).unwrap_or(0);
                buffer.set_string(
                    x,
                    plot.bottom() + u16::from(self.has_label_line),
                    label,
                    self.style,
                );
                free = end + 1;
            }
        }
        plot
    }
}
