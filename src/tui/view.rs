//! What is drawn: one file a panel. A view takes the state and a rectangle, and changes nothing.
//!
//! ```text
//! ┌ header: what is looked at, link, rate, counts, what is revealed ┐
//! │ tabs                                                filter      │
//! │ how far a replay has come                                       │
//! ├ list ─────────────────────────────┬ detail ─────────────────────┤
//! │                                   │ (below where it is narrow)  │
//! ├ prompt, where something is typed ─┴─────────────────────────────┤
//! └ footer: the keys that matter here, or what there is to tell ────┘
//! ```

pub mod board;
pub mod call;
pub mod calls;
pub mod column_picker;
pub mod detail;
pub mod footer;
pub mod header;
pub mod help;
pub mod position;
pub mod stats;
pub mod stream;
pub mod text;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, Borders, Clear, Paragraph};

use super::keys::KeyAction;
use super::state::State;

/// The screens, in the order of their numbers.
pub const SCREENS: &[&str] = &["Stream", "Calls", "Call", "Board", "Stats"];

/// From this width on, the detail stands beside the list.
const WIDE: u16 = 110;

/// Where things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// The first line.
    pub header: Rect,
    /// The second line; without height where there is no room.
    pub tabs: Rect,
    /// How far a replay has come; without height where nothing is replayed, or no room.
    pub position: Rect,
    /// All between these and the prompt.
    pub body: Rect,
    /// The names of the columns; without height where none were chosen.
    pub heading: Rect,
    /// The list of events.
    pub list: Rect,
    /// The edge of the detail.
    pub divider: Option<Rect>,
    /// The detail, without its edge.
    pub detail: Option<Rect>,
    /// Whether the detail stands beside the list, not below it.
    pub is_beside: bool,
    /// Where something is typed.
    pub prompt: Rect,
    /// The last line.
    pub footer: Rect,
}

/// Lays the screen out.
#[must_use]
pub fn areas(state: &State) -> Areas {
    let (width, height) = state.size;
    let header = u16::from(height >= 2);
    let footer = u16::from(height >= 3);
    let tabs = u16::from(height >= 8);
    let prompt = match &state.prompt {
        Some(_) if height >= 16 => 5,
        Some(_) => 2.min(height.saturating_sub(header + footer + tabs)),
        None => 0,
    };
    let position = u16::from(height >= 12 && state.setup.pace.is_some());
    let above = header + tabs + position;
    let body = Rect::new(0, above, width, height.saturating_sub(above + prompt + footer));
    let is_beside = width >= WIDE;
    let (mut list, mut divider, mut pane) = (body, None, None);
    if state.detail.is_some() && state.screen == 0 && body.height > 0 {
        let part = |whole: u16| {
            u16::try_from(u32::from(whole) * u32::from(state.share) / 100).unwrap_or(whole)
        };
        if is_beside {
            let given = part(width).max(1);
            list.width = width - given;
            divider = Some(Rect::new(list.width, body.y, 1, body.height));
            pane = Some(Rect::new(list.width + 1, body.y, given - 1, body.height));
        } else if body.height >= 6 {
            let given = part(body.height).max(2);
            list.height = body.height - given;
            divider = Some(Rect::new(0, list.bottom(), width, 1));
            pane = Some(Rect::new(0, list.bottom() + 1, width, given - 1));
        } else {
            // No room for both.
            list.height = 0;
            pane = Some(body);
        }
    }
    let heading = Rect { height: u16::from(state.columns.is_some() && list.height >= 2), ..list };
    list.y += heading.height;
    list.height -= heading.height;
    Areas {
        header: Rect::new(0, 0, width, header),
        tabs: Rect::new(0, header, width, tabs),
        position: Rect::new(0, header + tabs, width, position),
        body,
        heading,
        list,
        divider,
        detail: pane,
        is_beside,
        prompt: Rect::new(0, body.bottom(), width, prompt),
        footer: Rect::new(0, height - footer, width, footer),
    }
}

/// Draws all of it.
pub fn draw(state: &State, frame: &mut Frame<'_>) {
    let areas = areas(state);
    header::draw(state, frame, areas.header, areas.tabs);
    position::draw(state, frame, areas.position);
    match state.screen {
        0 => events(state, frame, &areas),
        1 => calls::draw(state, frame, areas.body),
        2 => call::draw(state, frame, areas.body),
        3 => board::draw(state, frame, areas.body),
        _ => stats::draw(state, frame, areas.body),
    }
    if let Some(ticks) = &state.ticks {
        column_picker::draw(state, ticks, frame, areas.body);
    }
    footer::prompt(state, frame, areas.prompt);
    footer::draw(state, frame, areas.footer);
    if state.help.is_some() {
        let area = Rect::new(0, 0, state.size.0, state.size.1);
        frame.render_widget(Clear, area);
        help::draw(state, frame, area);
    }
}

fn events(state: &State, frame: &mut Frame<'_>, areas: &Areas) {
    let theme = state.setup.theme;
    stream::draw(state, frame, areas.heading, areas.list);
    if let Some(area) = areas.divider {
        let edge = if areas.is_beside { Borders::LEFT } else { Borders::TOP };
        let focused = state.detail.as_ref().is_some_and(|detail| detail.focused);
        let style = if focused { theme.key() } else { theme.quiet() };
        frame.render_widget(Block::new().borders(edge).border_style(style), area);
    }
    if let Some(area) = areas.detail {
        detail::draw(state, frame, area);
    }
}

/// The keys that matter on a screen other than the stream, for the footer.
fn wanted(state: &State) -> Vec<(KeyAction, &'static str)> {
    match state.screen {
        1 => vec![
            (KeyAction::Down, "next"),
            (KeyAction::Open, "the call"),
            (KeyAction::OnlyCall, "its events"),
            (KeyAction::Back, "stream"),
        ],
        2 => vec![
            (KeyAction::Open, "next part"),
            (KeyAction::Up, "earlier"),
            (KeyAction::Bottom, "newest"),
            (KeyAction::OnlyCall, "its events"),
            (KeyAction::Copy, "copy SID"),
            (KeyAction::Back, "calls"),
        ],
        _ => vec![
            (KeyAction::Down, "scroll"),
            (KeyAction::NextScreen, "next screen"),
            (KeyAction::Back, "stream"),
        ],
    }
}

/// How many lines there are to scroll through on a screen other than the stream.
#[must_use]
pub fn length(state: &State) -> usize {
    let width = usize::from(state.size.0);
    match state.screen {
        1 => state.calls.sorted().len(),
        2 => call::len(state),
        3 => board::lines(state, width).len(),
        _ => stats::lines(state, width).len(),
    }
}

/// Lines of a panel, from the one that it is scrolled to on.
fn scrolled(frame: &mut Frame<'_>, area: Rect, lines: Vec<ratatui::text::Line<'_>>, from: usize) {
    let from = from.min(lines.len().saturating_sub(usize::from(area.height)));
    let lines: Vec<_> = lines.into_iter().skip(from).take(usize::from(area.height)).collect();
    frame.render_widget(Paragraph::new(lines), area);
}
