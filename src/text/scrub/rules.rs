//! The rules that find identifiers. Their patterns expect folded text, in which digits, spaces and
//! hyphens are ASCII.

use std::net::Ipv6Addr;

use super::detector::Requirement::{At, Colon, Digits, Query};
use super::detector::{Detector, DetectorRule, Requirement};

macro_rules! month {
    () => {
        concat!(
            "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|(?-i:May)|june?|july?",
            "|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
        )
    };
}

const fn standalone(
    detector: Detector,
    requirement: Requirement,
    pattern: &'static str,
) -> DetectorRule {
    checked(detector, requirement, pattern, |_| true)
}

const fn checked(
    detector: Detector,
    requirement: Requirement,
    pattern: &'static str,
    accepts: fn(&str) -> bool,
) -> DetectorRule {
    DetectorRule { detector, requirement, pattern, standalone: true, accepts }
}

/// All rules. If two matches begin at the same place, the mask is named after the earlier rule.
pub(super) static RULES: &[DetectorRule] = &[
    DetectorRule {
        detector: Detector::Url,
        requirement: Query,
        pattern: r#"(?i)(?:[a-z][a-z0-9+.-]{0,15}://|www\.)[^\s?"<>]+\?[^\s"<>\[\]]*[\w/=&%#-]"#,
        standalone: false,
        accepts: |_| true,
    },
    DetectorRule {
        detector: Detector::Email,
        requirement: At,
        pattern: r"[\w.%+'-]*[\w%+'-]@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,24}",
        standalone: false,
        accepts: |_| true,
    },
    checked(
        Detector::Card,
        Digits(13),
        r"[2-6][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{1,4}(?:[ -]?[0-9]{3})?",
        is_card,
    ),
    checked(Detector::Card, Digits(14), r"3[0-9]{3}[ -]?[0-9]{6}[ -]?[0-9]{4,5}", is_card),
    checked(Detector::Ssn, Digits(9), r"[0-9]{3}-[0-9]{2}-[0-9]{4}", is_ssn),
    checked(Detector::Ssn, Digits(9), r"[0-9]{3} [0-9]{2} [0-9]{4}", is_ssn),
    standalone(
        Detector::Ssn,
        Digits(9),
        concat!(
            r"(?i)(?:ssn|social(?: security)?(?: number| no\.?| #)?)(?: is)?",
            r"[ :#=-]{0,3}([0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{4})",
        ),
    ),
    DetectorRule {
        detector: Detector::Record,
        requirement: Digits(3),
        pattern: concat!(
            r"(?i)\b(?:mrn|m\.r\.n\.|(?:medical )?record|chart|patient|member|subscriber|policy",
            r"|insurance|medicare|medicaid|group|acct|account|plan|npi|dea)",
            r"(?: (?:id|number|num|no|nr))?\.?(?: is)?[ :#=]{0,3}",
            r"([A-Za-z0-9]{1,12}(?:-[A-Za-z0-9]{1,12}){0,4})",
        ),
        standalone: false,
        accepts: is_record,
    },
    // International: a country code after `+` or `00`.
    checked(
        Detector::Phone,
        Digits(8),
        r"\+[0-9]{1,3}(?:[ ./-]?\(?[0-9]{1,4}\)?){1,5}[ ./-]?[0-9]{1,4}",
        |text| digits(text) >= 8,
    ),
    checked(
        Detector::Phone,
        Digits(10),
        r"00[1-9][0-9]{0,2}(?:[ ./-]\(?[0-9]{2,4}\)?){1,4}[ ./-][0-9]{2,4}",
        |text| digits(text) >= 10,
    ),
    // North America.
    checked(
        Detector::Phone,
        Digits(10),
        concat!(
            r"(?i)(?:1[ .-]?)?(?:\([2-9][0-9]{2}\)|[2-9][0-9]{2})[ ./-]{0,3}",
            r"[2-9][0-9]{2}[ .-]?[0-9]{4}(?:,? ?(?:x|ext\.?|extension) ?[0-9]{1,6})?",
        ),
        is_north_american,
    ),
    // Elsewhere: an area code with the national prefix `0`.
    checked(
        Detector::Phone,
        Digits(9),
        r"(?:\(0[0-9]{1,4}\)|0[0-9]{1,4})[ /-][0-9]{2,8}(?:[ -][0-9]{2,4}){0,4}",
        |text| (9..=12).contains(&digits(text)),
    ),
    // Seven digits without an area code, after a word that announces a number.
    standalone(
        Detector::Phone,
        Digits(7),
        concat!(
            r"(?i)\b(?:call(?: (?:me|us|back|him|her|them))*|phone|tel|telephone|cell|mobile|fax",
            r"|dial|number|text|reach(?: (?:me|us|him|her|them))?)",
            r"(?: is| at| on|:|\.)* {0,2}([2-9][0-9]{2}[ .-]?[0-9]{4})",
        ),
    ),
    // A date with a time to the second is the timestamp of a log, which is not personal.
    checked(
        Detector::Date,
        Digits(6),
        r"[12][0-9]{3}[/-][01]?[0-9][/-][0-3]?[0-9](?: [0-9]{2}:[0-9]{2}:[0-9]{2})?",
        |text| !text.contains(':') && is_date(text),
    ),
    checked(
        Detector::Date,
        Digits(4),
        r"[0-3]?[0-9][/-][0-3]?[0-9][/-](?:[12][0-9]{3}|[0-9]{2})",
        is_date,
    ),
    checked(Detector::Date, Digits(6), r"[0-3]?[0-9]\.[01]?[0-9]\.[12][0-9]{3}", is_date),
    standalone(
        Detector::Date,
        Digits(1),
        concat!(r"(?i)\b(", month!(), r"\.? [0-3]?[0-9](?:st|nd|rd|th)?(?:,? [12][0-9]{3})?)"),
    ),
    standalone(
        Detector::Date,
        Digits(1),
        concat!(
            r"(?i)([0-3]?[0-9](?:st|nd|rd|th)?(?: of)?[ -]",
            month!(),
            r"\.?(?:[ ,-]{1,2}(?:[12][0-9]{3}|[0-9]{2}))?)"
        ),
    ),
    standalone(
        Detector::Date,
        Digits(6),
        concat!(
            r"(?i)\b(?:dob|d\.o\.b\.|born(?: on)?|birth ?(?:day|date)|date of birth)",
            r"(?: is|:|=)* {0,2}([0-9]{6}(?:[0-9]{2})?)",
        ),
    ),
    standalone(
        Detector::Ip,
        Digits(4),
        concat!(
            r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])",
            r"(?:\.(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}(?::[0-9]{1,5})?",
        ),
    ),
    checked(Detector::Ip, Colon, r"[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,40}[0-9A-Fa-f:]", is_ipv6),
];

/// Whether a match is a telephone number of North America.
///
/// An undivided run of digits may be any number, so it must be assignable to a subscriber under the
/// North American Numbering Plan: N11 codes are services such as 911, and the area codes N9X, 37X
/// and 96X are reserved.
fn is_north_american(text: &str) -> bool {
    let is_divided = text.bytes().any(|byte| !byte.is_ascii_digit());
    let number = &text[text.len() - 10..];
    let is_reserved = &number[1..2] == "9" || number.starts_with("37") || number.starts_with("96");
    is_divided || !(is_reserved || &number[1..3] == "11" || &number[4..6] == "11")
}

/// Whether a match is a date: a plausible year, month and day, in one of the usual orders.
fn is_date(text: &str) -> bool {
    let parts: Vec<u32> =
        text.split(['/', '-', '.']).filter_map(|part| part.parse().ok()).collect();
    let is_day_of = |day: u32, month: u32| (1..=31).contains(&day) && (1..=12).contains(&month);
    match parts[..] {
        [year, month, day] if year >= 1000 => (1850..2150).contains(&year) && is_day_of(day, month),
        [day, month, year] => {
            (year < 100 || (1850..2150).contains(&year))
                && (is_day_of(day, month) || is_day_of(month, day))
        }
        _ => false,
    }
}

fn is_ipv6(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
        && text.len() > 3
        && text.parse::<Ipv6Addr>().is_ok()
}

/// Whether a match is a record number: at least four digits, or three beside letters, and no year.
fn is_record(text: &str) -> bool {
    let digits = digits(text);
    let is_year = text.len() == 4 && (text.starts_with("19") || text.starts_with("20"));
    (digits >= 4 && !is_year) || (digits == 3 && text.len() > 4)
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// Whether a match is a card number: length and prefix of an issuer, and a correct Luhn check digit
/// (ISO/IEC 7812-1, annex B).
fn is_card(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|character| character.to_digit(10)).collect();
    let begins = |from: u32, to: u32| (from..=to).contains(&(digits[0] * 10 + digits[1]));
    let is_known = match digits.len() {
        13 | 19 => begins(40, 49) || (digits.len() == 19 && begins(60, 69)),
        14 => begins(30, 30) || begins(36, 36) || begins(38, 39),
        15 => begins(34, 34) || begins(37, 37),
        16 => {
            begins(22, 27) || begins(35, 35) || begins(40, 49) || begins(51, 55) || begins(60, 69)
        }
        17 | 18 => begins(62, 62),
        _ => false,
    };
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| if at % 2 == 1 { doubled(*digit) } else { *digit })
        .sum();
    is_known && sum.is_multiple_of(10)
}

/// Whether a match can be a social security number: the area is not 000 or 666, the group not 00,
/// and the serial not 0000.
fn is_ssn(text: &str) -> bool {
    let part = |range: std::ops::Range<usize>| &text[range];
    !matches!(part(0..3), "000" | "666") && part(4..6) != "00" && part(7..11) != "0000"
}
