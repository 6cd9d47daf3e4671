//! Draws the prompt: the typed line, and below it an error, a preview or a hint.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph, Widget};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::text::terminal;
use crate::tui::commands;
use crate::tui::state::State;
use crate::tui::state::prompt::{Prompt, Purpose};
use crate::tui::text::{count, cut, wrap};

/// Draws the prompt if it is open. Returns the position of the cursor.
pub fn render(state: &State, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    let prompt = state.prompt.as_ref().filter(|_| area.height > 0)?;
    let theme = state.config.theme;
    let width = usize::from(area.width);
    let label = match prompt.purpose {
        Purpose::Search => " / ",
        Purpose::Rows => " rows with ",
        Purpose::Filter => " filter ",
        Purpose::Save => " save as ",
        Purpose::Command => " : ",
    };
    // A long line is scrolled so that the cursor stays visible.
    let before = terminal::visible(&prompt.line.before()).width();
    let room = width.saturating_sub(label.width() + 1).max(1);
    let text = terminal::visible(&prompt.line.text()).into_owned();
    let skipped = before.saturating_sub(room);
    let mut passed = 0;
    let visible: String = text
        .chars()
        .skip_while(|character| {
            let skip = passed < skipped;
            passed += character.width().unwrap_or(0);
            skip
        })
        .collect();
    let mut lines =
        vec![Line::from(vec![Span::styled(label, theme.heading()), Span::raw(visible)])];
    lines.extend(messages(state, prompt, width));
    let room = usize::from(area.height);
    if let Some(candidates) = candidates(state, prompt, width) {
        // Candidates take the last line if there are several below the prompt, else the first one.
        let place = if room > 2 { lines.len().min(room - 1) } else { lines.len() };
        lines.insert(place, candidates);
    }
    lines.truncate(room);
    Clear.render(area, buffer);
    Paragraph::new(lines).render(area, buffer);
    let column = area.x + u16::try_from(label.width() + before - skipped).unwrap_or(0);
    Some(Position::new(column.min(area.right().saturating_sub(1)), area.y))
}

/// Returns the error of the line, a preview of its matches, or a hint about what to type.
fn messages(state: &State, prompt: &Prompt, width: usize) -> Vec<Line<'static>> {
    let theme = state.config.theme;
    let mut lines = Vec::new();
    if let Some(error) = &prompt.error {
        lines.extend(wrap(
            vec![Span::styled(
                format!(" {}", terminal::visible(&error.to_string())),
                theme.error(),
            )],
            width,
            1,
        ));
        for line in error.detail().into_iter().flat_map(str::lines) {
            lines.push(Line::styled(format!(" {}", terminal::visible(line)), theme.quiet()));
        }
    } else if let Some(draft) = &prompt.draft {
        let first = state.buffer.first();
        let matches =
            draft.numbers().len() - draft.numbers().partition_point(|number| *number < first);
        let all = state.buffer.end() - first;
        let pending = if draft.is_finished(&state.buffer) { "" } else { " so far" };
        let text = format!(" {}{pending} of {} match", count(matches as u64), count(all));
        lines.push(Line::styled(text, theme.good()));
        if let Some(warning) = &draft.warning {
            lines.extend(wrap(
                vec![Span::styled(format!(" {}", terminal::visible(warning)), theme.warning())],
                width,
                1,
            ));
        }
    } else {
        let commands = match commands::missing_argument(&prompt.line.text()) {
            Some("TIME") => {
                " a time such as 09:30, 2026-05-05T09:30:00Z, +5m or -30s from the selected event"
                    .to_owned()
            }
            Some("NAME") => " the name of a theme; Tab completes it".to_owned(),
            Some("on|off") => {
                " on or off: the bell and a notification of the terminal when something newly needs attention".to_owned()
            }
            Some("SID") => " the SID of a call; Tab completes it".to_owned(),
            Some("FILE") => {
                " a new file that only you can read; hidden values stay hidden in it".to_owned()
            }
            _ => format!(" {}", commands::summary()),
        };
        let hint = match prompt.purpose {
            Purpose::Filter if !state.config.named.is_empty() => {
                " words, types such as call.*, jq such as .duration_seconds > 60, or @name of a named filter; empty keeps all"
            }
            Purpose::Filter => {
                " words, types such as call.*, or jq such as .event_type == \"call.ended\" and .duration_seconds > 60; empty keeps all"
            }
            Purpose::Search => {
                " a regular expression, with smart case; empty repeats the last search"
            }
            Purpose::Rows => {
                " a text that a row must contain, with smart case; empty shows all rows"
            }
            Purpose::Command => &commands,
            Purpose::Save => " a new file that only you can read; hidden values stay hidden in it",
        };
        lines.push(Line::styled(hint.to_owned(), theme.quiet()));
    }
    lines
}

/// Returns the completions of the word, starting with the inserted one.
fn candidates(state: &State, prompt: &Prompt, width: usize) -> Option<Line<'static>> {
    let theme = state.config.theme;
    let current = prompt.candidate.unwrap_or(0);
    let mut spans = vec![Span::raw(" ")];
    for (at, word) in prompt.candidates.iter().enumerate().skip(current).take(width / 2) {
        let style = if prompt.candidate == Some(at) { theme.selected() } else { theme.key() };
        spans.push(Span::styled(terminal::visible(word).into_owned(), style));
        spans.push(Span::raw("  "));
    }
    (!prompt.candidates.is_empty()).then(|| cut(spans, width))
}
