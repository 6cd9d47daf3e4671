//! Colours and text styles.
//!
//! A terminal with sixteen colours uses the palette of its user, so only colours that are usually
//! readable on the background are used. A terminal with more colours gets fixed ones, chosen for
//! the contrast ratio of 4.5 that WCAG 2.1 requires for text. Without colours, bold, italic and
//! reversed text carry the same information.
//!
//! A theme that has a background of its own is readable on every terminal. Any other one suits the
//! background of the terminal, or if that is unknown, both a dark and a light one.

mod colour;
mod custom;
mod detection;
mod name;
mod palette;
mod role;
#[cfg(test)]
mod tests;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

use colour::nearest;
pub use colour::{contrast, indexed};
pub use custom::{CustomTheme, ThemeEntries};
pub use detection::{BackgroundTone, Depth};
pub use name::ThemeName;
pub use role::StyleRole;

/// The theme: which style each kind of text has on this terminal.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    /// The number of available colours.
    pub depth: Depth,
    /// The tone of the background of the terminal, if it is known.
    pub background: Option<BackgroundTone>,
    /// The chosen theme.
    pub name: ThemeName,
    /// The theme of the configuration, which [`ThemeName::Custom`] stands for.
    pub custom: Option<CustomTheme>,
}

impl Theme {
    /// Creates the theme that suits the background.
    #[must_use]
    pub const fn new(depth: Depth, background: Option<BackgroundTone>) -> Self {
        Self { depth, background, name: ThemeName::Auto, custom: None }
    }

    /// Returns the names of the themes that can be chosen.
    pub fn names(self) -> impl Iterator<Item = ThemeName> {
        let has_custom = self.custom.is_some();
        ThemeName::ALL.into_iter().filter(move |name| *name != ThemeName::Custom || has_custom)
    }

    /// Returns the theme of the configuration, if it is the chosen one.
    fn chosen_custom(&self) -> Option<&CustomTheme> {
        self.custom.as_ref().filter(|_| self.name == ThemeName::Custom)
    }

    /// Returns the built-in theme that has the colours which the configuration does not give.
    fn base(&self) -> ThemeName {
        self.chosen_custom().map_or(self.name, |custom| custom.base)
    }

    /// Returns the tone of what is behind the text, if it is known.
    #[must_use]
    pub fn tone(&self) -> Option<BackgroundTone> {
        let own = self.chosen_custom().and_then(|custom| custom.background?.tone());
        own.or_else(|| self.base().tone(self.background))
    }

    /// Returns the colours of the background and of usual text; those of the terminal are
    /// [`Color::Reset`].
    #[must_use]
    pub fn ground(&self) -> [Color; 2] {
        let base = self.base().ground(self.tone()).map(|ground| ground.at(self.depth));
        let mut ground = base.unwrap_or([Color::Reset; 2]);
        if let Some(custom) = self.chosen_custom() {
            for (colour, own) in ground.iter_mut().zip([custom.background, custom.foreground]) {
                *colour = own.map_or(*colour, |own| own.at(self.depth));
            }
        }
        ground
    }

    /// Gives the cells without colours those of the theme. Call it when everything is drawn.
    pub fn paint(self, buffer: &mut Buffer) {
        let [background, foreground] = self.ground();
        if background == Color::Reset && foreground == Color::Reset {
            return;
        }
        for cell in &mut buffer.content {
            if cell.bg == Color::Reset {
                cell.bg = background;
            }
            if cell.fg == Color::Reset {
                cell.fg = foreground;
            }
        }
    }

    /// Returns the style of a role: its colour, without bold or italic text.
    #[must_use]
    pub fn role(self, role: StyleRole) -> Style {
        let own = self.chosen_custom().and_then(|custom| custom.roles[role as usize]);
        let colour = own.map_or_else(|| self.built_in(role), |own| own.at(self.depth));
        match colour {
            Color::Reset => Style::new(),
            colour => Style::new().fg(colour),
        }
    }

    /// Returns the colour of a role in the built-in theme.
    fn built_in(self, role: StyleRole) -> Color {
        let (theme, hue) = (self.base(), role.hue());
        if !theme.has_hue(hue) {
            return Color::Reset;
        }
        let (named, [red, green, blue]) = theme.palette().colour(hue, self.tone());
        match self.depth {
            Depth::None => Color::Reset,
            Depth::Sixteen => named,
            Depth::Indexed256 => Color::Indexed(nearest([red, green, blue])),
            Depth::TrueColour => Color::Rgb(red, green, blue),
        }
    }

    /// Returns the style of a family of events.
    #[must_use]
    pub fn family(self, family: &str) -> Style {
        StyleRole::of_family(family).map_or_else(Style::new, |role| self.role(role))
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
            Depth::None => Style::new().add_modifier(Modifier::DIM),
            Depth::Sixteen if self.role(StyleRole::Quiet) == Style::new() => {
                Style::new().add_modifier(Modifier::DIM)
            }
            _ => self.role(StyleRole::Quiet),
        }
    }

    /// Returns the style of headings.
    #[must_use]
    #[allow(clippy::unused_self, reason = "a style like the others, which depend on the theme")]
    pub const fn heading(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Returns the style of titles on a border, which would be as dim as the border otherwise.
    #[must_use]
    #[allow(clippy::unused_self, reason = "a style like the others, which depend on the theme")]
    pub const fn title(self) -> Style {
        Style::new().remove_modifier(Modifier::DIM)
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
