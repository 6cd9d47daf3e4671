//! The conversation of a call: utterances, tool calls and changes of state, with the item under the
//! cursor.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::axis::clock;
use super::lanes::outcome;
use crate::analysis::call::transcript::{NoteLevel, Speaker, Transcript, TranscriptItem};
use crate::query::GrepFilter;
use crate::text::{MASK, terminal};
use crate::tui::call_view::CallLine;
use crate::tui::highlight::mark_ranges;
use crate::tui::style::Theme;
use crate::tui::text::{counted, cut, width, wrap};

/// The hint that is shown while there are no utterances.
const NO_SPEECH: &str =
    " no speech yet; use `evtap observe` or --auto-observe to receive the transcript";

/// The number of lines that stay visible before and after the cursor.
const CONTEXT_LINES: usize = 2;

/// A conversation that is drawn.
pub struct ConversationView<'a> {
    /// The colours.
    pub theme: Theme,
    /// The transcript.
    pub transcript: &'a Transcript,
    /// The start of the call, in milliseconds of Unix time.
    pub origin: i64,
    /// The number of the item under the cursor.
    pub selected: Option<u64>,
    /// The pattern whose matches are marked.
    pub search: Option<&'a GrepFilter>,
    /// The width in cells.
    pub width: usize,
}

impl ConversationView<'_> {
    /// Returns the lines of the conversation, each with the item that it belongs to.
    #[must_use]
    pub fn lines(&self) -> Vec<(CallLine, Line<'static>)> {
        let theme = self.theme;
        let mut numbered = Vec::new();
        let mut lines = Vec::new();
        let missing = self.transcript.missing();
        if missing > 0 {
            let text = format!(" {} not kept", counted(missing, "earlier line"));
            lines.push(cut(vec![Span::styled(text, theme.warning())], self.width));
        }
        let is_note = |item: &TranscriptItem| matches!(item, TranscriptItem::Note(..));
        if self.transcript.items.iter().all(|(_, item)| is_note(item)) {
            lines.push(cut(vec![Span::styled(NO_SPEECH, theme.quiet())], self.width));
        }
        push_numbered(&mut numbered, missing, &mut lines);
        for (place, (time, item)) in self.transcript.items.iter().enumerate() {
            let number = self.transcript.number(place);
            let time = clock(time.as_millisecond() - self.origin);
            self.push_item(&time, item, &mut lines);
            if self.selected == Some(number) {
                self.select(&mut lines);
            }
            push_numbered(&mut numbered, number, &mut lines);
        }
        numbered
    }

    fn push_item(&self, time: &str, item: &TranscriptItem, lines: &mut Vec<Line<'static>>) {
        let theme = self.theme;
        match item {
            TranscriptItem::Utterance { speaker, text, marks, deltas, .. } => {
                let bubble = Bubble { speaker: *speaker, text, marks, growing: *deltas };
                self.push_bubble(&bubble, time, lines);
            }
            TranscriptItem::Tool { .. } => {
                let spans = self.mark(tool(theme, time, item));
                lines.push(cut(spans, self.width));
            }
            TranscriptItem::Note(level, text) => {
                let style = match level {
                    NoteLevel::Plain => theme.quiet(),
                    NoteLevel::State => theme.family("surface"),
                    NoteLevel::Warning => theme.warning(),
                };
                let mut spans = vec![Span::styled(format!(" {time:>6} · "), theme.quiet())];
                let text = Span::styled(terminal::visible(text).into_owned(), style);
                spans.extend(self.mark(vec![text]));
                lines.extend(wrap(spans, self.width, 10));
            }
        }
    }

    fn push_bubble(&self, bubble: &Bubble<'_>, time: &str, lines: &mut Vec<Line<'static>>) {
        let theme = self.theme;
        let (indent, style) = match bubble.speaker {
            Speaker::User => (0, theme.family("call")),
            Speaker::Agent => (self.width / 8, theme.family("observer")),
            Speaker::Operator => (self.width / 8, theme.family("operator")),
        };
        let name = vec![Span::styled(bubble.speaker.name(), style.patch(theme.heading()))];
        let mut head =
            vec![Span::styled(format!(" {time:>6} {}", " ".repeat(indent)), theme.quiet())];
        head.extend(self.mark(name));
        for mark in bubble.marks {
            head.push(Span::raw(" "));
            head.extend(self.mark(vec![Span::styled(*mark, theme.warning())]));
        }
        if let Some(chunks) = bubble.growing {
            let chunks = counted(chunks as u64, "chunk");
            head.push(Span::styled(format!(" … {chunks}"), theme.quiet()));
        }
        lines.push(cut(head, self.width));
        let text_style = if bubble.text == MASK { theme.masked() } else { Style::new() };
        let text = Span::styled(terminal::visible(bubble.text).into_owned(), text_style);
        // Long lines are hard to read, and the other speaker's side stays free.
        let before = indent + if self.width < 60 { 1 } else { 8 };
        let room = self.width.saturating_sub(before + 2).min(self.width * 5 / 6).max(8);
        for mut line in wrap(self.mark(vec![text]), room, 0) {
            line.spans.insert(0, Span::styled(format!("{}▏ ", " ".repeat(before)), style));
            lines.push(line);
        }
    }

    /// Marks what the search found in the text of some spans.
    fn mark(&self, spans: Vec<Span<'static>>) -> Vec<Span<'static>> {
        let Some(grep) = self.search else { return spans };
        let text: String = spans.iter().map(|span| &*span.content).collect();
        mark_ranges(spans, &grep.match_ranges(&text), self.theme.found())
    }

    /// Marks the lines of the item under the cursor: the first one is reversed, and all have a bar
    /// at their beginning.
    fn select(&self, lines: &mut [Line<'static>]) {
        for (place, line) in lines.iter_mut().enumerate() {
            let mut spans = std::mem::take(&mut line.spans);
            if let Some(first) = spans.first_mut() {
                let text = first.content.strip_prefix(' ').unwrap_or(&first.content).to_owned();
                *first = Span::styled(text, first.style);
            }
            if place == 0 {
                let rest = self.width.saturating_sub(width(&spans) + 1);
                spans.push(Span::raw(" ".repeat(rest)));
                for span in &mut spans {
                    let is_match = span.style == self.theme.found();
                    span.style =
                        if is_match { self.theme.found_here() } else { self.theme.selected() };
                }
            }
            spans.insert(0, Span::styled(if place == 0 { "▶" } else { "▌" }, self.theme.key()));
            line.spans = spans;
        }
    }
}

/// Moves the lines of an item to the numbered ones.
fn push_numbered(
    numbered: &mut Vec<(CallLine, Line<'static>)>,
    item: u64,
    lines: &mut Vec<Line<'static>>,
) {
    let of_item = lines.drain(..).enumerate();
    numbered.extend(of_item.map(|(line, text)| (CallLine { item, line }, text)));
}

/// Returns the index of the first visible line: `top`, or a line near it from which the lines of the
/// item under the cursor are visible. Without either, the newest lines are visible.
#[must_use]
pub fn first_line(
    lines: &[(CallLine, Line<'static>)],
    top: Option<CallLine>,
    selected: Option<u64>,
    height: usize,
) -> usize {
    let last = lines.len().saturating_sub(height);
    let first = top.map_or(last, |top| {
        lines.partition_point(|(line, _)| (line.item, line.line) < (top.item, top.line))
    });
    let Some(selected) = selected else { return first.min(last) };
    let from = lines.partition_point(|(line, _)| line.item < selected);
    let to = lines.partition_point(|(line, _)| line.item <= selected);
    // The beginning of a long item matters more than its end.
    let context = CONTEXT_LINES.min(height.saturating_sub(to - from) / 2).max(1);
    let latest = from.saturating_sub(context);
    let earliest = (to + context).saturating_sub(height).min(latest);
    first.clamp(earliest, latest).min(last)
}

/// An utterance, which may still be growing.
struct Bubble<'a> {
    speaker: Speaker,
    text: &'a str,
    marks: &'a [&'static str],
    /// How many chunks have arrived, while the utterance is incomplete.
    growing: Option<usize>,
}

/// Returns a tool call as one line, indented below the tool that called it.
fn tool(theme: Theme, time: &str, item: &TranscriptItem) -> Vec<Span<'static>> {
    let TranscriptItem::Tool { depth, name, duration, succeeded, error, .. } = item else {
        return Vec::new();
    };
    let (sign, style) = outcome(theme, *succeeded);
    let branch = if *depth > 0 { "└ " } else { "" };
    let indent = "  ".repeat((*depth).min(8));
    let mut spans = vec![
        Span::styled(format!(" {time:>6} "), theme.quiet()),
        Span::styled(format!("{indent}{branch}{sign} "), style),
        Span::styled(format!("{} ", terminal::visible(name)), theme.heading()),
    ];
    if let Some(duration) = duration {
        spans.push(Span::styled(format!("{duration:.0} ms "), theme.quiet()));
    }
    if let Some(error) = error {
        spans.push(Span::styled(terminal::visible(error).into_owned(), style));
    }
    spans
}
