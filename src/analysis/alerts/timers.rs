//! The next deadlines in a workspace.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::millis::Millis;

/// The number of timers that no longer apply and are kept in any case.
const KEPT: usize = 16;

/// The deadline of a key of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    /// When it passes.
    pub at: Millis,
    /// The index of the rule.
    pub rule: u16,
    /// The place of the key in the rule.
    pub place: u32,
}

/// The deadlines of a workspace.
///
/// A timer that no longer applies stays until its time has come, which is cheaper than finding it,
/// unless there are too many of them. The rule finds out whether one still applies.
#[derive(Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<Timer>>,
    /// The number of timers that no longer apply, about.
    stale: usize,
}

impl Timers {
    /// Adds a timer.
    pub fn insert(&mut self, timer: Timer) {
        self.heap.push(Reverse(timer));
    }

    /// Notes that one of the timers no longer applies.
    pub const fn note_stale(&mut self) {
        self.stale += 1;
    }

    /// Notes that a timer which no longer applied has passed.
    pub const fn note_passed(&mut self) {
        self.stale = self.stale.saturating_sub(1);
    }

    /// Returns the first timer.
    #[must_use]
    pub fn first(&self) -> Option<Timer> {
        self.heap.peek().map(|Reverse(first)| *first)
    }

    /// Removes the first timer.
    pub fn pop(&mut self) -> Option<Timer> {
        self.heap.pop().map(|Reverse(first)| first)
    }

    /// Returns whether most timers no longer apply.
    #[must_use]
    pub fn needs_cleaning(&self) -> bool {
        self.stale > KEPT + self.heap.len() / 2
    }

    /// Keeps the timers that apply.
    pub fn clean(&mut self, applies: impl Fn(Timer) -> bool) {
        self.heap.retain(|Reverse(timer)| applies(*timer));
        self.heap.shrink_to(2 * self.heap.len());
        self.stale = 0;
    }
}
