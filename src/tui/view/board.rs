//! The board: operators, surfaces from created to submitted, triggers, pipelines, reviews.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::text::{cell, count, cut, length};
use crate::analysis::surface_funnel::FUNNEL;
use crate::model::id_prefix;
use crate::text::terminal;
use crate::tui::state::State;

/// Draws the board, in two columns where there is room.
pub fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    if area.width < 110 {
        let lines = lines(state, usize::from(area.width));
        return super::scrolled(frame, area, lines, state.places[3]);
    }
    let half = area.width / 2;
    let right = Rect::new(area.x + half, area.y, area.width - half, area.height);
    let width = usize::from(half);
    let (mut first, second) = (operators(state, width), triggers(state, width));
    first.extend(funnel(state, width));
    super::scrolled(frame, Rect { width: half, ..area }, first, state.places[3]);
    let second = [second, pipelines(state, width), reviews(state)].concat();
    super::scrolled(frame, right, second, state.places[3]);
}

/// All of it in one column.
#[must_use]
pub fn lines(state: &State, width: usize) -> Vec<Line<'static>> {
    [
        operators(state, width),
        funnel(state, width),
        triggers(state, width),
        pipelines(state, width),
        reviews(state),
    ]
    .concat()
}

fn heading(state: &State, text: &str) -> Line<'static> {
    Line::styled(format!(" {text}"), state.setup.theme.heading())
}

fn none(state: &State, lines: &mut Vec<Line<'static>>) {
    if lines.len() == 1 {
        lines.push(Line::styled("   none heard of yet", state.setup.theme.quiet()));
    }
    lines.push(Line::default());
}

fn age(state: &State, time: Option<Timestamp>) -> String {
    time.map_or_else(String::new, |time| {
        format!("{:>7} ago", length(state.moment().as_second() - time.as_second()))
    })
}

fn operators(state: &State, width: usize) -> Vec<Line<'static>> {
    let theme = state.setup.theme;
    let operators = &state.workspace.operators;
    let mut lines = vec![heading(state, &format!("Operators  {}", count(operators.len() as u64)))];
    for (id, operator) in operators {
        let status = operator.status.as_deref().unwrap_or("unknown");
        let style = match status {
            "online" => theme.good(),
            "busy" => theme.warning(),
            _ => theme.quiet(),
        };
        let mut spans = vec![
            Span::styled(format!("   {} ", cell(id_prefix(id), 8)), theme.heading()),
            Span::styled(format!("{} ", cell(status, 8)), style),
            Span::styled(age(state, operator.heard), theme.quiet()),
        ];
        if let Some((sid, mode)) = &operator.call {
            let text =
                format!("  {} in {}…", terminal::visible(mode), terminal::visible(id_prefix(sid)));
            spans.push(Span::styled(text, theme.family("operator")));
        }
        lines.push(cut(spans, width));
    }
    none(state, &mut lines);
    lines
}

fn funnel(state: &State, width: usize) -> Vec<Line<'static>> {
    let theme = state.setup.theme;
    let funnel = state.workspace.funnel;
    let all = funnel[0];
    let mut lines = vec![heading(state, &format!("Surfaces  {}", count(all)))];
    for (step, reached) in FUNNEL.iter().zip(funnel).filter(|_| all > 0) {
        let cells = width.saturating_sub(30).min(60);
        let filled = usize::try_from(reached * cells as u64 / all.max(1)).unwrap_or(cells);
        lines.push(Line::from(vec![
            Span::raw(format!("   {} {:>7} ", cell(step.label, 10), count(reached))),
            Span::styled(format!("{:>3}% ", reached * 100 / all.max(1)), theme.quiet()),
            Span::styled("█".repeat(filled), theme.family("surface")),
        ]));
    }
    if all > 0 {
        let [approved, rejected, archived] = state.workspace.reviewed.map(count);
        lines.push(Line::styled(
            format!("   approved {approved}  rejected {rejected}  archived {archived}"),
            theme.quiet(),
        ));
    }
    none(state, &mut lines);
    lines
}

fn triggers(state: &State, width: usize) -> Vec<Line<'static>> {
    let theme = state.setup.theme;
    let mut lines = vec![heading(
        state,
        &format!("Triggers  {}", count(state.workspace.triggers.len() as u64)),
    )];
    for (name, trigger) in &state.workspace.triggers {
        let [fired, completed, failed] = trigger.counts;
        let spans = vec![
            Span::raw(format!("   {} ", cell(name, 24))),
            Span::raw(format!("fired {fired:>4}  done {completed:>4}  ")),
            Span::styled(
                format!("failed {failed:>3}"),
                if failed > 0 { theme.error() } else { theme.quiet() },
            ),
            Span::styled(age(state, trigger.heard), theme.quiet()),
        ];
        lines.push(cut(spans, width));
    }
    none(state, &mut lines);
    lines
}

fn pipelines(state: &State, width: usize) -> Vec<Line<'static>> {
    let theme = state.setup.theme;
    let mut lines = vec![heading(
        state,
        &format!("Pipelines  {}", count(state.workspace.pipelines.len() as u64)),
    )];
    for (id, pipeline) in &state.workspace.pipelines {
        let mut spans =
            vec![Span::styled(format!("   {} ", cell(id_prefix(id), 8)), theme.heading())];
        if let Some((time, events)) = &pipeline.last {
            spans.push(Span::raw(format!(
                "synced{}, {} events ",
                age(state, Some(*time)),
                count((*events).try_into().unwrap_or(0))
            )));
            spans.push(Span::styled(format!(" {} in all ", count(pipeline.syncs)), theme.quiet()));
        }
        if let Some((time, why)) = &pipeline.error {
            spans.push(Span::styled(
                format!(" failed{}: {}", age(state, Some(*time)), terminal::visible(why)),
                theme.error(),
            ));
        } else if pipeline.errors > 0 {
            spans.push(Span::styled(
                format!("{} errors before", count(pipeline.errors)),
                theme.quiet(),
            ));
        }
        lines.push(cut(spans, width));
    }
    none(state, &mut lines);
    lines
}

fn reviews(state: &State) -> Vec<Line<'static>> {
    let mut lines = vec![heading(
        state,
        &format!("Reviews  {}", count(state.workspace.reviews.values().sum())),
    )];
    for (action, number) in &state.workspace.reviews {
        lines.push(Line::raw(format!("   {} {:>7}", cell(action, 16), count(*number))));
    }
    none(state, &mut lines);
    lines
}
