//! What looks like an identifier in free text is masked: telephone numbers, addresses, numbers of records and of cards, dates.
//!
//! This is a net, and not the promise: names, and what is written in words, pass through it. Fields that hold identifiers are
//! hidden by their class and need none of this. How much it catches is measured on text that a test makes up.
//!
//! A look at its bytes tells first whether there can be anything at all, so that most clean text costs little. Digits in other
//! scripts, odd spaces and characters without width are read as what they stand for.

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

/// Text with masks in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scrubbed {
    /// The text, `[phone]` and the like in place of what was found.
    pub text: String,
    /// What fired, once for each place.
    pub detectors: Vec<Detector>,
}

/// Each is searched for by itself: a set of all needs an automaton that is too large to be kept, so that a search takes ten times
/// as long, and several times the memory. To make one takes as long as to search some hundred texts, so it is made where it is
/// needed.
static REGEXES: [OnceLock<Regex>; rules::RULES.len()] =
    [const { OnceLock::new() }; rules::RULES.len()];

/// The rules whose identifiers may be in a text, each with its place among all.
fn rules_for(text: &str) -> impl Iterator<Item = (usize, &'static DetectorRule, &'static Regex)> {
    let signs = TextFeatures::scan(text);
    rules::RULES
        .iter()
        .zip(&REGEXES)
        .enumerate()
        .filter(move |(_, (rule, _))| signs.allow(rule.least))
        .map(|(at, (rule, regex))| {
            (
                at,
                rule,
                regex.get_or_init(|| {
                    Regex::new(rule.pattern).expect("the pattern is a regular expression")
                }),
            )
        })
}

/// What of that there is in a text.
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
        let follows = |at: usize| bytes.get(at + 1).is_some_and(|next| !next.is_ascii_whitespace());
        Self {
            digits,
            colon: digits > 0 && has(b':'),
            at: has(b'@'),
            query: memchr_iter(b'?', bytes).any(follows),
        }
    }

    fn allow(&self, least: Requirement) -> bool {
        match least {
            Requirement::Digits(digits) => self.digits >= digits,
            Requirement::Colon => self.colon,
            Requirement::At => self.at,
            Requirement::Query => self.query,
        }
    }
}

/// Whether there may be anything to mask. It can be wrong in saying yes.
#[must_use]
pub fn fires(text: &str) -> bool {
    // All of it is looked at, at several bytes a step.
    let (mut is_plain, mut tells) = (true, false);
    for byte in text.bytes() {
        is_plain &= matches!(byte, b' '..=b'~');
        tells |= is_telling(byte);
    }
    if is_plain {
        return tells && matches(text);
    }
    let folded = FoldedText::new(text);
    folded.text.bytes().any(is_telling) && matches(&folded.text)
}

fn matches(text: &str) -> bool {
    rules_for(text).any(|(.., regex)| regex.is_match(text))
}

/// Whether a byte is one of those of which every identifier has one: digits, and the marks of addresses.
const fn is_telling(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'@' | b'?')
}

/// The text with masks, if there is anything to mask. What is masked once stays as it is.
#[must_use]
pub fn scrub(text: &str) -> Option<Scrubbed> {
    let mut scrubbed = once(text)?;
    // What stood beside something longer may stand alone now that this is masked.
    for _ in 0..PASSES {
        let Some(again) = once(&scrubbed.text) else { return Some(scrubbed) };
        scrubbed = Scrubbed {
            text: again.text,
            detectors: [scrubbed.detectors, again.detectors].concat(),
        };
    }
    // Nobody writes such text but to get something through.
    Some(Scrubbed { text: MASK.to_owned(), ..scrubbed })
}

/// How often text is searched before all of it is masked.
const PASSES: usize = 8;

fn once(text: &str) -> Option<Scrubbed> {
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

/// What is found in folded text, in order. What overlaps is one hit, named after its first part.
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
                && (!rule.alone || stands_alone(text, &span))
            {
                found.push((index, span.clone()));
                span.end
            } else {
                // Nothing that stands alone begins within a run of letters and digits.
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

/// Whether a hit is no part of something longer: an id, a version, a path, a decimal number, a time.
fn stands_alone(text: &str, span: &Range<usize>) -> bool {
    let mut before = text[..span.start].chars().rev();
    let mut after = text[span.end..].chars();
    let (previous, further) = (before.next(), before.next());
    let (next, beyond) = (after.next(), after.next());
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let open = match previous {
        Some('#' | '/' | '@' | '$') => false,
        Some('-' | '+' | '=') => {
            !further.is_some_and(|character| is_word(character) && previous != Some('='))
        }
        Some('.' | ':' | ',') => !further.is_some_and(|character| character.is_ascii_digit()),
        Some(character) => !is_word(character),
        None => true,
    };
    let closed = match next {
        Some('-' | '.' | ':' | '/' | '@' | ',') => {
            !beyond.is_some_and(|character| character.is_ascii_digit()) && next != Some('@')
        }
        Some(character) => !is_word(character),
        None => true,
    };
    open && closed
}

/// Text in which every spelling of a digit, a space and a hyphen is the plain one, and characters without width are gone.
struct FoldedText<'t> {
    text: Cow<'t, str>,
    /// For each of its bytes, and for its end, where in the original it stands; empty where nothing was folded.
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
                character if terminal::is_hostile(character) => continue,
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

/// The plain digit for one of the scripts that write numbers as sequences of ten.
fn digit(character: char) -> Option<char> {
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
    fn masks_what_it_finds_and_leaves_the_rest() {
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
    fn ten_digits_in_one_run_are_a_number_by_the_plan_of_north_america_or_none() {
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
            assert_eq!(scrubbed(other), other, "nobody has it");
            let divided = format!("{}-{}", &other[..other.len() - 4], &other[other.len() - 4..]);
            assert_eq!(scrubbed(&divided), "[phone]", "somebody has divided it");
        }
    }

    #[test]
    fn the_least_that_a_rule_finds_is_allowed() {
        let least = [
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
        for (index, text) in least.into_iter().enumerate() {
            assert!(
                rules_for(text).any(|(at, _, regex)| at == index && regex.is_match(text)),
                "{text}"
            );
            if let Requirement::Digits(digits) = rules::RULES[index].least {
                assert_eq!(TextFeatures::scan(text).digits, digits, "{text}");
            }
        }
        assert_eq!(least.len(), rules::RULES.len());
    }

    #[test]
    fn spelling_hides_nothing() {
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
            "what is around it stays"
        );
    }

    #[test]
    fn what_a_mask_uncovers_is_masked_too() {
        assert_eq!(scrubbed("::202+12020123"), "[ip][phone]");
        assert_eq!(scrubbed(&"::202+12020123".repeat(20)), MASK, "nobody writes so");
    }

    #[test]
    fn a_long_run_of_digits_takes_no_long_time() {
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
        fn what_is_masked_once_stays(text in "[0-9a-zA-Z +().@:/?#,é\u{200b}-]{0,60}") {
            if let Some(once) = scrub(&text) {
                prop_assert_eq!(scrub(&once.text).map(|again| again.text), None, "{}", once.text);
            }
        }

        #[test]
        fn no_rule_is_passed_over_that_finds_something(
            parts in prop::collection::vec(
                prop_oneof![
                    prop::sample::select(vec![
                        "https://", "www.", "a.example/x", "?", "?a=1", "jane", "@", "mrn", "member id ", "ssn ", "dob ", "May ", "of ",
                        "call ", "ext", "::", ":", ".", "-", "/", " ", "(", ")", "+", "00", "ff", "\u{a0}", "\u{ff12}",
                    ]).prop_map(str::to_owned),
                    "[0-9]{1,5}",
                ],
                0..9,
            )
        ) {
            let text = parts.concat();
            let folded = FoldedText::new(&text);
            let signs = TextFeatures::scan(&folded.text);
            for (rule, regex) in rules::RULES.iter().zip(&REGEXES) {
                let regex = regex.get_or_init(|| Regex::new(rule.pattern).expect("a pattern"));
                let finds = |captures: regex::Captures<'_>| {
                    captures.get(1).or_else(|| captures.get(0)).is_some_and(|group| (rule.accepts)(group.as_str()))
                };
                prop_assert!(signs.allow(rule.least) || !regex.captures_iter(&folded.text).any(finds), "{}", rule.pattern);
            }
        }

        #[test]
        fn any_text_does(text in any::<String>()) {
            prop_assert!(scrub(&text).is_none() || fires(&text));
        }
    }
}
