//! The help, generated from the table of keys, in as many columns as fit.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Widget};

use crate::tui::keys::{KeyAction, KeyBinding, OTHER_HELP, TABLE};
use crate::tui::layout::ScreenLayout;
use crate::tui::prompt;
use crate::tui::scrolling::render_lines;
use crate::tui::state::State;
use crate::tui::state::prompt::Purpose;
use crate::tui::text::{cell, width, words};

/// The minimum width of a column if there are several.
const COLUMN_MIN_WIDTH: usize = 56;

/// The minimum width of a column for showing descriptions beside the keys.
const BESIDE_MIN_WIDTH: usize = 50;

/// The indentation of descriptions that are shown beside the keys.
const INDENT: usize = 13;

/// Returns the lines of the whole help for that width.
fn lines(state: &State, width: usize) -> Vec<Line<'static>> {
    let theme = state.config.theme;
    let keys = TABLE.iter().map(|(heading, parts)| {
        let bindings = parts.iter().copied().flatten();
        let entry = |binding: &KeyBinding| entry(state, binding);
        (*heading, bindings.map(entry).collect::<Vec<_>>())
    });
    let other = OTHER_HELP.iter().map(|(heading, entries)| {
        let owned = |(name, help): &(&str, &str)| ((*name).to_owned(), (*help).to_owned());
        (*heading, entries.iter().map(owned).collect())
    });
    let filter = &state.help_filter;
    let number = (width / COLUMN_MIN_WIDTH).clamp(1, 3);
    let room = width / number;
    let groups: Vec<Vec<_>> = keys
        .chain(other)
        .filter_map(|(heading, mut entries)| {
            entries.retain(|(name, help)| {
                contains(heading, filter) || contains(name, filter) || contains(help, filter)
            });
            (!entries.is_empty()).then_some((heading, entries))
        })
        .map(|(heading, entries)| {
            let mut lines = vec![Line::styled(format!(" {heading}"), theme.heading())];
            for (name, help) in entries {
                // In a narrow column, the description is shown below the key.
                let indent = if room < BESIDE_MIN_WIDTH { 3 } else { INDENT };
                let mut name =
                    Some(Span::styled(format!("  {} ", cell(&name, INDENT - 3)), theme.key()));
                if room < BESIDE_MIN_WIDTH {
                    lines.extend(name.take().map(Line::from));
                }
                for text in words(&help, room.saturating_sub(indent + 1)) {
                    let before = name.take().unwrap_or_else(|| Span::raw(" ".repeat(indent)));
                    lines.push(Line::from(vec![before, Span::raw(text)]));
                }
            }
            lines.push(Line::default());
            lines
        })
        .collect();
    side_by_side(groups, number, room)
}

/// Returns the keys of an action, and its description.
fn entry(state: &State, binding: &KeyBinding) -> (String, String) {
    let keys = &state.config.keys;
    let name = keys.labels(binding.action);
    let name = if name.is_empty() { "(no key)".to_owned() } else { name };
    (name, keys.expand(binding.help))
}

/// Returns whether a text contains another. The case matters only if `part` has an upper-case
/// letter.
fn contains(text: &str, part: &str) -> bool {
    if part.chars().any(char::is_uppercase) {
        text.contains(part)
    } else {
        text.to_lowercase().contains(part)
    }
}

/// Arranges whole groups in columns of about the same height.
fn side_by_side(groups: Vec<Vec<Line<'static>>>, number: usize, room: usize) -> Vec<Line<'static>> {
    let height = groups.iter().map(Vec::len).sum::<usize>().div_ceil(number);
    let mut columns = vec![Vec::new()];
    let left = |columns: &Vec<Vec<Line<'_>>>| number - columns.len();
    for group in groups {
        let filled = columns.last().map_or(0, Vec::len);
        if filled > 0 && filled + group.len() / 2 > height && left(&columns) > 0 {
            columns.push(Vec::new());
        }
        if let Some(column) = columns.last_mut() {
            column.extend(group);
        }
    }
    let tallest = columns.iter().map(Vec::len).max().unwrap_or(0);
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    let row = |_| {
        let mut spans = Vec::new();
        for (at, column) in columns.iter_mut().enumerate() {
            spans.push(Span::raw(" ".repeat((at * room).saturating_sub(width(&spans)))));
            spans.extend(
                column
                    .next()
                    .map(|line| {
                        line.spans.into_iter().map(move |span| span.patch_style(line.style))
                    })
                    .into_iter()
                    .flatten(),
            );
        }
        Line::from(spans)
    };
    (0..tallest).map(row).collect()
}

/// Returns the area of the help: everything but the prompt and the keys that matter in it.
#[must_use]
pub fn area(state: &State) -> Rect {
    let (width, height) = state.size;
    let layout = ScreenLayout::new(state);
    let below =
        if state.prompt.is_some() { layout.prompt.height + layout.footer.height } else { 0 };
    Rect::new(0, 0, width, height - below)
}

/// Returns the area of the lines, inside the border if there is one.
fn inner(state: &State) -> Rect {
    let area = area(state);
    if area.height >= 8 { Block::new().borders(Borders::ALL).inner(area) } else { area }
}

/// Handles a key while the help is open. Returns whether the key has a meaning here.
pub fn handle_key(state: &mut State, action: KeyAction) -> bool {
    let at = state.help.unwrap_or(0);
    let inner = inner(state);
    let page = usize::from(inner.height).max(1);
    let last = lines(state, usize::from(inner.width)).len().saturating_sub(page);
    let target = match action {
        KeyAction::Suspend => return false,
        KeyAction::Search => {
            let text = state.help_filter.clone();
            prompt::open(state, Purpose::Rows, &text);
            return true;
        }
        KeyAction::Back if !state.help_filter.is_empty() => {
            state.help_filter.clear();
            Some(0)
        }
        KeyAction::Down => Some(at + 1),
        KeyAction::Up => Some(at.saturating_sub(1)),
        KeyAction::PageDown | KeyAction::HalfDown | KeyAction::Pause => Some(at + page),
        KeyAction::PageUp | KeyAction::HalfUp => Some(at.saturating_sub(page)),
        KeyAction::Top => Some(0),
        KeyAction::Bottom => Some(last),
        _ => None,
    };
    state.help = target.map(|at| at.min(last));
    if state.help.is_none() {
        state.help_filter.clear();
    }
    true
}

/// Draws the help over the whole screen.
pub fn render(state: &State, area: Rect, buffer: &mut Buffer) {
    let inner = inner(state);
    let height = usize::from(inner.height);
    let lines = lines(state, usize::from(inner.width));
    let first = state.help.unwrap_or(0).min(lines.len().saturating_sub(height));
    Clear.render(area, buffer);
    if inner != area {
        let below = lines.len().saturating_sub(first + height);
        let more = if below > 0 {
            format!(" {below} more lines: {} ", state.config.keys.expand("{down} or {pause}"))
        } else {
            String::new()
        };
        Block::new()
            .borders(Borders::ALL)
            .border_style(state.config.theme.quiet())
            .title_style(state.config.theme.title())
            .title(
                state
                    .config
                    .keys
                    .expand(" Keys ({down} {up} scroll, {search} filters, {back} closes) "),
            )
            .title_bottom(more)
            .render(area, buffer);
    }
    render_lines(lines, first, inner, buffer);
}
