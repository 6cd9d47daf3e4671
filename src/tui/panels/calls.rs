//! The list of calls, one line each. Calls that have ended move down and are dimmed.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use crate::analysis::call::Call;
use crate::model::catalog::field_named;
use crate::model::id_prefix;
use crate::text::{MASK, terminal};
use crate::tui::filtering;
use crate::tui::keys::{KeyAction, KeyHint};
use crate::tui::layout::ScreenLayout;
use crate::tui::panel::{Panel, page};
use crate::tui::screen::Screen;
use crate::tui::scrolling::scroll_target;
use crate::tui::state::modes::CallPart;
use crate::tui::state::{Effect, State};
use crate::tui::text::{cell, count, cut, length};

/// The list of calls.
pub struct CallsPanel;

impl Panel for CallsPanel {
    fn render(&self, state: &State, area: Rect, buffer: &mut Buffer) {
        let theme = state.config.theme;
        let sorted = state.calls.sorted();
        if sorted.is_empty() {
            let hint = Line::styled("no calls yet", theme.quiet()).centered();
            return Paragraph::new(hint).render(area, buffer);
        }
        let width = usize::from(area.width);
        let mut lines = vec![cut(vec![Span::styled(heading(width), theme.quiet())], width)];
        let (selected, room) = (state.call_place(), usize::from(area.height).saturating_sub(1));
        let first = first_visible(state, area.height);
        for (at, (sid, call)) in sorted.into_iter().enumerate().skip(first).take(room) {
            let line = cut(row(state, sid, call, width), width);
            lines.push(if at == selected {
                Line::styled(cell(&line.to_string(), width), theme.selected())
            } else if call.ended.is_some() {
                line.patch_style(theme.quiet())
            } else {
                line
            });
        }
        Paragraph::new(lines).render(area, buffer);
    }

    fn line_count(&self, state: &State) -> usize {
        state.calls.sorted().len()
    }

    fn hints(&self, _state: &State) -> Vec<KeyHint> {
        vec![
            (KeyAction::Down, "next"),
            (KeyAction::Open, "open"),
            (KeyAction::OnlyCall, "its events"),
            (KeyAction::Back, "stream"),
        ]
    }

    fn status(&self, state: &State) -> Vec<Span<'static>> {
        let sorted = state.calls.sorted();
        let ended = sorted.iter().filter(|(_, call)| call.ended.is_some()).count() as u64;
        let active = sorted.len() as u64 - ended;
        let text = format!(" {} active, {} ended ", count(active), count(ended));
        let mut spans = vec![Span::styled(text, state.config.theme.heading())];
        let missing = state.calls.missing();
        if missing > 0 {
            let text = format!("{} earlier not kept ", count(missing));
            spans.push(Span::styled(text, state.config.theme.warning()));
        }
        spans
    }

    fn handle_key(&self, state: &mut State, action: KeyAction) -> bool {
        let at = state.call_place();
        match action {
            KeyAction::Open | KeyAction::Into => {
                state.select_call(at);
                (state.screen, state.call_part) = (Screen::Call, CallPart::All);
            }
            KeyAction::OnlyCall => show_events(state),
            KeyAction::Copy => copy_sid(state),
            KeyAction::Back | KeyAction::Out => state.screen = Screen::Stream,
            _ => {
                let last = self.line_count(state).saturating_sub(1);
                let Some(target) = scroll_target(action, at, page(state), last) else {
                    return false;
                };
                state.select_call(target);
            }
        }
        true
    }

    fn handle_click(&self, state: &mut State, at: Position) {
        let body = ScreenLayout::new(state).body;
        if !body.contains(at) {
            return;
        }
        let Some(line) = usize::from(at.y - body.y).checked_sub(1) else { return };
        let place = first_visible(state, body.height) + line;
        if place >= state.calls.sorted().len() {
            return;
        }
        if state.selected_call.is_some() && place == state.call_place() {
            state.notice = None;
            self.handle_key(state, KeyAction::Open);
        } else {
            state.select_call(place);
        }
    }
}

/// Selects the call under the cursor and shows its events in the stream.
pub fn show_events(state: &mut State) {
    state.select_call(state.call_place());
    if let Some(sid) = state.selected_call.clone() {
        state.screen = Screen::Stream;
        filtering::show_only_call(state, &sid);
    }
}

/// Selects the call under the cursor and copies its SID.
pub fn copy_sid(state: &mut State) {
    state.select_call(state.call_place());
    state.effects.extend(state.selected_call.clone().map(Effect::Copy));
}

/// Returns the index of the first visible call.
fn first_visible(state: &State, height: u16) -> usize {
    (state.call_place() + 1).saturating_sub(usize::from(height).saturating_sub(1))
}

/// Returns the widths of the columns for direction, service and state. The other columns are as
/// wide as their headings.
const fn column_widths(width: usize) -> [usize; 3] {
    match width {
        0..60 => [3, 0, 9],
        60..110 => [3, 8, 13],
        _ => [9, 8, 18],
    }
}

/// Returns the width of the column of SIDs.
const fn sid_width(width: usize) -> usize {
    if width < 110 { 9 } else { 11 }
}

fn heading(width: usize) -> String {
    let [direction, service, state] = column_widths(width);
    let service =
        if service > 0 { format!("{} ", cell("service", service)) } else { String::new() };
    format!(
        "   {} {} {service}{} {:>6} turns {} operators, last line",
        cell("call", sid_width(width)),
        cell(if direction < 9 { "dir" } else { "direction" }, direction),
        cell("state/outcome", state),
        "time",
        if width >= 110 { "tools failed" } else { "fail" },
    )
}

fn row(state: &State, sid: &str, call: &Call, width: usize) -> Vec<Span<'static>> {
    let theme = state.config.theme;
    let [direction_width, service, status] = column_widths(width);
    let is_active = call.ended.is_none();
    let outcome = call.ended.as_ref().map_or("", |(_, reason)| reason);
    let word = if is_active { call.state.as_deref().unwrap_or("active") } else { outcome };
    let direction = match call.direction.as_deref() {
        Some("inbound") if direction_width < 7 => "in",
        Some("outbound") if direction_width < 7 => "out",
        direction => direction.unwrap_or(""),
    };
    let mut spans = vec![
        Span::styled(
            if is_active { " ● " } else { " ○ " },
            if is_active { theme.good() } else { theme.quiet() },
        ),
        Span::styled(format!("{} ", cell(sid, sid_width(width))), theme.heading()),
        Span::raw(format!("{} ", cell(direction, direction_width))),
    ];
    if service > 0 {
        spans.push(Span::raw(format!(
            "{} ",
            cell(id_prefix(call.service.as_deref().unwrap_or("")), service)
        )));
    }
    let is_failure =
        field_named("completion_reason").is_some_and(|field| field.error_values.contains(&outcome));
    let style = if is_failure { theme.error() } else { theme.family("observer") };
    spans.push(Span::styled(
        format!("{} ", cell(word, status)),
        if is_active || is_failure { style } else { theme.quiet() },
    ));
    spans.push(Span::raw(format!("{:>6} ", length(call.length(state.reference_time())))));
    spans.push(Span::raw(format!("{:>5} ", call.transcript.turn_count)));
    let (failures, cells) = (call.transcript.failures, if width >= 110 { 12 } else { 4 });
    spans.push(Span::styled(
        format!("{failures:>cells$} "),
        if failures > 0 { theme.error() } else { theme.quiet() },
    ));
    if call.escalated {
        spans.push(Span::styled(if width >= 110 { "ESCALATED " } else { "ESC " }, theme.warning()));
    }
    for (id, mode) in call.operators.named() {
        let text = format!("{} {} ", terminal::visible(id_prefix(id)), terminal::visible(mode));
        spans.push(Span::styled(text, theme.family("operator")));
    }
    if call.operators.other().is_some() {
        spans.push(Span::styled("and more operators ", theme.family("operator")));
    }
    if let Some((speaker, words)) = call.last_said() {
        spans.push(Span::styled(format!("{} ", speaker.name()), theme.quiet()));
        let style = if words == MASK { theme.masked() } else { ratatui::style::Style::new() };
        spans.push(Span::styled(terminal::visible(words).into_owned(), style));
    }
    spans
}
