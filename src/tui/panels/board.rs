//! The board of the workspace: operators, the funnel of surfaces from created to submitted,
//! triggers, pipelines, and reviews.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::analysis::surface_funnel::FUNNEL;
use crate::model::id_prefix;
use crate::text::terminal;
use crate::tui::layout::{ScreenLayout, halves};
use crate::tui::panel::Panel;
use crate::tui::screen::Screen;
use crate::tui::scrolling::render_lines;
use crate::tui::state::State;
use crate::tui::text::{cell, count, counted, cut, length};

/// The board of the workspace, in two columns if they fit.
pub struct BoardPanel;

impl Panel for BoardPanel {
    fn render(&self, state: &State, area: Rect, buffer: &mut Buffer) {
        let scroll = state.scroll[Screen::Board.index()];
        for (area, lines) in columns(state, area) {
            render_lines(lines, scroll, area, buffer);
        }
    }

    fn line_count(&self, state: &State) -> usize {
        let columns = columns(state, ScreenLayout::new(state).body);
        columns.iter().map(|(_, lines)| lines.len()).max().unwrap_or(0)
    }
}

/// Returns the columns of the board: one, or two if they fit.
fn columns(state: &State, area: Rect) -> Vec<(Rect, Vec<Line<'static>>)> {
    let (left, right) = if area.width < 110 { (area, area) } else { halves(area) };
    let width = usize::from(left.width).saturating_sub(1);
    let first = [operators(state, width), funnel(state, width)].concat();
    let second = [triggers(state, width), pipelines(state, width), reviews(state)].concat();
    if left == area {
        return vec![(area, [first, second].concat())];
    }
    vec![(left, first), (right, second)]
}

fn heading(state: &State, text: &str) -> Line<'static> {
    Line::styled(format!(" {text}"), state.config.theme.heading())
}

/// Ends a section. `has_more` says that it is full, so that further entries are not shown.
fn end_section(state: &State, lines: &mut Vec<Line<'static>>, has_more: bool) {
    if has_more {
        lines.push(Line::styled("   and more, which are not kept", state.config.theme.warning()));
    }
    if lines.len() == 1 {
        lines.push(Line::styled("   none yet", state.config.theme.quiet()));
    }
    lines.push(Line::default());
}

fn age(state: &State, time: Option<Timestamp>) -> String {
    time.map_or_else(String::new, |time| {
        format!("{:>7} ago", length(state.reference_time().as_second() - time.as_second()))
    })
}

fn operators(state: &State, width: usize) -> Vec<Line<'static>> {
    let theme = state.config.theme;
    let operators = &state.workspace.operators;
    let mut lines = vec![heading(state, &format!("Operators  {}", count(operators.len() as u64)))];
    for (id, operator) in operators.named() {
        let status = operator.status.as_deref().unwrap_or("unknown");
        let style = match status {
            "online" => theme.good(),
            "busy" => theme.warning(),
            _ => theme.quiet(),
        };
        let mut spans = vec![
            Span::styled(format!("   {} ", cell(id_prefix(id), 8)), theme.heading()),
            Span::styled(format!("{} ", cell(status, 8)), style),
            Span::styled(age(state, operator.last_seen), theme.quiet()),
        ];
        if let Some((sid, mode)) = &operator.call {
            let text =
                format!("  {} in {}…", terminal::visible(mode), terminal::visible(id_prefix(sid)));
            spans.push(Span::styled(text, theme.family("operator")));
        }
        lines.push(cut(spans, width));
    }
    end_section(state, &mut lines, state.workspace.operators.other().is_some());
    lines
}

fn funnel(state: &State, width: usize) -> Vec<Line<'static>> {
    let theme = state.config.theme;
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
    end_section(state, &mut lines, state.workspace.surfaces.untracked() > 0);
    lines
}

fn triggers(state: &State, width: usize) -> Vec<Line<'static>> {
    let theme = state.config.theme;
    let mut lines = vec![heading(
        state,
        &format!("Triggers  {}", count(state.workspace.triggers.len() as u64)),
    )];
    for (name, trigger) in state.workspace.triggers.named() {
        let [fired, completed, failed] = trigger.counts;
        let spans = vec![
            Span::raw(format!("   {} ", cell(name, width.saturating_sub(52).clamp(8, 24)))),
            Span::raw(format!("fired {fired:>4}  done {completed:>4}  ")),
            Span::styled(
                format!("failed {failed:>3}"),
                if failed > 0 { theme.error() } else { theme.quiet() },
            ),
            Span::styled(age(state, trigger.last_seen), theme.quiet()),
        ];
        lines.push(cut(spans, width));
    }
    end_section(state, &mut lines, state.workspace.triggers.other().is_some());
    lines
}

fn pipelines(state: &State, width: usize) -> Vec<Line<'static>> {
    let theme = state.config.theme;
    let mut lines = vec![heading(
        state,
        &format!("Pipelines  {}", count(state.workspace.pipelines.len() as u64)),
    )];
    for (id, pipeline) in state.workspace.pipelines.named() {
        let mut spans =
            vec![Span::styled(format!("   {} ", cell(id_prefix(id), 8)), theme.heading())];
        if let Some((time, events)) = &pipeline.last {
            spans.push(Span::raw(format!(
                "synced{}, {} ",
                age(state, Some(*time)),
                counted((*events).try_into().unwrap_or(0), "event")
            )));
            spans.push(Span::styled(format!(" {} in all ", count(pipeline.syncs)), theme.quiet()));
        }
        if let Some((time, why)) = &pipeline.error {
            spans.push(Span::styled(
                format!(" failed{}: {}", age(state, Some(*time)), terminal::visible(why)),
                theme.error(),
            ));
        } else if pipeline.errors > 0 {
            spans.push(Span::styled(counted(pipeline.errors, "earlier error"), theme.quiet()));
        }
        lines.push(cut(spans, width));
    }
    end_section(state, &mut lines, state.workspace.pipelines.other().is_some());
    lines
}

fn reviews(state: &State) -> Vec<Line<'static>> {
    let reviews = state.workspace.reviews.sorted(|_| 0);
    let mut lines = vec![heading(
        state,
        &format!("Reviews  {}", count(reviews.iter().map(|(_, number)| **number).sum())),
    )];
    for (action, number) in reviews {
        let action = cell(action.unwrap_or("(other)"), 16);
        lines.push(Line::raw(format!("   {action} {:>7}", count(*number))));
    }
    end_section(state, &mut lines, false);
    lines
}
