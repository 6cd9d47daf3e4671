//! Compiled patterns find what `regex` finds.

use std::ops::Range;
use std::sync::LazyLock;

use proptest::prelude::*;
use regex::Regex;

use super::SHORTEST;
use super::prefilter::{hard_examples, seed};
use crate::text::scrub::detector::{DetectorRule, RuleMatch};
use crate::text::scrub::features::RuleSet;
use crate::text::scrub::fold::FoldedText;
use crate::text::scrub::pattern::SearchedText;
use crate::text::scrub::{hits, hits_by, rules};

static REGEXES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    rules::all().map(|rule| Regex::new(rule.pattern).expect("a regular expression")).collect()
});

/// Returns the next match of a rule by `regex`.
fn regex_match<'t>(
    rule: &DetectorRule,
    text: &SearchedText<'t>,
    at: usize,
) -> Option<RuleMatch<'t>> {
    let text = text.text;
    let index = rules::all().position(|other| std::ptr::eq(rule, other))?;
    let span = regex_span(&REGEXES[index], text, at)?;
    (!span.is_empty()).then_some(RuleMatch { text, span })
}

fn regex_span(regex: &Regex, text: &str, at: usize) -> Option<Range<usize>> {
    if at >= text.len() {
        return None;
    }
    let groups = regex.captures_at(text, at)?;
    groups.get(1).or_else(|| groups.get(0)).map(|found| found.range())
}

#[track_caller]
fn assert_finds_the_same(text: &str) {
    let text = &*FoldedText::new(text).text;
    for (rule, regex) in rules::all().zip(&*REGEXES) {
        let mut at = 0;
        while at < text.len() {
            let found = rule.compiled().find(&SearchedText::new(text), at, |_| true);
            assert_eq!(found, regex_span(regex, text, at), "{text:?} {at} {}", rule.pattern);
            let Some(found) = found else { break };
            let next = text[found.start..].chars().next().map_or(1, char::len_utf8);
            at = found.start + next;
        }
    }
    assert_eq!(hits(text, RuleSet::MAX), hits_by(text, RuleSet::MAX, regex_match), "{text:?}");
}

#[test]
fn finds_what_regex_finds_in_the_examples() {
    for text in hard_examples().iter().map(String::as_str).chain(SHORTEST.iter().copied()) {
        assert_finds_the_same(text);
        for beside in ["x", "7", "_", "é", "日", "-", ".", "+", "=", " ", "1.", "a-", "\n"] {
            assert_finds_the_same(&format!("{beside}{text}{beside}"));
        }
    }
}

#[test]
fn finds_a_group_in_a_match_too_long_for_backtracking() {
    assert_finds_the_same(&format!("call{}2025550123", " me".repeat(10_000)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn finds_what_regex_finds(
        parts in prop::collection::vec((seed(), "[a-zA-Z .,:;'é日_-]{0,6}"), 1..4),
        edits in prop::collection::vec((any::<prop::sample::Index>(), "[0-9a-z @.:/-]?"), 0..4),
    ) {
        let text: String = parts.iter().flat_map(|(seed, around)| [&**around, &**seed]).collect();
        let mut characters: Vec<String> = text.chars().map(String::from).collect();
        for (index, edit) in edits {
            let at = index.index(characters.len().max(1));
            characters.splice(at..(at + 1).min(characters.len()), [edit]);
        }
        assert_finds_the_same(&characters.concat());
    }

    #[test]
    fn finds_what_regex_finds_in_any_text(text in "\\PC{0,60}", dense in "[0-9oO .,@/:?(+-]{0,40}") {
        assert_finds_the_same(&text);
        assert_finds_the_same(&dense);
        assert_finds_the_same(&(text + &dense));
    }
}
