//! Scrolling: the target of a key, and the lines that are drawn.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use super::keys::KeyAction;
use super::text::cut;

/// Returns the place that a key scrolls to from `at`, at most `last`. Returns `None` for a key that
/// does not scroll.
#[must_use]
pub fn scroll_target(action: KeyAction, at: usize, page: usize, last: usize) -> Option<usize> {
    let target = match action {
        KeyAction::Down => at + 1,
        KeyAction::Up => at.saturating_sub(1),
        KeyAction::PageDown => at + page,
        KeyAction::PageUp => at.saturating_sub(page),
        KeyAction::HalfDown => at + page.div_ceil(2),
        KeyAction::HalfUp => at.saturating_sub(page.div_ceil(2)),
        KeyAction::Top => 0,
        KeyAction::Bottom => last,
        _ => return None,
    };
    Some(target.min(last))
}

/// Cuts a line that is too wide. Without the ellipsis, a number would lose digits unnoticed.
fn cut_line(line: Line<'_>, width: usize) -> Line<'_> {
    if line.width() <= width {
        return line;
    }
    let spans =
        line.spans.into_iter().map(|span| Span::styled(span.content.into_owned(), span.style));
    cut(spans.collect(), width).style(line.style)
}

/// Draws lines starting at `first`, or earlier if that leaves part of the area empty.
pub fn render_lines(lines: Vec<Line<'_>>, first: usize, area: Rect, buffer: &mut Buffer) {
    let height = usize::from(area.height);
    let first = first.min(lines.len().saturating_sub(height));
    let width = usize::from(area.width);
    let lines: Vec<_> =
        lines.into_iter().skip(first).take(height).map(|line| cut_line(line, width)).collect();
    Paragraph::new(lines).render(area, buffer);
}
