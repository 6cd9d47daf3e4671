//! Calls over time, the latency of first audio, and the way of surfaces.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::analysis::latency::{COMPONENTS, FIRST_AUDIO};
use crate::analysis::stats::text::span;
use crate::analysis::surface_funnel::FUNNEL;
use crate::tui::charts::gauge::gauge;
use crate::tui::charts::graph::Graph;
use crate::tui::charts::scale::value;
use crate::tui::charts::sparkline::sparkline;
use crate::tui::history_graph::whole;
use crate::tui::scrolling::render_lines;
use crate::tui::state::State;
use crate::tui::text::{cell, count, counted, cut, length};

/// The lowest height of a graph with axes.
const AXES_MIN_HEIGHT: u16 = 4;

/// Returns the name of the moment that is shown.
fn when(state: &State) -> &'static str {
    if state.moment().is_some() { "then" } else { "now" }
}

/// Returns the title of the calls: how many are on now, and the most that were.
pub fn calls_title(state: &State) -> Vec<Span<'static>> {
    let theme = state.config.theme;
    let trends = &state.shown().trends;
    vec![
        Span::styled("Calls", theme.heading()),
        Span::styled(
            format!("  {} on {}", count(trends.ongoing()), when(state)),
            theme.family("call"),
        ),
        Span::styled(format!(", peak {}", count(trends.peak())), theme.quiet()),
    ]
}

/// Draws the calls over time.
pub fn render_calls(state: &State, area: Rect, buffer: &mut Buffer) {
    let values = state.shown().trends.calls();
    draw(state, &values, whole, state.config.theme.family("call"), area, buffer);
}

/// Returns the title of the latency.
pub fn audio_title(state: &State) -> Vec<Span<'static>> {
    let theme = state.config.theme;
    let place = COMPONENTS.iter().position(|component| component.field == FIRST_AUDIO.field);
    let measured = place.and_then(|place| state.shown().stats.totals.latency[place].percentiles());
    let mut spans = vec![Span::styled("First audio", theme.heading())];
    if let Some([median, percentile_95, _]) = measured {
        spans.extend([
            Span::styled(format!("  p95 {}", span(percentile_95)), theme.family("observer")),
            Span::styled(format!(", median {}", span(median)), theme.quiet()),
        ]);
    }
    spans
}

/// Draws the latency of first audio over time.
pub fn render_audio(state: &State, area: Rect, buffer: &mut Buffer) {
    let theme = state.config.theme;
    let values = state.shown().trends.latencies();
    if values.iter().all(|value| *value <= 0.0) {
        let text = " no observed call yet; watch with --auto-observe N";
        let line = Line::styled(text, theme.quiet());
        return render_lines(vec![line], 0, area, buffer);
    }
    draw(state, &values, span, theme.family("observer"), area, buffer);
}

/// Draws values over the time that the trends cover: as a graph if there is room for axes.
fn draw(
    state: &State,
    values: &[f64],
    format: fn(f64) -> String,
    style: Style,
    area: Rect,
    buffer: &mut Buffer,
) {
    if area.height < AXES_MIN_HEIGHT {
        let most = values.iter().copied().fold(0.0, f64::max);
        let cells = usize::from(area.width).saturating_sub(2);
        let line = format!(" {}", sparkline(values, cells, most));
        let lines = vec![Line::styled(line, style)];
        return render_lines(lines, 0, area, buffer);
    }
    let from = format!("-{}", length(state.shown().trends.covered_seconds()));
    let graph = Graph::new(values, format).styles(style, state.config.theme.quiet());
    graph.times(from, when(state)).render(area, buffer);
}

/// Returns the title of the surfaces.
pub fn surfaces_title(state: &State) -> Vec<Span<'static>> {
    let theme = state.config.theme;
    let [approved, rejected, archived] = state.shown().workspace.reviewed;
    let created = counted(state.shown().workspace.funnel[0], "surface");
    let mut spans = vec![
        Span::styled("Surfaces", theme.heading()),
        Span::styled(format!("  {created}"), theme.family("surface")),
    ];
    for (number, name) in [(approved, "approved"), (rejected, "rejected"), (archived, "archived")] {
        if number > 0 {
            spans.push(Span::styled(format!("  {} {name}", count(number)), theme.quiet()));
        }
    }
    spans
}

/// Draws the steps that surfaces have reached, one after the other.
pub fn render_surfaces(state: &State, area: Rect, buffer: &mut Buffer) {
    let theme = state.config.theme;
    let funnel = state.shown().workspace.funnel;
    let all = funnel[0].max(1);
    if area.height < 2 {
        let mut spans = vec![Span::styled(" Surfaces ", theme.heading())];
        for (at, (step, reached)) in FUNNEL.iter().zip(funnel).enumerate() {
            let arrow = if at > 0 { " ▸ " } else { "" };
            spans.push(Span::styled(format!("{arrow}{} ", step.label), theme.quiet()));
            spans.push(Span::styled(count(reached), theme.family("surface")));
        }
        return cut(spans, area.width.into()).render(area, buffer);
    }
    let room = usize::from(area.width).saturating_sub(1) / FUNNEL.len();
    let (mut names, mut bars) = (vec![Span::raw(" ")], vec![Span::raw(" ")]);
    for (step, reached) in FUNNEL.iter().zip(funnel) {
        let share = format!(" {}%", reached * 100 / all);
        let name = format!("{} {}", step.label, count(reached));
        names.push(Span::raw(cell(&name, room)));
        let cells = room.saturating_sub(share.len() + 2);
        let done = value(reached) / value(all);
        bars.extend(gauge(done, cells, theme.family("surface"), theme.quiet()));
        bars.push(Span::styled(format!("{share}  "), theme.quiet()));
    }
    render_lines(vec![Line::from(names), Line::from(bars)], 0, area, buffer);
}
