//! The time at the start of a line.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::output::TimeDisplay;

/// The seconds of a day.
const DAY: i64 = 86_400;

/// Formats times.
pub(super) struct LineClock {
    times: TimeDisplay,
    offset: Option<OffsetInterval>,
}

/// An interval in which the offset of a time zone from UTC is the same.
struct OffsetInterval {
    /// The first second of the interval.
    start: i64,
    /// The second after the interval.
    end: i64,
    /// The offset in seconds.
    offset: i64,
}

impl LineClock {
    pub(super) const fn new(times: TimeDisplay) -> Self {
        Self { times, offset: None }
    }

    /// Appends a time: `%H:%M:%S%.3f`, or without milliseconds on a narrow screen. Relative times
    /// are measured from `from`.
    pub(super) fn push(
        &mut self,
        time: Option<Timestamp>,
        from: Option<Timestamp>,
        is_narrow: bool,
        out: &mut String,
    ) {
        let width = if is_narrow { 8 } else { 12 };
        let start = out.len();
        let since = |time: Timestamp| {
            let millis = time.as_millisecond() - from.unwrap_or(time).as_millisecond();
            (if millis < 0 { '-' } else { '+' }, millis.unsigned_abs())
        };
        match (&self.times, time) {
            (TimeDisplay::Nothing, _) => return,
            (_, None) => {}
            (TimeDisplay::Day(zone), Some(time)) => {
                push_time_of_day(time, zone, &mut self.offset, is_narrow, out);
            }
            (TimeDisplay::Relative, Some(time)) => {
                let (sign, millis) = since(time);
                out.push(sign);
                push_number(millis / 3_600_000, 1, out);
                out.push(':');
                push_number(millis / 60_000 % 60, 2, out);
                out.push(':');
                push_number(millis / 1000 % 60, 2, out);
                if !is_narrow {
                    out.push('.');
                    push_number(millis % 1000, 3, out);
                }
            }
            (TimeDisplay::Delta, Some(time)) => {
                let (sign, millis) = since(time);
                out.push(sign);
                push_number(millis / 1000, 1, out);
                out.push('.');
                push_number(millis % 1000, 3, out);
            }
        }
        for _ in out.len() - start..width {
            out.insert(start, ' ');
        }
    }
}

fn push_time_of_day(
    time: Timestamp,
    zone: &TimeZone,
    cached: &mut Option<OffsetInterval>,
    is_narrow: bool,
    out: &mut String,
) {
    let (mut second, mut nanos) = (time.as_second(), time.subsec_nanosecond());
    if nanos < 0 {
        second -= 1;
        nanos += 1_000_000_000;
    }
    let interval = match cached {
        Some(interval) if (interval.start..interval.end).contains(&second) => interval,
        _ => cached.insert(OffsetInterval::at(time, second, zone)),
    };
    let [hour, minute, second, millis] = {
        let second = (second + interval.offset).rem_euclid(DAY).unsigned_abs();
        [second / 3600, second / 60 % 60, second % 60, u64::from(nanos.unsigned_abs()) / 1_000_000]
    };
    let digit = |number: u64| b'0' + u8::try_from(number % 10).unwrap_or(0);
    let text = [
        digit(hour / 10),
        digit(hour),
        b':',
        digit(minute / 10),
        digit(minute),
        b':',
        digit(second / 10),
        digit(second),
        b'.',
        digit(millis / 100),
        digit(millis / 10),
        digit(millis),
    ];
    let text = if is_narrow { &text[..8] } else { &text[..] };
    out.push_str(std::str::from_utf8(text).unwrap_or_default());
}

impl OffsetInterval {
    /// Returns the interval of `time`, which is in `second`.
    fn at(time: Timestamp, second: i64, zone: &TimeZone) -> Self {
        // A transition at the beginning of the second itself begins the interval.
        let next = Timestamp::from_second(second + 1).unwrap_or(Timestamp::MAX);
        Self {
            start: zone
                .preceding(next)
                .next()
                .map_or(i64::MIN, |start| start.timestamp().as_second()),
            end: zone.following(time).next().map_or(i64::MAX, |end| end.timestamp().as_second()),
            offset: i64::from(zone.to_offset(time).seconds()),
        }
    }
}

/// Appends a number with at least this many digits.
fn push_number(number: u64, digits: usize, out: &mut String) {
    let start = out.len();
    let mut rest = number;
    while rest > 0 || out.len() - start < digits {
        out.insert(start, char::from(b'0' + u8::try_from(rest % 10).unwrap_or(0)));
        rest /= 10;
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use proptest::prelude::*;

    use super::*;

    fn text(
        clock: &mut LineClock,
        time: Timestamp,
        from: Option<Timestamp>,
        is_narrow: bool,
    ) -> String {
        let mut out = "before".to_owned();
        clock.push(Some(time), from, is_narrow, &mut out);
        out.split_off("before".len())
    }

    const ZONES: &[&str] = &[
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Africa/Monrovia",
        "Europe/Dublin",
    ];

    proptest! {
        #[test]
        fn the_time_of_day_is_that_of_the_calendar(
            zone in prop::sample::select(ZONES),
            is_narrow: bool,
            // Times near each other and near transitions, before and after.
            times in prop::collection::vec(
                (prop_oneof![-3_000_000_000_i64..5_000_000_000, Just(0)], -5_000_i64..5_000, 0..20_i64),
                1..20,
            ),
        ) {
            let zone = TimeZone::get(zone).expect("a zone");
            let mut clock = LineClock::new(TimeDisplay::Day(zone.clone()));
            for (second, millis, step) in times {
                let near = Timestamp::from_second(second).expect("a time");
                let near = zone.following(near).next().map_or(near, |next| next.timestamp());
                for count in 0..step {
                    let time = near + (millis + count * 777).milliseconds();
                    let format = if is_narrow { "%H:%M:%S" } else { "%H:%M:%S%.3f" };
                    let expected = time.to_zoned(zone.clone()).strftime(format).to_string();
                    prop_assert_eq!(text(&mut clock, time, None, is_narrow), expected);
                }
            }
        }

        #[test]
        fn relative_times_are_padded_and_signed(millis in -400_000_000_i64..400_000_000) {
            let from = Timestamp::from_second(1_795_932_465).expect("a time");
            let time = from + millis.milliseconds();
            let (sign, all) = (if millis < 0 { '-' } else { '+' }, millis.unsigned_abs());
            let (hours, minutes) = (all / 3_600_000, all / 60_000 % 60);
            let seconds = format!("{:02}.{:03}", all / 1000 % 60, all % 1000);
            let relative = format!("{sign}{hours}:{minutes:02}:{seconds}");
            let delta = format!("{sign}{}.{:03}", all / 1000, all % 1000);
            for (times, is_narrow, expected) in [
                (TimeDisplay::Relative, false, format!("{relative:>12}")),
                (TimeDisplay::Relative, true, format!("{:>8}", &relative[..relative.len() - 4])),
                (TimeDisplay::Delta, false, format!("{delta:>12}")),
                (TimeDisplay::Delta, true, format!("{delta:>8}")),
                (TimeDisplay::Nothing, false, String::new()),
            ] {
                let mut clock = LineClock::new(times);
                prop_assert_eq!(text(&mut clock, time, Some(from), is_narrow), expected);
            }
        }
    }
}
