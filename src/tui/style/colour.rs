//! Colours that the user names, and how a terminal with fewer colours shows them.

use ratatui::style::Color;

use super::detection::{BackgroundTone, Depth};
use crate::query::suggest;

/// The levels of red, green and blue in the 6×6×6 colour cube of xterm, which starts at index 16.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The 16 named colours in the order of their indexes, as xterm shows them.
const NAMED: [(&str, Color, [u8; 3]); 16] = [
    ("black", Color::Black, [0, 0, 0]),
    ("red", Color::Red, [205, 0, 0]),
    ("green", Color::Green, [0, 205, 0]),
    ("yellow", Color::Yellow, [205, 205, 0]),
    ("blue", Color::Blue, [0, 0, 238]),
    ("magenta", Color::Magenta, [205, 0, 205]),
    ("cyan", Color::Cyan, [0, 205, 205]),
    ("white", Color::Gray, [229, 229, 229]),
    ("bright-black", Color::DarkGray, [127, 127, 127]),
    ("bright-red", Color::LightRed, [255, 0, 0]),
    ("bright-green", Color::LightGreen, [0, 255, 0]),
    ("bright-yellow", Color::LightYellow, [255, 255, 0]),
    ("bright-blue", Color::LightBlue, [92, 92, 255]),
    ("bright-magenta", Color::LightMagenta, [255, 0, 255]),
    ("bright-cyan", Color::LightCyan, [0, 255, 255]),
    ("bright-white", Color::White, [255, 255, 255]),
];

/// The name of the colour that the terminal uses for text or for its background.
const DEFAULT: &str = "default";

/// A colour that the user chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThemeColour {
    /// That of the terminal.
    Default,
    /// One of the 256 colours of xterm, the first 16 of which the user of the terminal chooses.
    Indexed(u8),
    /// Red, green and blue.
    Rgb([u8; 3]),
}

impl ThemeColour {
    /// Parses a colour: `#rrggbb`, `#rgb`, an index from 0 to 255, a name such as `bright-blue`, or
    /// `default`.
    ///
    /// # Errors
    /// Fails if it is none of these. Returns the reason, and what to do instead.
    pub fn parse(text: &str) -> Result<Self, (String, String)> {
        let wrong = |advice: String| ("no such colour".to_owned(), advice);
        if let Some(digits) = text.strip_prefix('#') {
            return hexadecimal(digits).map(Self::Rgb).ok_or_else(|| {
                wrong("write # and six hexadecimal digits, as in #ff8700".to_owned())
            });
        }
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            let advice = "give an index from 0 to 255, or a colour such as #ff8700".to_owned();
            return text.parse().map(Self::Indexed).map_err(|_| wrong(advice));
        }
        // `_`, a space and the other spelling are as good.
        let name = text.to_lowercase().replace(['_', ' '], "-").replace("light-", "bright-");
        if name == DEFAULT {
            return Ok(Self::Default);
        }
        let name = if matches!(name.as_str(), "grey" | "gray") { "bright-black" } else { &name };
        let index = (0..).zip(NAMED).find(|(_, (known, ..))| *known == name);
        index.map(|(index, _)| Self::Indexed(index)).ok_or_else(|| {
            let names = NAMED.iter().map(|(name, ..)| *name).chain([DEFAULT]);
            wrong(suggest::nearest(name, names).map_or_else(
                || "give a name such as bright-blue, an index or #ff8700".to_owned(),
                |meant| format!("did you mean {meant}?"),
            ))
        })
    }

    /// Returns the colour as a terminal of that depth can show it.
    #[must_use]
    pub fn at(self, depth: Depth) -> Color {
        match (self, depth) {
            (Self::Default, _) | (_, Depth::None) => Color::Reset,
            (Self::Indexed(index), _) if index < 16 => NAMED[usize::from(index)].1,
            (Self::Indexed(index), Depth::Sixteen) => nearest_named(indexed(index)),
            (Self::Indexed(index), _) => Color::Indexed(index),
            (Self::Rgb(colour), Depth::Sixteen) => nearest_named(colour),
            (Self::Rgb(colour), Depth::Indexed256) => Color::Indexed(nearest(colour)),
            (Self::Rgb([red, green, blue]), Depth::TrueColour) => Color::Rgb(red, green, blue),
        }
    }

    /// Returns the tone of a background of that colour, if it is known.
    #[must_use]
    pub fn tone(self) -> Option<BackgroundTone> {
        match self {
            Self::Default => None,
            Self::Indexed(index) => Some(BackgroundTone::of(indexed(index))),
            Self::Rgb(colour) => Some(BackgroundTone::of(colour)),
        }
    }
}

fn hexadecimal(digits: &str) -> Option<[u8; 3]> {
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let number = u32::from_str_radix(digits, 16).ok()?;
    match digits.len() {
        3 => Some([8, 4, 0].map(|shift| u8::try_from((number >> shift) & 0xf).unwrap_or(0) * 0x11)),
        6 => Some([16, 8, 0].map(|shift| u8::try_from((number >> shift) & 0xff).unwrap_or(0))),
        _ => None,
    }
}

/// Returns the index of a close colour among the 256 of xterm: in the cube, or for a grey in the
/// ramp of greys, which starts at index 232.
pub fn nearest(colour: [u8; 3]) -> u8 {
    let step = |part: u8| {
        (0..6).min_by_key(|level| LEVELS[usize::from(*level)].abs_diff(part)).unwrap_or(0)
    };
    let [red, green, blue] = colour.map(step);
    if colour[0] == colour[1] && colour[1] == colour[2] {
        // The ramp has neither black nor white.
        return match colour[0] {
            0..4 => 16,
            247.. => 231,
            grey => 232 + (grey.saturating_sub(8) / 10).min(23),
        };
    }
    16 + 36 * red + 6 * green + blue
}

/// Returns the named colour that is closest as xterm shows it.
fn nearest_named(colour: [u8; 3]) -> Color {
    let distance = |other: [u8; 3]| {
        let parts = colour.iter().zip(other);
        parts.map(|(one, other)| u32::from(one.abs_diff(other)).pow(2)).sum::<u32>()
    };
    let closest = NAMED.iter().min_by_key(|(.., other)| distance(*other));
    closest.map_or(Color::Reset, |(_, named, _)| *named)
}

/// Returns the colour with that index among the 256 of xterm.
#[must_use]
pub fn indexed(number: u8) -> [u8; 3] {
    match number {
        0..16 => NAMED[usize::from(number)].2,
        232.. => [8 + 10 * (number - 232); 3],
        _ => {
            let place = number - 16;
            [place / 36, place / 6 % 6, place % 6].map(|level| LEVELS[usize::from(level)])
        }
    }
}

/// Returns the contrast ratio as defined by WCAG 2.1.
#[must_use]
pub fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
    let luminance = |colour: [u8; 3]| {
        let [red, green, blue] = linear(colour);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Returns the parts of a colour of sRGB as linear light.
#[must_use]
pub fn linear(colour: [u8; 3]) -> [f64; 3] {
    colour.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_in_every_notation() {
        for (text, colour) in [
            ("#ff8700", ThemeColour::Rgb([255, 135, 0])),
            ("#F80", ThemeColour::Rgb([255, 136, 0])),
            ("208", ThemeColour::Indexed(208)),
            ("red", ThemeColour::Indexed(1)),
            ("Bright_Blue", ThemeColour::Indexed(12)),
            ("light blue", ThemeColour::Indexed(12)),
            ("grey", ThemeColour::Indexed(8)),
            ("default", ThemeColour::Default),
        ] {
            assert_eq!(ThemeColour::parse(text), Ok(colour), "{text}");
        }
    }

    #[test]
    fn wrong_colours_are_refused_with_a_suggestion() {
        for (text, advice) in [
            ("yelow", "did you mean yellow?"),
            ("bright-mgenta", "did you mean bright-magenta?"),
            ("#ff870", "write # and six"),
            ("#é", "write # and six"),
            ("#+12345", "write # and six"),
            ("256", "give an index"),
            ("", "give a name"),
            ("\u{1b}[31m", "give a name"),
        ] {
            let (why, given) = ThemeColour::parse(text).expect_err(text);
            assert!(why == "no such colour" && given.starts_with(advice), "{text}: {given}");
        }
    }

    #[test]
    fn a_terminal_with_fewer_colours_shows_a_close_one() {
        let orange = ThemeColour::Rgb([255, 135, 0]);
        assert_eq!(orange.at(Depth::TrueColour), Color::Rgb(255, 135, 0));
        assert_eq!(orange.at(Depth::Indexed256), Color::Indexed(208));
        assert_eq!(ThemeColour::Rgb([250, 10, 10]).at(Depth::Sixteen), Color::LightRed);
        assert_eq!(ThemeColour::Indexed(21).at(Depth::Sixteen), Color::Blue);
        assert_eq!(ThemeColour::Indexed(1).at(Depth::TrueColour), Color::Red);
        assert_eq!(ThemeColour::Indexed(21).at(Depth::Indexed256), Color::Indexed(21));
        assert_eq!(orange.at(Depth::None), Color::Reset);
    }
}
