//! Social security numbers, whole or their last four digits.

use super::spoken::{
    DIGIT_WORDS, MIN_MIXED, MIN_SPELLED, contains_word, digit_word, filler, gap, is_spoken,
    mixed_count, mixed_digits, single_digits, spelled_count,
};
use crate::text::scrub::detector::Check::{Always, If, IfAll};
use crate::text::scrub::detector::Requirement::{After, Digits, With};
use crate::text::scrub::detector::{Detector, DetectorRule, DigitCount, RuleMatch};

/// The names of such a number.
macro_rules! name {
    () => {
        concat!(
            r"(?:ssn|s\.s\.n\.?|ss ?(?:#|no\b|num\b)|soc(?:ial)?(?:[ _-]?sec(?:urity)?)?(?:'s)?",
            r"|itin|tin|seguro social|national insurance|nino)"
        )
    };
}

const NAME_BEGINNINGS: &[&str] =
    &["ssn", "s.s", "ss#", "ss ", "soc", "iti", "tin", "seg", "nat", "nin"];

const NAMES: &[&str] = &["ssn", "social", "soc sec", "ss#", "ss #", "itin"];

pub(super) static RULES: [DetectorRule; 12] = [
    DetectorRule::standalone(
        Detector::Ssn,
        Digits(DigitCount::close(9)),
        r"[0-9]{3}[ ._-]{1,3}[0-9]{2}[ ._-]{1,3}[0-9]{4}",
        If(is_ssn),
    ),
    DetectorRule::standalone(
        Detector::Ssn,
        Digits(DigitCount::words(9)),
        concat!(r"(?i-u)[0-9]{3}", gap!(), r"[0-9]{2}", gap!(), r"[0-9]{4}"),
        If(|candidate| is_spoken(candidate, NAMES) && is_ssn(candidate)),
    ),
    DetectorRule::standalone(
        Detector::Ssn,
        Digits(DigitCount::single(MIN_SPELLED)),
        single_digits!(),
        IfAll(|candidate| spelled_count(candidate) == 9),
    ),
    DetectorRule::standalone(
        Detector::Ssn,
        With(DigitCount::words(MIN_MIXED), DIGIT_WORDS),
        mixed_digits!(),
        IfAll(|candidate| mixed_count(candidate) == 9),
    ),
    // Announced before or afterwards.
    DetectorRule::anywhere(
        Detector::Ssn,
        Digits(DigitCount::close(9)),
        concat!(
            r"(?i-u)(?:\b|_)(?:ss|",
            name!(),
            r")(?:[ _-]?(?:number|num|no|nr|id|card)\b\.?)?(?:,? it's| is| was| es)?",
            r"[ :,#='\x22-]{0,4}([0-9]{3}[ ._-]{0,3}[0-9]{2}[ ._-]{0,3}[0-9]{2}[ -]?[0-9]{2})\b",
        ),
        Always,
    ),
    DetectorRule::standalone(
        Detector::Ssn,
        Digits(DigitCount::close(9)),
        concat!(
            r"(?i-u)\b([0-9]{3}[ ._-]{0,3}[0-9]{2}[ ._-]{0,3}[0-9]{4})[ ,(]{1,3}",
            r"(?:that's |that is |it's |is |was |as )?(?:my |the |her |his |their |our )?",
            name!(),
            r"\b",
        ),
        Always,
    ),
    // The last four digits.
    DetectorRule::anywhere(
        Detector::Ssn,
        After(DigitCount::close(4), NAME_BEGINNINGS),
        concat!(
            r"(?i-u)\b",
            name!(),
            r"[a-z _-]{0,24}?(?:last[ _-]?(?:4|four)|ending|ends|end)",
            r"(?:[ _-]?digits)?(?: in| with| on)?(?: is| are| was)?[ :,#='\x22)]{0,4}",
            r"([0-9](?:[ -]?[0-9]){3})\b",
        ),
        Always,
    ),
    DetectorRule::anywhere(
        Detector::Ssn,
        After(DigitCount::close(4), &["las"]),
        concat!(
            r"(?i-u)\blast[ _-]?(?:4|four)(?: digits| numbers)?(?: (?:of|on|for|in))?(?: [a-z]+){0,2}?",
            r" ?",
            name!(),
            r"?(?:'s)?(?:[ _-]?(?:number|card))?(?: is| are| was)?[ :,#='\x22)]{0,4}",
            r"([0-9](?:[ -]?[0-9]){3})\b",
        ),
        If(|candidate| !is_year(candidate.matched())),
    ),
    DetectorRule::anywhere(
        Detector::Ssn,
        With(DigitCount::close(4), &["las"]),
        concat!(
            r"(?i-u)\b([0-9](?:[ -]?[0-9]){3})(?:[ ,(]{1,3}(?:that's|that is|is|are|were|was|as|for))?",
            r"[ ,(]{1,3}(?:(?:my|the|her|his|their|our) )?(?:last[ _-]?(?:4|four)\b|",
            name!(),
            r" ?last)",
        ),
        If(|candidate| !is_year(candidate.matched())),
    ),
    DetectorRule::anywhere(
        Detector::Ssn,
        With(DigitCount::close(4), &["*", "#", "xxx", "xx-", "xx ", "nnn", "nn-", "nn ", "..."]),
        r"(?i-u)(?:(?:\*{2,3}|#{2,3}|\b[xn]{2,3})[ -]?(?:\*{2}|#{2}|[xn]{2})[ -]?|\.{3}[ -]\.{2}[ -])([0-9]{4})\b",
        Always,
    ),
    DetectorRule::anywhere(
        Detector::Ssn,
        With(DigitCount::close(4), &["end"]),
        concat!(
            r"(?i-u)\b(?:ending|ends)(?: in| with| on)? (?:",
            filler!(),
            r"[ ,]{1,2})?",
            r"#?([0-9](?:[ -]?[0-9]){3})\b",
        ),
        If(|candidate| contains_word(candidate.around(40), NAMES)),
    ),
    // The number of the national insurance of the United Kingdom.
    DetectorRule::standalone(
        Detector::Ssn,
        Digits(DigitCount::close(6)),
        r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\b",
        Always,
    ),
];

/// Whether the digits of a match can be a social security number: the area is not 000 or 666, the
/// group not 00, and the serial not 0000.
fn is_ssn(candidate: &RuleMatch<'_>) -> bool {
    let digits: Vec<u8> = candidate.digits().collect();
    digits.len() == 9
        && !matches!(&digits[..3], b"000" | b"666")
        && &digits[3..5] != b"00"
        && &digits[5..] != b"0000"
}

fn is_year(text: &str) -> bool {
    text.len() == 4 && (text.starts_with("19") || text.starts_with("20"))
}
