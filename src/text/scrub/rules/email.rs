//! Email addresses, also those that are spoken or disguised from programs.

use crate::text::scrub::detector::Check::{Always, If};
use crate::text::scrub::detector::Requirement::{At, Spoken};
use crate::text::scrub::detector::{Detector, DetectorRule, RuleMatch};
use crate::text::scrub::words::Words;

/// The top-level domains that are recognised where an address is not written as one.
macro_rules! top_level {
    () => {
        concat!(
            "(?:com|org|net|edu|gov|mil|info|biz|io|co|me|us|ca|uk|au|nz|ie|de|at|ch|fr|be|nl|es|mx",
            "|ar|br|pt|it|eu|in|jp|health|care|app|dev|mail|example|invalid|test)"
        )
    };
}

/// Providers whose names are enough to deliver to.
macro_rules! provider {
    () => {
        "(?:gmail|yahoo|hotmail|protonmail)"
    };
}

/// A dot in brackets, or the word for it.
macro_rules! dot {
    () => {
        r"(?: ?[\[({<] ?(?:dot|punto|ponto|point|punkt|\.) ?[\])}>] ?|,? (?:dot|punto|ponto|point|punkt),? |-dot-)"
    };
}

/// An `@` in brackets.
macro_rules! bracketed_at {
    () => {
        r" ?[\[({<] ?(?:at?|arroba|arobase|@) ?[\])}>] ?"
    };
}

/// The word for an `@`.
macro_rules! spoken_at {
    () => {
        r"(?:,? at(?:[ -]sign| symbol| the rate(?: of)?)?,? | arroba | arobase | klammeraffe | ?@ ?|-at-)"
    };
}

/// What joins the parts of the name before a spoken `@`.
macro_rules! joint {
    () => {
        concat!(
            r"(?: (?:dot|punto|ponto|point|punkt|underscore|under score|dash|hyphen|minus|plus",
            r"|guion|tiret|strich|bindestrich|unterstrich) |[._+'-]|",
            dot!(),
            ")"
        )
    };
}

/// The name before a spoken `@`: joined words, spelled letters, or a word and a number.
macro_rules! spoken_name {
    () => {
        concat!(
            r"(?:(?:[a-z0-9][ ,-]{1,2}){2,30}[a-z0-9]|[a-z]{2,30} [0-9]{1,6}",
            r"|[\w%]+(?:",
            joint!(),
            r"[\w%]+){0,4})"
        )
    };
}

/// The host after a spoken `@`: up to three words, or spelled letters.
macro_rules! spoken_host {
    () => {
        r"(?:[a-z](?:[ -][a-z]){2,20}|\w[\w-]*(?: \w[\w-]*){0,2}?)"
    };
}

pub(super) static RULES: [DetectorRule; 9] = [
    DetectorRule::unbounded(
        Detector::Email,
        At,
        r"(?:\.*[\w%+'-])+@{1,2}(?:[\w-]+\.)+[A-Za-z]{2,24}",
        Always,
    ),
    // With spaces, or with a comma in place of a full stop.
    DetectorRule::unbounded(
        Detector::Email,
        At,
        concat!(
            r"(?i-u)[\w.%+'-]*[\w%+'-] {0,2}@ {0,2}\w[\w-]*(?: ?[.,;] ?\w[\w-]*){0,3}?",
            r" ?[.,;] ?",
            top_level!(),
            r"\b",
        ),
        If(|candidate| candidate.matched().bytes().any(|byte| byte.is_ascii_alphabetic())),
    ),
    DetectorRule::unbounded(
        Detector::Email,
        At,
        r"(?-u)[\w.%+'-]*[\w%+'-] ?@ ?(?:\[[0-9A-Za-z.:]{2,45}\]|[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b)",
        Always,
    ),
    // With a provider that needs no domain.
    DetectorRule::unbounded(
        Detector::Email,
        At,
        concat!(r"(?i-u)[\w.%+'-]*[\w%+'-] ?@ ?", provider!(), r"\b"),
        Always,
    )
    .with(Words::Provider),
    DetectorRule::unbounded(
        Detector::Email,
        Spoken,
        concat!(r"(?i-u)\b", spoken_name!(), spoken_at!(), provider!(), r"\b"),
        If(|candidate| !candidate.matched().starts_with("me ")),
    )
    .with(Words::Provider),
    // Disguised: `jane [at] example [dot] org`.
    DetectorRule::unbounded(
        Detector::Email,
        Spoken,
        concat!(
            r"(?i-u)",
            spoken_name!(),
            bracketed_at!(),
            r"\w[\w-]*(?:(?:\.|",
            dot!(),
            r")\w[\w-]*){1,4}",
        ),
        Always,
    )
    .with(Words::Dot),
    DetectorRule::unbounded(
        Detector::Email,
        At,
        concat!(
            r"(?i-u)[\w.%+'-]+ ?@ ?\w[\w-]*(?:(?:\.|",
            dot!(),
            r")\w[\w-]*){0,3}?",
            dot!(),
            top_level!(),
            r"\b",
        ),
        Always,
    )
    .with(Words::Dot),
    // Spoken: `jane dot roe at example dot org`.
    DetectorRule::unbounded(
        Detector::Email,
        Spoken,
        concat!(
            r"(?i-u)\b",
            spoken_name!(),
            spoken_at!(),
            spoken_host!(),
            "(?:",
            dot!(),
            r"[\w-]+){0,2}",
            dot!(),
            top_level!(),
            r"\b",
        ),
        Always,
    )
    .with(Words::Dot),
    // With a plain host, the name must look like one: `jane.roe at example.org`.
    DetectorRule::unbounded(
        Detector::Email,
        Spoken,
        concat!(
            r"(?i-u)\b[\w%]+(?:",
            joint!(),
            r"[\w%]+){0,4}",
            spoken_at!(),
            r"\w[\w-]*(?:\.[\w-]+){0,3}?\.",
            top_level!(),
            r"\b",
        ),
        If(is_name_and_host),
    ),
];

/// Whether the first word of a match looks like the name of a mailbox and not like a word of a
/// sentence.
fn is_name_and_host(candidate: &RuleMatch<'_>) -> bool {
    let text = candidate.matched();
    let name = text.split(" at ").next().unwrap_or(text);
    name.bytes().any(|byte| byte.is_ascii_alphabetic())
        && name.bytes().any(|byte| !byte.is_ascii_alphabetic() && byte != b'\'')
        && name.len() < text.len()
}
