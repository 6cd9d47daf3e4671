//! The search for a regular expression in the conversation of a call.

use crate::analysis::call::transcript::{Transcript, TranscriptItem};
use crate::query::GrepFilter;
use crate::text::terminal;

/// A pattern and the items of a transcript that match it.
pub struct CallSearch {
    /// The pattern as it was typed.
    pub pattern: String,
    /// The compiled pattern.
    pub grep: GrepFilter,
    /// The numbers of the matching items, in ascending order.
    matches: Vec<u64>,
    /// The SID of the call that was searched, and the revision of its transcript.
    basis: Option<(String, u64)>,
}

impl CallSearch {
    /// Creates a search that has not found anything yet.
    #[must_use]
    pub const fn new(pattern: String, grep: GrepFilter) -> Self {
        Self { pattern, grep, matches: Vec::new(), basis: None }
    }

    /// Searches a call, unless that was done since its last event.
    pub fn update(&mut self, sid: &str, transcript: &Transcript) {
        let revision = transcript.revision;
        if self.basis.as_ref().is_some_and(|(of, at)| of == sid && *at == revision) {
            return;
        }
        self.basis = Some((sid.to_owned(), revision));
        let grep = &self.grep;
        let is_match = |item: &TranscriptItem| item_texts(item).iter().any(|it| grep.is_match(it));
        let matching = transcript.items.iter().enumerate().filter(|(_, (_, item))| is_match(item));
        self.matches = matching.map(|(place, _)| transcript.number(place)).collect();
    }

    /// Returns the number of the match after an item, or before it, and whether the search started
    /// over at the other end.
    #[must_use]
    pub fn next(&self, item: u64, forward: bool) -> Option<(u64, bool)> {
        let (near, far) = if forward {
            let after = self.matches.partition_point(|number| *number <= item);
            (self.matches.get(after), self.matches.first())
        } else {
            let before = self.matches.partition_point(|number| *number < item);
            (before.checked_sub(1).and_then(|at| self.matches.get(at)), self.matches.last())
        };
        near.map(|number| (*number, false)).or(far.map(|number| (*number, true)))
    }

    /// Returns the position of an item among the matches, from 1, if it is one, and the number of
    /// matches.
    #[must_use]
    pub fn position(&self, item: u64) -> (Option<usize>, usize) {
        let place = self.matches.binary_search(&item).ok();
        (place.map(|place| place + 1), self.matches.len())
    }
}

/// Returns the texts of an item as the conversation shows them, without their times.
#[must_use]
pub fn item_texts(item: &TranscriptItem) -> Vec<String> {
    let visible = |text: &str| terminal::visible(text).into_owned();
    match item {
        TranscriptItem::Utterance { speaker, text, marks, .. } => {
            let mut head = speaker.name().to_owned();
            for mark in marks {
                head.push(' ');
                head.push_str(mark);
            }
            vec![head, visible(text)]
        }
        TranscriptItem::Tool { name, error, .. } => {
            let mut texts = vec![visible(name)];
            texts.extend(error.as_deref().map(visible));
            texts
        }
        TranscriptItem::Note(_, text) => vec![visible(text)],
    }
}
