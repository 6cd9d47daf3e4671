//! Draws a whole frame: header, panel, prompt, footer, and the open overlays.

pub mod footer;
pub mod header;
pub mod position;
pub mod prompt;

use ratatui::Frame;

use super::layout::{ScreenLayout, failure_lines};
use super::overlays::{column_picker, help, marks};
use super::panels::panel;
use super::scrolling::render_lines;
use super::state::State;

/// Draws a frame.
pub fn draw(state: &State, frame: &mut Frame<'_>) {
    let layout = ScreenLayout::new(state);
    let buffer = frame.buffer_mut();
    header::render(state, layout.header, layout.tabs, buffer);
    render_lines(failure_lines(state), 0, layout.failures, buffer);
    position::render(state, layout.position, buffer);
    panel(state.screen).render(state, layout.body, buffer);
    if let Some(picker) = &state.column_picker {
        column_picker::render(state, picker, layout.body, buffer);
    }
    if state.mark_list.is_some() {
        marks::render(state, layout.body, buffer);
    }
    let cursor = prompt::render(state, layout.prompt, buffer);
    footer::render(state, layout.footer, buffer);
    if state.help.is_some() {
        help::render(state, help::area(state), buffer);
    }
    state.config.theme.paint(frame.buffer_mut());
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
}
