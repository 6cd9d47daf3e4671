//! Handles the mouse: a click selects, a second click opens, the wheel scrolls, and the edge of the
//! detail and the position in a replay can be dragged.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::keys::KeyAction;
use super::layout::ScreenLayout;
use super::overlays::{column_picker, help, marks};
use super::panels::panel;
use super::seek;
use super::state::State;
use super::state::modes::DragTarget;
use super::view::{header, position};

/// The number of lines that one step of the wheel scrolls.
const WHEEL_STEPS: usize = 3;

/// Handles a mouse event. Returns whether anything changed.
pub fn handle(state: &mut State, mouse: MouseEvent) -> bool {
    let at = Position::new(mouse.column, mouse.row);
    match mouse.kind {
        MouseEventKind::ScrollDown => wheel(state, at, KeyAction::Down),
        MouseEventKind::ScrollUp => wheel(state, at, KeyAction::Up),
        MouseEventKind::Down(MouseButton::Left) if state.help.take().is_some() => {
            state.help_filter.clear();
        }
        MouseEventKind::Down(MouseButton::Left) if state.column_picker.is_some() => {
            column_picker::handle_click(state, at);
        }
        MouseEventKind::Down(MouseButton::Left) if state.mark_list.is_some() => {
            marks::handle_click(state, at);
        }
        MouseEventKind::Down(MouseButton::Left) => click(state, at),
        MouseEventKind::Drag(MouseButton::Left) => match state.dragging {
            Some(DragTarget::Panel(screen)) => panel(screen).handle_drag(state, at),
            Some(DragTarget::Position) => seek_to(state, at, true),
            None => return false,
        },
        MouseEventKind::Up(MouseButton::Left) => state.dragging = None,
        _ => return false,
    }
    true
}

fn wheel(state: &mut State, at: Position, action: KeyAction) {
    for _ in 0..WHEEL_STEPS {
        if state.help.is_some() {
            help::handle_key(state, action);
        } else if state.column_picker.is_some() {
            column_picker::handle_key(state, action);
        } else if state.mark_list.is_some() {
            marks::handle_key(state, action);
        } else {
            panel(state.screen).handle_wheel(state, at, action);
        }
    }
}

fn click(state: &mut State, at: Position) {
    if let Some(screen) = header::tab_at(state, at) {
        state.switch_to(screen);
    } else if ScreenLayout::new(state).position.contains(at) {
        state.dragging = Some(DragTarget::Position);
        seek_to(state, at, false);
    } else {
        panel(state.screen).handle_click(state, at);
    }
}

/// Goes to the place in the replay that the cell stands for.
fn seek_to(state: &mut State, at: Position, is_dragged: bool) {
    if let Some(offset) = position::offset_at(state, at, is_dragged) {
        seek::go_to_place(state, offset);
    }
}
