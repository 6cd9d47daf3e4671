//! What stands for a hidden value in evtap's output: a mask, two characters of the value, or a
//! pseudonym.

use super::Domain;
use crate::json::string::contents;
use crate::text::terminal;

/// The mask as JSON.
pub(crate) const MASK_JSON: &str = "\"[redacted]\"";

/// What surrounds the two characters that `--phi partial` leaves.
pub(crate) const PARTIAL: (&str, &str) = ("\"[redacted ..", "]\"");

/// The bytes of a pseudonym: 128 bits.
pub(crate) const PSEUDONYM_LENGTH: usize = 16;

/// The bytes of the id of a pseudonym's key.
pub(crate) const KEY_ID_LENGTH: usize = 4;

/// Whether JSON is what evtap puts in the place of a hidden value. Only together with the name of
/// the field in `_tap.redacted` does it tell that there was one.
pub(crate) fn is_stand_in(json: &str) -> bool {
    json == MASK_JSON || is_partial(json) || is_pseudonym(json)
}

/// Whether JSON is what `--phi partial` leaves of a value.
pub(crate) fn is_partial(json: &str) -> bool {
    let inside = json.strip_prefix(PARTIAL.0).and_then(|rest| rest.strip_suffix(PARTIAL.1));
    inside.is_some_and(|inside| inside.chars().count() == 2 && inside.chars().all(is_plain))
}

/// Whether `--phi partial` shows a character.
pub(crate) fn is_plain(character: char) -> bool {
    !terminal::is_hostile(character) && !matches!(character, '"' | '\\')
}

fn is_pseudonym(json: &str) -> bool {
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
