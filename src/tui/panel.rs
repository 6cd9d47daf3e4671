//! What a panel is: it draws one screen, and says what keys and mouse do there.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Span;

use super::keys::{KeyAction, KeyHint};
use super::layout::ScreenLayout;
use super::screen::Screen;
use super::scrolling::scroll_target;
use super::state::State;

/// A screen of the live view.
///
/// The methods that have a default make a panel whose lines are scrolled from the top: such a panel
/// only renders and counts its lines.
pub trait Panel {
    /// Draws the panel into that area.
    fn render(&self, state: &State, area: Rect, buffer: &mut Buffer);

    /// Returns how many lines there are to scroll through.
    fn line_count(&self, state: &State) -> usize;

    /// Returns the keys that matter here, the most important first.
    fn hints(&self, _state: &State) -> Vec<KeyHint> {
        vec![
            (KeyAction::Down, "scroll"),
            (KeyAction::NextScreen, "next screen"),
            (KeyAction::Back, "stream"),
        ]
    }

    /// Returns what is shown beside the tabs, instead of what is paused, searched and filtered.
    fn status(&self, _state: &State) -> Option<Vec<Span<'static>>> {
        None
    }

    /// Handles a key while the panel is shown. Returns whether the key has a meaning here.
    fn handle_key(&self, state: &mut State, action: KeyAction) -> bool {
        if matches!(action, KeyAction::Back | KeyAction::Out) {
            state.screen = Screen::Stream;
            return true;
        }
        scroll_by_key(state, self.line_count(state), action)
    }

    /// Handles one step of the wheel over that cell.
    fn handle_wheel(&self, state: &mut State, _at: Position, action: KeyAction) {
        self.handle_key(state, action);
    }

    /// Handles a click on that cell, unless it is on the tabs or the position in a replay.
    fn handle_click(&self, _state: &mut State, _at: Position) {}

    /// Follows the mouse to that cell while [`DragTarget::Panel`] is dragged.
    ///
    /// [`DragTarget::Panel`]: super::state::modes::DragTarget::Panel
    fn handle_drag(&self, _state: &mut State, _at: Position) {}
}

/// Scrolls the screen that is shown, which has that many lines. Returns whether the key scrolls.
pub fn scroll_by_key(state: &mut State, line_count: usize, action: KeyAction) -> bool {
    let page = page(state);
    let scroll = &mut state.scroll[state.screen.index()];
    let target = scroll_target(action, *scroll, page, line_count.saturating_sub(page));
    if let Some(target) = target {
        *scroll = target;
    }
    target.is_some()
}

/// Returns how many lines the body has.
#[must_use]
pub fn page(state: &State) -> usize {
    usize::from(ScreenLayout::new(state).body.height).max(1)
}
