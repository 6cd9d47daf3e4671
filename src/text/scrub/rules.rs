//! The rules that find identifiers, by kind.
//!
//! Their patterns expect folded text, in which digits, spaces and punctuation are ASCII and letters
//! have no accents. Every repetition that a search may have to try again is bounded, so that the
//! time to search a text is proportional to its length.

mod card;
mod date;
mod email;
mod ip;
mod phone;
mod record;
mod spoken;
mod ssn;
mod url;

use super::detector::DetectorRule;

/// Returns all rules. If two matches begin at the same place, the mask is named after the earlier
/// rule.
pub(super) fn all() -> impl Iterator<Item = &'static DetectorRule> {
    [
        &url::RULES[..],
        &email::RULES[..],
        &card::RULES[..],
        &ssn::RULES[..],
        &record::RULES[..],
        &phone::RULES[..],
        &date::RULES[..],
        &ip::RULES[..],
    ]
    .into_iter()
    .flatten()
}
