//! The column picker: a list of field names that covers the panel.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Widget};

use crate::model::Kind;
use crate::output::stored_event::StoredEventReader;
use crate::text::terminal;
use crate::tui::column_picker::ColumnPicker;
use crate::tui::completion::field_names;
use crate::tui::keys::{KeyAction, KeyHint};
use crate::tui::layout::ScreenLayout;
use crate::tui::prompt;
use crate::tui::scrolling::{render_lines, scroll_target};
use crate::tui::state::State;
use crate::tui::state::prompt::Purpose;
use crate::tui::text::{cell, cut};

/// The width of the column of names.
const NAME_WIDTH: usize = 28;

/// Opens the picker with the current columns, the fields of the selected event, then all others.
pub fn open(state: &mut State) {
    let chosen = state.columns.as_ref().map_or_else(Vec::new, |columns| columns.names().to_vec());
    let own = state.selected_event().map(|stored| {
        StoredEventReader::default().read(stored, |event| {
            event.fields().map(|field| field.name().into_owned()).collect::<Vec<_>>()
        })
    });
    let others = own.into_iter().flatten().chain(field_names(state));
    state.column_picker = Some(ColumnPicker::new(chosen, others));
}

/// Returns the hints for the footer while the picker is open.
#[must_use]
pub fn hints() -> Vec<KeyHint> {
    vec![
        (KeyAction::Pause, "toggle"),
        (KeyAction::Open, "apply"),
        (KeyAction::Back, "cancel"),
        (KeyAction::Search, "filter"),
        (KeyAction::Down, "next"),
    ]
}

/// Handles a key while the picker is open. Returns whether the key has a meaning here.
pub fn handle_key(state: &mut State, action: KeyAction) -> bool {
    let page = usize::from(inner(state).height).max(1);
    let Some(picker) = &mut state.column_picker else { return false };
    match action {
        KeyAction::Suspend | KeyAction::Help => return false,
        KeyAction::Pause => picker.toggle(),
        KeyAction::Search => {
            let text = picker.filter.clone();
            prompt::open(state, Purpose::Rows, &text);
        }
        KeyAction::Back if !picker.filter.is_empty() => picker.set_filter(""),
        KeyAction::Open => {
            let chosen = std::mem::take(&mut picker.chosen);
            state.set_columns(chosen);
            state.column_picker = None;
        }
        KeyAction::Back | KeyAction::Columns | KeyAction::Quit => state.column_picker = None,
        _ => {
            let last = picker.listed().count().saturating_sub(1);
            let target = scroll_target(action, picker.cursor, page, last);
            picker.cursor = target.unwrap_or(picker.cursor);
        }
    }
    true
}

/// Handles a click while the picker is open: toggles the name under the pointer.
pub fn handle_click(state: &mut State, at: Position) {
    let inner = inner(state);
    let Some(picker) = state.column_picker.as_mut().filter(|_| inner.contains(at)) else { return };
    let place = first_visible(picker, inner.height) + usize::from(at.y - inner.y);
    if place < picker.listed().count() {
        picker.cursor = place;
        picker.toggle();
    }
}

/// Returns the area of the lines, inside the border if there is one.
fn inner(state: &State) -> Rect {
    let body = ScreenLayout::new(state).body;
    if body.height >= 6 { Block::new().borders(Borders::ALL).inner(body) } else { body }
}

fn first_visible(picker: &ColumnPicker, height: u16) -> usize {
    (picker.cursor + 1).saturating_sub(usize::from(height))
}

/// Draws the picker over the panel.
pub fn render(state: &State, picker: &ColumnPicker, area: Rect, buffer: &mut Buffer) {
    let theme = state.config.theme;
    let inner = inner(state);
    let first = first_visible(picker, inner.height);
    Clear.render(area, buffer);
    if inner != area {
        let below = picker.listed().count().saturating_sub(first + usize::from(inner.height));
        let more = if below > 0 { format!(" {below} more ") } else { String::new() };
        Block::new()
            .borders(Borders::ALL)
            .border_style(theme.quiet())
            .title_style(theme.title())
            .title(" Columns, numbered from the left; choose none to show all fields ")
            .title_bottom(more)
            .render(area, buffer);
    }
    let names = picker.listed().enumerate().skip(first).take(inner.height.into());
    let width = usize::from(inner.width);
    let lines = names.map(|(place, name)| line(state, picker, place, name, width)).collect();
    render_lines(lines, 0, inner, buffer);
}

/// Returns the line of a name, with the description of the field from the model.
fn line(
    state: &State,
    picker: &ColumnPicker,
    place: usize,
    name: &str,
    width: usize,
) -> Line<'static> {
    let theme = state.config.theme;
    let number = picker.chosen.iter().position(|chosen| chosen == name);
    let checkbox =
        number.map_or_else(|| " [ ] ".to_owned(), |number| format!(" [{}] ", number + 1));
    let own = state.selected_event().and_then(|stored| stored.kind);
    let mut kinds = own.into_iter().chain(Kind::ALL.iter().copied());
    let note = kinds.find_map(|kind| kind.spec().field(name)).map_or_else(String::new, |spec| {
        format!(" {} · {} · {}", spec.ty.name(), spec.class.name(), spec.doc)
    });
    let spans = vec![
        Span::styled(checkbox, theme.heading()),
        Span::styled(cell(&terminal::visible(name), NAME_WIDTH), theme.key()),
        Span::styled(note, theme.quiet()),
    ];
    let line = cut(spans, width);
    if place == picker.cursor {
        Line::styled(cell(&line.to_string(), width), theme.selected())
    } else {
        line
    }
}
