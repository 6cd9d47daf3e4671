//! Folds the many ways of writing a character, so that the rules need to know only one.
//!
//! Folded text has ASCII digits, spaces, hyphens and punctuation in place of their variants, letters
//! without accents, percent-encoded characters in the clear, and nothing that has no width.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2_iter;

use super::features::{CODE, UNUSUAL, classes};
use crate::text::terminal;

/// Folded text, which knows where each part of it came from.
pub(super) struct FoldedText<'t> {
    pub text: Cow<'t, str>,
    /// Where the distance to the original changes: the offset in the text and in the original.
    /// Empty if nothing was folded.
    parts: Vec<(usize, usize)>,
}

impl<'t> FoldedText<'t> {
    pub fn new(text: &'t str) -> Self {
        let classes = classes(text);
        if classes & UNUSUAL == 0 && (classes & CODE == 0 || !has_code(text)) {
            return Self { text: Cow::Borrowed(text), parts: Vec::new() };
        }
        let (mut folded, mut parts) = (String::with_capacity(text.len()), Vec::new());
        let mut at = 0;
        while let Some(character) = text[at..].chars().next() {
            let length = plain_length(&text[at..]);
            if length > 0 {
                add_part(&mut parts, folded.len(), at);
                folded.push_str(&text[at..at + length]);
                at += length;
                continue;
            }
            let (character, length) =
                decoded(&text[at..]).unwrap_or((character, character.len_utf8()));
            if let Some(plain) = fold(character) {
                add_part(&mut parts, folded.len(), at);
                folded.push(plain);
            }
            at += length;
        }
        add_part(&mut parts, folded.len(), text.len());
        Self { text: Cow::Owned(folded), parts }
    }

    /// Returns the range of the original text for a range of the folded text.
    pub fn original(&self, span: Range<usize>) -> Range<usize> {
        if self.parts.is_empty() {
            return span;
        }
        let original = |at: usize| {
            let part = self.parts.partition_point(|(start, _)| *start <= at).saturating_sub(1);
            let (start, original) = self.parts[part];
            original + at - start
        };
        original(span.start)..original(span.end)
    }
}

/// Adds a part that begins at a character, unless it continues the one before.
fn add_part(parts: &mut Vec<(usize, usize)>, start: usize, original: usize) {
    if parts.last().is_none_or(|last| last.1 + start - last.0 != original) {
        parts.push((start, original));
    }
}

/// Returns how many bytes at the beginning of a text folding does not change.
fn plain_length(text: &str) -> usize {
    let is_plain = |byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'%' | b'&');
    text.bytes().position(|byte| !is_plain(byte)).unwrap_or(text.len())
}

/// Whether a character of a text is encoded.
fn has_code(text: &str) -> bool {
    memchr2_iter(b'%', b'&', text.as_bytes()).any(|at| decoded(&text[at..]).is_some())
}

/// Returns the character whose code begins a text, and the length of the code: a printable ASCII
/// character in percent-encoding (RFC 3986, section 2.1), or a character reference of HTML, as in
/// `%40` and `&#64;`.
fn decoded(text: &str) -> Option<(char, usize)> {
    if let Some(code) = text.strip_prefix('%') {
        let code =
            code.get(..2).filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        let decoded = char::from(u8::from_str_radix(code, 16).ok()?);
        return matches!(decoded, ' '..='~').then_some((decoded, 3));
    }
    let reference = text.strip_prefix('&')?;
    let end = reference.bytes().take(10).position(|byte| byte == b';')?;
    let decoded = match &reference[..end] {
        "nbsp" => '\u{a0}',
        "shy" => '\u{ad}',
        "commat" => '@',
        "period" => '.',
        name => {
            let (code, radix) = match name.strip_prefix('#')?.strip_prefix(['x', 'X']) {
                Some(code) => (code, 16),
                None => (&name[1..], 10),
            };
            let is_code = code.bytes().all(|byte| byte.is_ascii_alphanumeric());
            char::from_u32(u32::from_str_radix(code, radix).ok().filter(|_| is_code)?)?
        }
    };
    Some((decoded, end + 2))
}

/// Returns the plain form of a character, or `None` if it is left out.
fn fold(character: char) -> Option<char> {
    Some(match character {
        ' '..='~' => character,
        '\t' | '\n' | '\r' => ' ',
        // Marks above, below and around letters and digits, such as those of keycaps.
        '\u{300}'..='\u{36f}'
        | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}' => return None,
        _ if character.is_whitespace() || character == '\u{2800}' => ' ',
        _ if terminal::is_invisible(character) => return None,
        '\u{ff01}'..='\u{ff5e}' => shifted(character, '\u{ff01}', '!'),
        '\u{c0}'..='\u{17f}' => unaccented(character),
        // The dashes of Unicode (general category Pd), and characters that look like them.
        '\u{58a}'
        | '\u{5be}'
        | '\u{2010}'..='\u{2015}'
        | '\u{2043}'
        | '\u{2212}'
        | '\u{2e3a}'
        | '\u{2e3b}'
        | '\u{301c}'
        | '\u{3030}'
        | '\u{30fc}'
        | '\u{fe31}'
        | '\u{fe32}'
        | '\u{fe58}'
        | '\u{fe63}'
        | '\u{ff70}' => '-',
        '\u{b7}' | '\u{2022}' | '\u{2024}' | '\u{2027}' | '\u{2219}' | '\u{22c5}' | '\u{3002}'
        | '\u{30fb}' | '\u{fe52}' | '\u{ff61}' | '\u{ff65}' => '.',
        '\u{60c}' | '\u{201a}' | '\u{3001}' | '\u{fe50}' | '\u{ff64}' => ',',
        '\u{2044}' | '\u{2215}' | '\u{29f8}' => '/',
        '\u{2236}' | '\u{a789}' | '\u{fe55}' => ':',
        '\u{2795}' | '\u{fe62}' => '+',
        '\u{fe6b}' => '@',
        '\u{fe5f}' => '#',
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{201c}'..='\u{201f}' => '"',
        // Alphabets for mathematics, and letters and digits in circles.
        '\u{1d400}'..='\u{1d6a3}' => {
            let index = (u32::from(character) - 0x1d400) % 52;
            let base = if index < 26 { u32::from('A') } else { u32::from('a') - 26 };
            char::from_u32(base + index).unwrap_or(character)
        }
        '\u{24b6}'..='\u{24cf}' => shifted(character, '\u{24b6}', 'A'),
        '\u{24d0}'..='\u{24e9}' => shifted(character, '\u{24d0}', 'a'),
        '\u{24ea}' | '\u{24ff}' | '\u{2070}' | '\u{2080}' => '0',
        '\u{b9}' => '1',
        '\u{b2}' => '2',
        '\u{b3}' => '3',
        '\u{2460}'..='\u{2468}' => shifted(character, '\u{2460}', '1'),
        '\u{2776}'..='\u{277e}' => shifted(character, '\u{2776}', '1'),
        '\u{2780}'..='\u{2788}' => shifted(character, '\u{2780}', '1'),
        '\u{278a}'..='\u{2792}' => shifted(character, '\u{278a}', '1'),
        '\u{2074}'..='\u{2079}' => shifted(character, '\u{2074}', '4'),
        '\u{2081}'..='\u{2089}' => shifted(character, '\u{2081}', '1'),
        _ => decimal_digit(character).unwrap_or(character),
    })
}

/// Returns the ASCII character that is as far from `to` as `character` is from `from`.
fn shifted(character: char, from: char, to: char) -> char {
    char::from_u32(u32::from(character) - u32::from(from) + u32::from(to)).unwrap_or(character)
}

/// Returns a letter of the blocks Latin-1 Supplement and Latin Extended-A without its accent.
fn unaccented(character: char) -> char {
    /// The letters from U+00C0 to U+017F. Those that are no letter with an accent stay, as `.`.
    const LETTERS: &[u8] = b"AAAAAA.CEEEEIIII.NOOOOO.OUUUUY..aaaaaa.ceeeeiiii.nooooo.ouuuuy.y\
        AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIi..JjKk.LlLlLl.\
        .LlNnNnNn...OoOoOo..RrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";
    match LETTERS.get(u32::from(character) as usize - 0xc0) {
        Some(letter) if *letter != b'.' => char::from(*letter),
        _ => character,
    }
}

/// Returns the ASCII digit for a decimal digit of any script (Unicode general category Nd).
fn decimal_digit(character: char) -> Option<char> {
    let code = u32::from(character);
    let index = ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?;
    char::from_digit(code - ZEROS[index], 10)
}

/// The zeros of Unicode 17, after each of which the other nine digits follow.
#[rustfmt::skip]
const ZEROS: &[u32] = &[
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6,
    0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50,
    0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
    0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0,
    0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50, 0x11d50,
    0x11da0, 0x11de0, 0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1d7ce,
    0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0,
];

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    #[test]
    fn every_decimal_digit_of_unicode_becomes_ascii() {
        let digits = Regex::new(r"\p{Nd}").expect("a regular expression");
        let all: String = ('\u{80}'..=char::MAX).collect();
        let (mut previous, mut run) = ('\0', 0);
        for found in digits.find_iter(&all) {
            let character = found.as_str().chars().next().expect("a character");
            run = if u32::from(character) == u32::from(previous) + 1 { run + 1 } else { 0 };
            previous = character;
            assert_eq!(fold(character), char::from_digit(run % 10, 10), "{character}");
        }
        assert!(ZEROS.is_sorted());
    }

    #[test]
    fn variants_of_a_character_become_the_plain_one() {
        for (text, expected) in [
            ("3\u{fe0f}\u{20e3}0\u{20e3}", "30"),
            ("\u{2460}\u{278b}\u{2076}\u{1d7db}", "1263"),
            (
                "f\u{e9}vrier a\u{f1}o M\u{e4}rz Stra\u{df}e \u{17c}",
                "fevrier ano Marz Stra\u{df}e z",
            ),
            ("fe\u{301}vrier", "fevrier"),
            ("\u{1d5c3}\u{1d5ba}\u{1d5c7}\u{1d5be}\u{ff20}\u{24d7}\u{24de}", "jane@ho"),
            ("1\u{2009}2\u{3000}3\u{2800}4", "1 2 3 4"),
            ("1\u{2012}2\u{2014}3\u{30fc}4\u{b7}5", "1-2-3-4.5"),
            ("%28303%29%2f100% 5%0a", "(303)/100% 5%0a"),
            ("a&#64;b&#x2E;c&nbsp;d&#8203;e & f; &#; &#+64;", "a@b.c de & f; &#; &#+64;"),
            ("a\u{200d}b\u{e0041}c\u{2063}d", "abcd"),
        ] {
            assert_eq!(FoldedText::new(text).text, expected, "{text:?}");
        }
    }

    /// Asserts that the folded text, and where it came from, are those of the characters one by one.
    fn assert_folds_like_single_characters(text: &str) {
        let (mut plain, mut origin, mut at) = (String::new(), Vec::new(), 0);
        while let Some(character) = text[at..].chars().next() {
            let (character, length) =
                decoded(&text[at..]).unwrap_or((character, character.len_utf8()));
            if let Some(character) = fold(character) {
                origin.push((plain.len(), at));
                plain.push(character);
            }
            at += length;
        }
        origin.push((plain.len(), text.len()));
        let folded = FoldedText::new(text);
        assert_eq!(folded.text, plain, "{text:?}");
        for (at, original) in origin {
            assert_eq!(folded.original(at..at), original..original, "{text:?} at {at}");
        }
    }

    proptest::proptest! {
        #[test]
        fn parts_of_folded_text_are_found_in_the_original(
            text in "([0-9a-z %&;#]|%4[0-9a-f]|&#x?[0-9]{1,3};|&(nbsp|shy);|\\PC|\u{200b}|é|１){0,30}"
        ) {
            assert_folds_like_single_characters(&text);
        }
    }
}
