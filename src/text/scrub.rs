//! Masks text that looks like an identifier: telephone numbers, email, web and IP addresses, record
//! and card numbers, and dates.
//!
//! This is a safety net and not a guarantee: names, and numbers written in words, pass through it.
//! Fields that hold identifiers are hidden by their class and do not depend on it. An integration
//! test measures how much it finds in synthetic text.
//!
//! A first pass over the bytes finds out which rules could match at all, so that most clean text
//! costs little. Digits of other scripts, unusual spaces and characters without width are folded to
//! plain ASCII before the search.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use memchr::{memchr, memchr_iter};
use regex::Regex;

use crate::text::{MASK, terminal};

mod detector;
mod rules;

pub use detector::Detector;
use detector::{DetectorRule, Requirement};

/// Text in which identifiers are masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scrubbed {
    /// The text, with `[phone]` and the like in place of each identifier.
    pub text: String,
    /// The detector of each mask, in the order of the text.
    pub detectors: Vec<Detector>,
}

/// The compiled pattern of each rule.
///
/// The patterns are separate because the automaton of a `RegexSet` of all of them exceeds its
/// cache: a search would take ten times as long and several times the memory. Compiling one takes
/// as long as searching some hundred texts, so it happens on first use.
static REGEXES: [OnceLock<Regex>; rules::RULES.len()] =
    [const { OnceLock::new() }; rules::RULES.len()];

/// Returns the rules that could match in a text, each with its index and its compiled pattern.
fn rules_for(text: &str) -> impl Iterator<Item = (usize, &'static DetectorRule, &'static Regex)> {
    let features = TextFeatures::scan(text);
    rules::RULES
        .iter()
        .zip(&REGEXES)
        .enumerate()
        .filter(move |(_, (rule, _))| features.meet(rule.requirement))
        .map(|(index, (rule, regex))| {
            let compile = || Regex::new(rule.pattern).expect("the pattern is a regular expression");
            (index, rule, regex.get_or_init(compile))
        })
}

/// What a text contains, as far as a [`Requirement`] asks for it.
#[derive(Debug, Default)]
struct TextFeatures {
    digits: usize,
    colon: bool,
    at: bool,
    query: bool,
}

impl TextFeatures {
    fn scan(text: &str) -> Self {
        let bytes = text.as_bytes();
        let digits = bytes.iter().map(|byte| usize::from(byte.is_ascii_digit())).sum();
        let has = |byte| memchr(byte, bytes).is_some();
        let is_followed =
            |at: usize| bytes.get(at + 1).is_some_and(|next| !next.is_ascii_whitespace());
        Self {
            digits,
            colon: digits > 0 && has(b':'),
            at: has(b'@'),
            query: memchr_iter(b'?', bytes).any(is_followed),
        }
    }

    fn meet(&self, requirement: Requirement) -> bool {
        match requirement {
            Requirement::Digits(digits) => self.digits >= digits,
            Requirement::Colon => self.colon,
            Requirement::At => self.at,
            Requirement::Query => self.query,
        }
    }
}

/// Whether [`scrub`] may find something to mask.
///
/// `false` is certain. `true` is not, because a pattern may match text that its rule then rejects.
#[must_use]
pub fn may_contain_identifier(text: &str) -> bool {
    // Without an early exit the compiler checks several bytes in each step.
    let (mut is_plain, mut has_identifier_byte) = (true, false);
    for byte in text.bytes() {
        is_plain &= matches!(byte, b' '..=b'~');
        has_identifier_byte |= is_identifier_byte(byte);
    }
    if is_plain {
        return has_identifier_byte && matches_a_rule(text);
    }
    let folded = FoldedText::new(text);
    folded.text.bytes().any(is_identifier_byte) && matches_a_rule(&folded.text)
}

fn matches_a_rule(text: &str) -> bool {
    rules_for(text).any(|(.., regex)| regex.is_match(text))
}

/// Whether a byte is a digit or a mark of an address: every identifier contains at least one.
const fn is_identifier_byte(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'@' | b'?')
}

/// Masks the identifiers in a text, or returns `None` if there are none.
///
/// The result contains nothing more to mask. Text that still does after several passes is masked as
/// a whole.
#[must_use]
pub fn scrub(text: &str) -> Option<Scrubbed> {
    let mut scrubbed = scrub_once(text)?;
    // A mask can isolate neighbouring text, which is then an identifier by itself.
    for _ in 0..MAX_PASSES {
        let Some(again) = scrub_once(&scrubbed.text) else { return Some(scrubbed) };
        scrubbed = Scrubbed {
            text: again.text,
            detectors: [scrubbed.detectors, again.detectors].concat(),
        };
    }
    // Only text that was made to evade the search gets here.
    Some(Scrubbed { text: MASK.to_owned(), ..scrubbed })
}

/// How often masked text is searched again before all of it is masked.
const MAX_PASSES: usize = 8;

fn scrub_once(text: &str) -> Option<Scrubbed> {
    let folded = FoldedText::new(text);
    let hits = hits(&folded.text);
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
/// detector of the first.
fn hits(text: &str) -> Vec<(Range<usize>, Detector)> {
    let mut found = Vec::new();
    for (index, rule, regex) in rules_for(text) {
        let mut at = 0;
        while let Some(captures) = regex.captures_at(text, at) {
            let Some(span) = captures.get(1).or_else(|| captures.get(0)).map(|group| group.range())
            else {
                break;
            };
            if span.is_empty() {
                break;
            }
            at = if (rule.accepts)(&text[span.clone()])
                && (!rule.standalone || is_standalone(text, &span))
            {
                found.push((index, span.clone()));
                span.end
            } else {
                // A standalone match does not begin inside a run of letters and digits.
                let rest = &text[span.start..];
                let run = rest
                    .find(|character: char| !character.is_ascii_alphanumeric())
                    .unwrap_or(rest.len());
                span.start + run.max(rest.chars().next().map_or(1, char::len_utf8))
            };
            if at >= text.len() {
                break;
            }
        }
    }
    found.sort_by_key(|(index, span)| (span.start, *index));
    let mut hits: Vec<(Range<usize>, Detector)> = Vec::new();
    for (index, span) in found {
        match hits.last_mut() {
            Some((last, _)) if span.start < last.end => last.end = last.end.max(span.end),
            _ => hits.push((span, rules::RULES[index].detector)),
        }
    }
    hits
}

/// Whether a match is not part of something longer: an id, a version, a path, a decimal number or a
/// time.
fn is_standalone(text: &str, span: &Range<usize>) -> bool {
    let mut before = text[..span.start].chars().rev();
    let mut after = text[span.end..].chars();
    let (previous, second_previous) = (before.next(), before.next());
    let (next, second_next) = (after.next(), after.next());
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let starts = match previous {
        Some('#' | '/' | '@' | '$') => false,
        Some('-' | '+' | '=') => {
            !second_previous.is_some_and(|character| is_word(character) && previous != Some('='))
        }
        Some('.' | ':' | ',') => {
            !second_previous.is_some_and(|character| character.is_ascii_digit())
        }
        Some(character) => !is_word(character),
        None => true,
    };
    let ends = match next {
        Some('-' | '.' | ':' | '/' | '@' | ',') => {
            !second_next.is_some_and(|character| character.is_ascii_digit()) && next != Some('@')
        }
        Some(character) => !is_word(character),
        None => true,
    };
    starts && ends
}

/// Text with ASCII digits, spaces and hyphens in place of all variants, and without characters that
/// have no width.
struct FoldedText<'t> {
    text: Cow<'t, str>,
    /// The offset in the original of each byte and of the end. Empty if nothing was folded.
    origin: Vec<usize>,
}

impl<'t> FoldedText<'t> {
    fn new(text: &'t str) -> Self {
        if text.is_ascii() && !text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return Self { text: Cow::Borrowed(text), origin: Vec::new() };
        }
        let (mut folded, mut origin) =
            (String::with_capacity(text.len()), Vec::with_capacity(text.len() + 1));
        for (at, character) in text.char_indices() {
            let plain = match character {
                '\t' | '\n' | '\r' => ' ',
                character if character.is_whitespace() => ' ',
                '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => '-',
                '\u{ff01}'..='\u{ff5e}' => {
                    char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character)
                }
                character if terminal::is_invisible(character) => continue,
                character => digit(character).unwrap_or(character),
            };
            folded.push(plain);
            origin.resize(folded.len(), at);
        }
        origin.push(text.len());
        Self { text: Cow::Owned(folded), origin }
    }

    fn original(&self, span: Range<usize>) -> Range<usize> {
        match self.origin.as_slice() {
            [] => span,
            origin => origin[span.start]..origin[span.end],
        }
    }
}

/// Returns the ASCII digit for a decimal digit of another script.
fn digit(character: char) -> Option<char> {
    /// Arabic-Indic, Extended Arabic-Indic, Devanagari, Bengali, Gurmukhi, Gujarati and Thai zero.
    const ZEROS: &[u32] = &[0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xe50];
    let code = u32::from(character);
    let zero = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&code))?;
    char::from_digit(code - zero, 10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scrubbed(text: &str) -> String {
        scrub(text).map_or_else(|| text.to_owned(), |scrubbed| scrubbed.text)
    }

    #[test]
    fn masks_identifiers_and_keeps_the_other_text() {
        for (text, expected) in [
            ("Call +1 202 555 0123, or jane@example.org.", "Call [phone], or [email]."),
            ("(202) 555-0123x45; 020 7946 0958", "[phone]; [phone]"),
            ("SSN 078-05-1120 and DOB 05/03/1980", "SSN [ssn] and DOB [date]"),
            ("MRN: A-00123456, member ID is 88123-01", "MRN: [record], member ID is [record]"),
            ("Visa 4111 1111 1111 1111 declined", "Visa [card] declined"),
            ("from 203.0.113.9 and 2001:db8::1", "from [ip] and [ip]"),
            ("see https://a.example/x?patient=7#top now", "see [url] now"),
            ("born on May 3, 1980", "born on [date]"),
            ("phone:2025550123", "phone:[phone]"),
        ] {
            assert_eq!(scrubbed(text), expected);
        }
    }

    #[test]
    fn an_undivided_number_must_be_assignable_in_north_america() {
        for number in
            ["2025550123", "12025550123", "4082516234", "2022120123", "3625550123", "9525550123"]
        {
            assert_eq!(scrubbed(number), "[phone]", "{number}");
        }
        for other in [
            "2115550123",
            "2925550123",
            "3705550123",
            "3795550123",
            "9605550123",
            "2024110123",
            "19115550123",
        ] {
            assert_eq!(scrubbed(other), other, "not assignable");
            let divided = format!("{}-{}", &other[..other.len() - 4], &other[other.len() - 4..]);
            assert_eq!(scrubbed(&divided), "[phone]", "divided like a telephone number");
        }
    }

    #[test]
    fn the_shortest_match_of_each_rule_meets_its_requirement() {
        let shortest = [
            "www.a?a",
            "a@b.co",
            "4222222222222",
            "30000000000004",
            "078-05-1120",
            "078 05 1120",
            "ssn 078051120",
            "mrn 12-a3",
            "+44 555 012",
            "001 20 20 120",
            "2025550123",
            "020 794609",
            "call 5550123",
            "2020/1/1",
            "1/1/80",
            "1.1.1980",
            "May 3",
            "3 May",
            "dob 010180",
            "1.1.1.1",
            "1::1",
        ];
        for (index, text) in shortest.into_iter().enumerate() {
            assert!(
                rules_for(text).any(|(at, _, regex)| at == index && regex.is_match(text)),
                "{text}"
            );
            if let Requirement::Digits(digits) = rules::RULES[index].requirement {
                assert_eq!(TextFeatures::scan(text).digits, digits, "{text}");
            }
        }
        assert_eq!(shortest.len(), rules::RULES.len());
    }

    #[test]
    fn unusual_digits_spaces_and_zero_width_characters_do_not_hide_an_identifier() {
        for text in [
            "555\u{200b}-0123 \u{ff0b}1 202\u{a0}555\u{2011}0123",
            "\u{ff12}\u{ff10}\u{ff12}-555-0123",
            "\u{662}\u{660}\u{662} 555 0123",
            "202\u{ad}555\u{2060}0123",
            "202\n555\t0123",
        ] {
            assert!(scrubbed(text).ends_with("[phone]"), "{}", scrubbed(text));
        }
        assert_eq!(
            scrubbed("é\u{200b} 202\u{200b}-555-0123 é"),
            "é\u{200b} [phone] é",
            "the surrounding text keeps its characters"
        );
    }

    #[test]
    fn text_that_a_mask_isolates_is_masked_too() {
        assert_eq!(scrubbed("::202+12020123"), "[ip][phone]");
        assert_eq!(scrubbed(&"::202+12020123".repeat(20)), MASK, "too many passes");
    }

    #[test]
    fn a_mebibyte_of_near_matches_is_searched_quickly() {
        for text in [
            "2".repeat(1 << 20),
            "2025550123-".repeat(1 << 16),
            "1.".repeat(1 << 19),
            "a@".repeat(1 << 19),
        ] {
            let _ = scrub(&text);
        }
    }

    proptest! {
        #[test]
        fn scrubbing_twice_changes_nothing(text in "[0-9a-zA-Z +().@:/?#,é\u{200b}-]{0,60}") {
            if let Some(once) = scrub(&text) {
                prop_assert_eq!(scrub(&once.text).map(|again| again.text), None, "{}", once.text);
            }
        }

        #[test]
        fn a_rule_that_is_skipped_would_not_match(
            parts in prop::collection::vec(
                prop_oneof![
                    prop::sample::select(vec![
                        "https://", "www.", "a.example/x", "?", "?a=1", "jane", "@", "mrn",
                        "member id ", "ssn ", "dob ", "May ", "of ", "call ", "ext", "::", ":", ".",
                        "-", "/", " ", "(", ")", "+", "00", "ff", "\u{a0}", "\u{ff12}",
                    ]).prop_map(str::to_owned),
                    "[0-9]{1,5}",
                ],
                0..9,
            )
        ) {
            let text = parts.concat();
            let folded = FoldedText::new(&text);
            let features = TextFeatures::scan(&folded.text);
            for (rule, regex) in rules::RULES.iter().zip(&REGEXES) {
                let regex = regex.get_or_init(|| Regex::new(rule.pattern).expect("a pattern"));
                let is_accepted = |captures: regex::Captures<'_>| {
                    let group = captures.get(1).or_else(|| captures.get(0));
                    group.is_some_and(|group| (rule.accepts)(group.as_str()))
                };
                let is_found = regex.captures_iter(&folded.text).any(is_accepted);
                prop_assert!(features.meet(rule.requirement) || !is_found, "{}", rule.pattern);
            }
        }

        #[test]
        fn the_quick_check_misses_nothing(text in any::<String>()) {
            prop_assert!(scrub(&text).is_none() || may_contain_identifier(&text));
        }
    }
}
