//! The board of calls: a line each; those that have ended sink and fade.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::text::{cell, cut, length};
use crate::analysis::call::Call;
use crate::model::catalog::field_named;
use crate::model::id_prefix;
use crate::text::{MASK, terminal};
use crate::tui::state::State;

/// The place of the selected call.
#[must_use]
pub fn place(state: &State) -> usize {
    let sorted = state.calls.sorted();
    state
        .call
        .as_ref()
        .and_then(|chosen| sorted.iter().position(|(sid, _)| sid == chosen))
        .unwrap_or(0)
}

/// The place of the call in the first line.
fn first(state: &State, height: u16) -> usize {
    (place(state) + 1).saturating_sub(usize::from(height).saturating_sub(1))
}

/// The place of the call on that line.
#[must_use]
pub fn at(state: &State, line: u16) -> Option<usize> {
    let place = first(state, super::areas(state).body.height) + usize::from(line.checked_sub(1)?);
    (place < state.calls.sorted().len()).then_some(place)
}

/// Draws the board.
pub fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let theme = state.setup.theme;
    let sorted = state.calls.sorted();
    if sorted.is_empty() {
        return frame.render_widget(
            Paragraph::new(Line::styled("no call yet", theme.quiet()).centered()),
            area,
        );
    }
    let width = usize::from(area.width);
    let mut lines = vec![cut(vec![Span::styled(heading(width), theme.quiet())], width)];
    let (chosen, room) = (place(state), usize::from(area.height).saturating_sub(1));
    for (at, (sid, call)) in
        sorted.into_iter().enumerate().skip(first(state, area.height)).take(room)
    {
        let spans = row(state, sid, call, width);
        let line = cut(spans, width);
        lines.push(if at == chosen {
            let plain = line.to_string();
            Line::styled(cell(&plain, width), theme.selected())
        } else if call.ended.is_some() {
            line.patch_style(theme.quiet())
        } else {
            line
        });
    }
    frame.render_widget(Paragraph::new(lines), area);
}

/// How wide the columns for direction, service and state are; those of what is counted are as wide as their headings.
const fn columns(width: usize) -> [usize; 3] {
    match width {
        0..60 => [3, 0, 9],
        60..110 => [3, 8, 13],
        _ => [9, 8, 18],
    }
}

/// How wide the column of SIDs is.
const fn sid_width(width: usize) -> usize {
    if width < 110 { 9 } else { 11 }
}

fn heading(width: usize) -> String {
    let [way, service, state] = columns(width);
    let service =
        if service > 0 { format!("{} ", cell("service", service)) } else { String::new() };
    format!(
        "   {} {} {service}{} {:>6} turns {} operators, last words",
        cell("call", sid_width(width)),
        cell("way", way),
        cell("state or end", state),
        "time",
        if width >= 110 { "tools failed" } else { "fail" },
    )
}

fn row(state: &State, sid: &str, call: &Call, width: usize) -> Vec<Span<'static>> {
    let theme = state.setup.theme;
    let [way, service, stands] = columns(width);
    let is_on = call.ended.is_none();
    let outcome = call.ended.as_ref().map_or("", |(_, reason)| reason);
    let word = if is_on { call.state.as_deref().unwrap_or("on") } else { outcome };
    let direction = match call.direction.as_deref() {
        Some("inbound") if way < 7 => "in",
        Some("outbound") if way < 7 => "out",
        direction => direction.unwrap_or(""),
    };
    let mut spans = vec![
        Span::styled(
            if is_on { " ● " } else { " ○ " },
            if is_on { theme.good() } else { theme.quiet() },
        ),
        Span::styled(format!("{} ", cell(sid, sid_width(width))), theme.heading()),
        Span::raw(format!("{} ", cell(direction, way))),
    ];
    if service > 0 {
        spans.push(Span::raw(format!(
            "{} ",
            cell(id_prefix(call.service.as_deref().unwrap_or("")), service)
        )));
    }
    let is_wrong =
        field_named("completion_reason").is_some_and(|field| field.error_values.contains(&outcome));
    let style = if is_wrong { theme.error() } else { theme.family("observer") };
    spans.push(Span::styled(
        format!("{} ", cell(word, stands)),
        if is_on || is_wrong { style } else { theme.quiet() },
    ));
    spans.push(Span::raw(format!("{:>6} ", length(call.length(state.moment())))));
    spans.push(Span::raw(format!("{:>5} ", call.transcript.turn_count)));
    let (failures, cells) = (call.transcript.failures, if width >= 110 { 12 } else { 4 });
    spans.push(Span::styled(
        format!("{failures:>cells$} "),
        if failures > 0 { theme.error() } else { theme.quiet() },
    ));
    if call.escalated {
        spans.push(Span::styled(if width >= 110 { "ESCALATED " } else { "ESC " }, theme.warning()));
    }
    for (id, mode) in &call.operators {
        let text = format!("{} {} ", terminal::visible(id_prefix(id)), terminal::visible(mode));
        spans.push(Span::styled(text, theme.family("operator")));
    }
    if let Some((speaker, words)) = call.last_said() {
        spans.push(Span::styled(format!("{} ", speaker.name()), theme.quiet()));
        let style = if words == MASK { theme.masked() } else { ratatui::style::Style::new() };
        spans.push(Span::styled(terminal::visible(words).into_owned(), style));
    }
    spans
}
