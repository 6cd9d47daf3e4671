//! The footer: a notice, or hints about keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::header;
use crate::text::terminal;
use crate::tui::keys::{KeyAction, KeyHint};
use crate::tui::layout::ScreenLayout;
use crate::tui::overlays::{column_picker, marks};
use crate::tui::panels::panel;
use crate::tui::state::State;
use crate::tui::state::prompt::{Prompt, Purpose};
use crate::tui::style::Theme;
use crate::tui::text::{cut, sides, width};

/// Draws the footer.
pub fn render(state: &State, area: Rect, buffer: &mut Buffer) {
    let theme = state.config.theme;
    let columns = usize::from(area.width);
    if let Some((text, _)) = &state.notice {
        let text = format!(" {}", terminal::visible(text));
        return cut(vec![Span::styled(text, theme.warning())], columns).render(area, buffer);
    }
    if let Some(prompt) = &state.prompt {
        return cut(prompt_keys(theme, prompt), columns).render(area, buffer);
    }
    // Without a line of tabs, the footer shows the status that would be beside them.
    let has_tabs = ScreenLayout::new(state).tabs.height > 0;
    let mut spans = if has_tabs { Vec::new() } else { header::status(state) };
    let keys = &state.config.keys;
    let hint = |action, text| keys.first(action).map(|name| key(theme, &name, text));
    let mut right = hint(KeyAction::Help, "help").unwrap_or_default();
    if columns >= 40 {
        right.extend(hint(KeyAction::Quit, "quit").into_iter().flatten());
    }
    let room = columns.saturating_sub(width(&right) + 1);
    for (action, text) in hints(state) {
        let Some(hint) = hint(action, text) else { continue };
        if width(&spans) + width(&hint) <= room {
            spans.extend(hint);
        }
    }
    sides(spans, right, columns).render(area, buffer);
}

fn key(theme: Theme, name: &str, text: &str) -> Vec<Span<'static>> {
    vec![
        Span::styled(format!(" {name} "), theme.key()),
        Span::styled(format!("{text} "), theme.quiet()),
    ]
}

fn prompt_keys(theme: Theme, prompt: &Prompt) -> Vec<Span<'static>> {
    let enter = if prompt.purpose == Purpose::Search { "search" } else { "accept" };
    let mut spans = key(theme, "Enter", enter);
    spans.extend(key(theme, "Esc", "cancel"));
    if !prompt.candidates.is_empty() {
        spans.extend(key(theme, "Tab", "complete"));
    }
    if prompt.history_place > 0 || matches!(prompt.purpose, Purpose::Filter) {
        spans.extend(key(theme, "↑ ↓", "history"));
    }
    spans
}

/// Returns the hints of the open overlay or panel, the most important first.
fn hints(state: &State) -> Vec<KeyHint> {
    if state.column_picker.is_some() {
        column_picker::hints()
    } else if state.mark_list.is_some() {
        marks::hints()
    } else {
        let back = state.is_past().then_some((KeyAction::Present, "present"));
        back.into_iter().chain(panel(state.screen).hints(state)).collect()
    }
}
