//! Parts of patterns for numbers that are spoken, and typed as they were heard.

/// Words that people say between the groups of a number.
macro_rules! filler {
    () => {
        concat!(
            "(?:u+h+|u+m+|e+r+|a+h+|like|and|then|dash|hyphen|minus|dot|point|period|stop|slash",
            "|space|okay|ok|y|et|und|e|guion|tiret|traco|strich)"
        )
    };
}

/// The separators between the groups of a spoken number: punctuation, and up to three filler words.
macro_rules! gap {
    () => {
        concat!(r"(?:[ .,/_~*-]{1,4}(?:", filler!(), r"[ .,/_~*-]{1,3}){0,3})")
    };
}

/// Single digits, each spoken for itself: seven to twenty.
macro_rules! single_digits {
    () => {
        r"(?i-u)[0-9](?:[ .,-]{1,3}(?:[0-9]|oh?)\b){6,19}"
    };
}

/// A number of at least four groups, some of them as words for digits.
macro_rules! mixed_digits {
    () => {
        concat!(
            r"(?i-u)\b(?:[0-9]{1,4}|",
            digit_word!(),
            r")(?:[ .,-]{1,3}(?:[0-9]{1,4}|",
            digit_word!(),
            r")\b){3,19}"
        )
    };
}

/// A digit as an English word.
macro_rules! digit_word {
    () => {
        "(?:zero|oh?|one|two|three|four|five|six|seven|eight|nine)"
    };
}

/// The beginnings of the words for digits.
pub(super) const DIGIT_WORDS: &[&str] =
    &["zer", "one", "two", "thr", "fou", "fiv", "six", "sev", "eig", "nin", ZERO];

pub(super) use {digit_word, filler, gap, mixed_digits, single_digits};

use crate::text::scrub::detector::{RuleMatch, ZERO};

/// Whether the groups of a match are not just a list: a word is between them, or one of the words
/// before the match announces them.
pub(super) fn is_spoken(candidate: &RuleMatch<'_>, announcements: &[&str]) -> bool {
    candidate.matched().bytes().any(|byte| byte.is_ascii_alphabetic())
        || follows(candidate, announcements)
}

/// Whether one of the words occurs shortly before a match.
pub(super) fn follows(candidate: &RuleMatch<'_>, words: &[&str]) -> bool {
    contains_word(candidate.before(40), words)
}

/// Whether one of the words, which are in lower case, is at the beginning of a word in a text.
pub(super) fn contains_word(text: &str, words: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    words.iter().any(|word| {
        text.match_indices(word).any(|(at, _)| {
            !text[..at].chars().next_back().is_some_and(|before| before.is_ascii_alphabetic())
        })
    })
}

/// How many of the digits that are spelled are written as digits, and not as `oh`.
pub(super) const MIN_SPELLED: usize = 5;

/// Returns the digits of a match of [`single_digits`], or `None` if they only count up or down,
/// repeat one digit, or most of them are `oh`.
pub(super) fn spelled_digits(candidate: &RuleMatch<'_>) -> Option<Vec<u8>> {
    let digits: Vec<u8> = candidate
        .matched()
        .bytes()
        .filter_map(|byte| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'o' | b'O' => Some(0),
            _ => None,
        })
        .collect();
    let changes =
        |by: u8| digits.windows(2).filter(|pair| pair[0].wrapping_add(by) == pair[1]).count();
    let is_counting = [0, 1, u8::MAX].into_iter().any(|by| changes(by) + 2 >= digits.len());
    (!is_counting && candidate.digit_count() >= MIN_SPELLED).then_some(digits)
}

/// Returns how many digits are spelled, if it is one by one.
pub(super) fn spelled_count(candidate: &RuleMatch<'_>) -> usize {
    spelled_digits(candidate).map_or(0, |digits| digits.len())
}

/// How many digits of such a number are not words.
pub(super) const MIN_MIXED: usize = 4;

/// Returns how many digits a match of [`mixed_digits`] has, if some of them are words.
pub(super) fn mixed_count(candidate: &RuleMatch<'_>) -> usize {
    let words = candidate
        .matched()
        .split(|character: char| !character.is_ascii_alphabetic())
        .filter(|word| !word.is_empty())
        .count();
    let digits = candidate.digit_count();
    if words == 0 || digits < MIN_MIXED { 0 } else { words + digits }
}
