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
        [Color::Green, Color::Blue, Color::Green],
        [[125, 210, 140], [15, 110, 50], [30, 135, 60]],
    ),
    Shade(
        [Color::LightGreen, Color::Blue, Color::Green],
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

/// A contrast of at least 7 on a black or white background, which WCAG 2.1 calls enhanced.
pub static HIGH_CONTRAST: Palette = Palette([
    Shade([Color::LightRed, Color::Red, Color::Red], [[255, 165, 165], [135, 0, 0], [214, 62, 62]]),
    Shade(
        [Color::LightYellow, Color::Magenta, Color::Magenta],
        [[255, 215, 0], [90, 45, 0], [160, 107, 0]],
    ),
    Shade(
        [Color::LightGreen, Color::Blue, Color::Green],
        [[95, 255, 135], [0, 75, 20], [30, 135, 60]],
    ),
    Shade(
        [Color::LightGreen, Color::Blue, Color::Green],
        [[215, 255, 95], [55, 70, 0], [103, 127, 0]],
    ),
    Shade(
        [Color::LightCyan, Color::Blue, Color::Reset],
        [[95, 255, 255], [0, 70, 85], [0, 130, 145]],
    ),
    Shade(
        [Color::LightCyan, Color::Blue, Color::Reset],
        [[175, 205, 255], [0, 40, 150], [73, 112, 218]],
    ),
    Shade(
        [Color::LightCyan, Color::Blue, Color::Reset],
        [[175, 230, 255], [0, 60, 115], [20, 124, 183]],
    ),
    Shade(
        [Color::LightMagenta, Color::Magenta, Color::Magenta],
        [[255, 175, 255], [95, 0, 135], [162, 83, 201]],
    ),
    Shade(NO_COLOUR, [[200, 200, 200], [68, 68, 68], [118, 118, 118]]),
]);

/// Errors, warnings, good states and hidden values differ also for people with one kind of cones
/// less: good is blue, and the others differ from each other in brightness.
pub static COLOUR_BLIND: Palette = Palette([
    Shade([Color::LightRed, Color::Red, Color::Red], [[255, 110, 80], [200, 20, 10], [222, 54, 0]]),
    Shade(
        [Color::LightYellow, Color::Reset, Color::Magenta],
        [[235, 235, 40], [50, 25, 0], [162, 96, 130]],
    ),
    Shade(
        [Color::LightCyan, Color::Blue, Color::Reset],
        [[60, 225, 225], [0, 60, 240], [42, 108, 250]],
    ),
    Shade(
        [Color::White, Color::Reset, Color::Reset],
        [[200, 205, 130], [80, 95, 30], [103, 127, 0]],
    ),
    Shade(
        [Color::LightBlue, Color::Blue, Color::Reset],
        [[165, 205, 255], [0, 100, 125], [0, 130, 145]],
    ),
    Shade(
        [Color::LightBlue, Color::Blue, Color::Reset],
        [[120, 160, 255], [20, 75, 190], [73, 112, 218]],
    ),
    Shade(
        [Color::LightCyan, Color::Blue, Color::Reset],
        [[150, 205, 235], [0, 90, 150], [20, 124, 183]],
    ),
    Shade(
        [Color::LightMagenta, Color::Magenta, Color::Magenta],
        [[215, 110, 240], [175, 30, 165], [138, 100, 186]],
    ),
    Shade(NO_COLOUR, [[160, 160, 160], [95, 95, 95], [118, 118, 118]]),
]);

/// Little saturation, with the contrast of [`DEFAULT`].
pub static SOFT: Palette = Palette([
    Shade(
        [Color::LightRed, Color::Red, Color::Red],
        [[220, 150, 150], [145, 65, 70], [174, 95, 96]],
    ),
    Shade(
        [Color::Yellow, Color::Magenta, Color::Magenta],
        [[215, 185, 135], [125, 90, 35], [142, 112, 60]],
    ),
    Shade(
        [Color::Green, Color::Blue, Color::Green],
        [[155, 195, 160], [55, 105, 70], [70, 130, 84]],
    ),
    Shade(
        [Color::Green, Color::Blue, Color::Green],
        [[185, 195, 145], [85, 100, 45], [106, 123, 60]],
    ),
    Shade(
        [Color::Cyan, Color::Blue, Color::Reset],
        [[150, 190, 200], [45, 100, 110], [60, 126, 136]],
    ),
    Shade(
        [Color::LightBlue, Color::Blue, Color::Reset],
        [[160, 180, 220], [70, 85, 150], [94, 115, 180]],
    ),
    Shade(
        [Color::Cyan, Color::Blue, Color::Reset],
        [[165, 190, 210], [55, 90, 125], [76, 120, 160]],
    ),
    Shade(
        [Color::LightMagenta, Color::Magenta, Color::Magenta],
        [[195, 170, 215], [110, 70, 130], [140, 101, 164]],
    ),
    Shade(NO_COLOUR, [[160, 160, 160], [95, 95, 95], [118, 118, 118]]),
]);
