//! The conversation of a call: utterances, tool calls and changes of state.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::analysis::call::transcript::{NoteLevel, Speaker, Transcript, TranscriptItem};
use crate::text::{MASK, terminal};
use crate::tui::state::State;
use crate::tui::state::modes::CallLine;
use crate::tui::style::Theme;
use crate::tui::text::{counted, cut, wrap};

/// The hint that is shown while there are no utterances.
const NO_SPEECH: &str =
    " no speech yet; use `evtap observe` or --auto-observe to receive the transcript";

/// Returns the lines of the conversation, each with the item that it belongs to.
pub fn lines(
    state: &State,
    transcript: &Transcript,
    width: usize,
) -> Vec<(CallLine, Line<'static>)> {
    let theme = state.config.theme;
    let mut lines = Vec::new();
    let missing = transcript.missing();
    if missing > 0 {
        let text = format!(" {} not kept", counted(missing, "earlier line"));
        lines.push(cut(vec![Span::styled(text, theme.warning())], width));
    }
    if transcript.items.iter().all(|(_, item)| matches!(item, TranscriptItem::Note(..))) {
        lines.push(cut(vec![Span::styled(NO_SPEECH, theme.quiet())], width));
    }
    let mut numbered = Vec::new();
    let mut number = missing;
    push_numbered(&mut numbered, number, &mut lines);
    for (time, item) in &transcript.items {
        number += 1;
        let clock = time.to_zoned(state.config.zone.clone()).strftime("%H:%M:%S").to_string();
        match item {
            TranscriptItem::Utterance { speaker, text, marks, deltas } => {
                let bubble = Bubble { speaker: *speaker, text, marks, growing: *deltas };
                bubble.push_lines(theme, &clock, width, &mut lines);
            }
            TranscriptItem::Tool { .. } => lines.push(cut(tool(theme, item), width)),
            TranscriptItem::Note(level, text) => {
                let style = match level {
                    NoteLevel::Plain => theme.quiet(),
                    NoteLevel::State => theme.family("surface"),
                    NoteLevel::Warning => theme.warning(),
                };
                let text = format!("   · {clock} {}", terminal::visible(text));
                lines.extend(wrap(vec![Span::styled(text, style)], width, 5));
            }
        }
        push_numbered(&mut numbered, number, &mut lines);
    }
    numbered
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

/// An utterance, which may still be growing.
struct Bubble<'a> {
    speaker: Speaker,
    text: &'a str,
    marks: &'a [&'static str],
    /// How many chunks have arrived, while the utterance is incomplete.
    growing: Option<usize>,
}

impl Bubble<'_> {
    fn push_lines(&self, theme: Theme, clock: &str, width: usize, lines: &mut Vec<Line<'static>>) {
        let (indent, style) = match self.speaker {
            Speaker::User => (0, theme.family("call")),
            Speaker::Agent => (width / 6, theme.family("observer")),
            Speaker::Operator => (width / 6, theme.family("operator")),
        };
        let name = format!(" {} ", self.speaker.name());
        let mut head = vec![
            Span::raw(" ".repeat(indent)),
            Span::styled(name, style.patch(theme.heading())),
            Span::styled(format!("{clock} "), theme.quiet()),
        ];
        let mark = |mark: &&str| Span::styled(format!("{mark} "), theme.warning());
        head.extend(self.marks.iter().map(mark));
        if let Some(chunks) = self.growing {
            let chunks = counted(chunks as u64, "chunk");
            head.push(Span::styled(format!("… {chunks}"), theme.quiet()));
        }
        lines.push(cut(head, width));
        let text_style = if self.text == MASK { theme.masked() } else { Style::new() };
        let text = vec![Span::styled(terminal::visible(self.text).into_owned(), text_style)];
        for mut line in wrap(text, (width * 5 / 6).saturating_sub(4).max(8), 0) {
            line.spans.insert(0, Span::styled(format!("{} ▏ ", " ".repeat(indent)), style));
            lines.push(line);
        }
    }
}

/// Returns a tool call as one line, indented below the tool that called it.
fn tool(theme: Theme, item: &TranscriptItem) -> Vec<Span<'static>> {
    let TranscriptItem::Tool { depth, name, duration, succeeded, error, .. } = item else {
        return Vec::new();
    };
    let (sign, style) = match succeeded {
        None => ("…", theme.quiet()),
        Some(true) => ("✓", theme.good()),
        Some(false) => ("✗", theme.error()),
    };
    let branch = if *depth > 0 { "└ " } else { "" };
    let mut spans = vec![
        Span::styled(format!("   {}{branch}{sign} ", "  ".repeat(*depth)), style),
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
