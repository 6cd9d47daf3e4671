//! The classes of protected health information. Every declared field has one.

use std::fmt;

/// Who may see a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Annotated `x-phi` by the platform, in any version of its contract. Hidden.
    Phi,
    /// Not annotated, yet plainly identifying. Hidden.
    Sensitive,
    /// Prose that people or models write. Shown.
    Free,
    /// The rest. Shown.
    Open,
}

impl Class {
    /// Its name in `schema`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Phi => "phi",
            Self::Sensitive => "sensitive",
            Self::Free => "free",
            Self::Open => "open",
        }
    }

    /// Whether the value is hidden unless somebody asks for it by name.
    #[must_use]
    pub const fn is_hidden(self) -> bool {
        matches!(self, Self::Phi | Self::Sensitive)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
