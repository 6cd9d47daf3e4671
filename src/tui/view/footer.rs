//! The foot of the screen: the keys that matter here, or what there is to tell; above it the line that is being typed.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::text::{count, cut, sides};
use crate::text::terminal;
use crate::tui::keys::{self, KeyAction};
use crate::tui::prompt::commands;
use crate::tui::state::{Prompt, Purpose, State};

/// Draws the last line.
pub fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let theme = state.setup.theme;
    let width = usize::from(area.width);
    if let Some((text, _)) = &state.notice {
        let text = terminal::visible(text).into_owned();
        return frame.render_widget(
            cut(vec![Span::styled(format!(" {text}"), theme.warning())], width),
            area,
        );
    }
    let key = |name: &str, what: &str| {
        vec![
            Span::styled(format!(" {name} "), theme.key()),
            Span::styled(format!("{what} "), theme.quiet()),
        ]
    };
    if let Some(prompt) = &state.prompt {
        let mut spans =
            key("Enter", if prompt.purpose == Purpose::Search { "search" } else { "take it" });
        spans.extend(key("Esc", "leave it"));
        if !prompt.candidates.is_empty() {
            spans.extend(key("Tab", "complete"));
        }
        if prompt.purpose == Purpose::Filter {
            spans.extend(key("↑ ↓", "the last ones"));
        }
        return frame.render_widget(cut(spans, width), area);
    }
    // Where there is no line with tabs, what stands beside them stands here.
    let mut spans =
        if super::areas(state).tabs.height == 0 { super::header::kept(state) } else { Vec::new() };
    let right =
        if width < 40 { key("?", "help") } else { [key("?", "help"), key("q", "quit")].concat() };
    let room = width.saturating_sub(super::text::width(&right) + 1);
    for (action, what) in wanted(state) {
        let Some(binding) = keys::bindings().find(|binding| binding.action == action) else {
            continue;
        };
        let more = key(binding.name.split(' ').next().unwrap_or(binding.name), what);
        if super::text::width(&spans) + super::text::width(&more) <= room {
            spans.extend(more);
        }
    }
    frame.render_widget(sides(spans, right, width), area);
}

/// The keys that matter here, the most needed first.
fn wanted(state: &State) -> Vec<(KeyAction, &'static str)> {
    if state.ticks.is_some() {
        return vec![
            (KeyAction::Pause, "tick"),
            (KeyAction::Open, "take them"),
            (KeyAction::Back, "leave them"),
            (KeyAction::Down, "next"),
        ];
    }
    if state.detail.as_ref().is_some_and(|detail| detail.focused) && state.screen == 0 {
        return vec![
            (KeyAction::Down, "next"),
            (KeyAction::Open, "fold"),
            (KeyAction::AddToFilter, "to filter"),
            (KeyAction::Copy, "copy"),
            (KeyAction::Back, "list"),
        ];
    }
    if state.screen != 0 {
        return super::wanted(state);
    }
    let mut wanted =
        vec![(KeyAction::Open, if state.detail.is_some() { "step in" } else { "detail" })];
    if !state.follow {
        wanted.push((KeyAction::Bottom, "follow"));
    }
    wanted.push((KeyAction::Pause, if state.paused.is_some() { "go on" } else { "pause" }));
    wanted.push((KeyAction::Filter, "filter"));
    if state.filter.is_some() {
        wanted.push((KeyAction::ToggleFilter, if state.filtering { "off" } else { "on" }));
    }
    if state.setup.pace.is_some() && state.link != crate::tui::state::ConnectionStatus::Ended {
        wanted.extend([
            (KeyAction::Hold, "hold"),
            (KeyAction::Step, "step"),
            (KeyAction::Faster, "faster"),
            (KeyAction::Slower, "slower"),
        ]);
    }
    wanted.push((KeyAction::Search, "search"));
    if state.search.is_some() {
        wanted.push((KeyAction::Next, "next"));
    }
    wanted.extend([
        (KeyAction::NextError, "errors"),
        (KeyAction::OnlyCall, "only call"),
        (KeyAction::Time, "time"),
        (KeyAction::Save, "save"),
    ]);
    wanted
}

/// Draws the line that is being typed, and what comes of it.
pub fn prompt(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let Some(prompt) = state.prompt.as_ref().filter(|_| area.height > 0) else { return };
    let theme = state.setup.theme;
    let width = usize::from(area.width);
    let label = match prompt.purpose {
        Purpose::Search => " / ",
        Purpose::Filter => " filter ",
        Purpose::Save => " save as ",
        Purpose::Command => " : ",
    };
    // The cursor stays in sight.
    let before = terminal::visible(&prompt.line.before()).width();
    let room = width.saturating_sub(label.width() + 1).max(1);
    let text = terminal::visible(&prompt.line.text()).into_owned();
    let skipped = before.saturating_sub(room);
    let mut taken = 0;
    let shown: String = text
        .chars()
        .skip_while(|character| {
            let skip = taken < skipped;
            taken += unicode_width::UnicodeWidthChar::width(*character).unwrap_or(0);
            skip
        })
        .collect();
    let mut lines = vec![Line::from(vec![Span::styled(label, theme.heading()), Span::raw(shown)])];
    lines.extend(remarks(state, prompt, width));
    let room = usize::from(area.height);
    if let Some(candidates) = candidates(state, prompt, width) {
        // They have the last line, if there is more than one below what is typed.
        let place = if room > 2 { lines.len().min(room - 1) } else { lines.len() };
        lines.insert(place, candidates);
    }
    lines.truncate(room);
    frame.render_widget(ratatui::widgets::Clear, area);
    frame.render_widget(ratatui::widgets::Paragraph::new(lines), area);
    let column = area.x + u16::try_from(label.width() + before - skipped).unwrap_or(0);
    frame.set_cursor_position((column.min(area.right().saturating_sub(1)), area.y));
}

fn remarks(state: &State, prompt: &Prompt, width: usize) -> Vec<Line<'static>> {
    let theme = state.setup.theme;
    let mut lines = Vec::new();
    if let Some(error) = &prompt.error {
        lines.extend(super::text::wrap(
            vec![Span::styled(
                format!(" {}", terminal::visible(&error.to_string())),
                theme.error(),
            )],
            width,
        ));
        for line in error.detail().into_iter().flat_map(str::lines) {
            lines.push(Line::styled(format!(" {}", terminal::visible(line)), theme.quiet()));
        }
    } else if let Some(draft) = &prompt.draft {
        let first = state.buffer.first();
        let matches =
            draft.numbers().len() - draft.numbers().partition_point(|number| *number < first);
        let all = state.buffer.end() - first;
        let seeking = if draft.is_through(&state.buffer) { "" } else { " so far" };
        let text = format!(" {}{seeking} of {} match", count(matches as u64), count(all));
        lines.push(Line::styled(text, theme.good()));
        if let Some(remark) = &draft.remark {
            lines.extend(super::text::wrap(
                vec![Span::styled(format!(" {}", terminal::visible(remark)), theme.warning())],
                width,
            ));
        }
    } else {
        let commands = format!(" {}", commands());
        let hint = match prompt.purpose {
            Purpose::Filter if !state.setup.named.is_empty() => {
                " a jq expression, such as .duration_seconds > 60, or the @name of one that you have; empty keeps all"
            }
            Purpose::Filter => {
                " a jq expression, such as .event_type == \"call.ended\" and .duration_seconds > 60; empty keeps all"
            }
            Purpose::Search => {
                " a regular expression; capitals matter if there are any; empty repeats the last one"
            }
            Purpose::Command => &commands,
            Purpose::Save => {
                " a new file, which only you can read; what is hidden stays hidden in it"
            }
        };
        lines.push(Line::styled(hint.to_owned(), theme.quiet()));
    }
    lines
}

/// What the word may become: from the one that it has become on, as many as there is room for.
fn candidates(state: &State, prompt: &Prompt, width: usize) -> Option<Line<'static>> {
    let theme = state.setup.theme;
    let tried = prompt.tried.unwrap_or(0);
    let mut spans = vec![Span::raw(" ")];
    for (at, word) in prompt.candidates.iter().enumerate().skip(tried).take(width / 2) {
        let style = if prompt.tried == Some(at) { theme.selected() } else { theme.key() };
        spans.push(Span::styled(terminal::visible(word).into_owned(), style));
        spans.push(Span::raw("  "));
    }
    (!prompt.candidates.is_empty()).then(|| cut(spans, width))
}
