//! The charts above the list of calls: how many there are at a time, how they ended, and how soon
//! the agent answers.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::text::terminal;
use crate::tui::charts::bar::bar;
use crate::tui::charts::graph::Graph;
use crate::tui::charts::scale::{ChartScale, value};
use crate::tui::duration_chart;
use crate::tui::history_graph::{times, title, whole};
use crate::tui::layout::columns;
use crate::tui::scrolling::render_lines;
use crate::tui::state::State;
use crate::tui::text::{cell, count};

/// The number of moments at which calls are counted.
const MOMENTS: usize = 240;

/// Draws the charts that fit.
pub fn render(state: &State, area: Rect, buffer: &mut Buffer) {
    // The last line keeps the charts apart from the list.
    let area = Rect { height: area.height.saturating_sub(1), ..area };
    let areas = columns(area, if area.width < 180 { 2 } else { 3 });
    at_a_time(state, areas[0], buffer);
    outcomes(state, areas[1], buffer);
    if let Some(area) = areas.get(2) {
        duration_chart::first_audio(state, *area, buffer);
    }
}

/// Returns how many calls there are in each of [`MOMENTS`] parts of a time range.
fn ongoing(state: &State, (from, to): (Timestamp, Timestamp)) -> Vec<f64> {
    let seconds = to.duration_since(from).as_secs_f64().max(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let moment = |time: Timestamp| {
        let share = time.duration_since(from).as_secs_f64() / seconds;
        (share * value(MOMENTS as u64)).clamp(0.0, value(MOMENTS as u64 - 1)) as usize
    };
    let mut changes = [0_i32; MOMENTS + 1];
    for (_, call) in state.shown().calls.iter() {
        let Some(began) = call.began else { continue };
        let end = call.ended.as_ref().map_or(to, |(end, _)| *end);
        changes[moment(began)] += 1;
        changes[moment(end).max(moment(began)) + 1] -= 1;
    }
    let sums = changes.into_iter().take(MOMENTS).scan(0, |sum, change| {
        *sum += change;
        Some(f64::from(*sum))
    });
    sums.collect()
}

fn at_a_time(state: &State, area: Rect, buffer: &mut Buffer) {
    let theme = state.config.theme;
    let mut heading = vec![Span::styled(" Calls at a time", theme.heading())];
    let Some(span) = state.shown().stats.history.span() else {
        title(heading, area, buffer);
        return;
    };
    let values = ongoing(state, span);
    let peak = values.iter().copied().fold(0.0, f64::max);
    heading.push(Span::styled(format!("  peak {}", whole(peak)), theme.quiet()));
    let area = title(heading, area, buffer);
    let [from, to] = times(state, span);
    let graph = Graph::new(&values, whole).styles(theme.family("call"), theme.quiet());
    graph.times(from, to).render(area, buffer);
}

fn outcomes(state: &State, area: Rect, buffer: &mut Buffer) {
    let theme = state.config.theme;
    let totals = &state.shown().stats.totals;
    let calls = if totals.calls.outcomes.is_empty() { &totals.sessions } else { &totals.calls };
    let outcomes = calls.outcomes.sorted(|number| *number);
    let all: u64 = outcomes.iter().map(|(_, number)| **number).sum();
    let heading = vec![
        Span::styled(" How calls ended", theme.heading()),
        Span::styled(format!("  {} of them", count(all)), theme.quiet()),
    ];
    let area = title(heading, area, buffer);
    let width = usize::from(area.width);
    let room = width.saturating_sub(36);
    let lines = outcomes.into_iter().map(|(name, number)| {
        let share = ChartScale::Linear.share(value(*number), value(all));
        Line::from(vec![
            Span::raw(format!("   {} ", cell(&terminal::visible(name.unwrap_or("(other)")), 16))),
            Span::raw(format!("{:>7} ", count(*number))),
            Span::styled(format!("{:>4.0}% ", share * 100.0), theme.quiet()),
            Span::styled(bar(share, room), theme.family("call")),
        ])
    });
    render_lines(lines.collect(), 0, area, buffer);
}
