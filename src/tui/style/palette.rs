//! The colours of the built-in themes.
//!
//! Each hue has a colour for a dark, a light and an unknown background: as one of the 16 named
//! colours, which are those of the user, and as RGB.

use ratatui::style::Color;

use super::detection::BackgroundTone;

/// A hue, as the default theme shows it. Another theme may use another colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hue {
    Red,
    Amber,
    Green,
    Lime,
    Cyan,
    Blue,
    Sky,
    Violet,
    Grey,
}

/// A colour for a dark, a light and an unknown background: named, and as RGB.
pub struct Shade(pub(super) [Color; 3], pub(super) [[u8; 3]; 3]);

/// The colours of a theme, in the order of [`Hue`].
pub struct Palette(pub(super) [Shade; 9]);

impl Palette {
    /// Returns the colour of a hue as one of the 16 named colours, and as RGB.
    pub(super) const fn colour(
        &self,
        hue: Hue,
        background: Option<BackgroundTone>,
    ) -> (Color, [u8; 3]) {
        let place = match background {
            Some(BackgroundTone::Dark) => 0,
            Some(BackgroundTone::Light) => 1,
            None => 2,
        };
        let Shade(named, rgb) = &self.0[hue as usize];
        (named[place], rgb[place])
    }
}

const NO_COLOUR: [Color; 3] = [Color::Reset; 3];

/// A contrast of at least 4.5 with the background, as WCAG 2.1 requires for text.
pub static DEFAULT: Palette = Palette([
    Shade(
        [Color::LightRed, Color::Red, Color::Red],
        [[255, 122, 122], [185, 20, 30], [214, 62, 62]],
    ),
    Shade(
        [Color::Yellow, Color::Magenta, Color::Magenta],
        [[240, 190, 90], [135, 85, 0], [160, 107, 0]],
    ),
    Shade(
        [Color::Green, Color::Green, Color::Green],
        [[125, 210, 140], [15, 110, 50], [30, 135, 60]],
    ),
    Shade(
        [Color::LightGreen, Color::Green, Color::Green],
        [[185, 215, 100], [80, 105, 0], [103, 127, 0]],
    ),
    Shade(
        [Color::Cyan, Color::Blue, Color::Reset],
        [[105, 205, 220], [0, 100, 120], [0, 130, 145]],
    ),
    Shade(
        [Color::LightBlue, Color::Blue, Color::Reset],
        [[140, 175, 255], [35, 75, 190], [73, 112, 218]],
    ),
    Shade(
        [Color::LightCyan, Color::Blue, Color::Reset],
        [[150, 200, 240], [0, 90, 150], [20, 124, 183]],
    ),
    Shade(
        [Color::LightMagenta, Color::Magenta, Color::Magenta],
        [[215, 155, 255], [125, 45, 160], [162, 83, 201]],
    ),
    Shade(NO_COLOUR, [[160, 160, 160], [95, 95, 95], [118, 118, 118]]),
]);
