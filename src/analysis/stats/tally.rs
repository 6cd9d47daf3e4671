//! Values by name, with bounded memory.
//!
//! The names come from the wire, so a sender can invent any number of them. A tally keeps a limited
//! number of names of limited length, and one value for all other names.

use std::collections::BTreeMap;

use crate::analysis::byte_budget::{MAX_NAME_BYTES, truncated};

/// A value for each of the first names, and one value for all names after them.
#[derive(Debug, Clone)]
pub struct Tally<V> {
    named: BTreeMap<Box<str>, V>,
    other: Option<Box<V>>,
    limit: usize,
}

impl<V: Default> Tally<V> {
    /// Creates a tally that keeps at most `limit` names.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { named: BTreeMap::new(), other: None, limit }
    }

    /// Returns the value for a name, which is the default at first.
    pub fn entry(&mut self, name: &str) -> &mut V {
        let name = truncated(name, MAX_NAME_BYTES);
        if self.named.len() >= self.limit && !self.named.contains_key(name) {
            return self.other.get_or_insert_default();
        }
        self.named.entry(name.into()).or_default()
    }

    /// Whether [`merge`](Self::merge) gives the same result as counting the other's names one by
    /// one in any order: there is room for all of them, or there was none before.
    #[must_use]
    pub fn has_room(&self, other: &Self) -> bool {
        let new = || other.named.keys().filter(|name| !self.named.contains_key(*name)).count();
        other.other.is_none()
            && (self.named.len() >= self.limit || self.named.len() + new() <= self.limit)
    }

    /// Adds the other's values.
    pub fn merge(&mut self, other: &Self, add: impl Fn(&mut V, &V)) {
        other.named().for_each(|(name, value)| add(self.entry(name), value));
        if let Some(value) = &other.other {
            add(self.other.get_or_insert_default(), value);
        }
    }

    /// Iterates over the names and their values, in the order of the names.
    pub fn named(&self) -> impl Iterator<Item = (&str, &V)> {
        self.named.iter().map(|(name, value)| (&**name, value))
    }

    /// Returns the value of all other names.
    #[must_use]
    pub fn other(&self) -> Option<&V> {
        self.other.as_deref()
    }

    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// Removes a name that is counted separately.
    pub fn remove(&mut self, name: &str) {
        self.named.remove(truncated(name, MAX_NAME_BYTES));
    }

    /// Returns the number of names that are counted separately.
    #[must_use]
    pub fn len(&self) -> usize {
        self.named.len()
    }

    /// Returns all values, the one with the highest `by` first. `None` stands for all other names
    /// and comes last.
    pub fn sorted(&self, by: impl Fn(&V) -> u64) -> Vec<(Option<&str>, &V)> {
        let mut all: Vec<_> = self.named().map(|(name, value)| (Some(name), value)).collect();
        all.sort_by_key(|(_, value)| std::cmp::Reverse(by(value)));
        all.extend(self.other().map(|other| (None, other)));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_limit_share_one_value() {
        let mut tally = Tally::<u64>::new(2);
        for name in ["a", "b", "c", "a", "d", "b", "a"] {
            *tally.entry(name) += 1;
        }
        assert_eq!(tally.sorted(|count| *count), [(Some("a"), &3), (Some("b"), &2), (None, &2)]);
    }

    #[test]
    fn a_tally_with_room_merges_like_counting_one_by_one() {
        let tally = |names: &str| {
            let mut tally = Tally::<u64>::new(3);
            names
                .split(' ')
                .filter(|name| !name.is_empty())
                .for_each(|name| *tally.entry(name) += 1);
            tally
        };
        for (first, second, expected) in [
            ("", "c b a", true),
            ("a b", "b c a", true),
            ("a b", "d c", false),
            ("a b c", "d b e", true),
            ("a b c d", "d b", true),
            ("a", "d c b a", false),
        ] {
            let mut merged = tally(first);
            assert_eq!(merged.has_room(&tally(second)), expected, "{first} and {second}");
            if expected {
                merged.merge(&tally(second), |own, other| *own += other);
                let one_by_one = tally(&format!("{first} {second}"));
                assert_eq!(
                    merged.sorted(|count| *count),
                    one_by_one.sorted(|count| *count),
                    "{first} and {second}"
                );
            }
        }
    }

    #[test]
    fn long_names_are_truncated() {
        let mut tally = Tally::<u64>::new(2);
        *tally.entry(&"é".repeat(1 << 20)) += 1;
        assert_eq!(tally.named().next().map(|(name, _)| name.len()), Some(MAX_NAME_BYTES));
    }
}
