//! Resolves the options of the live screen.

use std::path::PathBuf;

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
use crate::tui::screen::Screen;
use crate::tui::style::{BackgroundTone, CustomTheme, Depth, Theme, ThemeName};
use crate::tui::terminal;
use crate::tui::theme_contrast::{FaintColour, faint_colours};

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
    let theme = theme(screen)?;
    Ok(Some(ScreenConfig {
        title: title.to_owned(),
        revealed: output.privacy.reveal.clone(),
        policy: policy.clone(),
        variables: variables(&filter.args, &filter.json_args)?,
        named: filter.named.clone(),
        limits,
        theme,
        configured_theme: theme.name,
        state_file: state_file().filter(|_| screen.remember),
        keys: keys(screen)?,
        zone: zone(output.tz.as_deref())?,
        first_screen: Screen::Stream,
        notifies: false,
        wrap: output.wrap,
        pace: None,
    }))
}

/// Chooses the theme, and the colour depth and the background from the options, then from the
/// environment.
///
/// The background is `None` if neither gives it; the terminal is queried for it later.
fn theme(screen: &ScreenArgs) -> Result<Theme> {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let depth = if SHOULD_COLORIZE.should_colorize() {
        Depth::detect(&variable("TERM"), &variable("COLORTERM"))
    } else {
        Depth::None
    };
    let background = match screen.background {
        Background::Auto => BackgroundTone::from_colorfgbg(&variable("COLORFGBG")),
        Background::Dark => Some(BackgroundTone::Dark),
        Background::Light => Some(BackgroundTone::Light),
    };
    let name = ThemeName::find(&screen.theme).unwrap_or_default();
    let entries = &screen.appearance.theme;
    let custom = (!entries.is_empty()).then(|| CustomTheme::new(entries)).transpose();
    let custom = custom.map_err(|(entry, (why, advice))| {
        Error::usage(format!("cannot use the theme's {entry}"), why, advice)
    })?;
    if name == ThemeName::Custom && custom.is_none() {
        let advice = "write one below [tui.theme], or give another theme";
        let why = "the configuration has no theme";
        return Err(Error::usage("cannot use --theme custom", why, advice));
    }
    let theme = Theme { name, custom, ..Theme::new(depth, background) };
    let illegible = faint_colours(theme).into_iter().find(|_| name == ThemeName::Custom);
    match illegible.filter(FaintColour::is_illegible) {
        Some(faint) => {
            let (why, advice) = faint.explain();
            Err(Error::usage(format!("cannot use the theme's {}", faint.name), why, advice))
        }
        None => Ok(theme),
    }
}

/// Returns the path of the file that remembers the screen, as defined by the XDG Base Directory
/// Specification.
fn state_file() -> Option<PathBuf> {
    let home = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let home = home.filter(|path| path.is_absolute());
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".local/state")))?;
    Some(home.join("evtap/screen.json"))
}

/// Returns the keys, which the configuration file was checked for.
fn keys(screen: &ScreenArgs) -> Result<KeyMap> {
    KeyMap::new(&screen.appearance.keys).map_err(|(action, (why, advice))| {
        Error::usage(format!("cannot use the keys of {action}"), why, advice)
    })
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
