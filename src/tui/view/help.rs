//! The help, made from the table of keys: in as many columns as there is room for.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders};

use super::text::{cell, width, words};
use crate::tui::keys::{BESIDE, TABLE};
use crate::tui::state::State;

/// How wide a column is at least, where there are several.
const COLUMN: usize = 72;

/// How wide it is at least where what a key is for stands beside it.
const NARROW: usize = 50;

/// How far what keys are for is set in.
const INDENT: usize = 13;

/// All that the help says, in lines of that width.
#[must_use]
pub fn lines(state: &State, width: usize) -> Vec<Line<'static>> {
    let theme = state.setup.theme;
    let keys = TABLE.iter().map(|(heading, bindings)| {
        (*heading, bindings.iter().map(|binding| (binding.name, binding.help)).collect::<Vec<_>>())
    });
    let beside = BESIDE.iter().map(|(heading, entries)| (*heading, entries.to_vec()));
    let number = (width / COLUMN).clamp(1, 3);
    let room = width / number;
    let groups: Vec<Vec<_>> = keys
        .chain(beside)
        .map(|(heading, entries)| {
            let mut lines = vec![Line::styled(format!(" {heading}"), theme.heading())];
            for (name, help) in entries {
                // Where it is narrow, what a key is for stands below it.
                let indent = if room < NARROW { 3 } else { INDENT };
                let mut name =
                    Some(Span::styled(format!("  {} ", cell(name, INDENT - 3)), theme.key()));
                if room < NARROW {
                    lines.extend(name.take().map(Line::from));
                }
                for text in words(help, room.saturating_sub(indent + 1)) {
                    let before = name.take().unwrap_or_else(|| Span::raw(" ".repeat(indent)));
                    lines.push(Line::from(vec![before, Span::raw(text)]));
                }
            }
            lines.push(Line::default());
            lines
        })
        .collect();
    beside_each_other(groups, number, room)
}

/// Fills columns one after the other, each with whole groups, about the same height.
fn beside_each_other(
    groups: Vec<Vec<Line<'static>>>,
    number: usize,
    room: usize,
) -> Vec<Line<'static>> {
    let height = groups.iter().map(Vec::len).sum::<usize>().div_ceil(number);
    let mut columns = vec![Vec::new()];
    let left = |columns: &Vec<Vec<Line<'_>>>| number - columns.len();
    for group in groups {
        let filled = columns.last().map_or(0, Vec::len);
        if filled > 0 && filled + group.len() / 2 > height && left(&columns) > 0 {
            columns.push(Vec::new());
        }
        if let Some(column) = columns.last_mut() {
            column.extend(group);
        }
    }
    let tallest = columns.iter().map(Vec::len).max().unwrap_or(0);
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    let row = |_| {
        let mut spans = Vec::new();
        for (at, column) in columns.iter_mut().enumerate() {
            spans.push(Span::raw(" ".repeat((at * room).saturating_sub(width(&spans)))));
            spans.extend(
                column
                    .next()
                    .map(|line| {
                        line.spans.into_iter().map(move |span| span.patch_style(line.style))
                    })
                    .into_iter()
                    .flatten(),
            );
        }
        Line::from(spans)
    };
    (0..tallest).map(row).collect()
}

/// The room for its lines.
#[must_use]
pub fn inner(state: &State) -> Rect {
    let area = Rect::new(0, 0, state.size.0, state.size.1);
    if area.height >= 8 { Block::new().borders(Borders::ALL).inner(area) } else { area }
}

/// Draws it over everything.
pub fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let inner = inner(state);
    let lines = lines(state, usize::from(inner.width));
    let from = state.help.unwrap_or(0).min(lines.len().saturating_sub(usize::from(inner.height)));
    if inner != area {
        let below = lines.len().saturating_sub(from + usize::from(inner.height));
        let more =
            if below > 0 { format!(" {below} more lines: j or Space ") } else { String::new() };
        let block = Block::new().borders(Borders::ALL).border_style(state.setup.theme.quiet());
        frame
            .render_widget(block.title(" Keys (j k scroll, Esc closes) ").title_bottom(more), area);
    }
    super::scrolled(frame, inner, lines, from);
}
