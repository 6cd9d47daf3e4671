//! The areas of the screen and their frames.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Borders, Widget};

use crate::tui::state::State;
use crate::tui::text::{cut, width};

/// The minimum size of a screen on which each part has a box.
const BOXES_MIN_SIZE: (u16, u16) = (100, 26);

/// The minimum size of a screen with more than the attention list.
const MIN_SIZE: (u16, u16) = (60, 14);

/// The lines of a box besides its content, or besides its content and the heading of a list.
const BOX_LINES: u16 = 2;
const BOX_LIST_LINES: u16 = 3;

/// The lowest and the greatest height of a graph in a box.
const GRAPH_MIN_HEIGHT: u16 = 6;
const GRAPH_MAX_HEIGHT: u16 = 14;

/// A part of the screen. A part for which there is no room has height 0.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pane {
    /// The part with its frame.
    pub outer: Rect,
    /// The part without its frame.
    pub inner: Rect,
    is_boxed: bool,
}

impl Pane {
    fn new(outer: Rect, is_boxed: bool) -> Self {
        let inner = if is_boxed {
            Block::new().borders(Borders::ALL).inner(outer)
        } else {
            let line = outer.height.min(1);
            Rect { y: outer.y + line, height: outer.height - line, ..outer }
        };
        Self { outer, inner, is_boxed }
    }

    /// Creates a part without a frame.
    const fn bare(area: Rect) -> Self {
        Self { outer: area, inner: area, is_boxed: false }
    }

    /// Draws the box with a title, or the line with it.
    pub fn render_frame(&self, state: &State, title: Vec<Span<'static>>, buffer: &mut Buffer) {
        if self.outer.height == 0 || self.outer == self.inner {
            return;
        }
        let style = state.config.theme.quiet();
        let columns = usize::from(self.outer.width);
        if self.is_boxed {
            return Block::new()
                .borders(Borders::ALL)
                .border_type(BorderType::Rounded)
                .border_style(style)
                .title_style(state.config.theme.title())
                .title(cut(padded(title), columns.saturating_sub(4)))
                .render(self.outer, buffer);
        }
        let title = cut(padded(title), columns.saturating_sub(2)).spans;
        let after = "─".repeat(columns.saturating_sub(1 + width(&title)));
        let mut line = vec![Span::styled("─", style)];
        line.extend(title);
        line.push(Span::styled(after, style));
        Line::from(line).render(Rect { height: 1, ..self.outer }, buffer);
    }
}

fn padded(mut title: Vec<Span<'static>>) -> Vec<Span<'static>> {
    title.insert(0, Span::raw(" "));
    title.push(Span::raw(" "));
    title
}

/// All parts of the screen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Panes {
    pub attention: Pane,
    pub calls: Pane,
    pub audio: Pane,
    pub outcomes: Pane,
    pub operators: Pane,
    pub surfaces: Pane,
}

impl Panes {
    /// Divides an area.
    pub fn new(state: &State, area: Rect) -> Self {
        if area.width >= BOXES_MIN_SIZE.0 && area.height >= BOXES_MIN_SIZE.1 {
            Self::in_boxes(state, area)
        } else if area.width >= MIN_SIZE.0 && area.height >= MIN_SIZE.1 {
            Self::with_lines(state, area)
        } else {
            Self { attention: Pane::bare(area), ..Self::default() }
        }
    }

    /// Returns whether there is more than the attention list.
    pub const fn has_lists(&self) -> bool {
        self.operators.outer.height > 0
    }

    fn in_boxes(state: &State, area: Rect) -> Self {
        let (above, surfaces) = split_bottom(area, BOX_LINES + 2);
        let left = Rect { width: above.width * 58 / 100, ..above };
        let right = Rect { x: left.right(), width: above.width - left.width, ..above };
        let items = lines_of(state.shown().attention.items().count()) + BOX_LIST_LINES;
        let number = lines_of(super::lists::outcome_count(state)) + BOX_LIST_LINES;
        let (outcomes, rest) = split_top(right, number.clamp(6, (above.height / 3).max(6)));
        let needed = (lines_of(state.shown().workspace.operators.len()) + BOX_LIST_LINES).max(8);
        // A graph fills what few operators leave empty.
        let left_empty = rest.height.saturating_sub(needed);
        let (attention, calls, operators, audio);
        if left_empty >= GRAPH_MIN_HEIGHT {
            let free = above.height.saturating_sub(items.max(8));
            let height = free.clamp(GRAPH_MIN_HEIGHT, GRAPH_MAX_HEIGHT).min(left_empty);
            (attention, calls) = split_bottom(left, height);
            (operators, audio) = split_bottom(rest, height);
        } else {
            let highest = above.height.saturating_sub(2 * GRAPH_MIN_HEIGHT).max(8);
            let lowest = above.height.saturating_sub(2 * GRAPH_MAX_HEIGHT).clamp(8, highest);
            let below;
            (attention, below) = split_top(left, items.clamp(lowest, highest));
            (calls, audio) = split_top(below, below.height.div_ceil(2));
            operators = rest;
        }
        let pane = |area| Pane::new(area, true);
        Self {
            attention: pane(attention),
            calls: pane(calls),
            audio: pane(audio),
            outcomes: pane(outcomes),
            operators: pane(operators),
            surfaces: pane(surfaces),
        }
    }

    fn with_lines(state: &State, area: Rect) -> Self {
        let (above, surfaces) = split_bottom(area, 1);
        let items = lines_of(state.shown().attention.items().count());
        let (attention, below) =
            split_top(above, (items + 2).clamp(5, above.height.saturating_sub(10).max(5)));
        let left = Rect { width: (below.width - 1) / 2, ..below };
        let right = Rect { x: left.right() + 1, width: below.width - left.width - 1, ..below };
        let graph = if below.height >= 14 { below.height / 4 } else { 2 };
        let (calls, rest) = split_top(left, graph);
        let (audio, outcomes) = split_top(rest, graph);
        let pane = |area| Pane::new(area, false);
        Self {
            attention: pane(attention),
            calls: pane(calls),
            audio: pane(audio),
            outcomes: pane(outcomes),
            operators: pane(right),
            surfaces: Pane::bare(surfaces),
        }
    }
}

fn lines_of(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX).min(u16::MAX / 2)
}

fn split_top(area: Rect, height: u16) -> (Rect, Rect) {
    let height = height.min(area.height);
    let below = Rect { y: area.y + height, height: area.height - height, ..area };
    (Rect { height, ..area }, below)
}

fn split_bottom(area: Rect, height: u16) -> (Rect, Rect) {
    split_top(area, area.height.saturating_sub(height))
}
