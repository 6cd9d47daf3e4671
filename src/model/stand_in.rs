//! The forms of stand-ins for hidden values: a mask, two characters of the value, or a pseudonym.
//! `redact::mask` writes them.

use super::Domain;
use crate::json::string::contents;
use crate::text::terminal;

/// The mask as JSON.
pub(crate) const MASK_JSON: &str = "\"[redacted]\"";

/// The text before and after the two characters that `--phi partial` leaves.
pub(crate) const PARTIAL: (&str, &str) = ("\"[redacted ..", "]\"");

/// The length of the code in a pseudonym, in bytes.
pub(crate) const PSEUDONYM_LENGTH: usize = 16;

/// The length of the key's id in a pseudonym, in bytes.
pub(crate) const KEY_ID_LENGTH: usize = 4;

/// Returns whether a JSON value looks like a stand-in.
///
/// This alone proves nothing, as anybody can send such a text. The value was hidden by evtap only
/// if `_tap.redacted` lists the field as well.
pub(crate) fn is_stand_in(json: &str) -> bool {
    json == MASK_JSON || is_partial(json) || is_pseudonym(json)
}

/// Returns whether a JSON value looks like a stand-in of `--phi partial`.
pub(crate) fn is_partial(json: &str) -> bool {
    let inside = json.strip_prefix(PARTIAL.0).and_then(|rest| rest.strip_suffix(PARTIAL.1));
    inside.is_some_and(|inside| inside.chars().count() == 2 && inside.chars().all(is_plain))
}

/// Returns whether `--phi partial` may show a character.
pub(crate) fn is_plain(character: char) -> bool {
    !terminal::is_invisible(character) && !matches!(character, '"' | '\\')
}

fn is_pseudonym(json: &str) -> bool {
    if !json.starts_with("\"phi:") {
        return false;
    }
    let parts: Vec<_> = contents(json).unwrap_or_default().split(':').collect();
    let is_hex = |text: &str, bytes: usize| {
        text.len() == 2 * bytes
            && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let &["phi", domain, id, code] = parts.as_slice() else { return false };
    json.len() == "\"phi:::\"".len() + domain.len() + id.len() + code.len()
        && Domain::ALL.iter().any(|known| known.name() == domain)
        && is_hex(id, KEY_ID_LENGTH)
        && is_hex(code, PSEUDONYM_LENGTH)
}
