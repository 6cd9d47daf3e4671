//! The [`Panel`] trait: draws one screen and handles its keys and mouse events.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Span;

use super::keys::{KeyAction, KeyHint};
use super::state::State;

/// A panel of the live screen.
pub trait Panel {
    /// Draws the panel into `area`.
    fn render(&self, state: &State, area: Rect, buffer: &mut Buffer);

    /// Returns the hints for the footer, the most important first.
    fn hints(&self, state: &State) -> Vec<KeyHint>;

    /// Returns the text beside the tabs. It describes this panel and nothing else.
    fn status(&self, _state: &State) -> Vec<Span<'static>> {
        Vec::new()
    }

    /// Handles a key while the panel is shown. Returns whether the key has a meaning here.
    fn handle_key(&self, state: &mut State, action: KeyAction) -> bool;

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

    /// Adjusts what depends on the events, such as the selection, before the panel is drawn.
    fn settle(&self, _state: &mut State) {}
}
