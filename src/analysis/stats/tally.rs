//! Values by name, with bounded memory.
//!
//! The names come from the wire, so a sender can invent any number of them. A tally keeps a limited
//! number of names of limited length, and one value for all other names.

use crate::analysis::byte_budget::{MAX_NAME_BYTES, truncated};

/// A value for each of the first names, and one value for all names after them.
#[derive(Debug, Clone)]
pub struct Tally<V> {
    /// The names and their values, in the order in which the names came.
    entries: Vec<(Box<str>, V)>,
    /// The places in `entries`, in the order of the names.
    by_name: Vec<usize>,
    other: Option<Box<V>>,
    limit: usize,
}

impl<V: Default> Tally<V> {
    /// Creates a tally that keeps at most `limit` names.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { entries: Vec::new(), by_name: Vec::new(), other: None, limit }
    }

    /// Returns the place of a name in `by_name`, or the place where it belongs.
    fn search(&self, name: &str) -> Result<usize, usize> {
        self.by_name.binary_search_by(|at| (*self.entries[*at].0).cmp(name))
    }

    /// Returns the value for a name, which is the default at first.
    pub fn entry(&mut self, name: &str) -> &mut V {
        let name = truncated(name, MAX_NAME_BYTES);
        let at = match self.search(name) {
            Ok(place) => self.by_name[place],
            Err(_) if self.entries.len() >= self.limit => {
                return self.other.get_or_insert_default();
            }
            Err(place) => {
                self.by_name.insert(place, self.entries.len());
                self.entries.push((name.into(), V::default()));
                self.entries.len() - 1
            }
        };
        &mut self.entries[at].1
    }

    /// Returns the value for a name that is counted separately.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&V> {
        let place = self.search(truncated(name, MAX_NAME_BYTES)).ok()?;
        Some(&self.entries[self.by_name[place]].1)
    }

    /// Returns how many more names can be counted separately.
    #[must_use]
    pub const fn room(&self) -> usize {
        self.limit - self.entries.len()
    }

    /// Returns whether every name is counted separately, so that [`merge`](Self::merge) of this
    /// tally has the same result as counting its names one by one.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.other.is_none()
    }

    /// Adds the values of a tally that [is complete](Self::is_complete). Its names are added in the
    /// order in which they came, because the first ones are counted separately.
    pub fn merge(&mut self, other: &Self, add: impl Fn(&mut V, &V)) {
        other.entries.iter().for_each(|(name, value)| add(self.entry(name), value));
        if let Some(value) = &other.other {
            add(self.other.get_or_insert_default(), value);
        }
    }

    /// Iterates over the names and their values, in the order of the names.
    pub fn named(&self) -> impl Iterator<Item = (&str, &V)> {
        self.by_name.iter().map(|at| {
            let (name, value) = &self.entries[*at];
            (&**name, value)
        })
    }

    /// Returns the value of all other names.
    #[must_use]
    pub fn other(&self) -> Option<&V> {
        self.other.as_deref()
    }

    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Removes a name that is counted separately.
    pub fn remove(&mut self, name: &str) {
        if let Ok(place) = self.search(truncated(name, MAX_NAME_BYTES)) {
            let removed = self.by_name.remove(place);
            self.entries.remove(removed);
            self.by_name.iter_mut().for_each(|at| *at -= usize::from(*at > removed));
        }
    }

    /// Returns the number of names that are counted separately.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the approximate memory use, in bytes. `of_value` returns that of a value besides its
    /// struct.
    #[must_use]
    pub fn bytes(&self, of_value: impl Fn(&V) -> usize) -> usize {
        let entry = size_of::<(Box<str>, V)>() + size_of::<usize>();
        let names = self.entries.iter().map(|(name, value)| name.len() + of_value(value));
        entry * self.entries.capacity() + names.sum::<usize>()
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
    fn merging_parts_is_like_counting_one_by_one() {
        let tally = |names: &str, limit| {
            let mut tally = Tally::<u64>::new(limit);
            names
                .split(' ')
                .filter(|name| !name.is_empty())
                .for_each(|name| *tally.entry(name) += 1);
            tally
        };
        for (first, second) in [
            ("", "c b a"),
            ("a b", "b c a"),
            ("a b", "e d c d b e"),
            ("a b c", "d b e"),
            ("a b c d", "d b"),
            ("a", "d c b a"),
        ] {
            let part = tally(second, 100);
            assert!(part.is_complete());
            let mut merged = tally(first, 3);
            merged.merge(&part, |own, other| *own += other);
            let one_by_one = tally(&format!("{first} {second}"), 3);
            assert_eq!(
                merged.sorted(|count| *count),
                one_by_one.sorted(|count| *count),
                "{first} and {second}"
            );
        }
        assert!(!tally("a b c d", 3).is_complete());
    }

    #[test]
    fn a_removed_name_makes_room_and_the_others_keep_their_values() {
        let mut tally = Tally::<u64>::new(3);
        for (name, value) in [("c", 3), ("a", 1), ("b", 2)] {
            *tally.entry(name) = value;
        }
        tally.remove("a");
        tally.remove("unknown");
        *tally.entry("d") = 4;
        assert_eq!(tally.named().collect::<Vec<_>>(), [("b", &2), ("c", &3), ("d", &4)]);
        assert_eq!((tally.get("c"), tally.get("a"), tally.len()), (Some(&3), None, 3));
    }

    #[test]
    fn long_names_are_truncated() {
        let mut tally = Tally::<u64>::new(2);
        *tally.entry(&"é".repeat(1 << 20)) += 1;
        assert_eq!(tally.named().next().map(|(name, _)| name.len()), Some(MAX_NAME_BYTES));
    }
}
