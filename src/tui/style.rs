//! Colours. Where a terminal has sixteen, those are its owner's choice, and only such are taken as can be read on its
//! background; where it has more, each is ours, with the contrast that reading takes. Without colours, weight, slant and
//! reversal tell the same.

use ratatui::style::{Color, Modifier, Style};

use crate::output::family;

/// How many colours a terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// None, or none are wanted.
    None,
    /// The sixteen that have names.
    Sixteen,
    /// 256.
    Many,
    /// As many as there are.
    True,
}

impl Depth {
    /// That of the terminal that calls itself so, by `TERM` and `COLORTERM`.
    #[must_use]
    pub fn detect(term: &str, colorterm: &str) -> Self {
        if matches!(colorterm, "truecolor" | "24bit") || term.contains("direct") {
            Self::True
        } else if term.contains("256color") {
            Self::Many
        } else {
            Self::Sixteen
        }
    }
}

/// What a terminal writes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackgroundTone {
    Dark,
    Light,
}

impl BackgroundTone {
    /// As `COLORFGBG` tells: the number of a colour at the end of it.
    #[must_use]
    pub fn by_number(colorfgbg: &str) -> Option<Self> {
        let number: u8 = colorfgbg.rsplit(';').next()?.parse().ok()?;
        Some(if matches!(number, 7 | 9..=15) { Self::Light } else { Self::Dark })
    }

    /// As the terminal answers when asked for its background: `rgb:ffff/ffff/ffff`, each part of one to four digits.
    #[must_use]
    pub fn by_answer(answer: &str) -> Option<Self> {
        let mut parts = answer.strip_prefix("rgb:")?.split('/').map(|part| {
            let digits = part.len().min(4);
            let most = (1_u32 << (4 * digits)) - 1;
            Some(u32::from_str_radix(part.get(..digits)?, 16).ok()? * 255 / most)
        });
        let (red, green, blue) = (parts.next()??, parts.next()??, parts.next()??);
        // How bright it looks.
        Some(if red * 299 + green * 587 + blue * 114 > 127 * 1000 {
            Self::Light
        } else {
            Self::Dark
        })
    }
}

/// A colour, on a dark ground, on a light one, and where nobody knows which: the named one of sixteen, and our own.
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

/// How things look.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    /// How many colours there are.
    pub depth: Depth,
    /// What they stand on; where nobody knows, only such are taken as can be read on either.
    pub ground: Option<BackgroundTone>,
}

impl Theme {
    fn colour(self, Hue(named, own): &Hue) -> Color {
        let place = match self.ground {
            Some(BackgroundTone::Dark) => 0,
            Some(BackgroundTone::Light) => 1,
            None => 2,
        };
        let [red, green, blue] = own[place];
        match self.depth {
            Depth::None => Color::Reset,
            Depth::Sixteen => named[place],
            Depth::Many => Color::Indexed(nearest([red, green, blue])),
            Depth::True => Color::Rgb(red, green, blue),
        }
    }

    fn with(self, hue: &Hue) -> Style {
        match self.colour(hue) {
            Color::Reset => Style::new(),
            colour => Style::new().fg(colour),
        }
    }

    /// Of a family of events.
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

    /// Something went wrong.
    #[must_use]
    pub fn error(self) -> Style {
        self.with(&RED).add_modifier(Modifier::BOLD)
    }

    /// Something to look at.
    #[must_use]
    pub fn warning(self) -> Style {
        self.with(&AMBER).add_modifier(Modifier::BOLD)
    }

    /// All is well.
    #[must_use]
    pub fn good(self) -> Style {
        self.with(&GREEN)
    }

    /// What is hidden.
    #[must_use]
    pub fn masked(self) -> Style {
        self.with(&VIOLET).add_modifier(Modifier::ITALIC)
    }

    /// What stands in the background. Not every terminal makes something of faintness, and some too much.
    #[must_use]
    pub fn quiet(self) -> Style {
        match self.depth {
            Depth::None | Depth::Sixteen => Style::new().add_modifier(Modifier::DIM),
            Depth::Many | Depth::True => self.with(&GREY),
        }
    }

    /// A heading.
    #[must_use]
    pub const fn heading(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What the cursor is on.
    #[must_use]
    pub const fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Nobody may overlook it.
    #[must_use]
    pub fn alarm(self) -> Style {
        match self.depth {
            Depth::None => Style::new().add_modifier(Modifier::BOLD.union(Modifier::REVERSED)),
            Depth::Sixteen => {
                Style::new().fg(Color::White).bg(Color::Red).add_modifier(Modifier::BOLD)
            }
            Depth::Many => Style::new()
                .fg(Color::Indexed(231))
                .bg(Color::Indexed(124))
                .add_modifier(Modifier::BOLD),
            Depth::True => Style::new()
                .fg(Color::Rgb(255, 255, 255))
                .bg(Color::Rgb(175, 0, 0))
                .add_modifier(Modifier::BOLD),
        }
    }

    /// A key in the footer.
    #[must_use]
    pub fn key(self) -> Style {
        self.with(&CYAN).add_modifier(Modifier::BOLD)
    }
}

/// The levels of each part in the cube of 216 that follow the sixteen.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The nearest of the 256: in the cube, or among the greys behind it.
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

    /// The colour of that number among the 256.
    fn indexed(number: u8) -> [u8; 3] {
        if number >= 232 {
            return [8 + 10 * (number - 232); 3];
        }
        let place = number - 16;
        [place / 36, place / 6 % 6, place % 6].map(|level| LEVELS[usize::from(level)])
    }

    /// WCAG 2.1, contrast ratio.
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
    fn every_colour_can_be_read_on_its_ground() {
        // Black and what is common instead; white and what is common instead.
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
            // On both, no more than 4.58 is possible.
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
    fn of_sixteen_none_is_taken_that_is_pale_on_light() {
        for Hue([_, on_light, on_either], _) in HUES {
            for colour in [on_light, on_either] {
                let is_pale =
                    matches!(colour, Color::Yellow | Color::Cyan | Color::White | Color::Gray);
                assert!(!is_pale && !format!("{colour:?}").starts_with("Light"), "{colour:?}");
            }
            assert!(
                !matches!(on_either, Color::Blue | Color::Black),
                "nor is one that is dark, where nobody knows"
            );
        }
        let theme = Theme { depth: Depth::Sixteen, ground: Some(BackgroundTone::Light) };
        assert_eq!(theme.warning().fg, Some(Color::Magenta));
        assert_eq!(
            Theme { ground: Some(BackgroundTone::Dark), ..theme }.warning().fg,
            Some(Color::Yellow)
        );
        assert_eq!(Theme { ground: None, ..theme }.warning().fg, Some(Color::Magenta));
    }

    #[test]
    fn the_terminal_is_known_by_what_it_says() {
        assert_eq!(Depth::detect("xterm-256color", ""), Depth::Many);
        assert_eq!(Depth::detect("xterm-256color", "truecolor"), Depth::True);
        assert_eq!(Depth::detect("linux", ""), Depth::Sixteen);
        assert_eq!(BackgroundTone::by_number("15;0"), Some(BackgroundTone::Dark));
        assert_eq!(BackgroundTone::by_number("0;default;15"), Some(BackgroundTone::Light));
        assert_eq!(BackgroundTone::by_number("default"), None);
        assert_eq!(BackgroundTone::by_answer("rgb:ffff/fafa/e3e3"), Some(BackgroundTone::Light));
        assert_eq!(BackgroundTone::by_answer("rgb:1e/1e/2e"), Some(BackgroundTone::Dark));
        for wrong in ["", "rgb:", "rgb:ff/ff", "rgb:xx/00/00", "#ffffff", "rgb:é/é/é"] {
            assert_eq!(BackgroundTone::by_answer(wrong), None, "{wrong}");
        }
    }
}
