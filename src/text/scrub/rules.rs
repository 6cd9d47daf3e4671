//! The shapes of identifiers. All patterns are in ASCII: text in other spellings has been folded before.

use std::net::Ipv6Addr;

use super::detector::Requirement::{At, Colon, Digits, Query};
use super::detector::{Detector, DetectorRule, Requirement};

macro_rules! month {
    () => {
        "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|(?-i:May)|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
    };
}

const fn alone(detector: Detector, least: Requirement, pattern: &'static str) -> DetectorRule {
    DetectorRule { detector, least, pattern, alone: true, accepts: |_| true }
}

const fn checked(
    detector: Detector,
    least: Requirement,
    pattern: &'static str,
    accepts: fn(&str) -> bool,
) -> DetectorRule {
    DetectorRule { detector, least, pattern, alone: true, accepts }
}

/// Where two overlap and begin together, the earlier names the hit.
pub(super) static RULES: &[DetectorRule] = &[
    DetectorRule {
        detector: Detector::Url,
        least: Query,
        pattern: r#"(?i)(?:[a-z][a-z0-9+.-]{0,15}://|www\.)[^\s?"<>]+\?[^\s"<>\[\]]*[\w/=&%#-]"#,
        alone: false,
        accepts: |_| true,
    },
    DetectorRule {
        detector: Detector::Email,
        least: At,
        pattern: r"[\w.%+'-]*[\w%+'-]@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,24}",
        alone: false,
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
    alone(
        Detector::Ssn,
        Digits(9),
        r"(?i)(?:ssn|social(?: security)?(?: number| no\.?| #)?)(?: is)?[ :#=-]{0,3}([0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{4})",
    ),
    DetectorRule {
        detector: Detector::Record,
        least: Digits(3),
        pattern: concat!(
            r"(?i)\b(?:mrn|m\.r\.n\.|(?:medical )?record|chart|patient|member|subscriber|policy|insurance|medicare|medicaid|group|acct|account|plan|npi|dea)",
            r"(?: (?:id|number|num|no|nr))?\.?(?: is)?[ :#=]{0,3}([A-Za-z0-9]{1,12}(?:-[A-Za-z0-9]{1,12}){0,4})",
        ),
        alone: false,
        accepts: is_record,
    },
    // With a country's code, or the prefix that stands for it.
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
        r"(?i)(?:1[ .-]?)?(?:\([2-9][0-9]{2}\)|[2-9][0-9]{2})[ ./-]{0,3}[2-9][0-9]{2}[ .-]?[0-9]{4}(?:,? ?(?:x|ext\.?|extension) ?[0-9]{1,6})?",
        is_north_american,
    ),
    // Elsewhere, with the zero that a country has before its areas.
    checked(
        Detector::Phone,
        Digits(9),
        r"(?:\(0[0-9]{1,4}\)|0[0-9]{1,4})[ /-][0-9]{2,8}(?:[ -][0-9]{2,4}){0,4}",
        |text| (9..=12).contains(&digits(text)),
    ),
    // Without an area, where something says what it is.
    alone(
        Detector::Phone,
        Digits(7),
        r"(?i)\b(?:call(?: (?:me|us|back|him|her|them))*|phone|tel|telephone|cell|mobile|fax|dial|number|text|reach(?: (?:me|us|him|her|them))?)(?: is| at| on|:|\.)* {0,2}([2-9][0-9]{2}[ .-]?[0-9]{4})",
    ),
    // With a time to the second it is the time of a log.
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
    alone(
        Detector::Date,
        Digits(1),
        concat!(r"(?i)\b(", month!(), r"\.? [0-3]?[0-9](?:st|nd|rd|th)?(?:,? [12][0-9]{3})?)"),
    ),
    alone(
        Detector::Date,
        Digits(1),
        concat!(
            r"(?i)([0-3]?[0-9](?:st|nd|rd|th)?(?: of)?[ -]",
            month!(),
            r"\.?(?:[ ,-]{1,2}(?:[12][0-9]{3}|[0-9]{2}))?)"
        ),
    ),
    alone(
        Detector::Date,
        Digits(6),
        r"(?i)\b(?:dob|d\.o\.b\.|born(?: on)?|birth ?(?:day|date)|date of birth)(?: is|:|=)* {0,2}([0-9]{6}(?:[0-9]{2})?)",
    ),
    alone(
        Detector::Ip,
        Digits(4),
        r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?:\.(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}(?::[0-9]{1,5})?",
    ),
    checked(Detector::Ip, Colon, r"[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,40}[0-9A-Fa-f:]", is_ipv6),
];

/// A run of digits that nothing divides may be any number, so it must be one that the plan of North America gives to a
/// subscriber: no area or exchange is a service such as 911, and the areas N9X, 37X and 96X are kept for later.
fn is_north_american(text: &str) -> bool {
    let is_divided = text.bytes().any(|byte| !byte.is_ascii_digit());
    let number = &text[text.len() - 10..];
    let is_kept = &number[1..2] == "9" || number.starts_with("37") || number.starts_with("96");
    is_divided || !(is_kept || &number[1..3] == "11" || &number[4..6] == "11")
}

/// Three numbers of which one can be a month and another a day.
fn is_date(text: &str) -> bool {
    let parts: Vec<u32> =
        text.split(['/', '-', '.']).filter_map(|part| part.parse().ok()).collect();
    let of_month = |day: u32, month: u32| (1..=31).contains(&day) && (1..=12).contains(&month);
    match parts[..] {
        [year, month, day] if year >= 1000 => (1850..2150).contains(&year) && of_month(day, month),
        [day, month, year] => {
            (year < 100 || (1850..2150).contains(&year))
                && (of_month(day, month) || of_month(month, day))
        }
        _ => false,
    }
}

fn is_ipv6(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
        && text.len() > 3
        && text.parse::<Ipv6Addr>().is_ok()
}

/// Numbers have digits: at least four, or three beside letters. A year alone is none.
fn is_record(text: &str) -> bool {
    let digits = digits(text);
    let is_year = text.len() == 4 && (text.starts_with("19") || text.starts_with("20"));
    (digits >= 4 && !is_year) || (digits == 3 && text.len() > 4)
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// A length and a beginning that cards have, and a check digit that is right (ISO/IEC 7812-1, annex B).
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

/// No number has an area of 000 or 666, a group of 00 or a serial of 0000.
fn is_ssn(text: &str) -> bool {
    let part = |range: std::ops::Range<usize>| &text[range];
    !matches!(part(0..3), "000" | "666") && part(4..6) != "00" && part(7..11) != "0000"
}
