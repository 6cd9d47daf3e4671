//! Whether the colours of the theme of the configuration can be read on its background.

use ratatui::style::Color;

use super::style::{BackgroundTone, Depth, StyleRole, Theme, ThemeName, contrast, indexed};

/// The contrast ratio that WCAG 2.1 requires for text (success criterion 1.4.3).
const ENOUGH: f64 = 4.5;

/// The contrast ratio below which text can hardly be made out.
const ILLEGIBLE: f64 = 2.0;

/// The steps in which a better colour is looked for.
const STEPS: u16 = 64;

/// A colour with too little contrast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaintColour {
    /// The name of the entry of the theme.
    pub name: &'static str,
    /// The contrast ratio with the background, from 1 to 21.
    pub contrast: f64,
    /// A similar colour with enough contrast.
    pub better: [u8; 3],
}

impl FaintColour {
    /// Returns whether the text can hardly be made out.
    #[must_use]
    pub fn is_illegible(&self) -> bool {
        self.contrast < ILLEGIBLE
    }

    /// Returns what is wrong, and what to do instead.
    #[must_use]
    pub fn explain(&self) -> (String, String) {
        let [red, green, blue] = self.better;
        (
            format!("its contrast with the background is {:.1}", self.contrast),
            format!("use a colour with at least {ENOUGH}, such as #{red:02x}{green:02x}{blue:02x}"),
        )
    }
}

/// Returns the colours of the theme of the configuration that have too little contrast, the faintest
/// first. The contrast is unknown if the terminal decides on the colours.
#[must_use]
pub fn faint_colours(theme: Theme) -> Vec<FaintColour> {
    let Some(custom) = theme.custom else { return Vec::new() };
    let theme = Theme { name: ThemeName::Custom, depth: Depth::TrueColour, ..theme };
    let [background, foreground] = theme.ground();
    let behind = match (background, theme.tone()) {
        (Color::Reset, Some(BackgroundTone::Dark)) => Some([0; 3]),
        (Color::Reset, Some(BackgroundTone::Light)) => Some([255; 3]),
        _ => rgb(background),
    };
    let Some(behind) = behind else { return Vec::new() };
    let roles = StyleRole::ALL.iter().filter(|role| custom.affects(**role));
    let colours = roles.map(|role| (role.name(), theme.role(*role).fg));
    let mut faint: Vec<_> = colours
        .chain([("foreground", Some(foreground))])
        .filter_map(|(name, colour)| {
            let colour = rgb(colour?)?;
            let contrast = contrast(colour, behind);
            let is_faint = contrast < ENOUGH;
            is_faint.then(|| FaintColour { name, contrast, better: better(colour, behind) })
        })
        .collect();
    faint.sort_by(|a, b| a.contrast.total_cmp(&b.contrast));
    faint
}

/// Returns a notice about the colours of the chosen theme that have too little contrast.
#[must_use]
pub fn faint_notice(theme: Theme) -> Option<String> {
    let is_custom = theme.name == ThemeName::Custom;
    let faint = if is_custom { faint_colours(theme) } else { Vec::new() };
    let first = faint.first()?;
    let (why, advice) = first.explain();
    let more = match faint.len() - 1 {
        0 => String::new(),
        more => format!(" ({more} more)"),
    };
    Some(format!("the theme's {} is hard to read: {why}; {advice}{more}", first.name))
}

/// Returns the parts of a colour, unless the user of the terminal decides on them.
fn rgb(colour: Color) -> Option<[u8; 3]> {
    match colour {
        Color::Rgb(red, green, blue) => Some([red, green, blue]),
        Color::Indexed(index) => Some(indexed(index)),
        _ => None,
    }
}

/// Returns the first colour with enough contrast on the way to white or to black.
fn better(colour: [u8; 3], behind: [u8; 3]) -> [u8; 3] {
    let ends = [[255; 3], [0; 3]];
    let end = ends
        .into_iter()
        .max_by(|one, other| contrast(*one, behind).total_cmp(&contrast(*other, behind)));
    let end = end.unwrap_or(colour);
    let mixed = |step: u16| {
        let mut mixed = end;
        for (part, own) in mixed.iter_mut().zip(colour) {
            let sum = u16::from(own) * (STEPS - step) + u16::from(*part) * step;
            *part = u8::try_from(sum / STEPS).unwrap_or(u8::MAX);
        }
        mixed
    };
    (0..=STEPS).map(mixed).find(|mixed| contrast(*mixed, behind) >= ENOUGH).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::style::CustomTheme;

    fn faint(entries: &[(&str, &str)], tone: Option<BackgroundTone>) -> Vec<FaintColour> {
        let owned = entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let custom = Some(CustomTheme::new(&owned.collect()).expect("a theme"));
        let theme = Theme { custom, name: ThemeName::Custom, ..Theme::new(Depth::None, tone) };
        assert_eq!(faint_notice(theme).is_some(), !faint_colours(theme).is_empty());
        faint_colours(theme)
    }

    #[test]
    fn colours_that_are_hard_to_read_are_found_with_a_better_one() {
        let dark = Some(BackgroundTone::Dark);
        for (entries, tone, expected) in [
            (vec![("error", "#400000")], dark, vec!["error"]),
            (vec![("error", "#ff8080")], dark, vec![]),
            (vec![("error", "#ffff00")], Some(BackgroundTone::Light), vec!["error"]),
            (vec![("error", "#ffff00"), ("background", "#ffffff")], dark, vec!["error"]),
            (vec![("error", "234"), ("base", "soft")], dark, vec!["error"]),
            (vec![("foreground", "#222222"), ("background", "#111111")], dark, vec!["foreground"]),
            // The terminal decides on these.
            (vec![("error", "#400000")], None, vec![]),
            (vec![("error", "black")], dark, vec![]),
            (vec![("error", "#400000"), ("background", "black")], dark, vec![]),
        ] {
            let found = faint(&entries, tone);
            let names: Vec<_> = found.iter().map(|faint| faint.name).collect();
            assert_eq!(names, expected, "{entries:?}");
        }
        let found = faint(&[("error", "#600000"), ("warning", "#101010")], dark);
        assert_eq!([found[0].name, found[1].name], ["warning", "error"], "the faintest first");
        assert!(found[0].is_illegible());
        for colour in &found {
            let ratio = contrast(colour.better, [0; 3]);
            assert!((ENOUGH..5.0).contains(&ratio), "{colour:?}: {ratio}");
        }
    }

    #[test]
    fn a_background_is_checked_with_every_colour() {
        let found = faint(&[("background", "#808080")], None);
        assert!(found.len() > 10, "no colour of a built-in theme is made for grey: {found:?}");
    }

    #[test]
    fn the_notice_says_what_to_use() {
        let custom = CustomTheme::new(&[("error".to_owned(), "#400000".to_owned())].into());
        let theme = Theme {
            custom: custom.ok(),
            name: ThemeName::Custom,
            ..Theme::new(Depth::TrueColour, Some(BackgroundTone::Dark))
        };
        let notice = faint_notice(theme).expect("a notice");
        assert!(notice.starts_with("the theme's error is hard to read: its contrast"), "{notice}");
        assert!(notice.contains("at least 4.5, such as #"), "{notice}");
        assert_eq!(faint_notice(Theme { name: ThemeName::Auto, ..theme }), None);
    }
}
