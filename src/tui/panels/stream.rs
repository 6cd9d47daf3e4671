//! The stream of events: the list and the detail of the selected event.

mod detail;
mod list;
mod selected_line;
mod status;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Span;
use ratatui::widgets::{Block, Borders, Widget};

use crate::tui::filtering::toggle_call_filter;
use crate::tui::incremental::start_search;
use crate::tui::keys::{KeyAction, KeyHint};
use crate::tui::layout::{ScreenLayout, StreamLayout};
use crate::tui::navigation;
use crate::tui::overlays::column_picker;
use crate::tui::panel::Panel;
use crate::tui::prompt;
use crate::tui::screen::Screen;
use crate::tui::selection::{is_marked_row, jump, select, step};
use crate::tui::state::modes::{DetailPane, DragTarget};
use crate::tui::state::prompt::Purpose;
use crate::tui::state::{Effect, State};
use crate::tui::time_travel::return_to_present;

/// The shares of the body that a layout gives to the detail, in percent.
const EVEN: u16 = 50;
const LARGE: u16 = 80;

/// The list of events, with the detail of the selected one if it is open.
pub struct StreamPanel;

impl Panel for StreamPanel {
    fn render(&self, state: &State, area: Rect, buffer: &mut Buffer) {
        let theme = state.config.theme;
        let layout = StreamLayout::within(state, area);
        list::render(state, layout.heading, layout.list, buffer);
        if let Some(area) = layout.divider {
            let edge = if layout.is_beside { Borders::LEFT } else { Borders::TOP };
            let is_focused = state.detail.as_ref().is_some_and(|detail| detail.focused);
            let style = if is_focused { theme.key() } else { theme.quiet() };
            Block::new().borders(edge).border_style(style).render(area, buffer);
        }
        if let Some(area) = layout.detail {
            detail::render(state, area, buffer);
        }
    }

    fn hints(&self, state: &State) -> Vec<KeyHint> {
        if state.detail.as_ref().is_some_and(|detail| detail.focused) {
            return vec![
                (KeyAction::Down, "next"),
                (KeyAction::Open, "fold"),
                (KeyAction::AddToFilter, "to filter"),
                (KeyAction::Copy, "copy"),
                (KeyAction::Back, if navigation::is_at_event(state) { "back" } else { "list" }),
            ];
        }
        list_hints(state)
    }

    fn status(&self, state: &State) -> Vec<Span<'static>> {
        status::spans(state)
    }

    fn handle_key(&self, state: &mut State, action: KeyAction) -> bool {
        let is_detail = state.detail.as_ref().is_some_and(|detail| detail.focused);
        action == KeyAction::Back && navigation::leave_event(state)
            || is_detail && detail::handle_key(state, action)
            || move_selection(state, action)
            || search_or_filter(state, action)
            || change_view(state, action)
    }

    fn handle_wheel(&self, state: &mut State, at: Position, action: KeyAction) {
        if StreamLayout::new(state).detail.is_some_and(|area| area.contains(at)) {
            detail::handle_key(state, action);
        } else {
            step(state, 1, action == KeyAction::Down);
        }
    }

    fn handle_click(&self, state: &mut State, at: Position) {
        let layout = StreamLayout::new(state);
        let is_divider = layout.divider.is_some_and(|area| area.contains(at));
        state.dragging = is_divider.then_some(DragTarget::Panel(Screen::Stream));
        if layout.list.contains(at) {
            let Some(number) = list::event_at(state, at.y - layout.list.y) else { return };
            if number == state.selected && state.detail.is_none() {
                state.notice = None;
                self.handle_key(state, KeyAction::Open);
                return;
            }
            select(state, number);
            if let Some(detail) = &mut state.detail {
                detail.focused = false;
            }
        } else if let Some(area) = layout.detail.filter(|area| area.contains(at)) {
            let cursor = detail::line_at(state, area, at);
            if let Some(detail) = &mut state.detail {
                (detail.focused, detail.cursor) = (true, cursor);
            }
        }
    }

    /// Moves the edge of the detail. The detail takes 20 to 80 percent of the body.
    fn handle_drag(&self, state: &mut State, at: Position) {
        let body = ScreenLayout::new(state).body;
        let (detail, whole) = if StreamLayout::new(state).is_beside {
            (body.right().saturating_sub(at.x), body.width)
        } else {
            (body.bottom().saturating_sub(at.y), body.height)
        };
        let percent = u32::from(detail) * 100 / u32::from(whole.max(1));
        state.detail_percent = percent.clamp(20, 80).try_into().unwrap_or(50);
    }
}

/// Returns the hints for the footer while the list has the focus.
fn list_hints(state: &State) -> Vec<KeyHint> {
    let mut hints =
        vec![(KeyAction::Open, if state.detail.is_some() { "go in" } else { "detail" })];
    if !state.follow {
        hints.push((KeyAction::Bottom, "follow"));
    }
    hints.push((KeyAction::Pause, if state.buffer.is_paused() { "resume" } else { "pause" }));
    hints.push((KeyAction::Filter, "filter"));
    if state.filter.is_some() {
        hints.push((KeyAction::ToggleFilter, if state.filter_enabled { "off" } else { "on" }));
    }
    if let Some(pace) = state.config.pace.as_ref().filter(|_| !state.connections.is_ended()) {
        hints.extend([
            (KeyAction::Hold, if pace.is_held() { "resume" } else { "hold" }),
            (KeyAction::Step, "step"),
            (KeyAction::Faster, "faster"),
            (KeyAction::Slower, "slower"),
        ]);
    }
    hints.push((KeyAction::Search, "search"));
    if state.search.is_some() {
        hints.push((KeyAction::Next, "next"));
    }
    hints.extend([
        (KeyAction::NextError, "errors"),
        (KeyAction::OpenCall, "its call"),
        (KeyAction::OnlyCall, "only it"),
        (KeyAction::Time, "time"),
        (KeyAction::Save, "save"),
    ]);
    hints
}

fn move_selection(state: &mut State, action: KeyAction) -> bool {
    let page = usize::from(StreamLayout::new(state).list.height).max(1);
    match action {
        KeyAction::Down => step(state, 1, true),
        KeyAction::Up => step(state, 1, false),
        KeyAction::PageDown => step(state, page, true),
        KeyAction::PageUp => step(state, page, false),
        KeyAction::HalfDown => step(state, page.div_ceil(2), true),
        KeyAction::HalfUp => step(state, page.div_ceil(2), false),
        KeyAction::Top => {
            select(state, 0);
            state.follow = false;
        }
        KeyAction::Bottom => return_to_present(state),
        KeyAction::NextError => jump(state, true, "error", is_error),
        KeyAction::PreviousError => jump(state, false, "error", is_error),
        KeyAction::NextMark => jump(state, true, "mark", is_marked),
        KeyAction::PreviousMark => jump(state, false, "mark", is_marked),
        KeyAction::Next => start_search(state, true),
        KeyAction::Previous => start_search(state, false),
        _ => return false,
    }
    true
}

fn is_error(state: &State, number: u64) -> bool {
    state.buffer.get(number).is_some_and(|stored| stored.is_error)
}

fn is_marked(state: &State, number: u64) -> bool {
    is_marked_row(state, number)
}

fn search_or_filter(state: &mut State, action: KeyAction) -> bool {
    match action {
        KeyAction::Search => prompt::open(state, Purpose::Search, ""),
        KeyAction::Filter => {
            let source = state.filter.as_ref().map(|filter| filter.source.clone());
            prompt::open(state, Purpose::Filter, &source.unwrap_or_default());
        }
        KeyAction::ToggleFilter if state.filter.is_none() => {
            state.advise("no filter is set; press {filter} to edit one");
        }
        KeyAction::ToggleFilter => state.filter_enabled = !state.filter_enabled,
        KeyAction::OnlyCall => toggle_call_filter(state),
        KeyAction::OpenCall => navigation::open_call_of_event(state),
        KeyAction::Save => {
            let name = format!("evtap-{}.ndjson", state.now.strftime("%Y%m%dT%H%M%SZ"));
            prompt::open(state, Purpose::Save, &name);
        }
        KeyAction::AddToFilter => {
            state.advise("open the detail (press {open} twice) and choose a field first");
        }
        _ => return false,
    }
    true
}

fn change_view(state: &mut State, action: KeyAction) -> bool {
    match action {
        KeyAction::Open | KeyAction::Into => {
            // A key must act on the event that is seen, not on one that has just arrived.
            state.follow = false;
            match &mut state.detail {
                Some(detail) => detail.focused = true,
                None => state.detail = Some(DetailPane::default()),
            }
        }
        KeyAction::Pause => {
            if !state.resume() {
                state.pause();
            }
        }
        KeyAction::Back => close_one(state),
        KeyAction::Out => state.detail = None,
        KeyAction::Grow => state.detail_percent = (state.detail_percent + 5).min(80),
        KeyAction::Shrink => {
            state.detail_percent = state.detail_percent.saturating_sub(5).max(20);
        }
        KeyAction::Mark => {
            let selected = state.selected;
            if state.marks.contains(&selected) {
                state.remove_mark(selected);
            } else {
                state.mark("");
            }
        }
        KeyAction::Note => {
            let note = state.bookmarks.note(state.selected).unwrap_or_default();
            let line = format!("mark {note}");
            prompt::open(state, Purpose::Command, &line);
        }
        KeyAction::Layout => change_layout(state),
        KeyAction::Columns => column_picker::open(state),
        KeyAction::Wrap => state.wrap = !state.wrap,
        KeyAction::Fold => state.fold = !state.fold,
        KeyAction::Copy => {
            let line = state.selected_event().map(|stored| stored.line.to_string());
            state.effects.extend(line.map(Effect::Copy));
        }
        _ => return false,
    }
    true
}

/// Goes from the list alone to the list beside its detail, then to a detail that takes most of the
/// body and has the focus, and back.
fn change_layout(state: &mut State) {
    state.follow = false;
    match &mut state.detail {
        None => {
            state.detail = Some(DetailPane::default());
            state.detail_percent = EVEN;
        }
        Some(detail) if state.detail_percent < LARGE => {
            detail.focused = true;
            state.detail_percent = LARGE;
        }
        Some(_) => {
            state.detail = None;
            state.detail_percent = EVEN;
        }
    }
}

/// Closes the first of these that is open: the detail, the search, the pause. If none is, returns to
/// where the events were opened from.
fn close_one(state: &mut State) {
    let is_closed = state.detail.take().is_some()
        || state.search.take().is_some()
        || state.resume()
        || navigation::back(state);
    if !is_closed {
        state.advise("press {quit} to quit");
    }
}
