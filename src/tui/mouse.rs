//! What the mouse does: a click chooses, a second one opens, the wheel scrolls, and the edge of the detail and the place in a
//! replay can be dragged.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::column_picker;
use super::keys::KeyAction;
use super::seek;
use super::state::{Handle, State};
use super::update::{act, choose, detail, elsewhere, scroll_help, step};
use super::view;

/// How many lines the wheel goes at once.
const LINES: usize = 3;

/// Takes the mouse. Gives whether anything came of it.
pub fn point(state: &mut State, mouse: MouseEvent) -> bool {
    let at = Position::new(mouse.column, mouse.row);
    match mouse.kind {
        MouseEventKind::ScrollDown => scroll(state, at, KeyAction::Down),
        MouseEventKind::ScrollUp => scroll(state, at, KeyAction::Up),
        MouseEventKind::Down(MouseButton::Left) if state.help.take().is_some() => {}
        MouseEventKind::Down(MouseButton::Left) if state.ticks.is_some() => tick(state, at),
        MouseEventKind::Down(MouseButton::Left) => click(state, at),
        MouseEventKind::Drag(MouseButton::Left) => match state.dragging {
            Some(Handle::Edge) => drag(state, at),
            Some(Handle::Position) => jump(state, at, true),
            None => return false,
        },
        MouseEventKind::Up(MouseButton::Left) => state.dragging = None,
        _ => return false,
    }
    true
}

fn scroll(state: &mut State, at: Position, action: KeyAction) {
    let over_detail = view::areas(state).detail.is_some_and(|area| area.contains(at));
    for _ in 0..LINES {
        match state.screen {
            _ if state.help.is_some() => drop(scroll_help(state, action)),
            _ if state.ticks.is_some() => drop(column_picker::act(state, action)),
            0 if over_detail => drop(detail(state, action)),
            0 => step(state, 1, action == KeyAction::Down),
            _ => elsewhere(state, action),
        }
    }
}

fn click(state: &mut State, at: Position) {
    let areas = view::areas(state);
    if let Some(screen) = view::header::tab_at(state, at) {
        state.screen = screen;
    } else if areas.position.contains(at) {
        state.dragging = Some(Handle::Position);
        jump(state, at, false);
    } else if state.screen == 1 && areas.body.contains(at) {
        let Some(place) = view::calls::at(state, at.y - areas.body.y) else { return };
        if state.call.is_some() && place == view::calls::place(state) {
            return act(state, KeyAction::Open);
        }
        choose(state, place);
    } else if state.screen == 0 {
        state.dragging = areas.divider.filter(|area| area.contains(at)).map(|_| Handle::Edge);
        if areas.list.contains(at) {
            let Some(number) = view::stream::at(state, at.y - areas.list.y) else { return };
            if number == state.selected && state.detail.is_none() {
                return act(state, KeyAction::Open);
            }
            state.select(number);
            if let Some(detail) = &mut state.detail {
                detail.focused = false;
            }
        } else if let Some(area) = areas.detail.filter(|area| area.contains(at)) {
            let cursor = view::detail::at(state, area, at);
            if let Some(detail) = &mut state.detail {
                (detail.focused, detail.cursor) = (true, cursor);
            }
        }
    }
}

/// Ticks a column, or takes the tick away.
fn tick(state: &mut State, at: Position) {
    let Some(place) =
        state.ticks.as_ref().and_then(|ticks| view::column_picker::at(state, ticks, at))
    else {
        return;
    };
    if let Some(ticks) = &mut state.ticks {
        ticks.cursor = place;
        ticks.toggle();
    }
}

/// Goes to that place of a replay.
fn jump(state: &mut State, at: Position, is_held: bool) {
    if let Some(place) = view::position::at(state, at, is_held) {
        seek::go_to_place(state, place);
    }
}

/// The edge goes where it is dragged, but neither side of it goes away.
fn drag(state: &mut State, at: Position) {
    let areas = view::areas(state);
    let body = areas.body;
    let (given, whole) = if areas.is_beside {
        (body.right().saturating_sub(at.x), body.width)
    } else {
        (body.bottom().saturating_sub(at.y), body.height)
    };
    state.share =
        (u32::from(given) * 100 / u32::from(whole.max(1))).clamp(20, 80).try_into().unwrap_or(50);
}
