//! The built-in themes.

use ratatui::style::Color;

use super::colour::ThemeColour;
use super::detection::{BackgroundTone, Depth};
use super::palette::{self, Hue, Palette};

/// The name of a theme.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ThemeName {
    /// Suits the background of the terminal.
    #[default]
    Auto,
    /// Has a dark background of its own.
    Dark,
    /// Has a light background of its own.
    Light,
    /// Has black and white and strong colours.
    HighContrast,
    /// Tells states apart without red and green.
    ColourBlind,
    /// Has pale colours.
    Soft,
    /// Has no hue, only bold, italic and grey text.
    Mono,
    /// Is defined by the configuration.
    Custom,
}

/// The colours of the background and of usual text: named, and as RGB.
pub(super) struct Ground {
    pub named: [Color; 2],
    pub rgb: [[u8; 3]; 2],
}

const DARK: Ground =
    Ground { named: [Color::Black, Color::Gray], rgb: [[24, 24, 27], [225, 225, 225]] };
const LIGHT: Ground =
    Ground { named: [Color::Gray, Color::Black], rgb: [[250, 250, 250], [30, 30, 30]] };
const BLACK: Ground = Ground { named: [Color::Black, Color::White], rgb: [[0; 3], [255; 3]] };
const WHITE: Ground = Ground { named: [Color::White, Color::Black], rgb: [[255; 3], [0; 3]] };

impl ThemeName {
    /// All themes.
    pub const ALL: [Self; 8] = [
        Self::Auto,
        Self::Dark,
        Self::Light,
        Self::HighContrast,
        Self::ColourBlind,
        Self::Soft,
        Self::Mono,
        Self::Custom,
    ];

    /// Returns the name that the user types.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Dark => "dark",
            Self::Light => "light",
            Self::HighContrast => "high-contrast",
            Self::ColourBlind => "colour-blind",
            Self::Soft => "soft",
            Self::Mono => "mono",
            Self::Custom => "custom",
        }
    }

    /// Returns a description for help and completion.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Auto => "Suits the background of the terminal",
            Self::Dark => "Dark, with a background of its own",
            Self::Light => "Light, with a background of its own",
            Self::HighContrast => "Strong colours on black or white",
            Self::ColourBlind => "States differ without red and green",
            Self::Soft => "Pale colours",
            Self::Mono => "No hue: bold, italic and grey text",
            Self::Custom => "The theme of the configuration",
        }
    }

    /// Returns the theme of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        let name = name.replace("color", "colour");
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }

    pub(super) const fn palette(self) -> &'static Palette {
        match self {
            Self::Auto | Self::Dark | Self::Light | Self::Mono | Self::Custom => &palette::DEFAULT,
            Self::HighContrast => &palette::HIGH_CONTRAST,
            Self::ColourBlind => &palette::COLOUR_BLIND,
            Self::Soft => &palette::SOFT,
        }
    }

    /// Returns whether the theme shows a hue at all.
    pub(super) const fn has_hue(self, hue: Hue) -> bool {
        !matches!(self, Self::Mono) || matches!(hue, Hue::Grey)
    }

    /// Returns the tone of the background: that of the theme, or else that of the terminal.
    pub(super) const fn tone(self, terminal: Option<BackgroundTone>) -> Option<BackgroundTone> {
        match (self, terminal) {
            (Self::Dark, _) | (Self::HighContrast, None) => Some(BackgroundTone::Dark),
            (Self::Light, _) => Some(BackgroundTone::Light),
            _ => terminal,
        }
    }

    /// Returns the background of the theme, if it has its own.
    pub(super) const fn ground(self, tone: Option<BackgroundTone>) -> Option<Ground> {
        match (self, tone) {
            (Self::Dark, _) => Some(DARK),
            (Self::Light, _) => Some(LIGHT),
            (Self::HighContrast, Some(BackgroundTone::Light)) => Some(WHITE),
            (Self::HighContrast, _) => Some(BLACK),
            _ => None,
        }
    }
}

impl Ground {
    /// Returns the background and the colour of text as a terminal of that depth can show them.
    pub fn at(&self, depth: Depth) -> [Color; 2] {
        match depth {
            Depth::Sixteen => self.named,
            _ => self.rgb.map(|colour| ThemeColour::Rgb(colour).at(depth)),
        }
    }
}
