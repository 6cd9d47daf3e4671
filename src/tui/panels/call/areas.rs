//! The areas of the view of a call.
//!
//! ```text
//! ┌ title: SID, length, state, cursor ───────────────────────────────┐
//! │ lanes: axis of time, states, speech, tools, emotion, latency     │
//! │ the turn under the cursor, and where its time went               │
//! ├ conversation ────────────────────┬ latency of all turns ─────────┤
//! │                                  ├ input and output of the tool ─┤
//! └──────────────────────────────────┴ (below if it is narrow) ──────┘
//! ```

use ratatui::layout::Rect;

use super::picture::{self, CallLane};
use crate::analysis::call::Call;
use crate::analysis::call::transcript::TranscriptItem;
use crate::tui::call_cursor;
use crate::tui::state::State;

/// The minimum width for showing details beside the conversation.
const BESIDE_MIN_WIDTH: u16 = 110;

/// The minimum width for showing lanes.
const MIN_LANE_WIDTH: u16 = 36;

/// The lines that a narrow screen shows of a tool call.
const NARROW_TOOL_LINES: u16 = 4;

/// The areas of the view of a call. A part for which there is no room has height 0.
#[derive(Debug, Clone)]
pub struct CallAreas {
    /// The title.
    pub title: Rect,
    /// The lanes.
    pub lanes: Rect,
    /// The lanes that fit, from top to bottom.
    pub shown: Vec<CallLane>,
    /// The turn under the cursor.
    pub turn: Rect,
    /// The conversation.
    pub conversation: Rect,
    /// The latency of all turns.
    pub waterfall: Rect,
    /// The input and output of a tool.
    pub tool: Rect,
}

impl CallAreas {
    /// Lays out `area`.
    #[must_use]
    pub fn new(state: &State, call: &Call, area: Rect) -> Self {
        let none = Rect { height: 0, ..area };
        let title = Rect { height: area.height.min(1), ..area };
        let below = area.height - title.height;
        // More than half of a low screen, because the conversation needs no more than some lines.
        let room = if below < 6 || area.width < MIN_LANE_WIDTH { 0 } else { below * 11 / 20 };
        let shown = picture::lanes(room);
        let height = shown.iter().map(|lane| lane.height).sum();
        let lanes = Rect { y: title.bottom(), height, ..area };
        let turn = match below - height {
            _ if room == 0 => 0,
            ..24 => 1,
            _ => 2,
        };
        let turn = Rect { y: lanes.bottom(), height: turn, ..area };
        let rest = Rect { y: turn.bottom(), height: area.bottom() - turn.bottom(), ..area };
        let mut areas =
            Self { title, lanes, shown, turn, conversation: rest, waterfall: none, tool: none };
        if area.width >= BESIDE_MIN_WIDTH && rest.height >= 6 {
            areas.conversation.width = area.width * 3 / 5;
            let x = areas.conversation.right() + 1;
            let side = Rect { x, width: area.right() - x, ..rest };
            let tool = (rest.height * 2 / 5).min(14);
            // A line between them stays empty.
            areas.waterfall = Rect { height: rest.height - tool - 1, ..side };
            let y = areas.waterfall.bottom() + 1;
            areas.tool = Rect { y, height: tool, ..side };
        } else if rest.height >= 24 {
            let height = (rest.height / 4).min(12);
            areas.conversation.height -= height * 2;
            let y = areas.conversation.bottom() + 1;
            areas.waterfall = Rect { y, height: height - 2, ..rest };
            areas.tool = Rect { y: areas.waterfall.bottom() + 1, height, ..rest };
        } else if rest.height >= NARROW_TOOL_LINES + 3 && is_on_tool(state, call) {
            areas.conversation.height -= NARROW_TOOL_LINES;
            let y = areas.conversation.bottom();
            areas.tool = Rect { y, height: NARROW_TOOL_LINES, ..rest };
        }
        areas
    }
}

/// Returns whether the user has moved the cursor to a tool call.
fn is_on_tool(state: &State, call: &Call) -> bool {
    let cursor = state.call_view.cursor.is_some();
    let place = call_cursor::position(state.call_view.cursor, &call.transcript);
    let item = place.and_then(|(place, _)| call.transcript.items.get(place));
    cursor && matches!(item, Some((_, TranscriptItem::Tool { .. })))
}
