//! Distinguishes names of events and fields from text that a person may have written.

use crate::text::MASK;

/// Returns whether `text` looks like the name of an event or a field, or like a path of names
/// joined by dots, and not like text that a person wrote.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$'))
        && text.split('.').all(|part| part.bytes().any(|byte| byte.is_ascii_alphabetic()))
}

/// Returns a name as it may be shown: the mask if it does not look like a name, because it may be
/// text that a person wrote.
#[must_use]
pub fn shown_name(name: &str) -> &str {
    if is_name(name) { name } else { MASK }
}
