//! Tracks which steps each of many items, such as forms or calls, has taken.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

/// The number of items that are tracked. Each takes some twenty bytes.
const MAX_ITEMS: usize = 100_000;

/// The hash function of the ids. All trackers share it, so that they can be merged.
static ID_HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// The steps that items have taken, by the hash of their ids.
#[derive(Debug, Clone, Default)]
pub struct StepTracker {
    items: HashMap<u64, ItemSteps>,
    untracked: u64,
}

/// The steps of one item.
#[derive(Debug, Clone, Copy, Default)]
struct ItemSteps {
    /// The steps as a set of bits.
    taken: u8,
    /// The number of times that the item took a step.
    times: u32,
}

impl StepTracker {
    /// Records that an item has taken a step, which is one bit.
    pub fn step(&mut self, id: Option<&str>, step: u8) {
        match id {
            Some(id) => self.add(ID_HASHER.hash_one(id), ItemSteps { taken: step, times: 1 }),
            None => self.untracked += 1,
        }
    }

    fn add(&mut self, id: u64, steps: ItemSteps) {
        if self.items.len() < MAX_ITEMS || self.items.contains_key(&id) {
            let item = self.items.entry(id).or_default();
            item.taken |= steps.taken;
            item.times = item.times.saturating_add(steps.times);
        } else {
            self.untracked += u64::from(steps.times);
        }
    }

    /// Whether [`merge`](Self::merge) gives the same result as recording the other's steps one by
    /// one in any order: there is room for all its items, or there was none before.
    #[must_use]
    pub fn has_room(&self, other: &Self) -> bool {
        let (own, others) = (self.items.len(), other.items.len());
        let new = || other.items.keys().filter(|id| !self.items.contains_key(id)).count();
        others < MAX_ITEMS
            && (own >= MAX_ITEMS || own + others <= MAX_ITEMS || own + new() <= MAX_ITEMS)
    }

    /// Adds the other's steps.
    pub fn merge(&mut self, other: &Self) {
        self.untracked += other.untracked;
        for (id, steps) in &other.items {
            self.add(*id, *steps);
        }
    }

    /// Returns the number of items that have taken all steps in `taken` and none in `missing`.
    #[must_use]
    pub fn count(&self, taken: u8, missing: u8) -> u64 {
        self.items
            .values()
            .filter(|item| item.taken & taken == taken && item.taken & missing == 0)
            .count() as u64
    }

    /// Returns the number of steps of items that are not tracked.
    #[must_use]
    pub const fn untracked(&self) -> u64 {
        self.untracked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_counted_once_and_tracked_up_to_the_limit() {
        let mut tracker = StepTracker::default();
        for (id, step) in [("a", 1), ("a", 1), ("b", 1), ("a", 2), ("c", 2)] {
            tracker.step(Some(id), step);
        }
        tracker.step(None, 1);
        let counts = [tracker.count(1, 0), tracker.count(2, 0), tracker.count(1, 2)];
        assert_eq!((counts, tracker.untracked()), ([2, 2, 1], 1));
        for number in 0..MAX_ITEMS * 2 {
            tracker.step(Some(&number.to_string()), 1);
        }
        assert_eq!(tracker.items.len(), MAX_ITEMS);
        tracker.step(Some("a"), 4);
        assert_eq!(tracker.count(4, 0), 1, "a tracked item stays tracked");

        let mut part = StepTracker::default();
        for (id, step) in [("a", 8), ("new", 8), ("new", 16)] {
            part.step(Some(id), step);
        }
        assert!(tracker.has_room(&part) && !part.has_room(&tracker));
        let untracked = tracker.untracked();
        tracker.merge(&part);
        assert_eq!(
            (tracker.count(8, 0), tracker.untracked()),
            (1, untracked + 2),
            "as if the steps were recorded one by one"
        );
    }
}
