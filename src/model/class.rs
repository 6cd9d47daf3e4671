//! The classes of protected health information, of which every declared field has one, and the kinds of value that are hidden.

use std::fmt;

/// Who may see a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Annotated `x-phi` by the platform, in any version of its contract. Hidden.
    Phi,
    /// Not annotated, yet plainly identifying. Hidden.
    Sensitive,
    /// Prose that people or models write. Shown, with what looks like an identifier masked in it.
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

    /// Why it is so, in words.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::Phi => "hidden, as the platform has annotated it as protected health information",
            Self::Sensitive => "hidden, as it plainly identifies somebody, annotated or not",
            Self::Free => "prose, shown with what looks like an identifier masked in it",
            Self::Open => "shown",
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

/// What kind of value a hidden field holds. A pseudonym is made within its domain, so that one telephone number has one
/// pseudonym in every field that holds telephone numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Domain {
    /// A telephone number.
    Phone,
    /// An email address, or what else a message is sent to.
    Address,
    /// Somebody's name.
    Name,
    /// Anything else.
    Text,
}

impl Domain {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Phone, Self::Address, Self::Name, Self::Text];

    /// Its name in pseudonyms and in `schema --phi`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Address => "address",
            Self::Name => "name",
            Self::Text => "text",
        }
    }
}
