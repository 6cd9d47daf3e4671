//! Colours and text styles.
//!
//! A terminal with sixteen colours uses the palette of its user, so only colours that are usually
//! readable on the background are used. A terminal with more colours gets fixed ones, chosen for
//! the contrast ratio of 4.5 that WCAG 2.1 requires for text. Without colours, bold, italic and
//! reversed text carry the same information.

use ratatui::style::{Color, Modifier, Style};

use crate::output::family;

/// The number of colours that a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// No colours, or colours are disabled.
    None,
    /// The 16 named ANSI colours.
    Sixteen,
    /// The 256 colours of xterm.
    Indexed256,
    /// 24-bit colours.
    TrueColour,
}

impl Depth {
    /// Detects the colour depth from the values of `TERM` and `COLORTERM`.
    #[must_use]
    pub fn detect(term: &str, colorterm: &str) -> Self {
        if matches!(colorterm, "truecolor" | "24bit") || term.contains("direct") {
            Self::TrueColour
        } else if term.contains("256color") {
            Self::Indexed256
        } else {
            Self::Sixteen
        }
    }
}

/// The tone of the background of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackgroundTone {
    Dark,
    Light,
}

impl BackgroundTone {
    /// Parses the value of `COLORFGBG`, which ends with the number of the background colour.
    #[must_use]
    pub fn from_colorfgbg(colorfgbg: &str) -> Option<Self> {
        let number: u8 = colorfgbg.rsplit(';').next()?.parse().ok()?;
        Some(if matches!(number, 7 | 9..=15) { Self::Light } else { Self::Dark })
    }

    /// Parses the reply of a terminal to OSC 11: `rgb:ffff/ffff/ffff`, with one to four hexadecimal
    /// digits for each part.
    #[must_use]
    pub fn from_osc11_reply(reply: &str) -> Option<Self> {
        let mut parts = reply.strip_prefix("rgb:")?.split('/').map(|part| {
            let digits = part.len().min(4);
            let max = (1_u32 << (4 * digits)) - 1;
            Some(u32::from_str_radix(part.get(..digits)?, 16).ok()? * 255 / max)
        });
        let (red, green, blue) = (parts.next()??, parts.next()??, parts.next()??);
        // The luma coefficients of ITU-R BT.601.
        Some(if red * 299 + green * 587 + blue * 114 > 127 * 1000 {
            Self::Light
        } else {
            Self::Dark
        })
    }
}

/// A colour for a dark, a light and an unknown background: as one of the 16 named colours, and as
/// RGB.
struct Hue([Color; 3], [[u8; 3]; 3]);

const RED: Hue =
    Hue([Color::LightRed, Color::Red, Color::Red], [[255, 122, 122], [185, 20, 30], [214, 62, 62]]);
const AMBER: Hue = Hue(
    [Color::Yellow, Color::Magenta, Color::Magenta],
    [[240, 190, 90], [135, 85, 0], [160, 107, 0]],
);
const GREEN: Hue = Hue(
    [Color::Green, Color::Green, Color::Green],
    [[125, 210, 140], [15, 110, 50], [30, 135, 60]],
);
const LIME: Hue = Hue(
    [Color::LightGreen, Color::Green, Color::Green],
    [[185, 215, 100], [80, 105, 0], [103, 127, 0]],
);
const CYAN: Hue =
    Hue([Color::Cyan, Color::Blue, Color::Reset], [[105, 205, 220], [0, 100, 120], [0, 130, 145]]);
const BLUE: Hue = Hue(
    [Color::LightBlue, Color::Blue, Color::Reset],
    [[140, 175, 255], [35, 75, 190], [73, 112, 218]],
);
const SKY: Hue = Hue(
    [Color::LightCyan, Color::Blue, Color::Reset],
    [[150, 200, 240], [0, 90, 150], [20, 124, 183]],
);
const VIOLET: Hue = Hue(
    [Color::LightMagenta, Color::Magenta, Color::Magenta],
    [[215, 155, 255], [125, 45, 160], [162, 83, 201]],
);
const GREY: Hue = Hue(
    [Color::Reset, Color::Reset, Color::Reset],
    [[160, 160, 160], [95, 95, 95], [118, 118, 118]],
);

/// The theme: which style each kind of text has on this terminal.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    /// The number of available colours.
    pub depth: Depth,
    /// The tone of the background. If it is `None`, all colours are readable on either tone.
    pub background: Option<BackgroundTone>,
}

impl Theme {
    fn colour(self, Hue(named, rgb): &Hue) -> Color {
        let place = match self.background {
            Some(BackgroundTone::Dark) => 0,
            Some(BackgroundTone::Light) => 1,
            None => 2,
        };
        let [red, green, blue] = rgb[place];
        match self.depth {
            Depth::None => Color::Reset,
            Depth::Sixteen => named[place],
            Depth::Indexed256 => Color::Indexed(nearest([red, green, blue])),
            Depth::TrueColour => Color::Rgb(red, green, blue),
        }
    }

    fn with(self, hue: &Hue) -> Style {
        match self.colour(hue) {
            Color::Reset => Style::new(),
            colour => Style::new().fg(colour),
        }
    }

    /// Returns the style of a family of events.
    #[must_use]
    pub fn family(self, family: &str) -> Style {
        self.with(match family::hue(family) {
            Some(family::FamilyColour::Red) => &RED,
            Some(family::FamilyColour::Green) => &GREEN,
            Some(family::FamilyColour::Cyan) => &CYAN,
            Some(family::FamilyColour::Amber) => &AMBER,
            Some(family::FamilyColour::Blue) => &BLUE,
            Some(family::FamilyColour::Lime) => &LIME,
            Some(family::FamilyColour::Sky) => &SKY,
            None => return Style::new(),
        })
    }

    /// Returns the style of errors.
    #[must_use]
    pub fn error(self) -> Style {
        self.with(&RED).add_modifier(Modifier::BOLD)
    }

    /// Returns the style of warnings.
    #[must_use]
    pub fn warning(self) -> Style {
        self.with(&AMBER).add_modifier(Modifier::BOLD)
    }

    /// Returns the style of good states.
    #[must_use]
    pub fn good(self) -> Style {
        self.with(&GREEN)
    }

    /// Returns the style of hidden values.
    #[must_use]
    pub fn masked(self) -> Style {
        self.with(&VIOLET).add_modifier(Modifier::ITALIC)
    }

    /// Returns the style of unimportant text. Uses a grey rather than dim text if possible, because
    /// terminals differ in how they show dim text.
    #[must_use]
    pub fn quiet(self) -> Style {
        match self.depth {
            Depth::None | Depth::Sixteen => Style::new().add_modifier(Modifier::DIM),
            Depth::Indexed256 | Depth::TrueColour => self.with(&GREY),
        }
    }

    /// Returns the style of headings.
    #[must_use]
    #[allow(clippy::unused_self, reason = "a style like the others, which depend on the theme")]
    pub const fn heading(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Returns the style of the selection.
    #[must_use]
    #[allow(clippy::unused_self, reason = "a style like the others, which depend on the theme")]
    pub const fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Returns the style of text that the search found.
    #[must_use]
    pub fn found(self) -> Style {
        self.warning().patch(self.selected())
    }

    /// Returns the style of text that the search found in the selected row, which is reversed.
    #[must_use]
    pub fn found_here(self) -> Style {
        self.warning().add_modifier(Modifier::UNDERLINED)
    }

    /// Returns the style of text that must not be overlooked.
    #[must_use]
    pub fn alarm(self) -> Style {
        match self.depth {
            Depth::None => Style::new().add_modifier(Modifier::BOLD.union(Modifier::REVERSED)),
            Depth::Sixteen => {
                Style::new().fg(Color::White).bg(Color::Red).add_modifier(Modifier::BOLD)
            }
            Depth::Indexed256 => Style::new()
                .fg(Color::Indexed(231))
                .bg(Color::Indexed(124))
                .add_modifier(Modifier::BOLD),
            Depth::TrueColour => Style::new()
                .fg(Color::Rgb(255, 255, 255))
                .bg(Color::Rgb(175, 0, 0))
                .add_modifier(Modifier::BOLD),
        }
    }

    /// Returns the style of the names of keys and fields.
    #[must_use]
    pub fn key(self) -> Style {
        self.with(&CYAN).add_modifier(Modifier::BOLD)
    }
}

/// The levels of red, green and blue in the 6×6×6 colour cube of xterm, which starts at index 16.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// Returns the index of a close colour among the 256 of xterm: in the cube, or for a grey in the
/// ramp of greys, which starts at index 232.
fn nearest(colour: [u8; 3]) -> u8 {
    let step = |part: u8| {
        (0..6).min_by_key(|level| LEVELS[usize::from(*level)].abs_diff(part)).unwrap_or(0)
    };
    let [red, green, blue] = colour.map(step);
    if colour[0] == colour[1] && colour[1] == colour[2] {
        return 232 + (colour[0].saturating_sub(8) / 10).min(23);
    }
    16 + 36 * red + 6 * green + blue
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUES: [&Hue; 9] = [&RED, &AMBER, &GREEN, &LIME, &CYAN, &BLUE, &SKY, &VIOLET, &GREY];

    /// Returns the colour with that index among the 256 of xterm.
    fn indexed(number: u8) -> [u8; 3] {
        if number >= 232 {
            return [8 + 10 * (number - 232); 3];
        }
        let place = number - 16;
        [place / 36, place / 6 % 6, place % 6].map(|level| LEVELS[usize::from(level)])
    }

    /// Returns the contrast ratio as defined by WCAG 2.1.
    fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
        let luminance = |colour: [u8; 3]| {
            let parts = colour.map(|part| {
                let part = f64::from(part) / 255.0;
                if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
            });
            0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_colour_has_enough_contrast_with_its_background() {
        // Black and white, and common alternatives.
        let dark = [[0, 0, 0], [30, 30, 30], [40, 42, 54]];
        let light = [[255, 255, 255], [253, 246, 227], [245, 245, 245]];
        for Hue(_, [on_dark, on_light, on_either]) in HUES {
            for (colour, grounds) in [(on_dark, dark), (on_light, light)] {
                for ground in grounds {
                    for seen in [*colour, indexed(nearest(*colour))] {
                        assert!(
                            contrast(seen, ground) >= 4.5,
                            "{seen:?} on {ground:?}: {}",
                            contrast(seen, ground)
                        );
                    }
                }
            }
            // No colour has a contrast above 4.58 with both black and white.
            for ground in [[0; 3], [255; 3]] {
                assert!(contrast(*on_either, ground) >= 4.5, "{on_either:?} on {ground:?}");
                assert!(
                    contrast(indexed(nearest(*on_either)), ground) >= 3.5,
                    "{on_either:?} of 256 on {ground:?}"
                );
            }
        }
        assert!(
            contrast([255; 3], [175, 0, 0]) >= 4.5 && contrast(indexed(231), indexed(124)) >= 4.5
        );
    }

    #[test]
    fn pale_named_colours_are_not_used_on_a_light_background() {
        for Hue([_, on_light, on_either], _) in HUES {
            for colour in [on_light, on_either] {
                let is_pale =
                    matches!(colour, Color::Yellow | Color::Cyan | Color::White | Color::Gray);
                assert!(!is_pale && !format!("{colour:?}").starts_with("Light"), "{colour:?}");
            }
            assert!(
                !matches!(on_either, Color::Blue | Color::Black),
                "dark colours are not used on an unknown background"
            );
        }
        let theme = Theme { depth: Depth::Sixteen, background: Some(BackgroundTone::Light) };
        assert_eq!(theme.warning().fg, Some(Color::Magenta));
        assert_eq!(
            Theme { background: Some(BackgroundTone::Dark), ..theme }.warning().fg,
            Some(Color::Yellow)
        );
        assert_eq!(Theme { background: None, ..theme }.warning().fg, Some(Color::Magenta));
    }

    #[test]
    fn detects_the_colours_and_the_background_of_a_terminal() {
        assert_eq!(Depth::detect("xterm-256color", ""), Depth::Indexed256);
        assert_eq!(Depth::detect("xterm-256color", "truecolor"), Depth::TrueColour);
        assert_eq!(Depth::detect("linux", ""), Depth::Sixteen);
        assert_eq!(BackgroundTone::from_colorfgbg("15;0"), Some(BackgroundTone::Dark));
        assert_eq!(BackgroundTone::from_colorfgbg("0;default;15"), Some(BackgroundTone::Light));
        assert_eq!(BackgroundTone::from_colorfgbg("default"), None);
        assert_eq!(
            BackgroundTone::from_osc11_reply("rgb:ffff/fafa/e3e3"),
            Some(BackgroundTone::Light)
        );
        assert_eq!(BackgroundTone::from_osc11_reply("rgb:1e/1e/2e"), Some(BackgroundTone::Dark));
        for wrong in ["", "rgb:", "rgb:ff/ff", "rgb:xx/00/00", "#ffffff", "rgb:é/é/é"] {
            assert_eq!(BackgroundTone::from_osc11_reply(wrong), None, "{wrong}");
        }
    }
}
