//! How far each of many things has come, such as a form or a call, by its id.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

/// How many things are followed at once. An id takes some twenty bytes.
const MOST: usize = 100_000;

/// The same for all, so that what was followed in parts can be put together.
static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Which steps, by bits, each thing has taken.
#[derive(Debug, Clone, Default)]
pub struct StepTracker {
    steps: HashMap<u64, StepState>,
    lost: u64,
}

/// What one thing has done.
#[derive(Debug, Clone, Copy, Default)]
struct StepState {
    taken: u8,
    /// How often it took one.
    times: u32,
}

impl StepTracker {
    /// The thing of that id has taken a step.
    pub fn step(&mut self, id: Option<&str>, step: u8) {
        match id {
            Some(id) => self.add(KEY.hash_one(id), StepState { taken: step, times: 1 }),
            None => self.lost += 1,
        }
    }

    fn add(&mut self, id: u64, steps: StepState) {
        if self.steps.len() < MOST || self.steps.contains_key(&id) {
            let known = self.steps.entry(id).or_default();
            known.taken |= steps.taken;
            known.times = known.times.saturating_add(steps.times);
        } else {
            self.lost += u64::from(steps.times);
        }
    }

    /// Whether adding all of another gives what following its steps one by one would, in whatever order they came: there is
    /// room for all things in it, or was none before.
    #[must_use]
    pub fn has_room(&self, other: &Self) -> bool {
        let (own, others) = (self.steps.len(), other.steps.len());
        let new = || other.steps.keys().filter(|id| !self.steps.contains_key(id)).count();
        others < MOST && (own >= MOST || own + others <= MOST || own + new() <= MOST)
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        self.lost += other.lost;
        for (id, steps) in &other.steps {
            self.add(*id, *steps);
        }
    }

    /// How many have taken these steps, and none of those.
    #[must_use]
    pub fn count(&self, taken: u8, missing: u8) -> u64 {
        self.steps
            .values()
            .filter(|steps| steps.taken & taken == taken && steps.taken & missing == 0)
            .count() as u64
    }

    /// How often something took a step that could not be followed.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_counted_once_whatever_they_do_and_only_so_many() {
        let mut followed = StepTracker::default();
        for (id, step) in [("a", 1), ("a", 1), ("b", 1), ("a", 2), ("c", 2)] {
            followed.step(Some(id), step);
        }
        followed.step(None, 1);
        assert_eq!(
            (followed.count(1, 0), followed.count(2, 0), followed.count(1, 2), followed.lost()),
            (2, 2, 1, 1)
        );
        for number in 0..MOST * 2 {
            followed.step(Some(&number.to_string()), 1);
        }
        assert_eq!(followed.steps.len(), MOST);
        followed.step(Some("a"), 4);
        assert_eq!(followed.count(4, 0), 1, "who is known stays so");

        let mut part = StepTracker::default();
        for (id, step) in [("a", 8), ("new", 8), ("new", 16)] {
            part.step(Some(id), step);
        }
        assert!(followed.has_room(&part) && !part.has_room(&followed));
        let lost = followed.lost();
        followed.merge(&part);
        assert_eq!(
            (followed.count(8, 0), followed.lost()),
            (1, lost + 2),
            "as if they had come one by one"
        );
    }
}
