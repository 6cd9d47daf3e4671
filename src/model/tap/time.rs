//! Reads and writes times (RFC 3339).
//!
//! The form in which evtap writes times is read without the general parser, because statistics and
//! timelines read the time of every event. It is written without the general formatter, because
//! every event of a captured stream gets a time. Properties compare the two.

use std::fmt::Write as _;

use jiff::Timestamp;

/// The years that are read and written without the general parser and formatter.
const YEARS: std::ops::RangeInclusive<i64> = 1970..=2999;

/// The form in which evtap writes times; `0` stands for any digit.
const FORM: &[u8; 24] = b"0000-00-00T00:00:00.000Z";

const LOW_NIBBLES: u64 = 0x0f0f_0f0f_0f0f_0f0f;
const HIGH_NIBBLES: u64 = 0xf0f0_f0f0_f0f0_f0f0;

/// Parses a time (RFC 3339).
#[must_use]
pub fn parse_time(text: &str) -> Option<Timestamp> {
    match canonical_millis(text.as_bytes()) {
        Some(millis) => Timestamp::from_millisecond(millis).ok(),
        None => text.parse().ok(),
    }
}

/// Parses a time (RFC 3339) as milliseconds of Unix time.
#[cfg(feature = "pipeline")]
#[must_use]
pub fn parse_millis(text: &str) -> Option<i64> {
    canonical_millis(text.as_bytes())
        .or_else(|| text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond))
}

/// Appends a time as RFC 3339 in UTC with milliseconds, such as `2026-05-05T10:00:00.000Z`.
pub fn push_time(at: Timestamp, out: &mut String) {
    let is_canonical = at >= Timestamp::UNIX_EPOCH && push_canonical(at.as_millisecond(), out);
    if !is_canonical {
        // Writing to a string cannot fail.
        let _ = write!(out, "{at:.3}");
    }
}

/// Appends the time that is this many milliseconds after the Unix epoch, like [`push_time`]. Returns
/// false and appends nothing if there is no such time.
pub fn push_millis(millis: i64, out: &mut String) -> bool {
    push_canonical(millis, out)
        || Timestamp::from_millisecond(millis).is_ok_and(|at| {
            push_time(at, out);
            true
        })
}

/// Appends a time. Returns false and appends nothing if the general formatter must write it.
fn push_canonical(millis: i64, out: &mut String) -> bool {
    let text = canonical_text(millis);
    let text = text.as_ref().and_then(|text| str::from_utf8(text).ok());
    out.push_str(text.unwrap_or_default());
    text.is_some()
}

/// Returns a time in evtap's own form. `None` means that the general formatter must write it.
fn canonical_text(millis: i64) -> Option<[u8; 24]> {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let (days, millis) = (u32::try_from(millis / DAY).ok()?, u32::try_from(millis % DAY).ok()?);
    let (year, month, day) = date(days);
    if !YEARS.contains(&i64::from(year)) {
        return None;
    }
    let mut text = *FORM;
    let mut put = |at: usize, value: u32| {
        let [tens, ones] = PAIRS[value as usize % PAIRS.len()];
        (text[at], text[at + 1]) = (tens, ones);
    };
    put(0, year / 100);
    put(2, year % 100);
    put(5, month);
    put(8, day);
    put(11, millis / 3_600_000);
    put(14, millis / 60_000 % 60);
    put(17, millis / 1000 % 60);
    // Two overlapping pairs are the three digits of the milliseconds.
    put(20, millis / 10 % 100);
    put(21, millis % 100);
    Some(text)
}

/// The digits of the numbers below 100.
const PAIRS: [[u8; 2]; 100] = {
    let (mut pairs, mut at) = ([[b'0'; 2]; 100], 0);
    let digits = b"0123456789";
    while at < 100 {
        pairs[at] = [digits[at / 10], digits[at % 10]];
        at += 1;
    }
    pairs
};

/// Returns the year, month and day of the date that is this many days after 1970-01-01. The inverse
/// of [`days_since_epoch`].
const fn date(days: u32) -> (u32, u32, u32) {
    const FOUR_YEARS: u32 = 4 * 365 + 1;
    const CENTURY: u32 = 25 * FOUR_YEARS - 1;
    const FOUR_CENTURIES: u32 = 4 * CENTURY + 1;
    let days = days + 719_468;
    let (cycle, days) = (days / FOUR_CENTURIES, days % FOUR_CENTURIES);
    // Without the leap days before it, each year of the cycle has 365 days.
    let leap_days = days / (FOUR_YEARS - 1) - days / CENTURY + days / (FOUR_CENTURIES - 1);
    let year = (days - leap_days) / 365;
    let day_of_year = days - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    if month < 10 {
        (cycle * 400 + year, month + 3, day)
    } else {
        (cycle * 400 + year + 1, month - 9, day)
    }
}

/// Returns the milliseconds of Unix time of a time in evtap's own form, such as
/// `2026-05-05T10:00:00.000Z`. `None` means that the general parser must read it.
fn canonical_millis(text: &[u8]) -> Option<i64> {
    let text: &[u8; 24] = text.try_into().ok()?;
    let mut digits = [0; 24];
    let mut has_form = true;
    for (at, form) in FORM.as_chunks().0.iter().enumerate() {
        let (bytes, _) = text[8 * at..].split_first_chunk()?;
        // Eight bytes at a time: what remains of a digit is its value, and of a separator nothing.
        let values = u64::from_le_bytes(*bytes) ^ u64::from_le_bytes(*form);
        let largest = u64::from_le_bytes(form.map(|form| if form == b'0' { 9 } else { 0 }));
        let excess = values.wrapping_add(LOW_NIBBLES - largest);
        has_form &= (values | excess) & HIGH_NIBBLES == 0;
        digits[8 * at..8 * at + 8].copy_from_slice(&values.to_le_bytes());
    }
    if !has_form {
        return None;
    }
    let digit = |at: usize| i64::from(digits[at]);
    let two = |at: usize| digit(at) * 10 + digit(at + 1);
    let (year, month, day) = (two(0) * 100 + two(2), two(5), two(8));
    let (hour, minute, second) = (two(11), two(14), two(17));
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(is_leap),
        _ => 31,
    };
    let is_valid = YEARS.contains(&year)
        && (1..=12).contains(&month)
        && (1..=days).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    let seconds = ((days_since_epoch(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    is_valid.then(|| seconds * 1000 + digit(20) * 100 + two(21))
}

/// Returns the number of days from 1970-01-01 to a date. A year is taken to begin in March, so that
/// the leap day is its last day.
const fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let days_before_month = (153 * ((month + 9) % 12) + 2) / 5;
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + days_before_month + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse_with_jiff(text: &str) -> Option<Timestamp> {
        text.parse().ok()
    }

    #[test]
    fn reads_its_own_form_without_the_general_parser() {
        for (text, millis) in [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2024-02-29T23:59:59.999Z", 1_709_251_199_999),
            ("2026-12-31T10:20:30.405Z", 1_798_712_430_405),
        ] {
            assert_eq!(canonical_millis(text.as_bytes()), Some(millis), "{text}");
            assert_eq!(parse_with_jiff(text).map(Timestamp::as_millisecond), Some(millis));
        }
    }

    #[test]
    fn writes_every_day_like_the_general_formatter() {
        for day in -2..400_000 {
            let at = Timestamp::from_second(day * 86_400 + day % 86_400).expect("in range");
            let (mut text, mut of_millis) = (String::new(), String::new());
            push_time(at, &mut text);
            assert!(push_millis(at.as_millisecond(), &mut of_millis));
            let expected = format!("{at:.3}");
            assert_eq!((&text, &of_millis), (&expected, &expected));
        }
    }

    #[test]
    fn milliseconds_beyond_every_time_are_refused() {
        for millis in [i64::MIN, i64::MAX, 999_999_999_999_999] {
            let mut text = String::new();
            assert!(!push_millis(millis, &mut text) && text.is_empty(), "{millis}");
        }
    }

    proptest! {
        #[test]
        fn writes_every_time_like_the_general_formatter(
            seconds in prop::sample::select(vec![-2, 0, 1_800_000_000, 32_503_680_000 - 2_000_000]),
            more in 0..4_000_000_i64,
            nanos in 0..1_000_000_000_i32,
        ) {
            let at = Timestamp::new(seconds + more, nanos).expect("in range");
            let mut text = String::new();
            push_time(at, &mut text);
            prop_assert_eq!(text, format!("{at:.3}"));
        }

        #[test]
        fn agrees_with_the_general_parser_on_every_date(
            (year, month, day) in (0..10_000u16, 0..14u8, 0..33u8),
            (hour, minute, second) in (0..26u8, 0..62u8, 0..62u8),
            (millis, end) in (0..1000u16, prop::sample::select(vec!["Z", "z", "+00:00", "1Z", ""])),
        ) {
            let text = format!(
                "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}{end}"
            );
            let expected = parse_with_jiff(&text);
            prop_assert_eq!(parse_time(&text), expected, "{}", text);
            #[cfg(feature = "pipeline")]
            prop_assert_eq!(parse_millis(&text), expected.map(Timestamp::as_millisecond));
        }

        #[test]
        fn agrees_with_the_general_parser_on_any_text(text in "[0-9]{4}[-0-9/][0-9]{2}[-:0-9][0-9]{2}[Tt 0-9][0-9]{2}[:0-9][0-9]{2}[:.0-9][0-9]{2}[.,0-9][0-9]{3}[Zz0-9]") {
            prop_assert_eq!(parse_time(&text), parse_with_jiff(&text));
        }
    }
}
