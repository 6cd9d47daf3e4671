//! The board of calls: a line each; those that have ended sink and fade.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::text::{cell, count, cut, length};
use crate::call::talk::Speaker;
use crate::call::{Call, start};
use crate::event::MASK;
use crate::sanitize;
use crate::tui::state::State;

/// The place of the selected call.
#[must_use]
pub fn place(state: &State) -> usize {
    let sorted = state.calls.sorted();
    state.call.as_ref().and_then(|chosen| sorted.iter().position(|(sid, _)| sid == chosen)).unwrap_or(0)
}

/// Draws the board.
pub fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let theme = state.setup.theme;
    let sorted = state.calls.sorted();
    if sorted.is_empty() {
        return frame.render_widget(Paragraph::new(Line::styled("no call yet", theme.quiet()).centered()), area);
    }
    let on = sorted.iter().filter(|(_, call)| call.ended.is_none()).count();
    let width = usize::from(area.width);
    let mut lines = vec![cut(vec![Span::styled(heading(width, on, sorted.len()), theme.quiet())], width)];
    let (chosen, room) = (place(state), usize::from(area.height).saturating_sub(1));
    let from = (chosen + 1).saturating_sub(room);
    for (at, (sid, call)) in sorted.into_iter().enumerate().skip(from).take(room) {
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

/// What stands in a column is as wide as its heading here.
fn heading(width: usize, on: usize, all: usize) -> String {
    let service = if width >= 110 { "service  " } else { "" };
    let counts = format!("{} on, {} ended", count(on as u64), count((all - on) as u64));
    format!("   call        way       {service}state / outcome   time    turns tools!  operators, last words   {counts}")
}

fn row(state: &State, sid: &str, call: &Call, width: usize) -> Vec<Span<'static>> {
    let theme = state.setup.theme;
    let is_on = call.ended.is_none();
    let now = call.ended.as_ref().map_or("", |(_, reason)| reason);
    let word = if is_on { call.state.as_deref().unwrap_or("on") } else { now };
    let mut spans = vec![
        Span::styled(if is_on { " ● " } else { " ○ " }, if is_on { theme.good() } else { theme.quiet() }),
        Span::styled(format!("{}… ", cell(start(sid), 10)), theme.heading()),
        Span::raw(format!("{} ", cell(call.direction.as_deref().unwrap_or(""), 9))),
    ];
    if width >= 110 {
        spans.push(Span::raw(format!("{} ", cell(start(call.service.as_deref().unwrap_or("")), 8))));
    }
    let style = if matches!(now, "error" | "timeout" | "transport_error") { theme.error() } else { theme.family("observer") };
    spans.push(Span::styled(format!("{} ", cell(word, 17)), if is_on || now.contains("err") { style } else { theme.quiet() }));
    spans.push(Span::raw(format!("{:>7} ", length(call.length(state.moment())))));
    spans.push(Span::raw(format!("{:>5} ", call.talk.turn_count)));
    let failures = call.talk.failures;
    spans.push(Span::styled(format!("{failures:>6}  "), if failures > 0 { theme.error() } else { theme.quiet() }));
    if call.escalated {
        spans.push(Span::styled("ESCALATED ", theme.warning()));
    }
    for (id, mode) in &call.operators {
        let text = format!("{} {} ", sanitize::visible(start(id)), sanitize::visible(mode));
        spans.push(Span::styled(text, theme.family("operator")));
    }
    if let Some((speaker, words)) = call.last_said() {
        spans.push(Span::styled(format!("{} ", name(speaker)), theme.quiet()));
        let style = if words == MASK { theme.masked() } else { ratatui::style::Style::new() };
        spans.push(Span::styled(sanitize::visible(words).into_owned(), style));
    }
    spans
}

/// What a speaker is called.
#[must_use]
pub const fn name(speaker: Speaker) -> &'static str {
    match speaker {
        Speaker::User => "caller",
        Speaker::Agent => "agent",
        Speaker::Operator => "operator",
    }
}
