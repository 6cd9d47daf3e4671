//! Telephone numbers.

use super::date::is_date;
use super::spoken::{
    DIGIT_WORDS, MIN_MIXED, MIN_SPELLED, digit_word, filler, follows, gap, is_spoken, mixed_count,
    mixed_digits, single_digits, spelled_count,
};
use crate::text::scrub::detector::Check::{Always, If, IfAll};
use crate::text::scrub::detector::Requirement::{After, Digits, With};
use crate::text::scrub::detector::{Detector, DetectorRule, DigitCount, RuleMatch};

/// Words that announce a telephone number, in English, German, French, Spanish and Portuguese.
macro_rules! announcement {
    () => {
        concat!(
            r"(?i-u)(?:\b|_)(?:call(?:s|back)?|phone|telephone|tel|cell|cellphone|mobile|mob|fax",
            r"|dial|text|txt|txting|sms|ring|reach|landline|pager|cb|ph|contact|whats(?:app)?|zap",
            r"|handy|telefon|telefono|telefone|celular|movil|portable|fone|anruf|ruckruf)",
            r"(?:[ _-]?(?:number|num|no|nr)\b\.?)?",
            r"(?:(?: (?:me|us|back|him|her|them|it|is|was|at|on|to|under|unter|es|el|est|le|so|its?",
            r"|it's))*[ :.,#=?'\x22>]*){1,3}"
        )
    };
}

const ANNOUNCEMENT_BEGINNINGS: &[&str] = &[
    "cal", "pho", "tel", "cel", "mob", "fax", "dia", "tex", "txt", "sms", "rin", "rea", "lan",
    "pag", "con", "wha", "zap", "han", "mov", "por", "fon", "anr", "ruc", "cb", "ph",
];

const ANNOUNCEMENTS: &[&str] = &[
    "call",
    "phone",
    "tel",
    "cell",
    "mobile",
    "mob",
    "fax",
    "dial",
    "text",
    "txt",
    "ring",
    "reach",
    "number",
    "area code",
    "handy",
    "movil",
    "contact",
];

pub(super) static RULES: [DetectorRule; 16] = [
    // International: a country code after `+` or `00`.
    DetectorRule::standalone(
        Detector::Phone,
        With(DigitCount::close(8), &["+"]),
        r"\+ ?[0-9]{1,3}(?:[ ./_~-]{0,3}\(?[0-9]{1,5}\)?){0,5}[ ./_~-]{0,3}[0-9]{1,5}",
        If(|candidate| (8..=15).contains(&candidate.digit_count())),
    ),
    DetectorRule::standalone(
        Detector::Phone,
        Digits(DigitCount::close(10)),
        r"00 ?[1-9][0-9]{0,2}(?:[ ./-]\(?[0-9]{2,4}\)?){1,4}[ ./-][0-9]{2,4}",
        If(|candidate| candidate.digit_count() >= 10),
    ),
    // North America.
    DetectorRule::standalone(
        Detector::Phone,
        Digits(DigitCount::close(10)),
        concat!(
            r"(?i-u)(?:1[ ./_~*|-]{0,3})?(?:[(\[] ?[2-9][0-9]{2} ?[)\]]|[2-9][0-9]{2})[ ./_~*|)+-]{0,4}",
            r"[2-9][0-9]{2}[ ./_~*|-]{0,4}[0-9]{2}[ -]?[0-9]{2}",
            r"(?:,? ?(?:x|ext\.?|extension) ?[0-9]{1,6})?",
        ),
        If(is_north_american),
    ),
    DetectorRule::standalone(
        Detector::Phone,
        Digits(DigitCount::words(10)),
        concat!(
            r"(?i-u)(?:1",
            gap!(),
            r")?(?:[(\[][2-9][0-9]{2}[)\]]|[2-9][0-9]{2})",
            gap!(),
            r"[2-9][0-9]{2}",
            gap!(),
            r"[0-9]{2}[ -]?[0-9]{2}",
        ),
        If(|candidate| is_spoken(candidate, ANNOUNCEMENTS)),
    ),
    // With some groups digit by digit, or with a letter for a zero or a one.
    DetectorRule::standalone(
        Detector::Phone,
        Digits(DigitCount::close(10)),
        concat!(
            r"(?i-u)(?:[2-9][0-9]{2}|[2-9](?:[ .-][0-9]){2})[ .,/-]{1,3}",
            r"(?:[2-9][0-9]{2}|[2-9](?:[ .-][0-9]){2})[ .,/-]{1,3}",
            r"(?:[0-9]{2}[ -]?[0-9]{2}|[0-9](?:[ .-][0-9]){3})",
        ),
        If(|candidate| {
            candidate.matched().split([' ', '.', '-']).filter(|part| part.len() == 1).count() >= 3
        }),
    ),
    DetectorRule::standalone(
        Detector::Phone,
        Digits(DigitCount::close(6)),
        r"(?i-u)(?:\([2-9][0-9o]{2}\)|[2-9][0-9o]{2})[ ./-]{1,3}[2-9][0-9o]{2}[ ./-]{1,3}[0-9oil]{4}",
        If(|candidate| candidate.digit_count() >= 6),
    ),
    // Digit by digit.
    DetectorRule::standalone(
        Detector::Phone,
        Digits(DigitCount::single(MIN_SPELLED)),
        single_digits!(),
        IfAll(|candidate| matches!(spelled_count(candidate), 7 | 10 | 11)),
    ),
    DetectorRule::standalone(
        Detector::Phone,
        With(DigitCount::words(MIN_MIXED), DIGIT_WORDS),
        mixed_digits!(),
        IfAll(|candidate| matches!(mixed_count(candidate), 10 | 11)),
    ),
    // Elsewhere: an area code with the national prefix `0`, or in parentheses.
    DetectorRule::standalone(
        Detector::Phone,
        Digits(DigitCount::close(9)),
        r"(?:\(0[0-9]{1,4}\)|0[0-9]{1,4})[ /_-]{1,3}[0-9]{2,8}(?:[ /_-]{1,3}[0-9]{2,4}){0,4}",
        If(|candidate| (9..=12).contains(&candidate.digit_count())),
    ),
    DetectorRule::standalone(
        Detector::Phone,
        With(DigitCount::close(9), &["("]),
        r"\([0-9]{2,4}\)[ ./_-]{0,3}[0-9]{3,5}[ ./_-]{0,3}[0-9]{3,4}",
        If(|candidate| candidate.digit_count() >= 9),
    ),
    DetectorRule::standalone(
        Detector::Phone,
        Digits(DigitCount::close(10)),
        r"0[1-9](?:[0-9]{9}|(?:[0-9]{2}){4}|(?:[ .-][0-9]{2}){4})",
        Always,
    ),
    // After a word that announces a number.
    DetectorRule::standalone(
        Detector::Phone,
        After(
            DigitCount::close(7),
            &["cal", "pho", "tel", "cel", "mob", "fax", "dia", "num", "tex", "rea"],
        ),
        concat!(
            r"(?i-u)\b(?:call(?: (?:me|us|back|him|her|them))*|phone|tel|telephone|cell|mobile|fax",
            r"|dial|number|text|reach(?: (?:me|us|him|her|them))?)",
            r"(?:'s| is| at| on|:|\.|,)* {0,2}([2-9][0-9]{2}[ .-]{0,3}[0-9]{4})",
        ),
        Always,
    ),
    DetectorRule::standalone(
        Detector::Phone,
        With(DigitCount::close(7), &["cel", "pho", "mob", "fax", "lan", "hom", "wor", "tel"]),
        concat!(
            r"(?i-u)\b([2-9][0-9]{2}[ .-]{0,3}[0-9]{4})[ ,(]{1,3}(?:that's |it's |is |was )?",
            r"(?:my |the |her |his |their |our )?(?:new |old |home |work )?",
            r"(?:cell|phone|mobile|fax|landline|home|work|tel|mob)\b",
        ),
        Always,
    ),
    DetectorRule::standalone(
        Detector::Phone,
        After(DigitCount::close(7), ANNOUNCEMENT_BEGINNINGS),
        concat!(announcement!(), r"([+(]{0,2}[0-9](?:[ ./()_~-]{0,3}[0-9]){6,14})"),
        If(|candidate| !is_date(candidate.matched()) && !is_decimal(candidate)),
    ),
    DetectorRule::standalone(
        Detector::Phone,
        Digits(DigitCount::words(7)),
        concat!(
            r"(?i-u)[2-9][0-9]{2}[ .,-]{1,3}(?:",
            filler!(),
            r"[ .,-]{1,3}){0,3}[0-9]{2}[ -]?[0-9]{2}",
        ),
        If(|candidate| is_spoken(candidate, &[]) && follows(candidate, ANNOUNCEMENTS)),
    ),
    // In a link.
    DetectorRule::anywhere(
        Detector::Phone,
        After(DigitCount::close(7), &["wa.", "one", "tel", "sms", "cal", "fac"]),
        concat!(
            r"(?i-u)(?:\bwa\.me/|\bphone=|\b(?:tel|sms|callto|facetime):(?://)?)",
            r" ?(\+? ?[0-9](?:[ ()._-]{0,2}[0-9]){6,14})",
        ),
        Always,
    ),
];

/// Whether a match is a telephone number of North America.
///
/// An undivided run of digits may be any number, so it must be assignable to a subscriber under the
/// North American Numbering Plan: N11 codes are services such as 911, and the area codes N9X, 37X
/// and 96X are reserved.
fn is_north_american(candidate: &RuleMatch<'_>) -> bool {
    let text = candidate.matched();
    if text.bytes().any(|byte| !byte.is_ascii_digit()) {
        return true;
    }
    let number = &text[text.len() - 10..];
    let is_reserved = &number[1..2] == "9" || number.starts_with("37") || number.starts_with("96");
    !(is_reserved || &number[1..3] == "11" || &number[4..6] == "11")
}

/// Whether a match is a number with a decimal point.
fn is_decimal(candidate: &RuleMatch<'_>) -> bool {
    let text = candidate.matched();
    text.bytes().filter(|byte| !byte.is_ascii_digit()).eq([b'.'])
}
