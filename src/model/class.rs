//! The classes that decide whether a field is shown, and the domains of hidden values.
//!
//! Every declared field has a [`Class`]. There is no default, so that no field is shown by
//! omission.

use std::fmt;

/// Whether a field is shown by default, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Annotated with `x-phi` in any version of the platform's contract. Hidden.
    Phi,
    /// Not annotated, but clearly identifies a person. Hidden.
    Sensitive,
    /// Prose written by people or models. Shown, with values that look like identifiers masked.
    Free,
    /// Any other field. Shown.
    Open,
}

impl Class {
    /// Returns the name in `schema`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Phi => "phi",
            Self::Sensitive => "sensitive",
            Self::Free => "free",
            Self::Open => "open",
        }
    }

    /// Returns a phrase that explains the class.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::Phi => {
                "hidden, because the platform annotates it as protected health information"
            }
            Self::Sensitive => "hidden, because it clearly identifies a person, annotated or not",
            Self::Free => "prose, shown with values that look like identifiers masked",
            Self::Open => "shown",
        }
    }

    /// Returns whether the value is hidden by default.
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

/// The kind of value that a hidden field contains.
///
/// A pseudonym depends on the domain and the value, so that a telephone number has the same
/// pseudonym in every field of telephone numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Domain {
    /// A telephone number.
    Phone,
    /// An email address, or another address that messages are sent to.
    Address,
    /// The name of a person.
    Name,
    /// Anything else.
    Text,
}

impl Domain {
    /// All domains.
    pub const ALL: &[Self] = &[Self::Phone, Self::Address, Self::Name, Self::Text];

    /// Returns the name in pseudonyms and in `schema --phi`.
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
