//! Days, above all those of birth, with names of months in English, Spanish, French, German and
//! Portuguese.

use super::spoken::{filler, follows, is_spoken};
use crate::text::scrub::detector::Check::{Always, If, Length};
use crate::text::scrub::detector::Requirement::{After, Digits, With};
use crate::text::scrub::detector::{Detector, DetectorRule, DigitCount, RuleMatch};
use crate::text::scrub::words::{BIRTH, Words};

/// Names of months that are hardly anything else, so that a day beside one is enough, except that
/// [`is_named_month`] must be asked about May.
macro_rules! month {
    () => {
        concat!(
            "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?",
            "|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?",
            "|enero|febrero|marzo|abril|mayo|junio|julio|agosto|sep?tiembre|octubre|noviembre",
            "|diciembre|janvier|fevr?(?:ier)?|avr(?:il)?|juin|juil(?:let)?|aout|septembre|octobre",
            "|novembre|decembre|januar|janner|jaenner|februar|marz|maerz|juni|juli|okt(?:ober)?",
            "|dez(?:ember)?|janeiro|fevereiro|marco|maio|junho|julho|setembro|outubro|novembro",
            "|dezembro)"
        )
    };
}

/// All names of months. Beside a year, those that are also other words are months too.
macro_rules! any_month {
    () => {
        concat!("(?:", month!(), "|mars|mai|ene|abr|ago|dic|janv|set|out)")
    };
}

macro_rules! day {
    () => {
        "[0-3]?[0-9](?:st|nd|rd|th|er|o|a|(?u:º|ª|°))?"
    };
}

/// A day as an English word.
macro_rules! day_word {
    () => {
        concat!(
            "(?:(?:twenty[ -]|thirty[ -])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth",
            "|ninth)|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth",
            "|eighteenth|nineteenth|twentieth|thirtieth)"
        )
    };
}

/// The separators between a month and a year.
macro_rules! before_year {
    () => {
        r"(?:,? (?:de|del|do|of) |[ ,./_'-]{0,3})"
    };
}

macro_rules! birth {
    () => {
        concat!(
            r"(?i-u)(?:\b|_)(?:dob|d\.o\.b\.?|born|birth ?_?(?:day|date)|date ?_?of ?_?birth|b-?day",
            r"|nac(?:imiento|id[oa])?|nasc(?:imento|id[oa])?|naissance|nee? le",
            r"|geb(?:urtstag|urtsdatum|oren)?|ddn)\b"
        )
    };
}

/// The beginnings of the names of months.
const MONTHS: &[&str] = &[
    "jan", "jae", "feb", "fev", "ene", "mar", "mae", "apr", "abr", "avr", "may", "mai", "jun",
    "jui", "jul", "aug", "ago", "aou", "sep", "set", "oct", "okt", "out", "nov", "dec", "dez",
    "dic",
];

/// The beginnings of the words that announce a date of birth.
const BIRTH_BEGINNINGS: &[&str] = &[
    "dob", "d.o", "bor", "bir", "dat", "bda", "b-d", "nac", "nas", "nai", "ne ", "nee", "geb",
    "ddn",
];

pub(super) static RULES: [DetectorRule; 21] = [
    DetectorRule::standalone(
        Detector::Date,
        With(DigitCount::close(6), &["/", "-", "_", "."]),
        concat!(
            r"[12][0-9]{3}(?:[/_-][01]?[0-9][/_-][0-3]?[0-9]|\.[01][0-9]\.[0-3][0-9])",
            r"(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?",
            r"(?: ?Z|[+-][0-9]{2}:?[0-9]{2})?)?",
        ),
        Length(iso_length),
    ),
    DetectorRule::standalone(
        Detector::Date,
        With(DigitCount::close(4), &["/", "-", "_"]),
        r"[0-3]?[0-9][/_-][0-3]?[0-9][/_-](?:[12][0-9]{3}|'?[0-9]{2})",
        If(|candidate| is_date(candidate.matched())),
    ),
    // From one day to another.
    DetectorRule::standalone(
        Detector::Date,
        With(DigitCount::close(8), &["/"]),
        concat!(
            r"[0-3]?[0-9]/[0-3]?[0-9]/(?:[12][0-9]{3}|[0-9]{2}) ?- ?",
            r"[0-3]?[0-9]/[0-3]?[0-9]/(?:[12][0-9]{3}|[0-9]{2})",
        ),
        Always,
    ),
    DetectorRule::standalone(
        Detector::Date,
        Digits(DigitCount::close(8)),
        r"19[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])",
        Always,
    ),
    // With spaces, the year must be plausible for somebody who is alive.
    DetectorRule::standalone(
        Detector::Date,
        Digits(DigitCount::close(6)),
        r"[0-3]?[0-9] {0,2}[ ./-] {0,2}[0-3]?[0-9] {0,2}[ ./-] {0,2}(?:19|20)[0-9]{2}",
        If(|candidate| is_date(candidate.matched())),
    ),
    DetectorRule::standalone(
        Detector::Date,
        With(DigitCount::close(6), &["."]),
        r"[0-3]?[0-9]\.[01]?[0-9]\.[12][0-9]{3}",
        If(|candidate| is_date(candidate.matched())),
    ),
    // A version hardly ever has a part that begins with zero.
    DetectorRule::standalone(
        Detector::Date,
        With(DigitCount::close(6), &["."]),
        r"(?:0[1-9]\.[01][0-9]|[0-3][0-9]\.0[1-9])\.[0-9]{2}",
        If(|candidate| is_date(candidate.matched())),
    ),
    // The day and the month in words.
    DetectorRule::standalone(
        Detector::Date,
        With(DigitCount::any(3), MONTHS),
        concat!(
            r"(?i-u)",
            day!(),
            r"(?: (?:day )?(?:of|de|del|do|den) (?:the )?|[ .,/_-]{0,3})",
            any_month!(),
            r"\b\.?",
            before_year!(),
            r"(?:[12][0-9]{3}|'?[0-9]{2})\b",
        ),
        If(is_day_month_year),
    )
    .with(Words::Month),
    DetectorRule::standalone(
        Detector::Date,
        With(DigitCount::any(3), MONTHS),
        concat!(r"(?i-u)[0-3]?[0-9]", any_month!(), r"(?:[12][0-9]{3}|[0-9]{2})\b",),
        Always,
    )
    .with(Words::Month),
    DetectorRule::standalone(
        Detector::Date,
        With(DigitCount::any(1), MONTHS),
        concat!(r"(?i-u)", day!(), r"(?: (?:of|de|del|do|den) |[ .-]{1,2})", month!(), r"\b\.?",),
        If(is_named_month),
    )
    .with(Words::Month),
    DetectorRule::standalone(
        Detector::Date,
        With(DigitCount::any(5), MONTHS),
        concat!(
            r"(?i-u)\b(",
            any_month!(),
            r"\.?(?: the |[ ./_,-]{0,2})",
            day!(),
            before_year!(),
            r"[12][0-9]{3})",
        ),
        Always,
    )
    .with(Words::Month),
    DetectorRule::standalone(
        Detector::Date,
        With(DigitCount::any(1), MONTHS),
        concat!(
            r"(?i-u)\b(",
            month!(),
            r"\.?(?: the |[ -]{1,2})",
            day!(),
            r"(?:,? (?:[12][0-9]{3}|'[0-9]{2}))?)",
        ),
        If(is_named_month),
    )
    .with(Words::Month),
    DetectorRule::standalone(
        Detector::Date,
        With(DigitCount::any(5), MONTHS),
        concat!(r"(?i-u)[12][0-9]{3}[ .,/_-]{1,2}", any_month!(), r"\b[ .,/_-]{1,2}[0-3]?[0-9]"),
        Always,
    )
    .with(Words::Month),
    DetectorRule::standalone(
        Detector::Date,
        With(DigitCount::any(4), MONTHS),
        concat!(
            r"(?i-u)\b((?:",
            any_month!(),
            r",? (?:the )?",
            day_word!(),
            r"|",
            day_word!(),
            r" (?:of |day of )?",
            any_month!(),
            r"),? (?:of |in )?[12][0-9]{3})",
        ),
        Always,
    )
    .with(Words::Month),
    DetectorRule::standalone(
        Detector::Date,
        After(DigitCount::any(4), &["mon"]),
        r"(?i-u)\bmonth [0-1]?[0-9],? (?:and )?day [0-3]?[0-9],? (?:and )?year [0-9]{2,4}",
        Always,
    ),
    DetectorRule::standalone(
        Detector::Date,
        With(DigitCount::any(3), &["年", "년"]),
        "[0-9]{1,4} ?[年년] ?[01]?[0-9] ?[月월] ?[0-3]?[0-9] ?[日일]?",
        Always,
    ),
    // A month and a day, after a word that announces an appointment.
    DetectorRule::standalone(
        Detector::Date,
        After(DigitCount::close(2), &["app", "adm", "dis", "sur", "sch", "dos", "dat"]),
        concat!(
            r"(?i-u)\b(?:appt|appointment|admitted|discharged|surgery|scheduled|dos|date of service)",
            r"(?: (?:is|was|on|for|date))*[ :]{1,2}((?:0?[1-9]|1[0-2])[/-](?:0?[1-9]|[12][0-9]|3[01]))",
        ),
        Always,
    ),
    DetectorRule::standalone(
        Detector::Date,
        After(DigitCount::any(4), BIRTH_BEGINNINGS),
        concat!(
            birth!(),
            r"[a-z ]{0,16}?\b(",
            any_month!(),
            r"\.?,? (?:of |de )?(?:19|20)[0-9]{2})"
        ),
        Always,
    )
    .with(Words::Birth),
    // After a word that announces a date of birth, most forms will do.
    DetectorRule::anywhere(
        Detector::Date,
        After(DigitCount::close(6), BIRTH_BEGINNINGS),
        concat!(birth!(), r"(?u:[^0-9\n]){0,24}?\b([0-9]{8}(?:T[0-9]{4,6}Z?)?|[0-9]{6})\b"),
        Always,
    )
    .with(Words::Birth),
    DetectorRule::standalone(
        Detector::Date,
        After(DigitCount::any(2), BIRTH_BEGINNINGS),
        concat!(
            birth!(),
            r"[a-z '\x22:=(),./_*#-]{0,24}?",
            r"([0-9]{1,4}(?:(?:[ ,./_-]{1,3}(?:",
            filler!(),
            r"[ ,]{1,2})?)[0-9]{1,4}){1,2})",
        ),
        If(is_announced_date),
    )
    .with(Words::Birth),
    DetectorRule::standalone(
        Detector::Date,
        After(DigitCount::any(4), BIRTH_BEGINNINGS),
        concat!(
            r"(?i-u)[0-3]?[0-9][ ,./-]{1,3}(?:",
            filler!(),
            r"[ ,]{1,2})?[0-3]?[0-9][ ,./-]{1,3}(?:",
            filler!(),
            r"[ ,]{1,2})?(?:(?:19|20)[0-9]{2}|[0-9]{2})",
        ),
        If(|candidate| {
            is_spoken(candidate, &[]) && follows(candidate, BIRTH) && is_date(candidate.matched())
        }),
    )
    .with(Words::Birth),
];

/// Returns how much of a match is a date, or `None` for the timestamp of a machine.
///
/// A date with a time to the second, or with the `T` of ISO 8601, is when something happened to the
/// system, which is not personal. It is a date after all if the time is midnight, as of a date that
/// a program stored as a time, if it is older than the platform, or if a birth is announced.
fn iso_length(candidate: &RuleMatch<'_>) -> Option<usize> {
    let text = candidate.matched();
    let end = text.find([' ', 'T']).unwrap_or(text.len());
    if !is_date(&text[..end]) {
        return None;
    }
    let Some(time) = text.get(end + 1..) else { return Some(end) };
    let is_timestamp = text[end..].starts_with('T') || time.matches(':').count() > 1;
    if !is_timestamp {
        return Some(end);
    }
    let is_personal = time.starts_with("00:00") || &text[..4] < "2010" || follows(candidate, BIRTH);
    is_personal.then_some(text.len())
}

/// Whether what may be the word `may` is the month, in a day and a month without a year.
fn is_named_month(candidate: &RuleMatch<'_>) -> bool {
    candidate
        .matched()
        .split(|character: char| !character.is_ascii_alphabetic())
        .all(|word| !word.eq_ignore_ascii_case("may") || word == "May")
}

/// Whether a day, a month and a year in words are plausible: a short year stands beside a name that
/// is only a month, or has an apostrophe.
fn is_day_month_year(candidate: &RuleMatch<'_>) -> bool {
    let text = candidate.matched();
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let year = text.rfind(|character: char| !character.is_ascii_digit()).map_or(0, |at| at + 1);
    let day: u32 = text[..digits(text)].parse().unwrap_or(0);
    let is_full = text.len() - year == 4;
    let is_other_word = ["set", "out", "ago", "mai", "may", "mars", "dic"]
        .iter()
        .any(|word| text.to_ascii_lowercase().contains(word));
    (1..=31).contains(&day) && (is_full || !is_other_word)
}

/// Whether numbers after the announcement of a birth are a date, with or without a year.
fn is_announced_date(candidate: &RuleMatch<'_>) -> bool {
    match numbers(candidate.matched())[..] {
        [first, second] => {
            let is_written = candidate.matched().contains(['/', '-', '.']);
            is_written && (1..=31).contains(&first) && (1..=31).contains(&second)
        }
        [..] => is_date(candidate.matched()),
    }
}

fn numbers(text: &str) -> Vec<u32> {
    text.split(|character: char| !character.is_ascii_digit())
        .filter_map(|part| part.parse().ok())
        .collect()
}

/// Whether a text is a date: a plausible year, month and day, in one of the usual orders.
pub(super) fn is_date(text: &str) -> bool {
    // In the Gregorian calendar, the Persian and the Islamic one, and the Thai one.
    let is_year = |year: u32| matches!(year, 1850..2150 | 1300..1450 | 2400..2600);
    let is_day_of = |day: u32, month: u32| (1..=31).contains(&day) && (1..=12).contains(&month);
    match numbers(text)[..] {
        [year, month, day] if year >= 1000 => is_year(year) && is_day_of(day, month),
        [day, month, year] => {
            (year < 100 || is_year(year)) && (is_day_of(day, month) || is_day_of(month, day))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::text::scrub::words::Words;

    /// Returns the texts that an alternative of optional parts matches.
    fn expand(alternative: &str) -> Vec<String> {
        let Some(optional) = alternative.find('?').map(|at| match alternative.get(at..at + 2) {
            Some("?:") => {
                let end = at + alternative[at..].find(")?").expect("optional");
                (at - 1..end + 2, &alternative[at + 2..end])
            }
            _ => (at - 1..at + 1, &alternative[at - 1..at]),
        }) else {
            return vec![alternative.to_owned()];
        };
        let (range, part) = optional;
        [part, ""]
            .iter()
            .flat_map(|part| {
                let (before, after) = (&alternative[..range.start], &alternative[range.end..]);
                expand(after).into_iter().map(move |after| format!("{before}{part}{after}"))
            })
            .collect()
    }

    #[test]
    fn every_month_of_the_patterns_is_a_month() {
        let names = any_month!().replace("(?:(?:", "").replacen(")|", "|", 1);
        let names = names.strip_suffix(')').expect("a group");
        let names: Vec<String> = names
            .split('|')
            .map(|name| name.trim_end_matches(|end| end == ')' && !name.contains('(')))
            .flat_map(expand)
            .collect();
        assert!(names.len() > 80, "{names:?}");
        for name in names {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase()), "{name}");
            assert!(Words::Month.are_in(&format!("3{name}1980")), "{name}");
            assert!(Words::Month.are_in(&format!("1st{name} 1980")), "{name}");
        }
    }
}
