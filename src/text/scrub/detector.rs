//! What a detector looks for, and what a text must contain before its pattern is tried.

/// What is looked for.
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
    /// All of them.
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

    /// Its name.
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

/// One shape of an identifier.
pub(super) struct DetectorRule {
    pub detector: Detector,
    /// What of it tells, before anything is searched, whether it can be in a text at all.
    pub least: Requirement,
    /// Its first group, if it has one, is what is masked.
    pub pattern: &'static str,
    /// Whether it must stand by itself, and not be a part of something longer such as an id.
    pub alone: bool,
    /// Whether what the pattern matches is one.
    pub accepts: fn(&str) -> bool,
}

/// What there must at least be in a text for an identifier to be in it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Requirement {
    /// So many digits.
    Digits(usize),
    /// A digit and a colon.
    Colon,
    /// An `@`.
    At,
    /// A `?` that something follows at once, as nothing does in prose.
    Query,
}
