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
    if contents.contains('\\') {
        Cow::Owned(serde_json::from_str(&format!("\"{contents}\"")).unwrap_or_default())
    } else {
        Cow::Borrowed(contents)
    }
}

/// Returns the text of a JSON string, or `None` if `json` is not a string.
#[must_use]
pub fn unquote(json: &str) -> Option<Cow<'_, str>> {
    contents(json).map(unescape)
}

#[cfg(test)]
mod tests {
    use super::*;

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
