//! The pane with the input and output of a tool call. It shows what the redacted events show.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::axis::TimeAxis;
use super::lanes::{outcome, tool_period};
use crate::analysis::call::transcript::{Transcript, TranscriptItem};
use crate::json::scan;
use crate::json::string::{unescape, unquote};
use crate::text::{MASK, terminal};
use crate::tui::scrolling::render_lines;
use crate::tui::style::Theme;
use crate::tui::text::{cut, wrap};

/// The width of the names of the parts.
const NAME_WIDTH: usize = 8;

/// Draws the tool call that the cursor is on, or the last one that began before it.
pub fn render(
    theme: Theme,
    transcript: &Transcript,
    axis: TimeAxis,
    place: usize,
    area: Rect,
    buffer: &mut Buffer,
) {
    let before = transcript.items.iter().take(place + 1).rev();
    let mut tools = before.filter(|(_, item)| matches!(item, TranscriptItem::Tool { .. }));
    let width = usize::from(area.width);
    let lines = match tools.next() {
        Some((time, item)) => tool_lines(theme, axis, *time, item, width),
        None => vec![Line::styled(" no tool was called before this", theme.quiet())],
    };
    let height = usize::from(area.height);
    let is_cut = lines.len() > height;
    let mut lines: Vec<_> = lines.into_iter().take(height).collect();
    if is_cut && let Some(last) = lines.last_mut() {
        let rest = " … more: Enter opens the event";
        *last = cut(vec![Span::styled(rest, theme.quiet())], width);
    }
    render_lines(lines, 0, area, buffer);
}

fn tool_lines(
    theme: Theme,
    axis: TimeAxis,
    time: Timestamp,
    item: &TranscriptItem,
    width: usize,
) -> Vec<Line<'static>> {
    let TranscriptItem::Tool { name, duration, succeeded, error, finished, input, output, .. } =
        item
    else {
        return Vec::new();
    };
    let (sign, style) = outcome(theme, *succeeded);
    let mut head = vec![
        Span::styled(format!(" {sign} "), style),
        Span::styled(format!("{} ", terminal::visible(name)), theme.heading()),
    ];
    if let Some(duration) = duration {
        head.push(Span::raw(format!("{duration:.0} ms  ")));
    }
    let (from, to) = tool_period(time, *finished, *duration, time);
    let times = match finished {
        Some(_) => format!("{}–{}", axis.label(from), axis.label(to)),
        None => format!("{}, no answer yet", axis.label(from)),
    };
    head.push(Span::styled(times, theme.quiet()));
    let mut lines = vec![cut(head, width)];
    if let Some(error) = error {
        let style = if error == MASK { theme.masked() } else { theme.error() };
        push_part(
            theme,
            "error",
            vec![Span::styled(terminal::visible(error).into_owned(), style)],
            width,
            &mut lines,
        );
    }
    for (name, json) in [("input", input), ("output", output)] {
        match json {
            Some(json) => push_json(theme, name, json, width, &mut lines),
            None if name == "output" && finished.is_none() => {}
            None => {
                let none = vec![Span::styled("none", theme.quiet())];
                push_part(theme, name, none, width, &mut lines);
            }
        }
    }
    lines
}

/// Adds a part, wrapped, with its name before the first line.
fn push_part(
    theme: Theme,
    name: &str,
    spans: Vec<Span<'static>>,
    width: usize,
    lines: &mut Vec<Line<'static>>,
) {
    let mut name = format!(" {name:<NAME_WIDTH$}");
    for mut line in wrap(spans, width.saturating_sub(NAME_WIDTH + 1).max(8), 2) {
        line.spans.insert(0, Span::styled(name, theme.key()));
        name = " ".repeat(NAME_WIDTH + 1);
        lines.push(line);
    }
}

/// Adds a value: a line for each member of an object, and the text of a string.
fn push_json(theme: Theme, name: &str, json: &str, width: usize, lines: &mut Vec<Line<'static>>) {
    // A long value was cut, so it may be no JSON.
    let is_whole = serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok();
    let entries = if is_whole && json.starts_with('{') { scan::entries(json) } else { Vec::new() };
    if entries.is_empty() {
        let value = unquote(json).filter(|_| is_whole);
        let value = value.map_or_else(|| json.to_owned(), std::borrow::Cow::into_owned);
        return push_part(theme, name, vec![value_span(theme, &value)], width, lines);
    }
    let mut name = name;
    for (key, value) in entries {
        let key = key.map(unescape).unwrap_or_default();
        let key = Span::styled(format!("{} ", terminal::visible(&key)), theme.quiet());
        let text = unquote(value).map_or_else(|| value.to_owned(), std::borrow::Cow::into_owned);
        push_part(theme, name, vec![key, value_span(theme, &text)], width, lines);
        name = "";
    }
}

fn value_span(theme: Theme, text: &str) -> Span<'static> {
    let style = if text.contains(MASK) { theme.masked() } else { Style::new() };
    Span::styled(terminal::visible(text).into_owned(), style)
}
