//! Helpers for jq syntax trees.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::Term;

/// Returns the text of a string literal; `None` if it has an interpolation.
#[must_use]
pub fn literal(parts: &[StrPart<&str, Term<&str>>]) -> Option<String> {
    let mut text = String::new();
    for part in parts {
        match part {
            StrPart::Str(part) => text.push_str(part),
            StrPart::Char(character) => text.push(*character),
            StrPart::Term(_) => return None,
        }
    }
    Some(text)
}
