//! Colours and text styles.
//!
//! A terminal with sixteen colours uses the palette of its user, so only colours that are usually
//! readable on the background are used. A terminal with more colours gets fixed ones, chosen for
//! the contrast ratio of 4.5 that WCAG 2.1 requires for text. Without colours, bold, italic and
//! reversed text carry the same information.

mod colour;
mod detection;
mod palette;
mod role;

use ratatui::style::{Color, Modifier, Style};

use colour::nearest;
pub use detection::{BackgroundTone, Depth};
use palette::DEFAULT;
pub use role::StyleRole;

/// The theme: which style each kind of text has on this terminal.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    /// The number of available colours.
    pub depth: Depth,
    /// The tone of the background. If it is `None`, all colours are readable on either tone.
    pub background: Option<BackgroundTone>,
}

impl Theme {
    /// Creates the default theme.
    #[must_use]
    pub const fn new(depth: Depth, background: Option<BackgroundTone>) -> Self {
        Self { depth, background }
    }

    /// Returns the style of a role: its colour, without bold or italic text.
    #[must_use]
    pub fn role(self, role: StyleRole) -> Style {
        let (named, [red, green, blue]) = DEFAULT.colour(role.hue(), self.background);
        let colour = match self.depth {
            Depth::None => Color::Reset,
            Depth::Sixteen => named,
            Depth::Indexed256 => Color::Indexed(nearest([red, green, blue])),
            Depth::TrueColour => Color::Rgb(red, green, blue),
        };
        match colour {
            Color::Reset => Style::new(),
            colour => Style::new().fg(colour),
        }
    }

    /// Returns the style of a family of events.
    #[must_use]
    pub fn family(self, family: &str) -> Style {
        StyleRole::of_family(family).map_or_else(Style::new, |role| self.role(role))
    }

    /// Returns the style of a series or part in a chart. There are four; a symbol or a texture has
    /// to tell them apart, too.
    #[must_use]
    pub fn series(self, index: usize) -> Style {
        self.role(StyleRole::SERIES[index % StyleRole::SERIES.len()])
    }

    /// Returns the style of errors.
    #[must_use]
    pub fn error(self) -> Style {
        self.role(StyleRole::Error).add_modifier(Modifier::BOLD)
    }

    /// Returns the style of warnings.
    #[must_use]
    pub fn warning(self) -> Style {
        self.role(StyleRole::Warning).add_modifier(Modifier::BOLD)
    }

    /// Returns the style of good states.
    #[must_use]
    pub fn good(self) -> Style {
        self.role(StyleRole::Good)
    }

    /// Returns the style of hidden values.
    #[must_use]
    pub fn masked(self) -> Style {
        self.role(StyleRole::Masked).add_modifier(Modifier::ITALIC)
    }

    /// Returns the style of unimportant text. Uses a grey rather than dim text if possible, because
    /// terminals differ in how they show dim text.
    #[must_use]
    pub fn quiet(self) -> Style {
        match self.depth {
            Depth::None | Depth::Sixteen => Style::new().add_modifier(Modifier::DIM),
            Depth::Indexed256 | Depth::TrueColour => self.role(StyleRole::Quiet),
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
        self.role(StyleRole::Key).add_modifier(Modifier::BOLD)
    }
}

#[cfg(test)]
mod tests {
    use super::colour::{contrast, indexed};
    use super::palette::Shade;
    use super::*;

    #[test]
    fn every_colour_has_enough_contrast_with_its_background() {
        // Black and white, and common alternatives.
        let dark = [[0, 0, 0], [30, 30, 30], [40, 42, 54]];
        let light = [[255, 255, 255], [253, 246, 227], [245, 245, 245]];
        for Shade(_, [on_dark, on_light, on_either]) in &DEFAULT.0 {
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
        for Shade([_, on_light, on_either], _) in &DEFAULT.0 {
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
        let theme = Theme::new(Depth::Sixteen, Some(BackgroundTone::Light));
        assert_eq!(theme.warning().fg, Some(Color::Magenta));
        assert_eq!(
            Theme { background: Some(BackgroundTone::Dark), ..theme }.warning().fg,
            Some(Color::Yellow)
        );
        assert_eq!(Theme { background: None, ..theme }.warning().fg, Some(Color::Magenta));
    }
}
