//! The list of marks: those of buffered events, to go to, and those of events that have not arrived
//! or are not buffered any more.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Widget};

use crate::text::terminal;
use crate::tui::bookmarks::{Bookmark, EventId};
use crate::tui::keys::{KeyAction, KeyHint};
use crate::tui::layout::ScreenLayout;
use crate::tui::list_section;
use crate::tui::prompt;
use crate::tui::screen::Screen;
use crate::tui::scrolling::{render_lines, scroll_target};
use crate::tui::selection::reveal;
use crate::tui::state::State;
use crate::tui::state::prompt::Purpose;
use crate::tui::text::{cell, cut};

/// The width of the column of event types.
const TYPE_WIDTH: usize = 26;

/// A mark as it is listed.
struct MarkRow<'a> {
    place: MarkPlace,
    mark: &'a Bookmark,
}

/// Where a mark is.
#[derive(Clone, Copy)]
enum MarkPlace {
    /// On the buffered event with that number.
    Event(u64),
    /// In that place among the marks of other events.
    Absent(usize),
}

/// Returns the hints for the footer while the list is open.
#[must_use]
pub fn hints() -> Vec<KeyHint> {
    vec![
        (KeyAction::Open, "go to it"),
        (KeyAction::Mark, "remove"),
        (KeyAction::Search, "filter"),
        (KeyAction::Back, "close"),
        (KeyAction::Down, "next"),
    ]
}

/// Returns the marks that contain the filter: those of buffered events in their order, then the
/// others.
fn rows(state: &State) -> Vec<MarkRow<'_>> {
    let present = state.bookmarks.present();
    let present = present.map(|(number, mark)| MarkRow { place: MarkPlace::Event(number), mark });
    let absent = state.bookmarks.absent().iter().enumerate();
    let absent = absent.map(|(at, mark)| MarkRow { place: MarkPlace::Absent(at), mark });
    let is_listed = |row: &MarkRow<'_>| {
        let text = line(state, row, usize::MAX).to_string();
        list_section::matches(&text, &state.mark_filter)
    };
    present.chain(absent).filter(is_listed).collect()
}

/// Handles a key while the list is open. Returns whether the key has a meaning here.
pub fn handle_key(state: &mut State, action: KeyAction) -> bool {
    let Some(cursor) = state.mark_list else { return false };
    let page = usize::from(inner(state).height).max(1);
    let rows = rows(state);
    let last = rows.len().saturating_sub(1);
    let cursor = cursor.min(last);
    let place = rows.get(cursor).map(|row| row.place);
    match (action, place) {
        (KeyAction::Suspend | KeyAction::Help, _) => return false,
        (KeyAction::Search, _) => {
            let text = state.mark_filter.clone();
            prompt::open(state, Purpose::Rows, &text);
        }
        (KeyAction::Back, _) if !state.mark_filter.is_empty() => state.mark_filter.clear(),
        (KeyAction::Back | KeyAction::Quit | KeyAction::Marks, _) => state.mark_list = None,
        (KeyAction::Open | KeyAction::Into, Some(MarkPlace::Event(number))) => {
            go_to(state, number);
        }
        (KeyAction::Open | KeyAction::Into, Some(MarkPlace::Absent(_))) => {
            state.notify("this event is not here: it has not arrived, or too many have since");
        }
        (KeyAction::Mark, Some(place)) => {
            match place {
                MarkPlace::Event(number) => state.remove_mark(number),
                MarkPlace::Absent(at) => state.bookmarks.remove_absent(at),
            }
            let last = last.checked_sub(1);
            // Without marks that contain the filter, the list stays open to show the others.
            let last = last.or_else(|| Some(0).filter(|_| !state.mark_filter.is_empty()));
            state.mark_list = last.map(|last| cursor.min(last));
        }
        _ => {
            let target = scroll_target(action, cursor, page, last);
            state.mark_list = Some(target.unwrap_or(cursor));
        }
    }
    true
}

/// Selects a marked event. A filter that hides it is turned off.
fn go_to(state: &mut State, number: u64) {
    state.mark_list = None;
    state.screen = Screen::Stream;
    let is_listed = |state: &State| {
        let rows = state.events();
        rows.get(rows.place(number)) == Some(number)
    };
    if !is_listed(state) && state.filter_enabled && state.filter.is_some() {
        state.filter_enabled = false;
        state.advise("the filter is off, because it hides this event; {toggle_filter} turns it on");
    }
    state.follow = false;
    reveal(state, number);
    state.follow = false;
}

/// Handles a click while the list is open: selects the mark, or goes to the selected one.
pub fn handle_click(state: &mut State, at: Position) {
    let inner = inner(state);
    let Some(cursor) = state.mark_list.filter(|_| inner.contains(at)) else { return };
    let place = first_visible(cursor, inner.height) + usize::from(at.y - inner.y);
    if place == cursor {
        handle_key(state, KeyAction::Open);
    } else if place < rows(state).len() {
        state.mark_list = Some(place);
    }
}

/// Returns the area of the lines, inside the border if there is one.
fn inner(state: &State) -> Rect {
    let body = ScreenLayout::new(state).body;
    if body.height >= 6 { Block::new().borders(Borders::ALL).inner(body) } else { body }
}

fn first_visible(cursor: usize, height: u16) -> usize {
    (cursor + 1).saturating_sub(usize::from(height))
}

/// Draws the list over the panel.
pub fn render(state: &State, area: Rect, buffer: &mut Buffer) {
    let Some(cursor) = state.mark_list else { return };
    let theme = state.config.theme;
    let (inner, rows) = (inner(state), rows(state));
    let first = first_visible(cursor, inner.height);
    Clear.render(area, buffer);
    if inner != area {
        let below = rows.len().saturating_sub(first + usize::from(inner.height));
        let more = if below > 0 { format!(" {below} more ") } else { String::new() };
        Block::new()
            .borders(Borders::ALL)
            .border_style(theme.quiet())
            .title_style(theme.title())
            .title(title(state))
            .title_bottom(more)
            .render(area, buffer);
    }
    let width = usize::from(inner.width);
    let visible = rows.iter().enumerate().skip(first).take(inner.height.into());
    let lines = visible.map(|(place, row)| {
        let line = line(state, row, width);
        if place == cursor {
            Line::styled(cell(&line.to_string(), width), theme.selected())
        } else {
            line
        }
    });
    render_lines(lines.collect(), 0, inner, buffer);
}

fn title(state: &State) -> String {
    match terminal::visible(&state.mark_filter) {
        filter if filter.is_empty() => " Marks ".to_owned(),
        filter => format!(" Marks with {filter} "),
    }
}

fn line(state: &State, row: &MarkRow<'_>, width: usize) -> Line<'static> {
    let theme = state.config.theme;
    let stored = match row.place {
        MarkPlace::Event(number) => state.buffer.get(number),
        MarkPlace::Absent(_) => None,
    };
    let (time, event_type) = match stored {
        Some(stored) => (stored.time, terminal::visible(&stored.event_type).into_owned()),
        None => (row.mark.event.as_ref().and_then(EventId::time), "not here".to_owned()),
    };
    let zone = state.config.zone.clone();
    let clock = |time: Timestamp| time.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let spans = vec![
        Span::styled(if stored.is_some() { " ◆ " } else { " ◇ " }, theme.warning()),
        Span::styled(
            format!("{} ", cell(&time.map_or_else(String::new, clock), 19)),
            theme.quiet(),
        ),
        Span::styled(
            format!("{} ", cell(&event_type, TYPE_WIDTH)),
            stored.map_or_else(
                || theme.quiet(),
                |stored| theme.family(crate::model::family(&stored.event_type)),
            ),
        ),
        Span::raw(terminal::visible(&row.mark.note).into_owned()),
    ];
    cut(spans, width)
}
