//! Scrolling: the target of a key, and the lines that are drawn.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget};

use super::keys::KeyAction;

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

/// Returns the action in the opposite direction, for panels that are scrolled from their end.
#[must_use]
pub const fn reversed(action: KeyAction) -> KeyAction {
    match action {
        KeyAction::Down => KeyAction::Up,
        KeyAction::Up => KeyAction::Down,
        KeyAction::PageDown => KeyAction::PageUp,
        KeyAction::PageUp => KeyAction::PageDown,
        KeyAction::HalfDown => KeyAction::HalfUp,
        KeyAction::HalfUp => KeyAction::HalfDown,
        KeyAction::Top => KeyAction::Bottom,
        KeyAction::Bottom => KeyAction::Top,
        other => other,
    }
}

/// Draws lines starting at `first`, or earlier if that leaves part of the area empty.
pub fn render_lines(lines: Vec<Line<'_>>, first: usize, area: Rect, buffer: &mut Buffer) {
    let height = usize::from(area.height);
    let first = first.min(lines.len().saturating_sub(height));
    let lines: Vec<_> = lines.into_iter().skip(first).take(height).collect();
    Paragraph::new(lines).render(area, buffer);
}
