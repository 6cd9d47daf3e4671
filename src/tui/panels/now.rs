//! What needs attention now, and the state of the workspace around it: calls, latency, outcomes,
//! operators and surfaces.
//!
//! ```text
//! ┌ Attention ────────────────────┐┌ Outcomes ────────┐
//! │ list                          ││ list             │
//! └───────────────────────────────┘└──────────────────┘
//! ┌ Calls ────────────────────────┐┌ Operators ───────┐
//! │ graph                         ││ list             │
//! └───────────────────────────────┘│                  │
//! ┌ First audio ──────────────────┐│                  │
//! │ graph                         ││                  │
//! └───────────────────────────────┘└──────────────────┘
//! ┌ Surfaces: from created to submitted ──────────────┐
//! └───────────────────────────────────────────────────┘
//! ```
//!
//! On a small terminal, lines with titles take the place of the boxes, and the attention list is
//! above everything else.

mod graphs;
mod items;
mod lists;
mod panes;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::keys::{KeyAction, KeyHint};
use crate::tui::list::{ATTENTION, RowId};
use crate::tui::list_panel::ListPanel;
use crate::tui::list_section::ListSection;
use crate::tui::screen::Screen;
use crate::tui::state::State;
use panes::Panes;

/// What needs attention, and the state of the workspace.
pub struct NowPanel;

impl ListPanel for NowPanel {
    fn screen(&self) -> Screen {
        Screen::Now
    }

    fn groups<'a>(&self, state: &'a State, area: Rect) -> Vec<Vec<ListSection<'a>>> {
        let panes = Panes::new(state, area);
        let mut groups = vec![vec![items::section(state, panes.attention.inner.width.into())]];
        if panes.has_lists() {
            groups.push(vec![lists::outcomes(state, panes.outcomes.inner.width.into())]);
            groups.push(vec![lists::operators(state, panes.operators.inner.width.into())]);
        }
        groups
    }

    fn areas(&self, state: &State, area: Rect, _groups: usize) -> Vec<Rect> {
        let panes = Panes::new(state, area);
        vec![panes.attention.inner, panes.outcomes.inner, panes.operators.inner]
    }

    fn render_around(&self, state: &State, area: Rect, buffer: &mut Buffer) {
        let panes = Panes::new(state, area);
        let room = usize::from(panes.attention.outer.width).saturating_sub(6);
        panes.attention.render_frame(state, items::title(state, room), buffer);
        if !panes.has_lists() {
            return;
        }
        panes.outcomes.render_frame(state, lists::outcomes_title(state), buffer);
        panes.operators.render_frame(state, lists::operators_title(state), buffer);
        panes.calls.render_frame(state, graphs::calls_title(state), buffer);
        graphs::render_calls(state, panes.calls.inner, buffer);
        panes.audio.render_frame(state, graphs::audio_title(state), buffer);
        graphs::render_audio(state, panes.audio.inner, buffer);
        panes.surfaces.render_frame(state, graphs::surfaces_title(state), buffer);
        graphs::render_surfaces(state, panes.surfaces.inner, buffer);
    }

    fn handle_own_key(&self, state: &mut State, action: KeyAction) -> bool {
        let is_filtered = !state.lists[Screen::Now.index()].filter.is_empty();
        if action == KeyAction::Back && !is_filtered && state.trail.is_empty() {
            state.notify("press q to quit");
            return true;
        }
        false
    }

    /// Items that appear later take precedence over the other lists.
    fn may_be_first(&self, row: &RowId) -> bool {
        row.section == ATTENTION
    }

    fn own_hints(&self) -> Vec<KeyHint> {
        vec![(KeyAction::NextAttention, "next item"), (KeyAction::Acknowledge, "acknowledge")]
    }
}
