//! Reads keys and strings from the members of an object.

use std::borrow::Cow;

use crate::json::scan::{Member, Span};
use crate::json::string::{unescape, unquote};

/// Returns a member's key with its escapes resolved.
pub(crate) fn key_of<'a>(member: &Member, text: &'a str) -> Cow<'a, str> {
    let key = member.key.slice(text);
    if member.key_escaped { unescape(key) } else { Cow::Borrowed(key) }
}

/// Returns the text of the JSON string at `span`.
pub(crate) fn string(span: Span, text: &str) -> Cow<'_, str> {
    unquote(span.slice(text)).unwrap_or_default()
}
