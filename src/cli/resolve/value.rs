//! Parses option values: durations, sizes, rates and positions in time.

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::cli::args::RangeArgs;
use crate::error::{Error, Result};
use crate::model::TimeRange;
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

/// Checks a speed as a multiple of real time, which must be finite and greater than zero.
pub fn speed(speed: f64) -> Result<f64> {
    if speed.is_finite() && speed > 0.0 {
        return Ok(speed);
    }
    let advice = "give 1 for real time, or a number such as 10 or 0.5";
    Err(Error::invalid_value("--speed", speed, "invalid speed", advice))
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

/// Parses `--since` of a stream, and returns the id to begin at; see [`moment`].
///
/// A time becomes an id by its milliseconds since the Unix epoch.
pub fn since(text: &str, now: Timestamp) -> Result<u64> {
    if let Some(id) = id(text) {
        return Ok(id);
    }
    let at = moment("--since", text, now, &TimeZone::system())?;
    u64::try_from(at.as_millisecond()).map_err(|_| not_a_time("--since", text))
}

/// Parses a time: RFC 3339, a date with or without a time of day in `zone`, `today`, `yesterday`, an
/// age before `now`, or the id of an event.
pub fn moment(
    option: &'static str,
    text: &str,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Timestamp> {
    let begin_of = |date: Date| date.to_zoned(zone.clone()).ok();
    let today = || now.to_zoned(zone.clone()).date();
    let at = if let Some(id) = id(text) {
        i64::try_from(id).ok().and_then(|id| Timestamp::from_millisecond(id).ok())
    } else if let Ok(age) = text.parse::<Span>() {
        let now = now.to_zoned(zone.clone());
        now.checked_sub(age.abs()).ok().map(|at| at.timestamp())
    } else if let Ok(at) = text.parse() {
        Some(at)
    } else if let Ok(at) = text.parse::<DateTime>() {
        at.to_zoned(zone.clone()).ok().map(|at| at.timestamp())
    } else {
        let begin = match text {
            "today" => begin_of(today()),
            "yesterday" => today().yesterday().ok().and_then(begin_of),
            _ => None,
        };
        begin.map(|begin| begin.timestamp())
    };
    at.ok_or_else(|| not_a_time(option, text))
}

/// Returns the id of an event, if the text is one.
fn id(text: &str) -> Option<u64> {
    let is_id = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_id)
}

/// Resolves the range of time to read. Of a broker, `--since` says where to begin, which is not a
/// part of the range.
pub fn time_range(args: &RangeArgs, is_broker: bool) -> Result<TimeRange> {
    let now = Timestamp::now();
    // To read the time zone takes longer than a short replay, so it is read only for a range.
    let parse = |option, text: &Option<String>| {
        let text = text.as_deref();
        text.map(|text| moment(option, text, now, &TimeZone::system())).transpose()
    };
    let since = if is_broker { None } else { parse("--since", &args.since)? };
    let before = parse("--before", &args.before)?;
    if since.zip(before).is_some_and(|(since, before)| since >= before) {
        let advice = "give an earlier --since or a later --before";
        return Err(Error::usage("cannot use --before", "it is not after --since", advice)
            .with_setting("--before"));
    }
    Ok(TimeRange::new(since, before))
}

/// Refuses a range of time where it has no meaning, for a reason.
pub fn refuse_range(args: &RangeArgs, why: &str) -> Result<()> {
    let option = match args {
        RangeArgs { since: Some(_), .. } => "--since",
        RangeArgs { before: Some(_), .. } => "--before",
        _ => return Ok(()),
    };
    let advice = "name recordings, or leave it out";
    Err(Error::usage(format!("cannot use {option}"), why, advice).with_setting(option))
}

fn not_a_time(option: &'static str, text: &str) -> Error {
    let advice =
        "give a time such as 2026-05-05T10:00:00Z, a date such as 2026-05-05, or an age such as 2h";
    Error::invalid_value(option, text, "not a time, a date, an age or an event id", advice)
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
        for text in ["", "soon", "10x", "99999999999999999999", "1969-01-01T00:00:00Z", "2h from"] {
            assert_eq!(since(text, now).expect_err(text).exit, Exit::Usage);
        }
    }

    #[test]
    fn a_moment_is_read_in_a_time_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let now = "2026-05-05T10:20:30Z".parse().expect("a time");
        for (text, expected) in [
            ("2026-05-05T10:00:00Z", "2026-05-05T10:00:00Z"),
            ("2026-05-05 10:00:00+01:00", "2026-05-05T09:00:00Z"),
            ("2026-05-05", "2026-05-04T22:00:00Z"),
            ("2026-05-05 10:00", "2026-05-05T08:00:00Z"),
            ("2026-05-05T10:00:00.5", "2026-05-05T08:00:00.5Z"),
            ("today", "2026-05-04T22:00:00Z"),
            ("yesterday", "2026-05-03T22:00:00Z"),
            ("2h ago", "2026-05-05T08:20:30Z"),
            ("2h", "2026-05-05T08:20:30Z"),
            ("3d", "2026-05-02T10:20:30Z"),
            ("2 days ago", "2026-05-03T10:20:30Z"),
            ("1777975200000", "2026-05-05T10:00:00Z"),
        ] {
            let read = moment("-", text, now, &zone).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(read, expected.parse().expect("a time"), "{text}");
        }
    }

    #[test]
    fn a_range_has_room_for_an_event() {
        let range = |since: &str, before: &str| {
            let (since, before) = (Some(since.to_owned()), Some(before.to_owned()));
            time_range(&RangeArgs { since, before }, false)
        };
        assert!(range("2026-05-05", "2026-05-06").is_ok());
        let empty = range("2026-05-05", "2026-05-05").expect_err("an empty range");
        assert_eq!(empty.exit, Exit::Usage);
    }
}
