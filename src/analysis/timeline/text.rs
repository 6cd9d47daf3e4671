//! A timeline as text for a terminal: the time since the start of the call, who, and what.

use std::io::{self, Write};

use colored::{ColoredString, Colorize};

use super::collect::CollectedEvents;
use super::render::{Tone, header, render};
use super::{EntryKind, Timeline, clock};
use crate::analysis::page::privacy_notice;
use crate::analysis::stats::text::{cell, length};
use crate::output::pretty::width_of;
use crate::output::stored_event::StoredEventReader;
use crate::text::terminal;
use crate::text::units::count;

/// The widths of the columns of the time and of the label.
const TIME: usize = 13;
const LABEL: usize = 9;

/// Writes the timeline in lines of at most `width` columns, with colours if they are enabled.
///
/// # Errors
/// Fails if `out` does.
pub fn text(timeline: &Timeline, width: usize, out: &mut dyn Write) -> io::Result<()> {
    for (name, value) in header(timeline) {
        writeln!(
            out,
            "{} {}",
            cell(name, LABEL).dimmed(),
            cell(&value, width.saturating_sub(LABEL + 1)).trim_end().bold()
        )?;
    }
    let (is_hidden, notice) = privacy_notice(&timeline.revealed);
    for line in wrap(&[(Tone::Plain, notice)], width) {
        let line = line.into_iter().map(|(_, word)| word).collect::<String>();
        writeln!(out, "{}", if is_hidden { line.dimmed() } else { line.red().bold() })?;
    }
    writeln!(out)?;
    let mut reader = StoredEventReader::default();
    for entry in &timeline.entries {
        let rendered = render(entry, &mut reader);
        let time = timeline.offset(entry.at).map_or_else(|| "-".to_owned(), clock);
        let indent = "  ".repeat(rendered.depth);
        let branch = if rendered.depth > 0 { "└ " } else { "" };
        let before = TIME + 1 + LABEL + 1 + indent.len() + width_of(branch);
        let room = width.saturating_sub(before).max(10);
        let mut lines = wrap(&rendered.words, room);
        if matches!(entry.kind, EntryKind::Event(_)) && lines.len() > 1 {
            // Other events matter less for the course of the call, and the other formats show all
            // their fields.
            lines = wrap(&rendered.words, room - 2);
            lines.truncate(1);
            lines[0].push((Tone::Quiet, " …".to_owned()));
        }
        for (at, line) in lines.into_iter().enumerate() {
            if at == 0 {
                let label = paint(rendered.tone, &cell(rendered.label, LABEL));
                write!(out, "{} {label} {indent}{branch}", format!("{time:>TIME$}").dimmed())?;
            } else {
                write!(out, "{:before$}", "")?;
            }
            for (tone, word) in line {
                write!(out, "{}", paint(tone, &word))?;
            }
            writeln!(out)?;
        }
    }
    Ok(())
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
        let mut part = String::from(if taken > 0 { " " } else { "" });
        taken += between;
        for character in word.chars() {
            let needed = width_of(character.encode_utf8(&mut [0; 4]));
            if taken + needed > width && taken > 0 {
                push(&mut lines, tone, &part);
                part.clear();
                lines.push(Vec::new());
                taken = 0;
            }
            taken += needed;
            part.push(character);
        }
        push(&mut lines, tone, &part);
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// Adds words to the last line. Words of one tone share a string, because a long text has many.
fn push(lines: &mut [Vec<(Tone, String)>], tone: Tone, words: &str) {
    let Some(line) = lines.last_mut() else { return };
    match line.last_mut() {
        Some((last, text)) if *last == tone => text.push_str(words),
        _ => line.push((tone, words.to_owned())),
    }
}

/// Writes a table of all calls.
///
/// # Errors
/// Fails if `out` does.
pub fn list(collected: &CollectedEvents, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{:34}  {:19}  {:>7}  {:>6}  ended",
        "call", "first seen (UTC)", "length", "events"
    )?;
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
        let row = format!("{sid}  {first:19}  {seconds:>7}  {events:>6}  {outcome}");
        writeln!(out, "{}", row.trim_end())?;
    }
    let missing = collected.calls.missing();
    if missing > 0 {
        writeln!(
            out,
            "(the list is full: {} events of further calls are not in it)",
            count(missing)
        )?;
    }
    Ok(())
}
