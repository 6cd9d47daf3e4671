//! Colours: the sixteen that every terminal has and its owner has chosen, so that they can be read on light and dark alike.
//! Without colours, weight and reversal tell the same.

use ratatui::style::{Color, Modifier, Style};

/// How things look.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    /// Whether there are colours.
    pub colours: bool,
}

impl Theme {
    fn with(self, colour: Color) -> Style {
        if self.colours { Style::new().fg(colour) } else { Style::new() }
    }

    /// Of a family of events.
    #[must_use]
    pub fn family(self, family: &str) -> Style {
        self.with(match family {
            "tap" => Color::Red,
            "call" => Color::Green,
            "observer" => Color::Cyan,
            "operator" => Color::Yellow,
            "surface" | "review" => Color::Blue,
            "text" | "channel" => Color::LightGreen,
            "pipeline" | "trigger" => Color::LightBlue,
            _ => Color::Reset,
        })
    }

    /// Something went wrong.
    #[must_use]
    pub fn error(self) -> Style {
        self.with(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// Something to look at.
    #[must_use]
    pub fn warning(self) -> Style {
        self.with(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    /// All is well.
    #[must_use]
    pub fn good(self) -> Style {
        self.with(Color::Green)
    }

    /// What is hidden.
    #[must_use]
    pub fn masked(self) -> Style {
        self.with(Color::Magenta).add_modifier(Modifier::ITALIC)
    }

    /// What stands in the background.
    #[must_use]
    pub const fn quiet(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
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
        if self.colours {
            Style::new().fg(Color::White).bg(Color::Red).add_modifier(Modifier::BOLD)
        } else {
            Style::new().add_modifier(Modifier::BOLD.union(Modifier::REVERSED))
        }
    }

    /// A key in the footer.
    #[must_use]
    pub fn key(self) -> Style {
        self.with(Color::Cyan).add_modifier(Modifier::BOLD)
    }
}
