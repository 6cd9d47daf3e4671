//! Reads JSON strings: the text between the quotes, and the text that its escapes represent.
//!
//! The functions expect JSON that [`scan`](super::scan) has validated. They borrow if a string has
//! no escapes.

use std::borrow::Cow;

/// Returns the text between the quotes of a JSON string, with its escapes, or `None` if `json` is
/// not a string.
#[must_use]
pub fn contents(json: &str) -> Option<&str> {
    json.strip_prefix('"')?.strip_suffix('"')
}

/// Returns the text that the contents of a JSON string represent.
#[must_use]
pub fn unescape(contents: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', contents.as_bytes()).is_none() {
        return Cow::Borrowed(contents);
    }
    let mut text = String::with_capacity(contents.len());
    push_unescaped(contents, &mut text);
    Cow::Owned(text)
}

/// Appends the text that the contents of a JSON string represent; nothing if an escape is invalid.
pub fn push_unescaped(contents: &str, out: &mut String) {
    let start = out.len();
    if try_push_unescaped(contents, out).is_none() {
        out.truncate(start);
    }
}

fn try_push_unescaped(mut rest: &str, out: &mut String) -> Option<()> {
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let escape = *rest.as_bytes().get(at + 1)?;
        rest = rest.get(at + 2..)?;
        out.push(match escape {
            b'"' | b'\\' | b'/' => char::from(escape),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = take_code_unit(&mut rest)?;
                // A pair of surrogates stands for one character (RFC 8259, section 7).
                let code = if (0xd800..0xdc00).contains(&unit) {
                    rest = rest.strip_prefix("\\u")?;
                    let low = take_code_unit(&mut rest)?.checked_sub(0xdc00)?;
                    (low < 0x400).then_some(0x1_0000 + ((unit - 0xd800) << 10) + low)?
                } else {
                    unit
                };
                char::from_u32(code)?
            }
            _ => return None,
        });
    }
    out.push_str(rest);
    Some(())
}

/// Removes four hexadecimal digits from the start of a text and returns their value.
fn take_code_unit(rest: &mut &str) -> Option<u32> {
    let (digits, after) = rest.split_at_checked(4)?;
    *rest = after;
    digits.bytes().try_fold(0, |unit, digit| Some(unit << 4 | char::from(digit).to_digit(16)?))
}

/// Returns the text of a JSON string, or `None` if `json` is not a string.
#[must_use]
pub fn unquote(json: &str) -> Option<Cow<'_, str>> {
    contents(json).map(unescape)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn escapes_mean_what_serde_reads(
            parts in prop::collection::vec(
                prop_oneof![
                    "[^\"\\\\\\x00-\\x1f]{0,6}",
                    r#"\\["\\/bfnrtx]"#,
                    r"\\u[0-9a-fA-F]{4}",
                    r"\\u[dD][89abAB][0-9a-f]{2}\\u[dD][c-fC-F][0-9a-f]{2}",
                    r"\\u[dD][89a-f][0-9a-f]{2}",
                    r"\\u[0-9a-g]{0,3}",
                ],
                0..8,
            )
        ) {
            let contents = parts.concat();
            let expected: String =
                serde_json::from_str(&format!("\"{contents}\"")).unwrap_or_default();
            prop_assert_eq!(&*unescape(&contents), &*expected);
            let mut text = "before".to_owned();
            push_unescaped(&contents, &mut text);
            prop_assert_eq!(text, format!("before{expected}"));
        }
    }

    #[test]
    fn strings_are_read() {
        assert_eq!(contents(r#""a\n""#), Some(r"a\n"));
        assert_eq!(unquote(r#""a\n\u00e9""#).as_deref(), Some("a\né"));
        assert!(matches!(unquote(r#""""#), Some(Cow::Borrowed(""))));
        assert!(matches!(unquote(r#""é: b""#), Some(Cow::Borrowed("é: b"))));
        for json in ["null", "1", "[\"a\"]", "\"", ""] {
            assert_eq!(unquote(json), None, "{json}");
        }
    }
}
