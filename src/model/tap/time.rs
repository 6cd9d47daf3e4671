//! Reads times (RFC 3339).
//!
//! The form in which evtap writes times is read without the general parser, because statistics and
//! timelines read the time of every event. A property compares the two.

use jiff::Timestamp;

/// The years that are read without the general parser.
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

    proptest! {
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
