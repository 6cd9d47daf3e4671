//! URLs that carry something about a person: a query, or a secret in the path or the fragment.

use crate::text::scrub::detector::Check::{Always, If};
use crate::text::scrub::detector::Requirement::{Path, Query};
use crate::text::scrub::detector::{Detector, DetectorRule, RuleMatch};

pub(super) static RULES: [DetectorRule; 4] = [
    DetectorRule::unbounded(
        Detector::Url,
        Query,
        r#"(?i)(?:[a-z][a-z0-9+.-]{0,15}://|www\.)[^\s?"<>]+\?[^\s"<>\[\]]*[\w/=&%#-]"#,
        Always,
    ),
    DetectorRule::unbounded(
        Detector::Url,
        Query,
        concat!(
            r"(?i)\b(?:[a-z0-9-]+(?:\.|\[\.\])){1,5}[a-z]{2,24}(?::[0-9]{1,5})?",
            r#"(?:/[^\s?"<>\[\]]*)?\?[\w.%-]+=[^\s"<>\[\]]*[\w/=&%#-]"#,
        ),
        Always,
    ),
    DetectorRule::unbounded(
        Detector::Url,
        Path,
        r#"(?i)(?:[a-z][a-z0-9+.-]{0,15}://|www\.[a-z0-9])[^\s"<>]*[\w/=&%#-]"#,
        If(has_secret),
    ),
    DetectorRule::unbounded(
        Detector::Url,
        Path,
        concat!(
            r"(?i)\b(?:[a-z0-9-]+(?:\.|\[\.\])){1,5}[a-z]{2,24}(?::[0-9]{1,5})?",
            r#"/[^\s"<>\[\]]*[\w/=&%#-]"#,
        ),
        If(has_secret),
    ),
];

/// Whether a URL has something in its path or fragment that may identify a person: a number, a
/// token, or a parameter.
fn has_secret(candidate: &RuleMatch<'_>) -> bool {
    let text = candidate.matched();
    if !text.contains('/') {
        return false;
    }
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    // In a URL of an app, the part after the scheme is not a host.
    let is_web =
        matches!(scheme.to_ascii_lowercase().as_str(), "" | "http" | "https" | "hxxp" | "hxxps");
    let (authority, path) = rest.split_at(rest.find(['/', '#']).unwrap_or(rest.len()));
    authority.contains('@')
        || path.contains('=')
        || has_person(path)
        || (!is_web && is_secret(authority))
        || path.split(['/', '#', '&', '=', ';', '!']).any(is_secret)
}

/// Whether a path names a person, or a link that was made for one.
fn has_person(path: &str) -> bool {
    let parts: Vec<&str> = path.split(['/', '#']).collect();
    let is_key = |part: &str| {
        matches!(
            part.to_ascii_lowercase().as_str(),
            "u" | "user"
                | "users"
                | "patient"
                | "patients"
                | "member"
                | "members"
                | "profile"
                | "invite"
                | "reset"
                | "verify"
                | "magic"
                | "token"
                | "share"
                | "unsub"
                | "unsubscribe"
        )
    };
    let is_name = |part: &str| {
        part.len() >= 4
            && part
                .bytes()
                .any(|byte| matches!(byte, b'-' | b'.' | b'_' | b'%') || byte.is_ascii_digit())
    };
    parts.windows(2).any(|pair| is_key(pair[0]) && is_name(pair[1]))
        || parts.iter().any(|part| part.len() >= 4 && part.starts_with(['~', '@']))
}

/// Whether a part of a path is a number of at least four digits, other than a year, or a token.
fn is_secret(part: &str) -> bool {
    let is_year =
        |part: &str| part.len() == 4 && (part.starts_with("19") || part.starts_with("20"));
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    let longest_number =
        part.split(|character: char| !character.is_ascii_digit()).map(str::len).max().unwrap_or(0);
    let kind = |byte: u8| match byte {
        b'0'..=b'9' => 1,
        b'a'..=b'z' => 2,
        b'A'..=b'Z' => 3,
        _ => 0,
    };
    // From a small letter to a capital one, or between a letter and a digit.
    let changes = part
        .as_bytes()
        .windows(2)
        .map(|pair| (kind(pair[0]), kind(pair[1])))
        .filter(|(first, second)| matches!((first, second), (2, 3 | 1) | (3, 1) | (1, 2 | 3)))
        .count();
    (longest_number >= 4 && !is_year(part))
        || (digits >= 2 && part.len() >= 8 && changes >= 3)
        || (digits >= 1
            && part.len() >= 6
            && changes >= 3
            && part.bytes().any(|byte| kind(byte) == 3))
        || (part.len() >= 20 && changes >= 5)
        || (digits >= 1 && part.len() >= 20 && !part.contains('-'))
}
