//! A timeline as text for a terminal: the time since the start of the call, who, and what.

use std::fmt::Write;

use colored::{ColoredString, Colorize};

use super::collect::CollectedEvents;
use super::render::{Tone, header, privacy_notice, render};
use super::{EntryKind, Timeline, clock};
use crate::analysis::stats::text::{cell, length};
use crate::output::pretty::width_of;
use crate::text::terminal;
use crate::text::units::count;

/// The widths of the columns of the time and of the label.
const TIME: usize = 13;
const LABEL: usize = 9;

/// Renders the timeline in lines of at most `width` columns, with colours if they are enabled.
#[must_use]
pub fn text(timeline: &Timeline, width: usize) -> String {
    let mut text = String::new();
    for (name, value) in header(timeline) {
        let _ = writeln!(
            text,
            "{} {}",
            cell(name, LABEL).dimmed(),
            cell(&value, width.saturating_sub(LABEL + 1)).trim_end().bold()
        );
    }
    let (is_hidden, notice) = privacy_notice(timeline);
    for line in wrap(&[(Tone::Plain, notice)], width) {
        let line = line.into_iter().map(|(_, word)| word).collect::<String>();
        let _ = writeln!(text, "{}", if is_hidden { line.dimmed() } else { line.red().bold() });
    }
    text.push('\n');
    for entry in &timeline.entries {
        let rendered = render(entry);
        let time = timeline.offset(entry.at).map_or_else(|| "-".to_owned(), clock);
        let indent = "  ".repeat(rendered.depth);
        let branch = if rendered.depth > 0 { "└ " } else { "" };
        let before = TIME + 1 + LABEL + 1 + indent.len() + width_of(branch);
        let room = width.saturating_sub(before).max(10);
        let mut lines = wrap(&rendered.words, room);
        if matches!(entry.kind, EntryKind::Event { .. }) && lines.len() > 1 {
            // Other events matter less for the course of the call, and the other formats show all
            // their fields.
            lines = wrap(&rendered.words, room - 2);
            lines.truncate(1);
            lines[0].push((Tone::Quiet, " …".to_owned()));
        }
        for (at, line) in lines.into_iter().enumerate() {
            if at == 0 {
                let label = paint(rendered.tone, &cell(rendered.label, LABEL));
                let _ =
                    write!(text, "{} {label} {indent}{branch}", format!("{time:>TIME$}").dimmed());
            } else {
                text.push_str(&" ".repeat(before));
            }
            for (tone, word) in line {
                let _ = write!(text, "{}", paint(tone, &word));
            }
            text.push('\n');
        }
    }
    text
}

fn paint(tone: Tone, words: &str) -> ColoredString {
    match tone {
        Tone::Plain => words.normal(),
        Tone::Quiet => words.dimmed(),
        Tone::Hidden => words.magenta(),
        Tone::Good => words.green(),
        Tone::Warning => words.yellow(),
        Tone::Bad => words.red(),
    }
}

/// Wraps words into lines of at most `width` columns. A longer word is broken.
fn wrap(words: &[(Tone, String)], width: usize) -> Vec<Vec<(Tone, String)>> {
    let mut lines: Vec<Vec<(Tone, String)>> = vec![Vec::new()];
    let mut taken = 0;
    let tone_words =
        words.iter().flat_map(|(tone, text)| text.split(' ').map(move |word| (*tone, word)));
    for (tone, word) in tone_words {
        let between = usize::from(taken > 0);
        if taken + between + width_of(word) > width && taken > 0 {
            lines.push(Vec::new());
            taken = 0;
        }
        let mut word = if taken > 0 { format!(" {word}") } else { word.to_owned() };
        while width_of(&word) > width {
            let mut room = width;
            let fits = |character: &char| {
                let needed = width_of(character.encode_utf8(&mut [0; 4]));
                let fits = needed <= room;
                room = if fits { room - needed } else { 0 };
                fits
            };
            let start: String = word.chars().take_while(fits).collect();
            word = word.split_off(start.len());
            lines.extend([vec![(tone, start)], Vec::new()]);
        }
        taken += width_of(&word);
        if let Some(line) = lines.last_mut() {
            line.push((tone, word));
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// Renders a table of all calls.
#[must_use]
pub fn list(collected: &CollectedEvents) -> String {
    let mut text = format!(
        "{:34}  {:19}  {:>7}  {:>6}  {}\n",
        "call", "first seen (UTC)", "length", "events", "ended"
    );
    let mut sorted: Vec<_> = collected
        .calls
        .iter()
        .map(|(sid, summary)| (summary.span(collected.shift), sid, summary))
        .collect();
    sorted.sort_by_key(|(span, ..)| *span);
    for (span, sid, summary) in sorted {
        let first = span.map(|(first, _)| first.strftime("%F %T").to_string()).unwrap_or_default();
        let seconds = span
            .map(|(first, last)| length(last.as_second() - first.as_second()))
            .unwrap_or_default();
        let outcome = summary.outcome.as_deref().map(terminal::visible).unwrap_or_default();
        let (sid, events) = (cell(sid, 34), count(summary.events));
        let _ = writeln!(
            text,
            "{}",
            format!("{sid}  {first:19}  {seconds:>7}  {events:>6}  {outcome}").trim_end()
        );
    }
    text
}
