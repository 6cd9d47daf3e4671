//! Masks text that looks like an identifier: telephone numbers, email, web and IP addresses, record,
//! card and account numbers, and dates.
//!
//! This is a safety net and not a guarantee: names, postal addresses, and numbers written in words,
//! pass through it. Fields that hold identifiers are hidden by their class and do not depend on it.
//! An integration test measures how much it finds in synthetic text.
//!
//! A first pass over the bytes finds out which rules could match at all, so that most clean text
//! costs little. The many ways of writing a character are folded to one before the search.

use std::ops::Range;

use crate::text::MASK;

mod detector;
mod features;
mod fold;
mod pattern;
mod rules;
mod words;

pub use detector::Detector;
use detector::{Check, DetectorRule, RuleMatch};
use features::{RuleSet, candidates, has_trigger};
use fold::FoldedText;
use pattern::SearchedText;

/// Text in which identifiers are masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scrubbed {
    /// The text, with `[phone]` and the like in place of each identifier.
    pub text: String,
    /// The detector of each mask, in the order of the text.
    pub detectors: Vec<Detector>,
}

/// Returns the rules of a set, each with its place among all rules.
fn rules_in(set: RuleSet) -> impl Iterator<Item = (usize, &'static DetectorRule)> {
    rules::all().enumerate().filter(move |(index, _)| set & (1 << index) != 0)
}

/// Whether [`scrub`] may find something to mask.
///
/// `false` is certain. `true` is not, because only the rules themselves can tell.
#[must_use]
pub fn may_contain_identifier(text: &str) -> bool {
    candidates(&FoldedText::new(text).text) != 0
}

/// Whether [`scrub`] may find something to mask in a text, or in the same text with spaces in place
/// of `_`, `.` and `-`.
///
/// It is quicker than [`may_contain_identifier`], and true more often.
#[must_use]
pub fn may_contain_disguised_identifier(text: &str) -> bool {
    has_trigger(text)
}

/// Whether [`scrub`] finds something to mask.
#[must_use]
pub fn finds_identifier(text: &str) -> bool {
    let folded = FoldedText::new(text);
    let candidates = candidates(&folded.text);
    candidates != 0 && !hits(&folded.text, candidates).is_empty()
}

/// Masks the identifiers in a text, or returns `None` if there are none.
///
/// The result contains nothing more to mask. Text that still does after several passes is masked as
/// a whole.
#[must_use]
pub fn scrub(text: &str) -> Option<Scrubbed> {
    scrub_with(text, candidates)
}

/// Masks the identifiers that the rules of a folded text's `candidates` find.
fn scrub_with(text: &str, candidates: fn(&str) -> RuleSet) -> Option<Scrubbed> {
    let mut scrubbed = scrub_once(text, candidates)?;
    // A mask can isolate neighbouring text, which is then an identifier by itself.
    for _ in 0..MAX_PASSES {
        let Some(again) = scrub_once(&scrubbed.text, candidates) else { return Some(scrubbed) };
        scrubbed = Scrubbed {
            text: again.text,
            detectors: [scrubbed.detectors, again.detectors].concat(),
        };
    }
    // Only text that was made to evade the search gets here.
    Some(Scrubbed { text: MASK.to_owned(), ..scrubbed })
}

/// How often masked text is searched again before all of it is masked.
const MAX_PASSES: usize = 3;

fn scrub_once(text: &str, candidates: fn(&str) -> RuleSet) -> Option<Scrubbed> {
    let folded = FoldedText::new(text);
    let candidates = candidates(&folded.text);
    if candidates == 0 {
        return None;
    }
    let hits = hits(&folded.text, candidates);
    if hits.is_empty() {
        return None;
    }
    let mut scrubbed = Scrubbed { text: String::with_capacity(text.len()), detectors: Vec::new() };
    let mut at = 0;
    for (span, detector) in hits {
        let span = folded.original(span);
        scrubbed.text.push_str(&text[at..span.start]);
        scrubbed.text.push('[');
        scrubbed.text.push_str(detector.name());
        scrubbed.text.push(']');
        scrubbed.detectors.push(detector);
        at = span.end;
    }
    scrubbed.text.push_str(&text[at..]);
    Some(scrubbed)
}

/// Finds the identifiers in folded text, in order. Overlapping matches become one hit, with the
/// detector of the first. Only the `candidates` among the rules are tried.
fn hits(text: &str, candidates: RuleSet) -> Vec<(Range<usize>, Detector)> {
    hits_by(text, candidates, next_match)
}

/// Like [`hits`], with the matches of each rule from an offset on.
fn hits_by(
    text: &str,
    candidates: RuleSet,
    next_match: impl for<'t> Fn(&DetectorRule, &SearchedText<'t>, usize) -> Option<RuleMatch<'t>>,
) -> Vec<(Range<usize>, Detector)> {
    let mut found = Vec::new();
    let searched = SearchedText::new(text);
    for (index, rule) in rules_in(candidates) {
        let mut at = 0;
        while let Some(candidate) = next_match(rule, &searched, at) {
            let start = candidate.span.start;
            let span = rule
                .check
                .length(&candidate)
                .map(|length| start..start + length)
                .filter(|span| !rule.standalone || is_standalone(text, span));
            at = match span {
                Some(span) => {
                    found.push((span.clone(), index, rule.detector));
                    span.end
                }
                None if rule.standalone && !matches!(rule.check, Check::IfAll(_)) => {
                    // A standalone match does not begin inside a run of letters and digits.
                    let rest = &text[start..];
                    let run = rest
                        .find(|character: char| !character.is_ascii_alphanumeric())
                        .unwrap_or(rest.len());
                    start + run.max(rest.chars().next().map_or(1, char::len_utf8))
                }
                None => candidate.span.end,
            };
        }
    }
    found.sort_by_key(|(span, index, _)| (span.start, *index));
    let mut hits: Vec<(Range<usize>, Detector)> = Vec::new();
    for (span, _, detector) in found {
        match hits.last_mut() {
            Some((last, _)) if span.start < last.end => last.end = last.end.max(span.end),
            _ => hits.push((span, detector)),
        }
    }
    hits
}

/// Returns the next match of a rule's pattern, from an offset on.
///
/// Of a standalone rule, it may leave out a match that begins inside something longer. After such a
/// match the search would go on behind the letters and digits with which it begins, and only such
/// matches begin between them.
fn next_match<'t>(
    rule: &DetectorRule,
    text: &SearchedText<'t>,
    at: usize,
) -> Option<RuleMatch<'t>> {
    if at == 0 && rule.words.is_some_and(|words| !text.has(words)) {
        return None;
    }
    let must_begin_alone = rule.standalone && !matches!(rule.check, Check::IfAll(_));
    let span = rule
        .compiled()
        .find(text, at, |start| !must_begin_alone || begins_alone(text.text, start))
        .filter(|span| !span.is_empty())?;
    Some(RuleMatch { text: text.text, span })
}

/// Whether a match is not part of something longer: an id, a version, a path, a decimal number or a
/// time.
fn is_standalone(text: &str, span: &Range<usize>) -> bool {
    begins_alone(text, span.start) && ends_alone(text, span.end)
}

fn begins_alone(text: &str, start: usize) -> bool {
    let mut before = text[..start].chars().rev();
    match before.next() {
        Some('=') | None => true,
        Some('#' | '/' | '@' | '$') => false,
        Some('-' | '+') => !before.next().is_some_and(is_word),
        Some('.' | ':' | ',') => !before.next().is_some_and(|character| character.is_ascii_digit()),
        Some(character) => !is_word(character),
    }
}

fn ends_alone(text: &str, end: usize) -> bool {
    let mut after = text[end..].chars();
    match after.next() {
        Some('@') => false,
        Some('-' | '.' | ':' | '/' | ',') => {
            !after.next().is_some_and(|character| character.is_ascii_digit())
        }
        Some(character) => !is_word(character),
        None => true,
    }
}

/// Whether a character can be of a word. Some scripts beyond these write words without spaces
/// between them.
fn is_word(character: char) -> bool {
    (character.is_alphanumeric() && character < '\u{590}') || character == '_'
}

#[cfg(test)]
mod tests;
