//! IP addresses, with a port or the length of a prefix.

use std::net::Ipv6Addr;

use super::spoken::contains_word;
use crate::text::scrub::detector::Check::{Always, If, Length};
use crate::text::scrub::detector::Requirement::{Colon, With};
use crate::text::scrub::detector::{Detector, DetectorRule, DigitCount, RuleMatch};

macro_rules! octet {
    () => {
        "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
    };
}

pub(super) static RULES: [DetectorRule; 3] = [
    DetectorRule::standalone(
        Detector::Ip,
        With(DigitCount::any(4), &[".", " do", "[do", " po"]),
        concat!(
            r"(?i-u)",
            octet!(),
            r"(?:(?:\.| \. |\[\.\]|\(\.\)|\[dot\]| dot | point )",
            octet!(),
            r"){3}(?::[0-9]{1,5}|/[0-9]{1,2}| ?- ?(?:[0-9]{1,3}\.){0,3}[0-9]{1,3})?",
        ),
        If(|candidate| !is_version(candidate)),
    ),
    // In a URL, and in the name of a host.
    DetectorRule::anywhere(
        Detector::Ip,
        With(DigitCount::close(4), &["://", "@", "ip-"]),
        concat!(r"(?i-u)(?:://|@|\bip-)(", octet!(), r"(?:[.-]", octet!(), r"){3})\b",),
        Always,
    ),
    DetectorRule::standalone(
        Detector::Ip,
        Colon,
        r"[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,40}(?:%[0-9A-Za-z]{1,15})?(?:/[0-9]{1,3})?",
        Length(ipv6_length),
    ),
];

/// Whether the word before a match says that it is a version.
fn is_version(candidate: &RuleMatch<'_>) -> bool {
    let before = candidate.before(16).trim_end_matches([' ', ':', '=', '"']);
    let start = before.trim_end_matches(|character: char| character.is_ascii_alphabetic()).len();
    contains_word(
        &before[start..],
        &["version", "release", "build", "firmware", "section", "chapter", "item", "clause"],
    )
}

/// Returns the length of the address with which a match begins.
fn ipv6_length(candidate: &RuleMatch<'_>) -> Option<usize> {
    let text = candidate.matched();
    let end = text.find(['%', '/']).unwrap_or(text.len());
    let parse = |address: &str| {
        address.len() > 3
            && address.bytes().any(|byte| byte.is_ascii_digit())
            && address.parse::<Ipv6Addr>().is_ok()
    };
    if parse(&text[..end]) {
        return Some(text.len());
    }
    // The punctuation of a sentence.
    let address = text[..end].trim_end_matches(['.', ':']);
    parse(address).then_some(address.len())
}
