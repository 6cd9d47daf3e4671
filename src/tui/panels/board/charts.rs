//! The charts above the lists of the board: the events about operators, surfaces, and triggers and
//! pipelines over the session, and how many operators are available.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::tui::charts::bar::{BarPart, stacked_bar};
use crate::tui::charts::scale::value;
use crate::tui::history_graph::{self, ERROR, title};
use crate::tui::layout::columns;
use crate::tui::screen::Screen;
use crate::tui::state::State;
use crate::tui::text::count;

/// The width of the bar that shows how many operators are available.
const BAR_CELLS: usize = 12;

/// Returns how many groups of sections are beside each other.
pub fn groups(width: u16) -> usize {
    match width {
        0..110 => 1,
        110..180 => 2,
        _ => 3,
    }
}

/// Returns how many lines of an area the charts take: more if the lists need few.
pub fn height(state: &State, area: Rect) -> u16 {
    let workspace = &state.shown().workspace;
    let lists = workspace.operators.len().max(workspace.triggers.len() + workspace.pipelines.len());
    history_graph::height(area, lists)
}

/// Draws a chart above each group of sections.
pub fn render(state: &State, area: Rect, buffer: &mut Buffer) {
    // The last line keeps the charts apart from the lists.
    let area = Rect { height: area.height.saturating_sub(1), ..area };
    let charts: &[(&str, &[&str])] = match groups(area.width) {
        3 => &[
            ("Operators", &["operator"]),
            ("Surfaces", &["surface"]),
            ("Triggers and pipelines", &["trigger", "pipeline"]),
        ],
        _ => &[
            ("Operators and surfaces", &["operator", "surface"]),
            ("Triggers and pipelines", &["trigger", "pipeline"]),
        ],
    };
    for ((name, families), area) in charts.iter().zip(columns(area, charts.len())) {
        let theme = state.config.theme;
        let mut heading = vec![Span::styled(format!(" {name}"), theme.heading())];
        let histories: Vec<_> = families
            .iter()
            .filter_map(|family| state.shown().stats.histories.get(*family))
            .collect();
        if histories.iter().any(|history| history.sum().errors > 0) {
            heading.push(Span::styled(format!("  events, {ERROR} errors"), theme.quiet()));
        } else {
            heading.push(Span::styled("  events", theme.quiet()));
        }
        let area = title(heading, area, buffer);
        history_graph::render(state, &histories, theme.family(families[0]), area, buffer);
    }
}

/// Returns how many operators are free, busy, and neither.
pub fn availability(state: &State) -> Vec<Span<'static>> {
    let theme = state.config.theme;
    let operators = &state.shown().workspace.operators;
    let number = |is_counted: fn(&str) -> bool| {
        let status =
            operators.named().map(|(_, operator)| operator.status.as_deref().unwrap_or(""));
        status.filter(|status| is_counted(status)).count() as u64
    };
    let free = number(|status| status == "online");
    let busy = number(|status| status == "busy");
    let other = (operators.len() as u64).saturating_sub(free + busy);
    let is_narrow = state.size.0 < 110;
    let is_filtered = !state.lists[Screen::Board.index()].filter.is_empty();
    if operators.is_empty() || is_narrow && is_filtered {
        return Vec::new();
    }
    let parts = [
        (free, "online", '█', theme.good()),
        (busy, "busy", '▓', theme.warning()),
        (other, "other", '░', theme.quiet()),
    ];
    let bar =
        parts.map(|(number, _, symbol, style)| BarPart { value: value(number), symbol, style });
    let mut spans = stacked_bar(&bar, if is_narrow { 0 } else { BAR_CELLS });
    for (number, name, symbol, style) in parts {
        spans.push(Span::styled(format!(" {symbol} "), style));
        spans.push(Span::styled(format!("{} {name}", count(number)), theme.heading()));
    }
    spans.push(Span::raw(" "));
    spans
}
