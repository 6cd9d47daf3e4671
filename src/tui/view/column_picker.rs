//! The list that columns are chosen from, over the list of events.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear};

use super::text::{cell, cut};
use crate::model::Kind;
use crate::text::terminal;
use crate::tui::column_picker::ColumnPicker;
use crate::tui::state::State;

/// How wide the names are, at least.
const NAME: usize = 28;

/// The room for its lines.
#[must_use]
pub fn inner(state: &State) -> Rect {
    let body = super::areas(state).body;
    if body.height >= 6 { Block::new().borders(Borders::ALL).inner(body) } else { body }
}

fn first(ticks: &ColumnPicker, height: u16) -> usize {
    (ticks.cursor + 1).saturating_sub(usize::from(height))
}

/// The place of the name that stands there.
#[must_use]
pub fn at(state: &State, ticks: &ColumnPicker, at: Position) -> Option<usize> {
    let inner = inner(state);
    let place = first(ticks, inner.height) + usize::from(at.y.checked_sub(inner.y)?);
    (inner.contains(at) && place < ticks.names.len()).then_some(place)
}

/// Draws it.
pub fn draw(state: &State, ticks: &ColumnPicker, frame: &mut Frame<'_>, area: Rect) {
    let theme = state.setup.theme;
    let inner = inner(state);
    frame.render_widget(Clear, area);
    if inner != area {
        let block = Block::new().borders(Borders::ALL).border_style(theme.quiet());
        let below = ticks
            .names
            .len()
            .saturating_sub(first(ticks, inner.height) + usize::from(inner.height));
        let more = if below > 0 { format!(" {below} more ") } else { String::new() };
        frame.render_widget(
            block.title(" Columns, numbered from the left; none is all fields ").title_bottom(more),
            area,
        );
    }
    let chosen = state.chosen().and_then(|stored| stored.kind);
    let width = usize::from(inner.width);
    let line = |(place, name): (usize, &String)| {
        let number = ticks.ticked.iter().position(|ticked| ticked == name);
        let sign =
            number.map_or_else(|| " [ ] ".to_owned(), |number| format!(" [{}] ", number + 1));
        let mut kinds = chosen.into_iter().chain(Kind::ALL.iter().copied());
        let note =
            kinds.find_map(|kind| kind.spec().field(name)).map_or_else(String::new, |spec| {
                format!(" {} · {} · {}", spec.ty.name(), spec.class.name(), spec.doc)
            });
        let spans = vec![
            Span::styled(sign, theme.heading()),
            Span::styled(cell(&terminal::visible(name), NAME), theme.key()),
            Span::styled(note, theme.quiet()),
        ];
        let line = cut(spans, width);
        if place == ticks.cursor {
            Line::styled(cell(&line.to_string(), width), theme.selected())
        } else {
            line
        }
    };
    let from = first(ticks, inner.height);
    let lines =
        ticks.names.iter().enumerate().skip(from).take(inner.height.into()).map(line).collect();
    super::scrolled(frame, inner, lines, 0);
}
