//! The line of the selected row, in the list and in the detail.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::tui::style::Theme;
use crate::tui::text;

/// Returns a line of the selected row. Several reversed colours would make it hard to read, so only
/// the matches of the search stay apart.
pub(super) fn selected_line(
    theme: Theme,
    line: Line<'static>,
    style: Style,
    width: usize,
) -> Line<'static> {
    let spans = line.spans.into_iter().map(|span| {
        let is_match = span.style == theme.found();
        Span::styled(span.content, if is_match { theme.found_here() } else { style })
    });
    let mut spans: Vec<_> = spans.collect();
    let rest = width.saturating_sub(text::width(&spans));
    spans.push(Span::styled(" ".repeat(rest), style));
    Line::from(spans)
}
