//! Sets of event types.

use crate::model::Kind;
use crate::query::TypeFilter;

/// Some of the declared events, and perhaps those that nobody has declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds {
    bits: u128,
    /// Events of types that the model doesn't have.
    pub unknown: bool,
}

fn all() -> impl Iterator<Item = Kind> {
    Kind::ALL.iter().chain(Kind::OWN).copied()
}

impl Kinds {
    /// None at all.
    pub const NONE: Self = Self { bits: 0, unknown: false };

    /// Those that satisfy a condition.
    #[must_use]
    pub fn matching(unknown: bool, condition: impl Fn(Kind) -> bool) -> Self {
        Self {
            bits: all()
                .filter(|kind| condition(*kind))
                .fold(0, |bits, kind| bits | 1 << kind as u8),
            unknown,
        }
    }

    /// Those that the options keep. A pattern can match what nobody has declared.
    #[must_use]
    pub fn from_filter(types: &TypeFilter) -> Self {
        Self::matching(true, |kind| types.has(kind.spec().event_type))
    }

    /// The one.
    #[must_use]
    pub const fn one(kind: Kind) -> Self {
        Self { bits: 1 << kind as u8, unknown: false }
    }

    /// Whether it is among them.
    #[must_use]
    pub const fn has(self, kind: Kind) -> bool {
        self.bits & 1 << kind as u8 != 0
    }

    /// The declared ones.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        all().filter(move |kind| self.has(*kind))
    }

    /// In both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { bits: self.bits & other.bits, unknown: self.unknown && other.unknown }
    }

    /// In either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self { bits: self.bits | other.bits, unknown: self.unknown || other.unknown }
    }

    /// In this one alone.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self { bits: self.bits & !other.bits, unknown: self.unknown && !other.unknown }
    }

    /// Whether no event is in it, not even one that nobody has declared.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.bits == 0 && !self.unknown
    }

    /// Whether no declared event is in it.
    #[must_use]
    pub const fn has_no_declared(self) -> bool {
        self.bits == 0
    }

    /// Their names, the first few of many.
    #[must_use]
    pub fn names(self) -> String {
        let names: Vec<_> = self.iter().map(|kind| kind.spec().event_type).collect();
        match names.len() {
            0..=4 => names.join(", "),
            many => format!("{} and {} more", names[..3].join(", "), many - 3),
        }
    }
}
