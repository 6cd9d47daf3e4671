//! One call: the conversation, the caller's emotion, and the latency of the turns.

mod conversation;
mod emotion;
mod latency;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use super::calls::{copy_sid, show_events};
use crate::analysis::call::Call;
use crate::text::terminal;
use crate::tui::keys::{KeyAction, KeyHint};
use crate::tui::layout::ScreenLayout;
use crate::tui::navigation;
use crate::tui::panel::Panel;
use crate::tui::screen::Screen;
use crate::tui::scrolling::{render_lines, scroll_target};
use crate::tui::state::State;
use crate::tui::state::modes::{CallLine, CallPart};
use crate::tui::text::{length, sides};

/// The selected call. Its newest lines are visible until it is scrolled; then the lines stay in place
/// while others arrive.
pub struct CallPanel;

impl Panel for CallPanel {
    fn render(&self, state: &State, area: Rect, buffer: &mut Buffer) {
        let Some((sid, call)) = state.current_call() else {
            let text = match &state.selected_call {
                Some(_) => "this call is not kept any more; press {screen_calls} to choose another",
                None => "no calls yet",
            };
            let text = state.config.keys.expand(text);
            let hint = Line::styled(text, state.config.theme.quiet()).centered();
            return Paragraph::new(hint).render(area, buffer);
        };
        let (head, body) = split(area);
        let width = usize::from(head.width);
        sides(title(state, sid, call), Vec::new(), width).render(head, buffer);
        let transcript = &call.transcript;
        let parts = CallLayout::new(state.call_part, body);
        let width = usize::from(parts.conversation.width);
        let lines = conversation::lines(state, transcript, width);
        let first = first_line(state, &lines, parts.conversation.height);
        let lines = lines.into_iter().map(|(_, line)| line).collect();
        render_lines(lines, first, parts.conversation, buffer);
        if parts.emotion.height > 0 {
            emotion::render(state, call, parts.emotion, buffer);
        }
        if parts.latency.height > 0 {
            latency::render(state, transcript, parts.latency, buffer);
        }
    }

    fn hints(&self, _state: &State) -> Vec<KeyHint> {
        vec![
            (KeyAction::Open, "next part"),
            (KeyAction::Up, "earlier"),
            (KeyAction::Bottom, "newest"),
            (KeyAction::OnlyCall, "its events"),
            (KeyAction::Copy, "copy SID"),
            (KeyAction::Back, "calls"),
        ]
    }

    fn settle(&self, state: &mut State) {
        if state.selected_call.is_none() {
            // Another call would take its place when the order of the calls changes.
            let sid = state.current_call().map(|(sid, _)| sid.to_owned());
            state.show_call(sid);
        }
    }

    fn handle_key(&self, state: &mut State, action: KeyAction) -> bool {
        match action {
            KeyAction::Open => {
                state.call_part = state.call_part.next();
                state.call_top = None;
            }
            KeyAction::OnlyCall => show_events(state),
            KeyAction::Copy => copy_sid(state),
            KeyAction::Back | KeyAction::Out => {
                if state.call_part != CallPart::All {
                    state.call_part = CallPart::All;
                } else if !navigation::back(state) {
                    state.screen = Screen::Calls;
                }
            }
            _ => {
                return scroll(state, action);
            }
        }
        true
    }
}

/// Returns the index of the first visible line. Without a chosen one, the newest lines are visible.
fn first_line(state: &State, lines: &[(CallLine, Line<'static>)], height: u16) -> usize {
    let last = lines.len().saturating_sub(height.into());
    let Some(top) = state.call_top else { return last };
    let first = lines.partition_point(|(line, _)| (line.item, line.line) < (top.item, top.line));
    first.min(last)
}

/// Scrolls the conversation or the latencies. Returns whether the key scrolls.
fn scroll(state: &mut State, action: KeyAction) -> bool {
    let parts = CallLayout::on_screen(state);
    let Some((_, call)) = state.current_call() else { return false };
    let (lines, height) = if state.call_part == CallPart::Latency {
        let lines = latency::turns(state, &call.transcript, parts.latency);
        let used = latency::summary_height(state, &call.transcript, parts.latency.height);
        (lines, parts.latency.height.saturating_sub(used))
    } else {
        let width = usize::from(parts.conversation.width);
        (conversation::lines(state, &call.transcript, width), parts.conversation.height)
    };
    let last = lines.len().saturating_sub(height.into());
    let first = first_line(state, &lines, height);
    let Some(target) = scroll_target(action, first, usize::from(height).max(1), last) else {
        return false;
    };
    let top = lines.get(target).map(|(line, _)| *line);
    // Whoever moves up wants to read on there, even if all lines still fit.
    let is_up =
        matches!(action, KeyAction::Up | KeyAction::PageUp | KeyAction::HalfUp | KeyAction::Top);
    state.call_top = top.filter(|_| target < last || is_up);
    true
}

/// The areas of the parts of a call. A part that is not shown has height 0.
struct CallLayout {
    conversation: Rect,
    emotion: Rect,
    latency: Rect,
}

/// Splits the area of the panel into the title and the body.
fn split(area: Rect) -> (Rect, Rect) {
    let height = area.height.min(1);
    let body = Rect { y: area.y + height, height: area.height - height, ..area };
    (Rect { height, ..area }, body)
}

impl CallLayout {
    fn on_screen(state: &State) -> Self {
        Self::new(state.call_part, split(ScreenLayout::new(state).body).1)
    }

    fn new(part: CallPart, area: Rect) -> Self {
        let none = Rect { height: 0, ..area };
        let only_conversation = Self { conversation: area, emotion: none, latency: none };
        let mut conversation = area;
        let beside = match part {
            CallPart::Emotion => return Self { conversation: none, emotion: area, latency: none },
            CallPart::Latency => return Self { conversation: none, emotion: none, latency: area },
            CallPart::All if area.width >= 100 => {
                conversation.width = area.width * 3 / 5;
                let x = conversation.right() + 1;
                Rect { x, width: area.width - conversation.width - 1, ..area }
            }
            CallPart::All if area.height >= 18 => {
                conversation.height = area.height / 2;
                let y = conversation.bottom();
                Rect { y, height: area.height - conversation.height, ..area }
            }
            // There is no room for the other parts; Enter shows them one by one.
            CallPart::All | CallPart::Conversation => return only_conversation,
        };
        let emotion = Rect { height: (beside.height / 2).min(16), ..beside };
        let height = beside.height - emotion.height;
        Self { conversation, emotion, latency: Rect { y: emotion.bottom(), height, ..beside } }
    }
}

fn title(state: &State, sid: &str, call: &Call) -> Vec<Span<'static>> {
    let theme = state.config.theme;
    let mut spans = vec![Span::styled(format!(" {} ", terminal::visible(sid)), theme.heading())];
    let mut part = |text: &str, style| {
        spans.push(Span::styled(format!(" {} ", terminal::visible(text)), style));
    };
    part(&length(call.length(state.reference_time())), Style::new());
    match &call.ended {
        None => part(call.state.as_deref().unwrap_or("active"), theme.good()),
        Some((_, reason)) => part(&format!("ended: {reason}"), theme.quiet()),
    }
    if call.escalated {
        part("ESCALATED", theme.warning());
    }
    if let Some(dominant) = &call.transcript.dominant {
        part(dominant, theme.family("observer"));
    }
    part(call.direction.as_deref().unwrap_or(""), theme.quiet());
    spans
}
