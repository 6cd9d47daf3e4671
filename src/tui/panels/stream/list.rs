//! The list of events, one row each, the newest at the bottom.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};
use unicode_width::UnicodeWidthStr;

use super::selected_line::selected_line;
use crate::output::columns::Columns;
use crate::output::stored_event::StoredEventReader;
use crate::text::terminal;
use crate::tui::event_row::{self, RowContext};
use crate::tui::state::State;
use crate::tui::text::{cell, cut};

/// The maximum width of a column, except the last one.
const MAX_COLUMN_WIDTH: usize = 40;

/// Draws the list, below the names of the columns if any were chosen.
pub fn render(state: &State, heading: Rect, area: Rect, buffer: &mut Buffer) {
    let rows = state.rows();
    let theme = state.config.theme;
    if rows.is_empty() {
        let is_filtered = state.applied_filter().is_some() && state.buffer.end() > 0;
        let hint = if is_filtered {
            "no event matches the filter; press {filter} to edit it, {toggle_filter} to turn it off"
        } else {
            "no events yet"
        };
        let hint = state.config.keys.expand(hint);
        let hint = Line::styled(hint, theme.quiet()).centered();
        return Paragraph::new(hint).render(area, buffer);
    }
    let (mut lines, room) = (Vec::new(), usize::from(area.height));
    let width = usize::from(area.width);
    let mut reader = StoredEventReader::default();
    let column_widths = column_widths(state, &mut reader, area);
    if heading.height > 0 {
        column_names(state, width, &column_widths).render(heading, buffer);
    }
    let is_focused = state.detail.as_ref().is_none_or(|detail| !detail.focused);
    for place in rows.place(state.top)..rows.len() {
        let Some(number) = rows.get(place).filter(|_| lines.len() < room) else { break };
        let Some(stored) = state.buffer.get(number) else { break };
        let context = RowContext { number, place, width, column_widths: &column_widths };
        let mut row = event_row::row(state, &mut reader, stored, context);
        if number == state.selected {
            let style = if is_focused { theme.selected() } else { theme.heading() };
            row = row.into_iter().map(|line| selected_line(theme, line, style, width)).collect();
        }
        lines.extend(row);
    }
    lines.truncate(room);
    Paragraph::new(lines).render(area, buffer);
}

/// Returns the number of the event on a line of the list, counted from the top of its area.
#[must_use]
pub fn event_at(state: &State, line: u16) -> Option<u64> {
    let rows = state.rows();
    let mut left = usize::from(line);
    for place in rows.place(state.top)..rows.len() {
        let number = rows.get(place)?;
        let height = event_row::height(state, number);
        if left < height {
            return Some(number);
        }
        left -= height;
    }
    None
}

fn column_names(state: &State, width: usize, column_widths: &[usize]) -> Line<'static> {
    let style = state.config.theme.key();
    let names = state.columns.iter().flat_map(Columns::names).zip(column_widths);
    let names = names.map(|(name, width)| Span::styled(format!(" {}", cell(name, *width)), style));
    let indent = Span::raw(" ".repeat(event_row::fields_column(state, width)));
    cut(std::iter::once(indent).chain(names).collect(), width)
}

/// Returns the width of each chosen column: that of its name and visible values, up to
/// [`MAX_COLUMN_WIDTH`] for all but the last one.
fn column_widths(state: &State, reader: &mut StoredEventReader, area: Rect) -> Vec<usize> {
    let Some(columns) = &state.columns else { return Vec::new() };
    let rows = state.rows();
    let mut widths: Vec<_> =
        columns.names().iter().map(|name| terminal::visible(name).width()).collect();
    let visible = (rows.place(state.top)..rows.len()).take(area.height.into());
    for number in visible.filter_map(|place| rows.get(place)) {
        let Some(stored) = state.buffer.get(number) else { continue };
        let values = reader.read(stored, |event| event_row::values(event, columns));
        for (width, (value, _)) in widths.iter_mut().zip(values) {
            *width = (*width).max(value.width());
        }
    }
    let limited = widths.len().saturating_sub(1);
    widths.iter_mut().take(limited).for_each(|width| *width = (*width).min(MAX_COLUMN_WIDTH));
    widths
}
