//! Tracks which steps each of many items, such as forms or calls, has taken.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::LazyLock;

/// The number of items that are tracked by default: as many as a hash table of 2^19 places holds.
/// They take 9 MiB.
const MAX_ITEMS: usize = (1 << 19) / 8 * 7;

/// The memory of a place in the hash table, in bytes.
const ITEM_BYTES: usize = size_of::<(u64, u8)>() + 1;

/// The hash function of the ids. All trackers share it, so that they can be merged.
static ID_HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// The hash of an id, which needs no further hashing.
#[derive(Default)]
struct HashedId(u64);

impl Hasher for HashedId {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _bytes: &[u8]) {
        unreachable!("the key is a u64");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// The steps that items have taken, by the hash of their ids.
///
/// When the table is full, the items that have taken the last step are forgotten, because nothing
/// should follow. If they are few, further items are not tracked.
#[derive(Debug, Clone)]
pub struct StepTracker {
    /// The steps of each item as a set of bits.
    items: HashMap<u64, u8, BuildHasherDefault<HashedId>>,
    /// The number of items that are tracked at most.
    limit: usize,
    /// The step after which an item may be forgotten.
    last_step: u8,
    /// The number of tracked items that have taken the last step.
    finished: usize,
    /// For each step, the number of items that were forgotten after they had taken it.
    forgotten: [u64; 8],
    untracked: u64,
    /// The steps in the order in which they came, if they are only recorded.
    log: Option<Vec<(u64, u8)>>,
}

impl Default for StepTracker {
    fn default() -> Self {
        Self::new(MAX_ITEMS, 0)
    }
}

impl StepTracker {
    /// Creates a tracker of at most `limit` items, which may forget items that have taken
    /// `last_step`.
    #[must_use]
    pub fn new(limit: usize, last_step: u8) -> Self {
        Self {
            items: HashMap::default(),
            limit,
            last_step,
            finished: 0,
            forgotten: [0; 8],
            untracked: 0,
            log: None,
        }
    }

    /// Creates a tracker that only records steps, so that another one can [take](Self::merge) them.
    #[must_use]
    pub fn recording() -> Self {
        Self { log: Some(Vec::new()), ..Self::new(0, 0) }
    }

    /// Creates a tracker that may forget items that have taken `last_step`.
    #[must_use]
    pub fn with_last_step(last_step: u8) -> Self {
        Self::new(MAX_ITEMS, last_step)
    }

    /// Records that an item has taken steps, which are bits. Returns those that are new for it.
    pub fn step(&mut self, id: Option<&str>, steps: u8) -> u8 {
        let Some(id) = id else {
            self.untracked += 1;
            return 0;
        };
        let id = ID_HASHER.hash_one(id);
        if let Some(log) = &mut self.log {
            log.push((id, steps));
            return steps;
        }
        self.step_hashed(id, steps)
    }

    fn step_hashed(&mut self, id: u64, steps: u8) -> u8 {
        if self.items.len() >= self.limit && !self.items.contains_key(&id) {
            // Forgetting visits all items, so it must be worth it.
            if self.finished < (self.limit / 8).max(1) {
                self.untracked += 1;
                return 0;
            }
            self.forget();
        }
        self.take(id, steps)
    }

    /// Adds steps to an item, and returns those that are new for it.
    fn take(&mut self, id: u64, steps: u8) -> u8 {
        let taken = self.items.entry(id).or_default();
        let new = steps & !*taken;
        *taken |= steps;
        self.finished += usize::from(new & self.last_step != 0);
        new
    }

    /// Forgets the items that have taken the last step, but not how many there were.
    fn forget(&mut self) {
        let Self { items, last_step, forgotten, .. } = self;
        items.retain(|_, taken| {
            let is_kept = *taken & *last_step == 0;
            for (bit, number) in forgotten.iter_mut().enumerate() {
                *number += u64::from(!is_kept) & u64::from(*taken >> bit);
            }
            is_kept
        });
        self.finished = 0;
    }

    /// Takes the steps that another tracker has [recorded](Self::recording), in their order.
    pub fn merge(&mut self, recorded: &Self) {
        self.untracked += recorded.untracked;
        for (id, steps) in recorded.log.iter().flatten() {
            self.step_hashed(*id, *steps);
        }
    }

    /// Returns how many more items can be tracked before any is forgotten.
    #[must_use]
    pub fn room(&self) -> usize {
        self.limit - self.items.len()
    }

    /// Returns the number of steps that were [recorded](Self::recording).
    #[must_use]
    pub fn recorded(&self) -> usize {
        self.log.as_ref().map_or(0, Vec::len)
    }

    /// Returns the number of items that have taken a step.
    #[must_use]
    pub fn count(&self, step: u8) -> u64 {
        let forgotten = self.forgotten.get(step.trailing_zeros() as usize);
        let tracked = self.items.values().filter(|taken| **taken & step == step).count();
        tracked as u64 + forgotten.copied().unwrap_or_default()
    }

    /// Returns the number of tracked items that have taken the step `taken`, but not `missing`.
    /// `None` means that the number is not known, because some items are not tracked.
    #[must_use]
    pub fn count_without(&self, taken: u8, missing: u8) -> Option<u64> {
        let is_match = |steps: &&u8| **steps & taken == taken && **steps & missing == 0;
        (self.untracked == 0).then(|| self.items.values().filter(is_match).count() as u64)
    }

    /// Returns the number of steps of items that are not tracked.
    #[must_use]
    pub const fn untracked(&self) -> u64 {
        self.untracked
    }

    /// Returns the approximate memory use, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.items.capacity() * 8 / 7 * ITEM_BYTES
    }

    /// Returns the most memory that [`bytes`](Self::bytes) can return after `more` further steps.
    #[must_use]
    pub fn max_bytes_after(&self, more: usize) -> usize {
        // A hash table that is more than half full may double, and the smallest has a few places.
        self.bytes().max((self.items.len() + more + 8) * 8 / 7 * 4 * ITEM_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_counted_once_and_tracked_up_to_the_limit() {
        let mut tracker = StepTracker::default();
        for (id, step, new) in [("a", 1, 1), ("a", 1, 0), ("b", 1, 1), ("a", 3, 2), ("c", 2, 2)] {
            assert_eq!(tracker.step(Some(id), step), new, "{id} {step}");
        }
        let counts = [tracker.count(1), tracker.count(2)];
        assert_eq!((counts, tracker.count_without(1, 2)), ([2, 2], Some(1)));
        assert_eq!((tracker.step(None, 1), tracker.count_without(1, 2)), (0, None));
        for number in 0..MAX_ITEMS * 2 {
            tracker.step(Some(&number.to_string()), 1);
        }
        assert_eq!(tracker.items.len(), MAX_ITEMS);
        assert!(tracker.bytes() < 10 << 20, "{}", tracker.bytes());
        tracker.step(Some("a"), 4);
        assert_eq!(tracker.count(4), 1, "a tracked item stays tracked");
    }

    #[test]
    fn recorded_steps_are_taken_in_their_order() {
        let steps: Vec<_> = (0..100u8).map(|at| (at % 41, 1 << (at % 3))).collect();
        for limit in [8, 20, 100] {
            let mut one_by_one = StepTracker::new(limit, 2);
            let mut merged = one_by_one.clone();
            for part in steps.chunks(7) {
                let mut recorded = StepTracker::recording();
                for (id, step) in part {
                    recorded.step(Some(&id.to_string()), *step);
                    one_by_one.step(Some(&id.to_string()), *step);
                }
                recorded.step(None, 1);
                one_by_one.step(None, 1);
                let max_bytes = merged.max_bytes_after(part.len());
                merged.merge(&recorded);
                assert!(merged.bytes() <= max_bytes, "{} > {max_bytes}", merged.bytes());
            }
            assert_eq!(merged.items, one_by_one.items, "{limit}");
            assert_eq!(merged.finished, one_by_one.finished, "{limit}");
            for step in [1, 2, 4] {
                assert_eq!(merged.count(step), one_by_one.count(step), "{limit} {step}");
            }
            assert_eq!(merged.untracked(), one_by_one.untracked(), "{limit}");
        }
    }

    #[test]
    fn finished_items_make_room_and_stay_counted() {
        let mut tracker = StepTracker::with_last_step(2);
        let total = MAX_ITEMS * 2 + 10;
        for number in 0..total {
            let id = number.to_string();
            tracker.step(Some(&id), 1);
            if number % 5 > 0 {
                tracker.step(Some(&id), 2);
            }
        }
        let ongoing = total.div_ceil(5) as u64;
        assert_eq!(tracker.count_without(1, 2), Some(ongoing));
        assert_eq!((tracker.count(1), tracker.count(2)), (total as u64, total as u64 - ongoing));
    }
}
