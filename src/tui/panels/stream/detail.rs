//! The detail of the selected event: drawing, keys and clicks.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::selected_line::selected_line;
use crate::json::string::unquote;
use crate::text::terminal;
use crate::tui::event_detail::{self, DetailLine};
use crate::tui::keys::KeyAction;
use crate::tui::line_editor::MAX_CHARACTERS;
use crate::tui::prompt;
use crate::tui::scrolling::render_lines;
use crate::tui::state::prompt::Purpose;
use crate::tui::state::{Effect, State};
use crate::tui::text::{cut, wrap};

/// Draws the detail, scrolled so that the cursor is visible.
pub fn render(state: &State, area: Rect, buffer: &mut Buffer) {
    let lines = screen_lines(state, usize::from(area.width));
    let first = first_visible(&lines, cursor(state), usize::from(area.height));
    render_lines(lines.into_iter().map(|(_, line)| line).collect(), first, area, buffer);
}

/// Returns the index of the line of the detail at that cell.
#[must_use]
pub fn line_at(state: &State, area: Rect, at: Position) -> usize {
    let cursor = cursor(state);
    let lines = screen_lines(state, usize::from(area.width));
    let first = first_visible(&lines, cursor, usize::from(area.height));
    let place = first + usize::from(at.y.saturating_sub(area.y));
    lines.get(place).map_or(cursor, |(line, _)| *line)
}

/// Handles a key while the detail has the focus. Returns whether the key has a meaning here.
pub fn handle_key(state: &mut State, action: KeyAction) -> bool {
    let lines = event_detail::lines(state);
    let Some(detail) = &mut state.detail else { return false };
    let last = lines.len().saturating_sub(1);
    let at = detail.cursor.min(last);
    let line = lines.get(at);
    let page = usize::from(state.size.1 / 2).max(1);
    match action {
        KeyAction::Down => detail.cursor = (at + 1).min(last),
        KeyAction::Up => detail.cursor = at.saturating_sub(1),
        KeyAction::PageDown | KeyAction::HalfDown => detail.cursor = (at + page).min(last),
        KeyAction::PageUp | KeyAction::HalfUp => detail.cursor = at.saturating_sub(page),
        KeyAction::Top => detail.cursor = 0,
        KeyAction::Bottom => detail.cursor = last,
        KeyAction::Back => detail.focused = false,
        KeyAction::Open | KeyAction::Into | KeyAction::Out => {
            let Some(line) = line.filter(|line| line.is_container) else {
                detail.focused &= action != KeyAction::Out;
                return true;
            };
            let is_folded = detail.folded.contains(&line.path);
            if is_folded && action != KeyAction::Out {
                detail.folded.remove(&line.path);
            } else if !is_folded && action != KeyAction::Into {
                detail.folded.insert(line.path.clone());
            }
        }
        KeyAction::Copy => {
            if let Some(line) = line {
                state.effects.push(Effect::Copy(line.json.clone()));
            }
        }
        KeyAction::AddToFilter => add_to_filter(state, line.and_then(DetailLine::condition)),
        _ => return false,
    }
    true
}

fn add_to_filter(state: &mut State, condition: Option<String>) {
    let Some(condition) = condition else {
        let text = "cannot filter by this line: choose a field with a visible value";
        return state.notify(text);
    };
    let source = match state.applied_filter() {
        Some(filter) => format!("({}) and {condition}", filter.expression),
        None => condition,
    };
    if source.chars().count() > MAX_CHARACTERS {
        return state.notify("cannot filter by this line: the value is too long");
    }
    prompt::open(state, Purpose::Filter, &source);
    if let Some(prompt) = &mut state.prompt {
        prompt.is_from_event = true;
    }
}

fn cursor(state: &State) -> usize {
    state.detail.as_ref().map_or(0, |detail| detail.cursor)
}

/// Returns the lines as drawn, each with the index of the detail line that it belongs to.
fn screen_lines(state: &State, width: usize) -> Vec<(usize, Line<'static>)> {
    let theme = state.config.theme;
    let Some(detail) = &state.detail else { return Vec::new() };
    let lines = event_detail::lines(state);
    let cursor = detail.cursor.min(lines.len().saturating_sub(1));
    let mut drawn = Vec::new();
    for (at, line) in lines.into_iter().enumerate() {
        let is_folded = detail.folded.contains(&line.path);
        let spans = spans(state, line, is_folded);
        let wrapped = if state.wrap { wrap(spans, width, 7) } else { vec![cut(spans, width)] };
        for mut line in wrapped {
            if at == cursor && detail.focused {
                line = selected_line(theme, line, theme.selected(), width);
            }
            drawn.push((at, line));
        }
    }
    drawn
}

fn spans(state: &State, line: DetailLine, is_folded: bool) -> Vec<Span<'static>> {
    let theme = state.config.theme;
    let name = terminal::visible(&line.name).into_owned();
    if line.is_heading {
        return vec![
            Span::styled(format!(" {name} "), theme.heading()),
            Span::styled(line.note, theme.quiet()),
        ];
    }
    let marker = match (line.is_container, is_folded) {
        (true, true) => "▸ ",
        (true, false) => "▾ ",
        _ => "  ",
    };
    let value = match unquote(&line.json) {
        Some(text) => terminal::visible(&text).into_owned(),
        None if line.is_container && !is_folded => String::new(),
        None => line.json,
    };
    let style = if line.is_hidden { theme.masked() } else { Style::new() };
    let mut spans = vec![
        Span::raw(" ".repeat(line.depth * 2 - 1)),
        Span::styled(marker, theme.quiet()),
        Span::styled(format!("{name} "), theme.key()),
        Span::styled(value, style),
    ];
    if !line.note.is_empty() {
        spans.push(Span::styled(format!("  {}", line.note), theme.quiet()));
    }
    spans
}

/// Returns the index of the first line to draw so that the cursor is visible.
fn first_visible(lines: &[(usize, Line<'static>)], cursor: usize, height: usize) -> usize {
    let end = lines.iter().rposition(|(at, _)| *at <= cursor).map_or(0, |place| place + 1);
    end.saturating_sub(height)
}
