//! The kinds of identifiers, and the form of the rules that find them.

/// A kind of identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Detector {
    /// A URL with a query.
    Url,
    /// An email address.
    Email,
    /// The number of a payment card.
    Card,
    /// A social security number.
    Ssn,
    /// The number of a medical record, a member or a policy, by the words before it.
    Record,
    /// A telephone number.
    Phone,
    /// A day.
    Date,
    /// An IP address.
    Ip,
}

impl Detector {
    /// All detectors.
    pub const ALL: &[Self] = &[
        Self::Url,
        Self::Email,
        Self::Card,
        Self::Ssn,
        Self::Record,
        Self::Phone,
        Self::Date,
        Self::Ip,
    ];

    /// Returns the name, as it appears in masks.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Email => "email",
            Self::Card => "card",
            Self::Ssn => "ssn",
            Self::Record => "record",
            Self::Phone => "phone",
            Self::Date => "date",
            Self::Ip => "ip",
        }
    }
}

/// A rule that finds one form of an identifier.
pub(super) struct DetectorRule {
    pub detector: Detector,
    /// What a text must contain for the pattern to be tried.
    pub requirement: Requirement,
    /// The regular expression. Its first group, if it has one, is masked, and otherwise the match.
    pub pattern: &'static str,
    /// Whether the match must not be part of something longer, such as an id.
    pub standalone: bool,
    /// Whether the text that the pattern matches is such an identifier.
    pub accepts: fn(&str) -> bool,
}

/// What a text must contain for a rule to match in it. It is quick to check.
#[derive(Debug, Clone, Copy)]
pub(super) enum Requirement {
    /// At least this many digits.
    Digits(usize),
    /// A digit and a colon.
    Colon,
    /// An `@`.
    At,
    /// A `?` with a character right after it that is not white space, unlike in prose.
    Query,
}
