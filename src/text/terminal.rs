//! Escapes for characters that could control a terminal or mislead a reader.
//!
//! Control characters (C0, DEL, C1), the controls of writing direction, and the other characters
//! without a shape of their own (Unicode property `Default_Ignorable_Code_Point`) are invisible.
//! They are hostile, except where a joiner or a variation selector belongs to what is visible: an
//! emoji, a word in a script that needs joiners, or a variant of an ideograph. Text from the wire,
//! from a file or from a name passes through here before it is shown.

use std::borrow::Cow;
use std::fmt::Write;
use std::iter::Peekable;
use std::ops::Range;
use std::sync::OnceLock;

use regex::Regex;
use wide::u8x16;

/// Whether a character is invisible, or controls a terminal or the direction of writing.
#[must_use]
pub const fn is_invisible(character: char) -> bool {
    is_selector_or_joiner(character)
        || matches!(
            character,
            '\0'..='\u{1f}'
                | '\u{7f}'..='\u{9f}'
                | '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{17b4}'
                | '\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Whether a character changes or joins its neighbours, and so may belong to visible text.
const fn is_selector_or_joiner(character: char) -> bool {
    matches!(
        character,
        '\u{180b}'..='\u{180d}'
            | '\u{180f}'
            | '\u{200c}'
            | '\u{200d}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

/// The sequences in which joiners and variation selectors belong to what is visible: keycaps, emoji
/// with a presentation or joined to one, words of scripts that use joiners, Mongolian letters with a
/// variant, and ideographs with a variant.
const SEQUENCES: &str = r"(?x)
    [0-9\#*] \u{fe0f} \u{20e3}
    | EMOJI [\u{fe0e}\u{fe0f}]? (?: \u{200d} EMOJI [\u{fe0e}\u{fe0f}]? )*
    | [\p{Mongolian} && \p{L}] [\u{180b}-\u{180d}\u{180f}]?
        (?: [\u{200c}\u{200d}] [\p{Mongolian} && \p{L}] [\u{180b}-\u{180d}\u{180f}]? )*
    | \p{Han} [\u{fe00}-\u{fe02}\u{e0100}-\u{e01ef}]
    | [\p{Myanmar}\p{Phags_Pa}] \u{fe00}
    | JOINED (?: [\u{200c}\u{200d}] JOINED )+
";

/// An emoji that is not a digit, in [`SEQUENCES`].
const EMOJI: &str = r"[ \p{Emoji}\p{Extended_Pictographic} && [^0-9\#*] ]";

/// A letter or mark of a script that uses joiners inside words, in [`SEQUENCES`].
const JOINED: &str = r"[
    \p{Arabic}\p{Syriac}\p{Mandaic}\p{Nko}\p{Adlam}\p{Hanifi_Rohingya}\p{Sogdian}
    \p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}\p{Oriya}\p{Tamil}\p{Telugu}\p{Kannada}
    \p{Malayalam}\p{Sinhala}\p{Khmer}\p{Myanmar}\p{Tibetan}\p{Balinese}\p{Javanese}\p{Newa}
    && [\p{L}\p{M}]
]";

/// Returns the ranges of a text in which joiners and variation selectors are harmless.
fn sequences_of(text: &str) -> impl Iterator<Item = Range<usize>> {
    static REGEX: OnceLock<Regex> = OnceLock::new();
    let compile = || {
        let pattern = SEQUENCES.replace("EMOJI", EMOJI).replace("JOINED", JOINED);
        Regex::new(&pattern).expect("the pattern is a regular expression")
    };
    // The table of the pattern is large, and most text has nothing for it.
    let regex = text.chars().any(is_selector_or_joiner).then(|| REGEX.get_or_init(compile));
    regex.into_iter().flat_map(|regex| regex.find_iter(text)).map(|found| found.range())
}

/// Returns each character of a text, and whether it is hostile where it stands.
pub fn characters(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut sequences: Option<Peekable<_>> = None;
    text.char_indices().map(move |(at, character)| {
        if !is_invisible(character) {
            return (character, false);
        }
        if !is_selector_or_joiner(character) {
            return (character, true);
        }
        let sequences = sequences.get_or_insert_with(|| sequences_of(text).peekable());
        while sequences.next_if(|sequence| sequence.end <= at).is_some() {}
        let belongs = sequences.peek().is_some_and(|sequence| sequence.start <= at);
        (character, !belongs)
    })
}

/// Returns the first hostile character of a text.
#[must_use]
pub fn first_hostile(text: &str) -> Option<char> {
    if is_plain(text) || !text.chars().any(is_invisible) {
        return None;
    }
    characters(text).find_map(|(character, is_hostile)| is_hostile.then_some(character))
}

/// Returns whether text has printable ASCII only, so that every byte is one column of a terminal.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    // Without an early exit the compiler checks several bytes in each step.
    text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'))
}

/// Whether text contains a hostile character.
#[must_use]
pub fn has_hostile(text: &str) -> bool {
    first_hostile(text).is_some()
}

/// Appends valid JSON, or a part of it, with hostile characters as `\u` escapes, which keep its
/// meaning.
pub fn push_json(text: &str, out: &mut String) {
    for (character, is_hostile) in characters(text) {
        if is_hostile {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(character);
        }
    }
}

/// Appends text as a JSON string, with hostile characters as `\u` escapes.
pub fn push_quoted(text: &str, out: &mut Vec<u8>) {
    if needs_no_escape(text.as_bytes()) {
        push_plain_quoted(text, out);
    } else {
        let mut safe = String::with_capacity(text.len() + 8);
        push_json(&serde_json::Value::from(text).to_string(), &mut safe);
        out.extend_from_slice(safe.as_bytes());
    }
}

/// Appends text as a JSON string. All of it must be printable ASCII that needs no escape.
pub fn push_plain_quoted(text: &str, out: &mut Vec<u8>) {
    debug_assert!(needs_no_escape(text.as_bytes()), "the text needs an escape");
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Returns whether all bytes are printable ASCII that needs no escape in a JSON string.
fn needs_no_escape(text: &[u8]) -> bool {
    const STRIDE: usize = 16;
    let is_plain = |bytes: [u8; STRIDE]| {
        let bytes = u8x16::new(bytes);
        let distance = bytes - u8x16::splat(b' ');
        let is_printable = distance.simd_eq(distance.min(u8x16::splat(b'~' - b' ')));
        let is_special = bytes.simd_eq(u8x16::splat(b'"')) | bytes.simd_eq(u8x16::splat(b'\\'));
        is_printable.to_bitmask() & !is_special.to_bitmask() == 0xffff
    };
    let (strides, rest) = text.as_chunks();
    // The last step overlaps the one before it, if there is one.
    let last = text.last_chunk().copied().unwrap_or_else(|| {
        let mut last = [b' '; STRIDE];
        last[..rest.len()].copy_from_slice(rest);
        last
    });
    strides.iter().all(|stride| is_plain(*stride)) && is_plain(last)
}

/// Replaces hostile characters by visible escapes, for a terminal.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !has_hostile(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for (character, is_hostile) in characters(text) {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if is_hostile => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quoted_text_is_safe_json_wherever_an_escape_is_necessary() {
        let specials =
            ['"', '\\', '\n', '\u{1f}', ' ', '~', '\u{7f}', '\u{80}', '\u{202e}', '\u{ff}'];
        for (length, special) in
            (0..40).flat_map(|length| specials.map(|special| (length, special)))
        {
            for at in 0..=length {
                let mut text = "x".repeat(length);
                text.insert(at, special);
                let mut quoted = Vec::new();
                push_quoted(&text, &mut quoted);
                let quoted = String::from_utf8(quoted).expect("text");
                assert_eq!(serde_json::from_str::<String>(&quoted).ok(), Some(text), "{quoted}");
                assert!(!has_hostile(&quoted), "{quoted:?}");
            }
        }
    }

    /// Text with many joiners, selectors and their neighbours.
    fn joined() -> impl Strategy<Value = String> {
        let parts = [
            "\u{200d}",
            "\u{200c}",
            "\u{fe0f}",
            "\u{fe0e}",
            "\u{fe00}",
            "\u{e0100}",
            "\u{180b}",
            "\u{20e3}",
            "\u{202e}",
            "\u{1f469}",
            "\u{2764}",
            "\u{1f3fd}",
            "\u{6c49}",
            "\u{645}",
            "\u{94d}",
            "\u{915}",
            "\u{1820}",
            "1",
            "#",
            "a",
            " ",
            "\"",
            "\\",
        ];
        prop::collection::vec(prop::sample::select(parts.to_vec()), 0..12)
            .prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn visible_text_has_nothing_hostile_and_stays_as_it_is(
            text in prop_oneof![any::<String>(), joined()]
        ) {
            let once = visible(&text).into_owned();
            prop_assert!(!has_hostile(&once));
            prop_assert_eq!(visible(&once), once.as_str());
        }

        #[test]
        fn escaped_json_keeps_its_meaning(text in prop_oneof![any::<String>(), joined()]) {
            let json = serde_json::to_string(&text).expect("strings serialise");
            let mut safe = String::new();
            push_json(&json, &mut safe);
            prop_assert!(!has_hostile(&safe));
            prop_assert_eq!(serde_json::from_str::<String>(&safe).expect("still JSON"), text);
        }

        #[test]
        fn harmless_texts_make_a_harmless_text(first in joined(), second in joined()) {
            let both = format!("{}{}", visible(&first), visible(&second));
            prop_assert!(!has_hostile(&both), "{both:?}");
        }
    }

    #[test]
    fn controls_of_terminals_and_of_direction_are_hostile() {
        for hostile in [
            '\u{1b}',
            '\u{7f}',
            '\u{9b}',
            '\u{9d}',
            '\u{202e}',
            '\u{2066}',
            '\u{200b}',
            '\u{feff}',
            '\u{61c}',
            '\u{e0041}',
            '\u{85}',
        ] {
            assert_eq!(first_hostile(&format!("a{hostile}b")), Some(hostile));
        }
        for plain in [' ', '~', 'é', '漢', '🙂', '\u{a0}'] {
            assert!(!has_hostile(&plain.to_string()), "{plain}");
        }
    }

    #[test]
    fn every_default_ignorable_character_is_invisible_and_hostile_between_latin_letters() {
        let ignorable =
            Regex::new(r"\p{Default_Ignorable_Code_Point}").expect("a regular expression");
        let all: String = ('\0'..=char::MAX).collect();
        let mut count = 0;
        for found in ignorable.find_iter(&all) {
            let text = format!("a{}b", found.as_str());
            assert_eq!(first_hostile(&text), found.as_str().chars().next(), "{text:?}");
            count += 1;
        }
        assert!(count > 4000, "{count}");
    }

    #[test]
    fn joiners_and_selectors_that_belong_to_visible_text_stay() {
        for text in [
            "❤\u{fe0f} ❤\u{fe0e}",
            "3\u{fe0f}\u{20e3} #\u{fe0f}\u{20e3}",
            "👩\u{200d}👩\u{200d}👧",
            "👩🏽\u{200d}⚕\u{fe0f}",
            "🏳\u{fe0f}\u{200d}🌈",
            "می\u{200c}خواهم",
            "نمی\u{200c}خواهم\u{200c}شان",
            "क\u{94d}\u{200d}ष",
            "ক\u{9cd}\u{200c}ষ",
            "葛\u{e0100}",
            "\u{1820}\u{180b}\u{182d}",
        ] {
            assert_eq!(first_hostile(text), None, "{text:?}");
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn joiners_and_selectors_that_change_nothing_are_escaped() {
        for (text, expected) in [
            ("a\u{fe0f}", "a\\u{fe0f}"),
            ("3\u{fe0f}", "3\\u{fe0f}"),
            ("❤\u{fe0f}\u{fe0f}", "❤\u{fe0f}\\u{fe0f}"),
            ("👩\u{200d}", "👩\\u{200d}"),
            ("\u{200d}👩", "\\u{200d}👩"),
            ("👩\u{200d}a", "👩\\u{200d}a"),
            ("pass\u{200c}word", "pass\\u{200c}word"),
            ("می\u{200c} خواهم", "می\\u{200c} خواهم"),
            ("م\u{200c}\u{200c}خ", "م\\u{200c}\\u{200c}خ"),
            ("a\u{e0100}", "a\\u{e0100}"),
            ("漢\u{e0100}\u{e0101}", "漢\u{e0100}\\u{e0101}"),
            ("a\u{180b}", "a\\u{180b}"),
        ] {
            assert_eq!(visible(text), expected, "{text:?}");
        }
    }
}
