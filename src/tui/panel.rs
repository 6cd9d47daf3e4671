//! The [`Panel`] trait: draws one screen and handles its keys and mouse events.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Span;

use super::keys::{KeyAction, KeyHint};
use super::layout::ScreenLayout;
use super::screen::Screen;
use super::scrolling::scroll_target;
use super::state::State;

/// A panel of the live screen.
///
/// The default methods implement a panel whose lines are scrolled from the top; such a panel only
/// has to draw and count its lines.
pub trait Panel {
    /// Draws the panel into `area`.
    fn render(&self, state: &State, area: Rect, buffer: &mut Buffer);

    /// Returns how many lines there are to scroll through, in the current layout.
    fn line_count(&self, _state: &State) -> usize {
        0
    }

    /// Returns the hints for the footer, the most important first.
    fn hints(&self, _state: &State) -> Vec<KeyHint> {
        vec![
            (KeyAction::Down, "scroll"),
            (KeyAction::NextScreen, "next screen"),
            (KeyAction::Back, "stream"),
        ]
    }

    /// Returns the text beside the tabs. It describes this panel and nothing else.
    fn status(&self, _state: &State) -> Vec<Span<'static>> {
        Vec::new()
    }

    /// Handles a key while the panel is shown. Returns whether the key has a meaning here.
    fn handle_key(&self, state: &mut State, action: KeyAction) -> bool {
        if matches!(action, KeyAction::Back | KeyAction::Out) {
            state.screen = Screen::Stream;
            return true;
        }
        scroll_by_key(state, self.line_count(state), action)
    }

    /// Handles one line of scrolling with the wheel over that cell.
    fn handle_wheel(&self, state: &mut State, _at: Position, action: KeyAction) {
        self.handle_key(state, action);
    }

    /// Handles a click on that cell. Clicks on the tabs and the replay position are not passed on.
    fn handle_click(&self, _state: &mut State, _at: Position) {}

    /// Handles a drag to that cell while [`DragTarget::Panel`] is dragged.
    ///
    /// [`DragTarget::Panel`]: super::state::modes::DragTarget::Panel
    fn handle_drag(&self, _state: &mut State, _at: Position) {}
}

/// Scrolls the current screen, which has `line_count` lines. Returns whether the key scrolls.
pub fn scroll_by_key(state: &mut State, line_count: usize, action: KeyAction) -> bool {
    let page = page(state);
    let scroll = &mut state.scroll[state.screen.index()];
    let target = scroll_target(action, *scroll, page, line_count.saturating_sub(page));
    if let Some(target) = target {
        *scroll = target;
    }
    target.is_some()
}

/// Returns the height of the body in lines, at least 1.
#[must_use]
pub fn page(state: &State) -> usize {
    usize::from(ScreenLayout::new(state).body.height).max(1)
}
