//! Sets of event types.

use crate::model::Kind;
use crate::query::TypeFilter;

/// A set of declared events, with or without the undeclared ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds {
    bits: u128,
    /// Undeclared events are in the set.
    pub unknown: bool,
}

fn all() -> impl Iterator<Item = Kind> {
    Kind::ALL.iter().chain(Kind::OWN).copied()
}

impl Kinds {
    /// The empty set.
    pub const NONE: Self = Self { bits: 0, unknown: false };

    /// Returns the declared events that satisfy a condition; `unknown` adds the undeclared ones.
    #[must_use]
    pub fn matching(unknown: bool, condition: impl Fn(Kind) -> bool) -> Self {
        Self {
            bits: all()
                .filter(|kind| condition(*kind))
                .fold(0, |bits, kind| bits | 1 << kind as u8),
            unknown,
        }
    }

    /// Returns the events that a type filter matches. Its patterns may match undeclared types.
    #[must_use]
    pub fn from_filter(types: &TypeFilter) -> Self {
        Self::matching(true, |kind| types.matches(kind.spec().event_type))
    }

    /// Returns the set of one event.
    #[must_use]
    pub const fn one(kind: Kind) -> Self {
        Self { bits: 1 << kind as u8, unknown: false }
    }

    /// Returns whether an event is in the set.
    #[must_use]
    pub const fn has(self, kind: Kind) -> bool {
        self.bits & 1 << kind as u8 != 0
    }

    /// Iterates over the declared events in the set.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        all().filter(move |kind| self.has(*kind))
    }

    /// Returns the intersection.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { bits: self.bits & other.bits, unknown: self.unknown && other.unknown }
    }

    /// Returns the union.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self { bits: self.bits | other.bits, unknown: self.unknown || other.unknown }
    }

    /// Returns the events that are in this set only.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self { bits: self.bits & !other.bits, unknown: self.unknown && !other.unknown }
    }

    /// Returns whether the set is empty: no declared and no undeclared event is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.bits == 0 && !self.unknown
    }

    /// Returns whether no declared event is in the set.
    #[must_use]
    pub const fn has_no_declared(self) -> bool {
        self.bits == 0
    }

    /// Lists the declared events; of more than four, the first three and a count.
    #[must_use]
    pub fn names(self) -> String {
        let names: Vec<_> = self.iter().map(|kind| kind.spec().event_type).collect();
        match names.len() {
            0..=4 => names.join(", "),
            many => format!("{} and {} more", names[..3].join(", "), many - 3),
        }
    }
}
