//! Escapes for characters that could control a terminal or mislead a reader.
//!
//! These hostile characters are the control characters (C0, DEL, C1), the controls of writing
//! direction, and characters without width. Text from the wire, from a file or from a name passes
//! through here before it is shown.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character is invisible or controls a terminal or the direction of writing.
#[must_use]
pub const fn is_hostile(character: char) -> bool {
    matches!(
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
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether text contains a hostile character.
#[must_use]
pub fn has_hostile(text: &str) -> bool {
    text.chars().any(is_hostile)
}

/// Appends valid JSON, or a part of it, with hostile characters as `\u` escapes, which keep its
/// meaning.
pub fn push_json(text: &str, out: &mut String) {
    for character in text.chars() {
        if is_hostile(character) {
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
    // Without an early exit the compiler checks several bytes in each step.
    let is_plain = |byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if text.bytes().fold(true, |plain, byte| plain & is_plain(byte)) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        let mut safe = String::with_capacity(text.len() + 8);
        push_json(&serde_json::Value::from(text).to_string(), &mut safe);
        out.extend_from_slice(safe.as_bytes());
    }
}

/// Replaces hostile characters by visible escapes, for a terminal.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !has_hostile(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if is_hostile(character) => {
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

    proptest! {
        #[test]
        fn visible_text_has_nothing_hostile_and_stays_as_it_is(text in any::<String>()) {
            let once = visible(&text).into_owned();
            prop_assert!(!has_hostile(&once));
            prop_assert_eq!(visible(&once), once.as_str());
        }

        #[test]
        fn escaped_json_keeps_its_meaning(text in any::<String>()) {
            let json = serde_json::to_string(&text).expect("strings serialise");
            let mut safe = String::new();
            push_json(&json, &mut safe);
            prop_assert!(!has_hostile(&safe));
            prop_assert_eq!(serde_json::from_str::<String>(&safe).expect("still JSON"), text);
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
            assert!(is_hostile(hostile), "{:x}", u32::from(hostile));
        }
        for plain in [' ', '~', 'é', '漢', '🙂', '\u{a0}'] {
            assert!(!is_hostile(plain), "{plain}");
        }
    }
}
