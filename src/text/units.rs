//! Durations, sizes and counts as people read and write them.
//!
//! Each parser accepts a grammar and nothing else: the names of options, their limits and their
//! error messages belong to the callers.

use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;

/// A unit of size: its spelling and its number of bytes.
pub type SizeUnit = (&'static str, usize);

/// Binary units, which are powers of 1024.
pub const BINARY_UNITS: &[SizeUnit] = &[("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// Binary units up to MiB, their short forms, decimal units, and bytes without a unit.
pub const BYTE_UNITS: &[SizeUnit] = &[
    ("", 1),
    ("B", 1),
    ("K", 1 << 10),
    ("k", 1 << 10),
    ("KiB", 1 << 10),
    ("KB", 1000),
    ("kB", 1000),
    ("M", 1 << 20),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
];

/// The reason why a text is not an acceptable duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DurationError {
    /// The text does not follow the grammar, or the duration is negative.
    Invalid,
    /// The duration is zero where it must be longer.
    Zero,
}

impl DurationError {
    /// What the user should write instead.
    pub const ADVICE: &str = "write it like 30s, 5m or 1h30m";
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "invalid duration",
            Self::Zero => "must be longer than zero",
        })
    }
}

impl std::error::Error for DurationError {}

/// Parses a duration that may be negative, in jiff's "friendly" format (`1h30m`, `90 seconds`,
/// `250ms`, `-5s`) or as an ISO 8601 duration (`PT1H30M`). The largest unit is hours.
#[must_use]
pub fn parse_signed_duration(text: &str) -> Option<SignedDuration> {
    text.parse().ok()
}

/// Parses a duration of zero or more; see [`parse_signed_duration`] for the grammar.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    parse_signed_duration(text)
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or(DurationError::Invalid)
}

/// Parses a duration longer than zero; see [`parse_signed_duration`] for the grammar.
pub fn parse_positive_duration(text: &str) -> Result<Duration, DurationError> {
    match parse_duration(text)? {
        Duration::ZERO => Err(DurationError::Zero),
        duration => Ok(duration),
    }
}

/// Parses a size in bytes: a whole number followed by one of `units`, with capitals as listed.
/// White space may surround the number. Returns `None` for anything else, including a size that
/// does not fit in a `usize`.
#[must_use]
pub fn parse_size(text: &str, units: &[SizeUnit]) -> Option<usize> {
    let end = text.find(char::is_alphabetic).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (_, bytes) = units.iter().find(|(name, _)| *name == unit)?;
    number.trim().parse::<usize>().ok()?.checked_mul(*bytes)
}

/// Formats a count with commas between the thousands.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a count with its noun, whose plural ends in `s`: `1 event`, `1,024 events`.
#[must_use]
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_agree_with_their_number() {
        let texts = [0, 1, 1024].map(|number| counted(number, "open stream"));
        assert_eq!(texts, ["0 open streams", "1 open stream", "1,024 open streams"]);
    }

    #[test]
    fn durations_are_parsed() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("1h30m", 5400), ("PT1M", 60)] {
            assert_eq!(parse_positive_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_duration("0s"), Ok(Duration::ZERO));
        assert_eq!(parse_positive_duration("0s"), Err(DurationError::Zero));
        for text in ["", "s", "5", "-1s", "soon", "1y"] {
            assert_eq!(parse_duration(text), Err(DurationError::Invalid), "{text}");
        }
        assert_eq!(parse_signed_duration("-1s"), Some(SignedDuration::from_secs(-1)));
    }

    #[test]
    fn counts_have_commas() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn sizes_are_parsed() {
        for (text, bytes) in [
            ("65536", 65536),
            ("7B", 7),
            ("512KiB", 1 << 19),
            ("3k", 3072),
            ("2kB", 2000),
            ("4MiB", 4 << 20),
            ("2MB", 2_000_000),
        ] {
            assert_eq!(parse_size(text, BYTE_UNITS), Some(bytes), "{text}");
        }
        assert_eq!(parse_size(" 2 GiB", BINARY_UNITS), Some(2 << 30));
        for text in ["", "KiB", "x", "1kib", "1 KiB ", "-1", "1.5MiB", "99999999999999999999"] {
            assert_eq!(parse_size(text, BYTE_UNITS), None, "{text}");
        }
        for text in ["1", "1K", "1MB", "99999999999GiB"] {
            assert_eq!(parse_size(text, BINARY_UNITS), None, "{text}");
        }
    }
}
