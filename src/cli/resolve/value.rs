//! Parses option values: durations, sizes, rates and positions in time.

use std::time::Duration;

use jiff::Timestamp;

use crate::error::{Error, Result};
use crate::text::units::{
    BYTE_UNITS, DurationError, parse_duration, parse_positive_duration, parse_size,
};

/// Checks a rate in events per second, which must be finite and greater than zero.
pub fn rate(option: &'static str, rate: f64) -> Result<f64> {
    if rate.is_finite() && rate > 0.0 {
        Ok(rate)
    } else {
        Err(Error::invalid_value(option, rate, "invalid rate", "give events per second, such as 5"))
    }
}

/// Parses a duration such as `30s`, `5m` or `1h30m`.
pub fn duration(option: &'static str, text: &str) -> Result<Duration> {
    parse_duration(text).map_err(|error| wrong_duration(option, text, error))
}

/// Parses a duration that must be longer than zero.
pub fn positive_duration(option: &'static str, text: &str) -> Result<Duration> {
    parse_positive_duration(text).map_err(|error| wrong_duration(option, text, error))
}

fn wrong_duration(option: &'static str, text: &str, error: DurationError) -> Error {
    Error::invalid_value(option, text, error.to_string(), DurationError::ADVICE)
}

/// Parses a size from 1 KiB to 1 GiB, such as `65536`, `512KiB` or `4MiB`, and returns bytes.
pub fn size(option: &'static str, text: &str) -> Result<usize> {
    parse_size(text, BYTE_UNITS).filter(|bytes| (1 << 10..=1 << 30).contains(bytes)).ok_or_else(
        || {
            Error::invalid_value(
                option,
                text,
                "not a size from 1KiB to 1024MiB",
                "give a size such as 512KiB or 4MiB",
            )
        },
    )
}

/// Parses `--since`, which is an id, a time or an age before `now`, and returns the id to begin at.
///
/// A time becomes an id by its milliseconds since the Unix epoch.
pub fn since(text: &str, now: Timestamp) -> Result<u64> {
    if let Some(id) = Some(text)
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
    {
        return Ok(id);
    }
    let moment = match duration("--since", text) {
        Ok(age) => now.checked_sub(age).ok(),
        Err(_) => text.parse::<Timestamp>().ok(),
    };
    moment.and_then(|moment| u64::try_from(moment.as_millisecond()).ok()).ok_or_else(|| {
        let advice = "give an id such as 1700000000000, a time such as 2026-05-05T10:00:00Z, or an age such as 3m";
        Error::usage(format!("cannot begin at --since {text}"), "not an id, a time or an age", advice)
            .with_setting("--since")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    #[test]
    fn lengths_and_sizes_are_read() {
        assert_eq!(positive_duration("-", "90s").expect("a length"), Duration::from_secs(90));
        for text in ["", "s", "5", "0s", "-1s"] {
            assert_eq!(positive_duration("-", text).expect_err(text).exit, Exit::Usage);
        }
        for (text, expected) in [
            ("65536", 65536),
            ("512KiB", 1 << 19),
            ("4MiB", 4 << 20),
            ("2MB", 2_000_000),
            ("1024", 1024),
        ] {
            assert_eq!(size("-", text).expect("a size"), expected, "{text}");
        }
        for text in ["", "0", "1023", "1GB", "2000MiB", "x", "99999999999999999999"] {
            assert_eq!(size("-", text).expect_err(text).exit, Exit::Usage);
        }
    }

    #[test]
    fn a_beginning_is_an_id_a_time_or_an_age() {
        let now = Timestamp::from_millisecond(1_700_000_600_000).expect("a time");
        for (text, expected) in [
            ("1700000000000", 1_700_000_000_000),
            ("0", 0),
            ("2023-11-14T22:13:20Z", 1_700_000_000_000),
            ("2023-11-14T23:13:20.5+01:00", 1_700_000_000_500),
            ("10m", 1_700_000_000_000),
        ] {
            assert_eq!(since(text, now).expect("a moment"), expected, "{text}");
        }
        for text in ["", "yesterday", "10", "10y", "99999999999999999999", "1969-01-01T00:00:00Z"] {
            let read = since(text, now);
            assert!(text == "10" || read.expect_err(text).exit == Exit::Usage);
        }
    }
}
