//! The charts of the statistics: the rate of events, and the latency of turns.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::tui::duration_chart;
use crate::tui::history_graph::{self, ERROR, GAP, title};
use crate::tui::layout::columns;
use crate::tui::state::State;
use crate::tui::text::{count, length};

/// Returns how many lines of an area the charts take.
pub fn height(area: Rect) -> u16 {
    match (area.width, area.height) {
        (0..40, _) | (_, 0..14) => 0,
        (_, 14..28) => 5,
        (_, 28..44) => 8,
        _ => 12,
    }
}

/// Draws the charts that fit.
pub fn render(state: &State, area: Rect, buffer: &mut Buffer) {
    // The last line keeps the charts apart from the lists.
    let area = Rect { height: area.height.saturating_sub(1), ..area };
    let is_replay = state.config.pace.is_some();
    match area.width {
        0..110 if is_replay => session(state, area, buffer),
        0..110 => recent(state, area, buffer),
        110..180 => {
            let areas = columns(area, 2);
            let first = if is_replay { session } else { recent };
            first(state, areas[0], buffer);
            duration_chart::first_audio(state, areas[1], buffer);
        }
        _ => {
            let areas = columns(area, 3);
            recent(state, areas[0], buffer);
            session(state, areas[1], buffer);
            duration_chart::first_audio(state, areas[2], buffer);
        }
    }
}

fn recent(state: &State, area: Rect, buffer: &mut Buffer) {
    let theme = state.config.theme;
    let heading = vec![
        Span::styled(" Events", theme.heading()),
        Span::styled(
            format!("  last 4 minutes, {}/s now", count(state.shown().stats.rate())),
            theme.quiet(),
        ),
    ];
    let area = title(heading, area, buffer);
    history_graph::render_recent(state, area, buffer);
}

fn session(state: &State, area: Rect, buffer: &mut Buffer) {
    let theme = state.config.theme;
    let history = &state.shown().stats.history;
    let width = length(history.width());
    let heading = vec![
        Span::styled(" Events", theme.heading()),
        Span::styled(format!("  all, {width} each  {ERROR} errors  {GAP} gap"), theme.quiet()),
    ];
    let area = title(heading, area, buffer);
    history_graph::render(state, &[history], theme.family("observer"), area, buffer);
}
