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
use crate::tui::panel::{Panel, page, scroll_by_key};
use crate::tui::screen::Screen;
use crate::tui::scrolling::{render_lines, reversed};
use crate::tui::state::State;
use crate::tui::state::modes::CallPart;
use crate::tui::text::{length, sides};

/// The selected call. It is scrolled from its end, so that the newest lines are visible.
pub struct CallPanel;

impl Panel for CallPanel {
    fn render(&self, state: &State, area: Rect, buffer: &mut Buffer) {
        let sorted = state.calls.sorted();
        let Some((sid, call)) = sorted.get(state.call_place()) else {
            let hint = Line::styled("no calls yet", state.config.theme.quiet()).centered();
            return Paragraph::new(hint).render(area, buffer);
        };
        let (head, body) = split(area);
        let width = usize::from(head.width);
        sides(title(state, sid, call), Vec::new(), width).render(head, buffer);
        let transcript = &call.transcript;
        let parts = CallLayout::new(state.call_part, body);
        let width = usize::from(parts.conversation.width);
        let lines = conversation::lines(state, transcript, width);
        let height = usize::from(parts.conversation.height);
        let scroll = state.scroll[Screen::Call.index()];
        let first = lines.len().saturating_sub(height).saturating_sub(scroll);
        render_lines(lines, first, parts.conversation, buffer);
        if parts.emotion.height > 0 {
            emotion::render(state, transcript, parts.emotion, buffer);
        }
        if parts.latency.height > 0 {
            let lines = latency::lines(state, transcript, parts.latency);
            Paragraph::new(lines).render(parts.latency, buffer);
        }
    }

    fn line_count(&self, state: &State) -> usize {
        let sorted = state.calls.sorted();
        let Some((_, call)) = sorted.get(state.call_place()) else { return 0 };
        let parts = CallLayout::on_screen(state);
        match state.call_part {
            CallPart::Emotion => 0,
            CallPart::Latency => latency::line_count(state, &call.transcript, parts.latency.height),
            CallPart::All | CallPart::Conversation => {
                let width = usize::from(parts.conversation.width);
                conversation::lines(state, &call.transcript, width).len()
            }
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

    fn handle_key(&self, state: &mut State, action: KeyAction) -> bool {
        match action {
            KeyAction::Open => {
                state.call_part = state.call_part.next();
                state.scroll[Screen::Call.index()] = 0;
            }
            KeyAction::OnlyCall => show_events(state),
            KeyAction::Copy => copy_sid(state),
            KeyAction::Back | KeyAction::Out => match state.call_part {
                CallPart::All => state.screen = Screen::Calls,
                _ => state.call_part = CallPart::All,
            },
            _ => {
                // The scrolled part is lower than the body, and its first line must be reachable.
                let parts = CallLayout::on_screen(state);
                let latency = state.call_part == CallPart::Latency;
                let part = if latency { parts.latency } else { parts.conversation };
                let rest = page(state).saturating_sub(usize::from(part.height));
                return scroll_by_key(state, self.line_count(state) + rest, reversed(action));
            }
        }
        true
    }
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
