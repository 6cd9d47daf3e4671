//! Statistics: the rate over time by family, percentiles of durations, outcomes of calls, and
//! events by type.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::analysis::stats::text::span;
use crate::model::family;
use crate::tui::layout::{ScreenLayout, halves};
use crate::tui::live_stats::SECONDS;
use crate::tui::panel::Panel;
use crate::tui::screen::Screen;
use crate::tui::scrolling::render_lines;
use crate::tui::state::State;
use crate::tui::text::{cell, count, cut};

/// Bars of zero to eight eighths of a cell.
const BARS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// The statistics, in two columns if they fit.
pub struct StatsPanel;

impl Panel for StatsPanel {
    fn render(&self, state: &State, area: Rect, buffer: &mut Buffer) {
        let scroll = state.scroll[Screen::Stats.index()];
        for (area, lines) in columns(state, area) {
            render_lines(lines, scroll, area, buffer);
        }
    }

    fn line_count(&self, state: &State) -> usize {
        let columns = columns(state, ScreenLayout::new(state).body);
        columns.iter().map(|(_, lines)| lines.len()).max().unwrap_or(0)
    }
}

/// Returns the columns of the statistics: one, or two if they fit.
fn columns(state: &State, area: Rect) -> Vec<(Rect, Vec<Line<'static>>)> {
    let (left, right) = if area.width < 110 { (area, area) } else { halves(area) };
    let width = usize::from(left.width).saturating_sub(1);
    let first = [rates(state, width), percentiles(state, width), outcomes(state, width)].concat();
    if left == area {
        return vec![(area, [first, types(state, width)].concat())];
    }
    vec![(left, first), (right, types(state, width))]
}

fn rates(state: &State, width: usize) -> Vec<Line<'static>> {
    let theme = state.config.theme;
    let cells = width.saturating_sub(22).min(SECONDS);
    let mut lines = vec![cut(
        vec![
            Span::styled(" Events per second", theme.heading()),
            Span::styled(format!("  last {cells} s, newest at the right"), theme.quiet()),
        ],
        width,
    )];
    let rates = &state.stats.rates;
    let longest = rates.values().map(std::collections::VecDeque::len).max().unwrap_or(0);
    let sum = |back: usize| {
        rates.values().filter_map(|seconds| seconds.get(seconds.len().checked_sub(back)?)).sum()
    };
    let all = (1..=longest).rev().map(sum).collect();
    let families = rates.iter().map(|(family, seconds)| (family.as_str(), seconds));
    for (family, seconds) in std::iter::once(("all", &all)).chain(families) {
        let max = seconds.iter().rev().take(cells).copied().max().unwrap_or(0);
        let mut line: String =
            seconds.iter().rev().take(cells).map(|events| level(*events, max)).collect();
        line = line.chars().rev().collect();
        let missing = " ".repeat(cells.saturating_sub(seconds.len()));
        lines.push(Line::from(vec![
            Span::raw(format!("   {} ", cell(family, 10))),
            Span::styled(format!("{missing}{line}"), theme.family(family)),
            Span::styled(format!(" ≤{}", count(max)), theme.quiet()),
        ]));
    }
    lines.push(Line::default());
    lines
}

fn level(value: u64, max: u64) -> &'static str {
    let level = (value * 8).div_ceil(max.max(1));
    BARS[usize::try_from(level).unwrap_or(8).min(8)]
}

fn percentiles(state: &State, width: usize) -> Vec<Line<'static>> {
    let theme = state.config.theme;
    // Three durations and a count follow the name.
    let name_width = width.saturating_sub(43).clamp(8, 24);
    let mut lines = vec![Line::from(vec![
        Span::styled(format!(" {}", cell("Percentiles", name_width + 2)), theme.heading()),
        Span::styled("      p50       p95       p99     count", theme.quiet()),
    ])];
    for (name, measured) in state.stats.totals.durations() {
        let Some([p50, p95, p99]) = measured.percentiles().map(|percentiles| percentiles.map(span))
        else {
            continue;
        };
        let number = count(measured.count());
        lines.push(Line::raw(format!(
            "   {}{p50:>9} {p95:>9} {p99:>9} {number:>9}",
            cell(name, name_width)
        )));
    }
    lines.push(Line::default());
    lines
}

fn outcomes(state: &State, width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled(" How calls ended", state.config.theme.heading())];
    let totals = &state.stats.totals;
    // Without a workspace stream, only the observer sessions report outcomes.
    let calls = if totals.calls.outcomes.is_empty() { &totals.sessions } else { &totals.calls };
    let outcomes = calls.outcomes.sorted(|number| *number);
    let max = outcomes.iter().map(|(_, number)| **number).max().unwrap_or(1);
    lines.extend(outcomes.into_iter().map(|(name, number)| {
        let style = state.config.theme.family("call");
        bar(name, *number, max, width, style)
    }));
    lines.push(Line::default());
    lines
}

fn types(state: &State, width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled(" Events by type", state.config.theme.heading())];
    let types = state.stats.totals.types();
    let max = types.iter().map(|(_, number)| *number).max().unwrap_or(1);
    lines.extend(types.into_iter().map(|(name, number)| {
        let style = state.config.theme.family(family(name.unwrap_or_default()));
        bar(name, number, max, width, style)
    }));
    lines
}

/// Returns a line with a name, a count and a bar. `None` stands for all types that are not counted
/// separately.
fn bar(
    name: Option<&str>,
    number: u64,
    max: u64,
    width: usize,
    style: ratatui::style::Style,
) -> Line<'static> {
    let cells = width.saturating_sub(42).min(50) as u64;
    let filled = usize::try_from((number * cells).div_ceil(max.max(1))).unwrap_or(0);
    Line::from(vec![
        Span::raw(format!("   {} {:>9} ", cell(name.unwrap_or("(other)"), 26), count(number))),
        Span::styled("█".repeat(filled), style),
    ])
}
