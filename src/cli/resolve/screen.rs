//! Resolves the options of the live screen.

use colored::control::SHOULD_COLORIZE;

use super::expression::variables;
use super::output::zone;
use crate::cli::args::{Background, FilterArgs, OutputArgs, ScreenArgs};
use crate::error::{Error, Result};
use crate::redact::Policy;
use crate::text::units::{BINARY_UNITS, parse_size};
use crate::tui::buffer::BufferLimits;
use crate::tui::config::ScreenConfig;
use crate::tui::key_map::KeyMap;
use crate::tui::style::{BackgroundTone, Depth, Theme};
use crate::tui::terminal;

/// Returns the configuration of the live screen, or `None` without `--tui`.
pub fn screen(
    screen: &ScreenArgs,
    filter: &FilterArgs,
    output: &OutputArgs,
    policy: &Policy,
    title: &str,
) -> Result<Option<ScreenConfig>> {
    let limits = limits(&screen.buffer)?;
    if !screen.tui {
        return Ok(None);
    }
    terminal::check()?;
    Ok(Some(ScreenConfig {
        title: title.to_owned(),
        revealed: output.privacy.reveal.clone(),
        policy: policy.clone(),
        variables: variables(&filter.args, &filter.json_args)?,
        named: filter.named.clone(),
        limits,
        theme: theme(screen.background),
        keys: KeyMap::default(),
        zone: zone(output.tz.as_deref())?,
        wrap: output.wrap,
        pace: None,
    }))
}

/// Chooses the colour depth and the background from the options, then from the environment.
///
/// The background is `None` if neither gives it; the terminal is queried for it later.
fn theme(background: Background) -> Theme {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let depth = if SHOULD_COLORIZE.should_colorize() {
        Depth::detect(&variable("TERM"), &variable("COLORTERM"))
    } else {
        Depth::None
    };
    let background = match background {
        Background::Auto => BackgroundTone::from_colorfgbg(&variable("COLORFGBG")),
        Background::Dark => Some(BackgroundTone::Dark),
        Background::Light => Some(BackgroundTone::Light),
    };
    Theme::new(depth, background)
}

/// Parses `--buffer`: a number of events, a size, or both, such as `100000,64MiB`.
fn limits(text: &str) -> Result<BufferLimits> {
    let wrong = || {
        let advice = "give a number of events, a size, or both, such as 100000,64MiB";
        Error::invalid_value("--buffer", text, "invalid limit", advice)
    };
    let mut limits = BufferLimits::default();
    for part in text.split(',') {
        let (limit, number) = match part.trim().parse() {
            Ok(events) => (&mut limits.events, Some(events)),
            Err(_) => (&mut limits.bytes, parse_size(part, BINARY_UNITS)),
        };
        *limit = number.filter(|number| *number > 0).ok_or_else(wrong)?;
    }
    Ok(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_events_and_bytes() {
        assert_eq!(limits("500"), Ok(BufferLimits { events: 500, bytes: 64 << 20 }));
        assert_eq!(limits("2MiB"), Ok(BufferLimits { events: 100_000, bytes: 2 << 20 }));
        assert_eq!(limits("10, 1KiB"), Ok(BufferLimits { events: 10, bytes: 1024 }));
        for wrong in ["", "0", "x", "1,2MB", "-1", "99999999999999999999GiB"] {
            assert!(limits(wrong).is_err(), "{wrong}");
        }
    }
}
