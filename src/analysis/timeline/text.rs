//! A timeline on a terminal: the time since the beginning, who, and what.

use std::fmt::Write;

use colored::{ColoredString, Colorize};

use super::collect::CollectedEvents;
use super::render::{Tone, head, hiding, told};
use super::{EntryKind, Timeline, clock};
use crate::analysis::stats::text::{cell, length};
use crate::output::pretty::width_of;
use crate::text::terminal;
use crate::text::units::count;

/// The columns of the time, and of the label.
const TIME: usize = 13;
const LABEL: usize = 9;

/// The timeline in lines of at most that many columns, coloured if colours are on.
#[must_use]
pub fn text(timeline: &Timeline, width: usize) -> String {
    let mut text = String::new();
    for (name, value) in head(timeline) {
        let _ = writeln!(
            text,
            "{} {}",
            cell(name, LABEL).dimmed(),
            cell(&value, width.saturating_sub(LABEL + 1)).trim_end().bold()
        );
    }
    let (hidden, says) = hiding(timeline);
    for line in wrap(&[(Tone::Plain, says)], width) {
        let line = line.into_iter().map(|(_, word)| word).collect::<String>();
        let _ = writeln!(text, "{}", if hidden { line.dimmed() } else { line.red().bold() });
    }
    text.push('\n');
    for entry in &timeline.entries {
        let told = told(entry);
        let time = timeline.offset(entry.at).map_or_else(|| "-".to_owned(), clock);
        let indent = "  ".repeat(told.depth);
        let branch = if told.depth > 0 { "└ " } else { "" };
        let before = TIME + 1 + LABEL + 1 + indent.len() + width_of(branch);
        let room = width.saturating_sub(before).max(10);
        let mut lines = wrap(&told.words, room);
        if matches!(entry.what, EntryKind::Event { .. }) && lines.len() > 1 {
            // Of the course of the call the less important; other outputs have all of it.
            lines = wrap(&told.words, room - 2);
            lines.truncate(1);
            lines[0].push((Tone::Quiet, " …".to_owned()));
        }
        for (at, line) in lines.into_iter().enumerate() {
            if at == 0 {
                let label = paint(told.tone, &cell(told.label, LABEL));
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

/// Words in lines of at most so many columns. A word that is longer is broken.
fn wrap(words: &[(Tone, String)], width: usize) -> Vec<Vec<(Tone, String)>> {
    let mut lines: Vec<Vec<(Tone, String)>> = vec![Vec::new()];
    let mut taken = 0;
    let pieces =
        words.iter().flat_map(|(tone, text)| text.split(' ').map(move |word| (*tone, word)));
    for (tone, word) in pieces {
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
            let piece: String = word.chars().take_while(fits).collect();
            let rest = word.split_off(piece.len());
            word = rest;
            lines.extend([vec![(tone, piece)], Vec::new()]);
        }
        taken += width_of(&word);
        if let Some(line) = lines.last_mut() {
            line.push((tone, word));
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// The calls that there are.
#[must_use]
pub fn list(gathered: &CollectedEvents) -> String {
    let mut text = format!(
        "{:34}  {:19}  {:>7}  {:>6}  {}\n",
        "call", "first seen (UTC)", "length", "events", "ended"
    );
    let mut sorted: Vec<_> = gathered
        .calls
        .iter()
        .map(|(sid, found)| (found.span(gathered.shift), sid, found))
        .collect();
    sorted.sort_by_key(|(span, ..)| *span);
    for (span, sid, found) in sorted {
        let first = span.map(|(first, _)| first.strftime("%F %T").to_string()).unwrap_or_default();
        let seconds = span
            .map(|(first, last)| length(last.as_second() - first.as_second()))
            .unwrap_or_default();
        let outcome = found.outcome.as_deref().map(terminal::visible).unwrap_or_default();
        let (sid, events) = (cell(sid, 34), count(found.events));
        let _ = writeln!(
            text,
            "{}",
            format!("{sid}  {first:19}  {seconds:>7}  {events:>6}  {outcome}").trim_end()
        );
    }
    text
}
