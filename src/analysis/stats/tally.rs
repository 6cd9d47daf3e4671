//! Counts by what came over the wire, which may be invented: only so many names are told apart.

use std::collections::BTreeMap;

/// The longest name that is kept, in bytes.
const LONGEST: usize = 200;

/// Something for each name, and one for all names beyond the first so many.
#[derive(Debug, Clone)]
pub struct Tally<V> {
    named: BTreeMap<Box<str>, V>,
    other: Option<Box<V>>,
    most: usize,
}

impl<V: Default> Tally<V> {
    /// Tells so many names apart.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self { named: BTreeMap::new(), other: None, most }
    }

    /// What there is for that name.
    pub fn of(&mut self, name: &str) -> &mut V {
        let name = cut(name);
        if self.named.len() >= self.most && !self.named.contains_key(name) {
            return self.other.get_or_insert_default();
        }
        self.named.entry(name.into()).or_default()
    }

    /// Whether adding all of another gives what counting its names one by one would, in whatever order they came: there is
    /// room for all of them, or was none before.
    #[must_use]
    pub fn has_room(&self, other: &Self) -> bool {
        let new = || other.named.keys().filter(|name| !self.named.contains_key(*name)).count();
        other.other.is_none()
            && (self.named.len() >= self.most || self.named.len() + new() <= self.most)
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self, add: impl Fn(&mut V, &V)) {
        other.named().for_each(|(name, value)| add(self.of(name), value));
        if let Some(value) = &other.other {
            add(self.other.get_or_insert_default(), value);
        }
    }

    /// Each name with what there is for it, in order of the names.
    pub fn named(&self) -> impl Iterator<Item = (&str, &V)> {
        self.named.iter().map(|(name, value)| (&**name, value))
    }

    /// What there is for all other names.
    #[must_use]
    pub fn other(&self) -> Option<&V> {
        self.other.as_deref()
    }

    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// Everything by `by`, the most first; `None` is what all other names have.
    pub fn sorted(&self, by: impl Fn(&V) -> u64) -> Vec<(Option<&str>, &V)> {
        let mut all: Vec<_> = self.named().map(|(name, value)| (Some(name), value)).collect();
        all.sort_by_key(|(_, value)| std::cmp::Reverse(by(value)));
        all.extend(self.other().map(|other| (None, other)));
        all
    }
}

/// A name, without what is too long of it.
fn cut(name: &str) -> &str {
    if name.len() <= LONGEST {
        return name;
    }
    let end = (0..=LONGEST).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_so_many_names_all_are_one() {
        let mut tally = Tally::<u64>::new(2);
        for name in ["a", "b", "c", "a", "d", "b", "a"] {
            *tally.of(name) += 1;
        }
        assert_eq!(tally.sorted(|count| *count), [(Some("a"), &3), (Some("b"), &2), (None, &2)]);
    }

    #[test]
    fn what_has_room_can_be_added_in_any_order() {
        let tally = |names: &str| {
            let mut tally = Tally::<u64>::new(3);
            names.split(' ').filter(|name| !name.is_empty()).for_each(|name| *tally.of(name) += 1);
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
    fn no_name_is_long() {
        let mut tally = Tally::<u64>::new(2);
        *tally.of(&"é".repeat(1 << 20)) += 1;
        assert_eq!(tally.named().next().map(|(name, _)| name.len()), Some(LONGEST));
    }
}
