//! A first pass over the bytes of a text, which finds out which rules could match at all, so that
//! most clean text costs little.

use std::sync::OnceLock;

use memchr::memchr_iter;

use super::detector::{DigitCount, DigitGap, Requirement, ZERO};
use super::rules;

/// A set of rules, a bit for the index of each.
pub(super) type RuleSet = u128;

/// The ASCII digits.
pub(super) const DIGIT: u8 = 1;
/// Letters of ASCII.
const LETTER: u8 = 1 << 1;
/// What can be between close digits: punctuation, and the letters of `oh` and in place of digits.
const CLOSE: u8 = 1 << 2;
/// The marks of addresses and URLs.
const MARK: u8 = 1 << 3;
/// A `%` or `&`, with which an encoded character begins.
pub(super) const CODE: u8 = 1 << 4;
/// Everything but printable ASCII.
pub(super) const UNUSUAL: u8 = 1 << 5;
/// The last byte of what [`has_spoken_address`] looks for.
const SPOKEN_END: u8 = 1 << 6;

/// The classes of each byte.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0u8;
    loop {
        classes[byte as usize] = classes_of(byte);
        if byte == u8::MAX {
            break classes;
        }
        byte += 1;
    }
};

const fn classes_of(byte: u8) -> u8 {
    let mut classes = match byte {
        b'0'..=b'9' => DIGIT,
        b'o' | b'O' | b'i' | b'I' | b'l' | b'L' | b'h' | b'H' => LETTER | CLOSE,
        b'a'..=b'z' | b'A'..=b'Z' => LETTER,
        b' ' | b'.' | b',' | b'_' | b'~' | b'*' | b'|' | b'(' | b')' | b'[' | b']' | b'+'
        | b'-' | b'\'' => CLOSE,
        b'/' => CLOSE | MARK,
        b'@' | b'?' => MARK,
        b'%' | b'&' => CODE,
        b'!'..=b'~' => 0,
        _ => UNUSUAL,
    };
    if matches!(byte | 0x20, b't' | b')' | b'}' | b'b' | b'f' | b'i' | b'o') {
        classes |= SPOKEN_END;
    }
    classes
}

/// Returns the classes of all bytes of a text.
pub(super) fn classes(text: &str) -> u8 {
    text.bytes().fold(0, |classes, byte| classes | CLASSES[usize::from(byte)])
}

/// Returns the rules that could match in a folded text.
pub(super) fn candidates(text: &str) -> RuleSet {
    let classes = classes(text);
    let prefilter = Prefilter::get();
    let mut rules = 0;
    if classes & DIGIT != 0 {
        rules |= prefilter.digit_rules(text.as_bytes());
    }
    if classes & MARK != 0 {
        rules |= prefilter.mark_rules(text.as_bytes());
    }
    // An `@` is a mark, with which these rules are among the others.
    if rules & prefilter.spoken == 0 && has_spoken_address(text.as_bytes()) {
        rules |= prefilter.spoken;
    }
    rules
}

/// How many digits a rule requires at most.
const MAX_DIGITS: usize = 16;

/// How far a separator may be from the digits that it separates, in bytes.
const MAX_SEPARATOR: usize = 3;

/// How far the beginning of an announcement may be from the number that it announces, in bytes.
const MAX_ANNOUNCEMENT: usize = 120;

/// The rules by what they require.
struct Prefilter {
    /// For each gap, the rules that so many digits are enough for, and those that do not count
    /// digits with this gap.
    digits: [[RuleSet; MAX_DIGITS + 1]; DigitGap::COUNT],
    /// The rules that require nothing beside digits.
    only_digits: RuleSet,
    /// The rules that require a character right before a digit.
    characters: [RuleSet; 128],
    /// The number of each sequence of three bytes in `texts`, or 0.
    triples: Box<[u16]>,
    texts: Vec<TextRules>,
    /// The rules that require the word for a zero.
    zeros: RuleSet,
    colon: RuleSet,
    at: RuleSet,
    query: RuleSet,
    path: RuleSet,
    spoken: RuleSet,
}

/// The rules that require a sequence of three bytes.
#[derive(Debug, Default, Clone, Copy)]
struct TextRules {
    anywhere: RuleSet,
    before_digit: RuleSet,
}

impl Prefilter {
    fn get() -> &'static Self {
        static PREFILTER: OnceLock<Prefilter> = OnceLock::new();
        PREFILTER.get_or_init(Self::new)
    }

    fn new() -> Self {
        let mut prefilter = Self {
            digits: [[0; MAX_DIGITS + 1]; DigitGap::COUNT],
            only_digits: 0,
            characters: [0; 128],
            triples: vec![0; 1 << (3 * CLASS_BITS)].into(),
            texts: vec![TextRules::default()],
            zeros: 0,
            colon: 0,
            at: 0,
            query: 0,
            path: 0,
            spoken: 0,
        };
        for (index, rule) in rules::all().enumerate() {
            prefilter.insert(1 << index, rule.requirement);
        }
        prefilter
    }

    fn insert(&mut self, rule: RuleSet, requirement: Requirement) {
        let mut is_before_digit = false;
        let (count, texts) = match requirement {
            Requirement::Digits(count) => {
                self.only_digits |= rule;
                (count, &[][..])
            }
            Requirement::With(count, texts) => (count, texts),
            Requirement::After(count, texts) => {
                is_before_digit = true;
                (count, texts)
            }
            Requirement::Colon => {
                self.colon |= rule;
                (DigitCount::any(1), &[][..])
            }
            Requirement::At => return self.at |= rule,
            Requirement::Query => return self.query |= rule,
            Requirement::Path => return self.path |= rule,
            Requirement::Spoken => {
                self.at |= rule;
                return self.spoken |= rule;
            }
        };
        for (gap, by_count) in self.digits.iter_mut().enumerate() {
            let min = if gap == count.gap as usize { count.min } else { 0 };
            for rules in &mut by_count[min..] {
                *rules |= rule;
            }
        }
        for text in texts {
            match *text.as_bytes() {
                _ if *text == ZERO => self.zeros |= rule,
                [character] => self.characters[usize::from(character)] |= rule,
                [first, second] => {
                    let start = triple([first, second, 0]);
                    for triple in start..start + (1 << CLASS_BITS) {
                        self.insert_text(rule, triple, is_before_digit);
                    }
                }
                [first, second, third] => {
                    self.insert_text(rule, triple([first, second, third]), is_before_digit);
                }
                _ => {}
            }
        }
    }

    fn insert_text(&mut self, rule: RuleSet, triple: usize, is_before_digit: bool) {
        let number = &mut self.triples[triple];
        if *number == 0 {
            *number = u16::try_from(self.texts.len()).unwrap_or(0);
            self.texts.push(TextRules::default());
        }
        let rules = &mut self.texts[usize::from(*number)];
        if is_before_digit {
            rules.before_digit |= rule;
        } else {
            rules.anywhere |= rule;
        }
    }

    /// Returns the rules that require digits and could match.
    fn digit_rules(&self, bytes: &[u8]) -> RuleSet {
        let mut rules = self.only_digits;
        let mut counts = DigitCounts::default();
        let mut next_digit = usize::MAX;
        for (at, byte) in bytes.iter().enumerate().rev() {
            let class = CLASSES[usize::from(*byte)];
            let before = at.checked_sub(1).map_or(0, |at| CLASSES[usize::from(bytes[at])]);
            let distance = next_digit - at;
            if class & DIGIT != 0 {
                counts.add_digit(before & DIGIT != 0, distance == 1);
                next_digit = at;
                continue;
            }
            counts.add_gap(class, distance == 1);
            if distance <= MAX_SEPARATOR {
                rules |= self.characters.get(usize::from(*byte)).copied().unwrap_or_default();
            }
            if *byte == b':' {
                rules |= self.colon;
            }
            if *byte | 0x20 == b'o' && before & LETTER == 0 && is_zero(&bytes[at + 1..]) {
                rules |= self.zeros;
            }
            // No text begins inside a word, but one may follow an ordinal without a space.
            let is_after_ordinal = || {
                let is_digit = |by| at.checked_sub(by).is_some_and(|at| bytes[at].is_ascii_digit());
                is_digit(2) || is_digit(3)
            };
            if (class & before & LETTER == 0 || is_after_ordinal())
                && let Some(bytes) = bytes[at..].first_chunk()
            {
                let number = self.triples[triple(*bytes)];
                if number != 0 {
                    let texts = self.texts[usize::from(number)];
                    rules |= texts.anywhere;
                    if distance <= MAX_ANNOUNCEMENT {
                        rules |= texts.before_digit;
                    }
                }
            }
        }
        let counts = [counts.any, counts.words.max, counts.close.max, counts.single];
        self.digits
            .iter()
            .zip(counts)
            .fold(rules, |rules, (by_count, count)| rules & by_count[count.min(MAX_DIGITS)])
    }

    /// Returns the rules that require a mark and could match.
    fn mark_rules(&self, bytes: &[u8]) -> RuleSet {
        let (mut has_at, mut has_query, mut has_slash) = (false, false, false);
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'@' => has_at = true,
                b'?' => {
                    has_query |= bytes.get(at + 1).is_some_and(|next| !next.is_ascii_whitespace());
                }
                b'/' => has_slash = true,
                _ => {}
            }
        }
        let is_scheme = |at: usize| bytes[at..].starts_with(b"://");
        let has_path =
            has_slash && (has_host_name(bytes) || memchr_iter(b':', bytes).any(is_scheme));
        let rules_if = |has: bool, rules| if has { rules } else { 0 };
        rules_if(has_at, self.at) | rules_if(has_query, self.query) | rules_if(has_path, self.path)
    }
}

/// The digits of a text, counted for each [`DigitGap`].
#[derive(Debug, Default)]
struct DigitCounts {
    any: usize,
    words: DigitRun,
    close: DigitRun,
    single: usize,
}

/// The digits since the last gap that is none between the digits of a number.
#[derive(Debug, Default)]
struct DigitRun {
    count: usize,
    max: usize,
    /// Such a gap comes next.
    is_over: bool,
}

impl DigitRun {
    fn add_digit(&mut self) {
        self.count = if self.is_over { 1 } else { self.count + 1 };
        self.max = self.max.max(self.count);
        self.is_over = false;
    }
}

impl DigitCounts {
    /// Counts a digit, from the end of the text to its beginning.
    fn add_digit(&mut self, follows_digit: bool, precedes_digit: bool) {
        self.any += 1;
        self.single += usize::from(!follows_digit && !precedes_digit);
        self.words.add_digit();
        self.close.add_digit();
    }

    /// Adds a byte of the gap before a digit.
    fn add_gap(&mut self, class: u8, precedes_digit: bool) {
        let is_letter = class & LETTER != 0;
        self.close.is_over |= class & CLOSE == 0;
        self.words.is_over |= if is_letter { precedes_digit } else { class & CLOSE == 0 };
    }
}

/// Whether an `o` is the word for a zero, given what follows it: nothing, or the `h` of `oh`, and
/// then no letter.
fn is_zero(rest: &[u8]) -> bool {
    let rest = rest.strip_prefix(b"h").or_else(|| rest.strip_prefix(b"H")).unwrap_or(rest);
    !rest.first().is_some_and(u8::is_ascii_alphabetic)
}

/// How many bits number the letters and the classes of other bytes.
const CLASS_BITS: usize = 5;

/// Returns a number for three bytes, in which only letters are told apart from one another, and in
/// any case.
fn triple(bytes: [u8; 3]) -> usize {
    bytes.into_iter().fold(0, |number, byte| number << CLASS_BITS | usize::from(letter(byte)))
}

/// Returns the number of a letter, or of a class of other bytes, below 32.
const fn letter(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' => byte & 0x1f,
        b' ' => 27,
        b'#' | b':' | b'=' | b'_' | b'"' | b'\'' => 28,
        b'.' => 29,
        b'-' | b'/' => 30,
        0x80.. => 31,
        _ => 0,
    }
}

/// Whether a text may contain an address that is spoken or disguised: `at` in brackets, or `at` with
/// `dot`, with a host name or with a provider of email, or the words of another language for it.
fn has_spoken_address(bytes: &[u8]) -> bool {
    let (mut is_spoken, mut has_at, mut has_dot) = (false, false, false);
    for window in bytes.windows(4) {
        if CLASSES[usize::from(window[3])] & SPOKEN_END == 0 {
            continue;
        }
        // With the bit of lower case, brackets become braces.
        match [window[0] | 0x20, window[1] | 0x20, window[2] | 0x20, window[3] | 0x20] {
            [_, b'{' | b'(' | b'<', b'a', b't' | b')' | b'}']
            // arroba, arobase, Klammeraffe
            | [b'r' | b'a', b'r', b'o', b'b']
            | [b'r', b'a', b'f', b'f'] => is_spoken = true,
            [_, b' ' | b'-', b'a', b't'] => has_at = true,
            // dot, Punkt, Gmail, Hotmail, Proton Mail, Yahoo
            [_, b'd', b'o', b't']
            | [b'u', b'n', b'k', b't']
            | [b'g' | b't' | b'n', b'm', b'a', b'i']
            | [b'a', b'h', b'o', b'o'] => has_dot = true,
            _ => {}
        }
    }
    is_spoken || (has_at && (has_dot || has_host_name(bytes)))
}

/// Whether a text, or the same text with other spaces and punctuation, may have candidates: it has
/// digits, marks, characters that are folded, or the last letter of what makes an address spoken.
pub(super) fn has_trigger(text: &str) -> bool {
    classes(text) & (DIGIT | MARK | CODE | UNUSUAL) != 0
        || text.bytes().any(|byte| matches!(byte | 0x20, b't' | b')' | b'}' | b'b' | b'f'))
}

/// Whether a text contains a full stop between letters or digits.
fn has_host_name(bytes: &[u8]) -> bool {
    memchr_iter(b'.', bytes).any(|at| {
        at > 0
            && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'[')
            && bytes.get(at + 1).is_some_and(|next| next.is_ascii_alphanumeric() || *next == b']')
    })
}
