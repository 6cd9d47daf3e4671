//! The layout of the terminal, computed from its size and the state.
//!
//! ```text
//! ┌ header: source, connection, rate, counts, what is revealed ─────┐
//! │ tabs                                                status      │
//! │ failures, if there were any                                     │
//! │ position in a replay                                            │
//! ├ body: one panel; the stream has ─┬──────────────────────────────┤
//! │ list                             │ detail                       │
//! │                                  │ (below if it is narrow)      │
//! ├ prompt, while a line is typed ───┴──────────────────────────────┤
//! └ footer: the keys that matter here, or a notice ─────────────────┘
//! ```

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::screen::Screen;
use super::state::State;
use super::text::wrap;
use crate::text::terminal;

/// The minimum width for showing the detail beside the list.
const BESIDE_MIN_WIDTH: u16 = 110;

/// The parts of the terminal. A part for which there is no room has height 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScreenLayout {
    /// The first line.
    pub header: Rect,
    /// The line of the tabs.
    pub tabs: Rect,
    /// The failures that ended a source or the run.
    pub failures: Rect,
    /// The position in a replay.
    pub position: Rect,
    /// The panel.
    pub body: Rect,
    /// The prompt, with messages about the typed line.
    pub prompt: Rect,
    /// The last line.
    pub footer: Rect,
}

impl ScreenLayout {
    /// Lays out the terminal.
    #[must_use]
    pub fn new(state: &State) -> Self {
        let (width, height) = state.size;
        let header = u16::from(height >= 2);
        let footer = u16::from(height >= 3);
        let tabs = u16::from(height >= 8);
        let prompt = match &state.prompt {
            Some(_) if height >= 16 => 5,
            Some(_) => 2.min(height.saturating_sub(header + footer + tabs)),
            None => 0,
        };
        let position = match state.config.pace {
            Some(_) if height >= 30 => 2,
            Some(_) if height >= 12 => 1,
            _ => 0,
        };
        let failures = failure_lines(state).len();
        let failures =
            u16::try_from(failures).unwrap_or(0).min(height.saturating_sub(header + footer) / 3);
        let above = header + tabs + failures + position;
        let body = Rect::new(0, above, width, height.saturating_sub(above + prompt + footer));
        Self {
            header: Rect::new(0, 0, width, header),
            tabs: Rect::new(0, header, width, tabs),
            failures: Rect::new(0, header + tabs, width, failures),
            position: Rect::new(0, header + tabs + failures, width, position),
            body,
            prompt: Rect::new(0, body.bottom(), width, prompt),
            footer: Rect::new(0, height - footer, width, footer),
        }
    }
}

/// Returns the lines that show the failures.
#[must_use]
pub fn failure_lines(state: &State) -> Vec<Line<'static>> {
    let style = state.config.theme.error();
    let lines = state.failures.iter().flat_map(|text| {
        let text = format!(" ✗ {}", terminal::visible(text));
        wrap(vec![Span::styled(text, style)], state.size.0.into(), 3)
    });
    lines.collect()
}

/// Splits an area into columns of about the same width, with a space between them.
#[must_use]
pub fn columns(area: Rect, number: usize) -> Vec<Rect> {
    let number = u16::try_from(number).unwrap_or(1).max(1);
    let width = area.width / number;
    let column = |at| {
        let x = area.x + at * width;
        let is_last = at + 1 == number;
        let width = if is_last { area.right() - x } else { width.saturating_sub(1) };
        Rect { x, width, ..area }
    };
    (0..number).map(column).collect()
}

/// The parts of the stream panel: the list and the detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamLayout {
    /// The names of the columns, with height 0 if no columns were chosen.
    pub heading: Rect,
    /// The list of events.
    pub list: Rect,
    /// The edge of the detail, which can be dragged.
    pub divider: Option<Rect>,
    /// The detail, without its edge.
    pub detail: Option<Rect>,
    /// Whether the detail is beside the list rather than below it.
    pub is_beside: bool,
}

impl StreamLayout {
    /// Lays out the body of the terminal. `detail` is `None` while another screen is shown.
    #[must_use]
    pub fn new(state: &State) -> Self {
        Self::within(state, ScreenLayout::new(state).body)
    }

    /// Lays out `area`.
    #[must_use]
    pub fn within(state: &State, area: Rect) -> Self {
        let is_beside = area.width >= BESIDE_MIN_WIDTH;
        let (mut list, mut divider, mut detail) = (area, None, None);
        if state.detail.is_some() && state.screen == Screen::Stream && area.height > 0 {
            let share = |whole: u16| {
                let cells = u32::from(whole) * u32::from(state.detail_percent) / 100;
                u16::try_from(cells).unwrap_or(whole)
            };
            if is_beside {
                let width = share(area.width).max(1);
                list.width = area.width - width;
                divider = Some(Rect { x: list.right(), width: 1, ..area });
                detail = Some(Rect { x: list.right() + 1, width: width - 1, ..area });
            } else if area.height >= 6 {
                let height = share(area.height).max(2);
                list.height = area.height - height;
                divider = Some(Rect { y: list.bottom(), height: 1, ..area });
                detail = Some(Rect { y: list.bottom() + 1, height: height - 1, ..area });
            } else {
                // No room for both.
                list.height = 0;
                detail = Some(area);
            }
        }
        let has_heading = state.columns.is_some() && list.height >= 2;
        let heading = Rect { height: u16::from(has_heading), ..list };
        list.y += heading.height;
        list.height -= heading.height;
        Self { heading, list, divider, detail, is_beside }
    }
}
