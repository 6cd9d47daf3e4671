//! Names of events and fields, told from text that somebody wrote.

use crate::text::MASK;

/// Whether text looks like the name of an event or a field, and not like something that somebody
/// wrote: what stands between its dots is a name too, so that a path of names can be told from
/// other text.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$'))
        && text.split('.').all(|part| part.bytes().any(|byte| byte.is_ascii_alphabetic()))
}

/// Returns a name as it may be shown: the mask if it does not look like one, since somebody may
/// have written it.
#[must_use]
pub fn shown_name(name: &str) -> &str {
    if is_name(name) { name } else { MASK }
}
