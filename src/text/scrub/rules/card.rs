//! Numbers of payment cards and bank accounts.

use super::spoken::{contains_word, filler, follows};
use crate::text::scrub::detector::Check::{Always, If, Length};
use crate::text::scrub::detector::Requirement::{After, Digits, With};
use crate::text::scrub::detector::{Detector, DetectorRule, DigitCount, RuleMatch};

const CARDS: &[&str] = &[
    "card", "visa", "master", "amex", "discover", "debit", "credit", "checking", "savings",
    "account", "acct", "cc",
];

pub(super) static RULES: [DetectorRule; 8] = [
    DetectorRule::standalone(
        Detector::Card,
        Digits(DigitCount::words(13)),
        concat!(r"(?i-u)[2-6](?:[ .,/_~-]{0,3}(?:", filler!(), r"[ .,-]{1,3})?[0-9]){12,18}",),
        Length(card_length),
    ),
    // Without a correct check digit: in groups of four, or announced.
    DetectorRule::standalone(
        Detector::Card,
        Digits(DigitCount::close(16)),
        r"[3-6][0-9]{3}(?:[ ./_-]{1,3}[0-9]{4}){3}",
        If(|candidate| candidate.matched().contains(['-', '.', '_']) || follows(candidate, CARDS)),
    ),
    DetectorRule::standalone(
        Detector::Card,
        Digits(DigitCount::close(13)),
        r"[2-6](?:[ ./_-]{0,3}[0-9]){12,18}",
        If(|candidate| follows(candidate, CARDS)),
    ),
    // The last four digits, and the code on the back.
    DetectorRule::anywhere(
        Detector::Card,
        With(DigitCount::close(4), &["*", "#", "x", "X", "..."]),
        r"(?i-u)(?:(?:\*{4}|#{4}|x{4}|\.{4})[ -]?){2,3}([0-9]{4})\b",
        Always,
    ),
    DetectorRule::anywhere(
        Detector::Card,
        With(DigitCount::close(4), &["end"]),
        r"(?i-u)\b(?:ending|ends)(?: in| with| on)? #?([0-9](?:[ -]?[0-9]){3})\b",
        If(|candidate| contains_word(candidate.around(40), CARDS)),
    ),
    DetectorRule::anywhere(
        Detector::Card,
        After(DigitCount::close(3), &["cvv", "cvc", "sec"]),
        r"(?i-u)\b(?:cvv2?|cvc2?|security code)(?: (?:is|number|no))?[ :#='\x22]{0,3}([0-9]{3,4})\b",
        Always,
    ),
    // An IBAN: with the length of its country and correct check digits, or announced as one.
    DetectorRule::standalone(
        Detector::Card,
        Digits(DigitCount::any(MIN_IBAN_DIGITS)),
        r"(?i-u)[A-Z]{2} ?[0-9]{2}(?:[ ./_-]{0,3}[A-Z0-9]){11,29}",
        Length(iban_length),
    ),
    DetectorRule::standalone(
        Detector::Card,
        After(DigitCount::any(MIN_IBAN_DIGITS), &["iba"]),
        r"(?i-u)\biban[a-z ]{0,12}[ :#=-]{0,3}([A-Z]{2} ?[0-9]{2}(?:[ ./_-]{0,3}[A-Z0-9]){11,29})",
        Length(announced_iban_length),
    ),
];

/// Returns the length of the longest card number with which a match begins.
fn card_length(candidate: &RuleMatch<'_>) -> Option<usize> {
    let text = candidate.matched();
    let ends: Vec<usize> = text
        .bytes()
        .enumerate()
        .filter(|(_, byte)| byte.is_ascii_digit())
        .map(|(at, _)| at + 1)
        .collect();
    let digits: Vec<u32> = candidate.digits().map(|digit| u32::from(digit - b'0')).collect();
    (13..=digits.len())
        .rev()
        .find(|count| {
            let is_end =
                text.as_bytes().get(ends[*count - 1]).is_none_or(|next| !next.is_ascii_digit());
            is_end && is_card(&digits[..*count])
        })
        .map(|count| ends[count - 1])
}

/// Whether digits are a card number: length and prefix of an issuer, and a correct Luhn check digit
/// (ISO/IEC 7812-1, annex B).
fn is_card(digits: &[u32]) -> bool {
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
    is_known && passes_luhn(digits)
}

/// Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B).
pub(super) fn passes_luhn(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| if at % 2 == 1 { doubled(*digit) } else { *digit })
        .sum();
    sum.is_multiple_of(10)
}

/// The countries that use IBANs, and the length of theirs (ISO 13616 registry).
const IBAN_LENGTHS: &[u8] = b"AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22\
    DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26\
    IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23\
    PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22\
    VG24XK20YE30";

/// How many digits an IBAN has at least: the check digits, and an account number of six.
const MIN_IBAN_DIGITS: usize = 8;

/// Returns the length of the IBAN with which a match begins.
fn iban_length(candidate: &RuleMatch<'_>) -> Option<usize> {
    let text = candidate.matched();
    let characters: Vec<(usize, u8)> = text
        .bytes()
        .enumerate()
        .filter(|(_, byte)| byte.is_ascii_alphanumeric())
        .map(|(at, byte)| (at, byte.to_ascii_uppercase()))
        .collect();
    let country = [characters[0].1, characters[1].1];
    let entry = IBAN_LENGTHS.chunks_exact(4).find(|entry| entry[..2] == country)?;
    let length = usize::from(entry[2] - b'0') * 10 + usize::from(entry[3] - b'0');
    let characters = characters.get(..length)?;
    let end = characters.last()?.0 + 1;
    let is_end = text.as_bytes().get(end).is_none_or(|next| !next.is_ascii_alphanumeric());
    let digits = characters.iter().filter(|(_, byte)| byte.is_ascii_digit()).count();
    (is_end
        && digits >= MIN_IBAN_DIGITS
        && has_check_digits(characters.iter().map(|(_, byte)| *byte)))
    .then_some(end)
}

/// Returns the length of what was announced as an IBAN: to the last digit.
fn announced_iban_length(candidate: &RuleMatch<'_>) -> Option<usize> {
    let last = candidate.matched().rfind(|character: char| character.is_ascii_digit())?;
    (candidate.digit_count() >= MIN_IBAN_DIGITS).then_some(last + 1)
}

/// Whether the check digits of an IBAN are correct (ISO 7064, MOD 97-10).
fn has_check_digits(iban: impl Iterator<Item = u8> + Clone) -> bool {
    let remainder = iban.clone().skip(4).chain(iban.take(4)).fold(0, |remainder: u32, byte| {
        if byte.is_ascii_digit() {
            (remainder * 10 + u32::from(byte - b'0')) % 97
        } else {
            (remainder * 100 + u32::from(byte - b'A') + 10) % 97
        }
    });
    remainder == 1
}
