//! The states of a rule's keys, in bounded memory.

use std::sync::Arc;

use serde_json::Value;

use super::gaps::{AffectedStreams, GapView, KnownGap};
use super::key_states::{KeyStates, NOWHERE};
use super::key_table::{KeyId, KeyTable};
use super::millis::Millis;
use super::rule::{
    Change, EventRoles, EvictedKey, Phase, Rule, RuleEvent, RuleForm, RuleScope, Standing,
};
use super::timers::Timer;
use crate::analysis::byte_budget::ByteBudget;
use crate::model::catalog::value::{AlertReason, AlertState};

/// The memory of a key besides its state and its text, in bytes: its place in the table of keys, the
/// counts of the text, a timer that applies and one that does not, and a place among the raised
/// alerts or those that are pending in the end.
const KEY_BYTES: usize = 2 * 24 + 12 + 32 + 2 * 2 * size_of::<Timer>() + 32;

/// A rule of a form, and what it remembers of each key.
///
/// If there are too many keys, the one that has had no event for the longest time is evicted, which
/// is reported.
pub struct KeyedRule<F: RuleForm> {
    index: u16,
    form: F,
    streams: AffectedStreams,
    states: KeyStates<F::State>,
    /// The keys with a raised alert: the number of the workspace, and the place.
    raised: Vec<(u32, u32)>,
    budget: ByteBudget,
    changes: Vec<Change>,
}

impl<F: RuleForm> KeyedRule<F> {
    /// Creates the rule with this index, which remembers at most `limit` bytes.
    #[must_use]
    pub fn new(index: u16, form: F, streams: AffectedStreams, limit: usize) -> Self {
        Self {
            index,
            form,
            streams,
            states: KeyStates::new(),
            raised: Vec::new(),
            budget: ByteBudget::new(limit),
            changes: Vec::new(),
        }
    }

    /// Returns the place of a key, which is added.
    fn add(&mut self, key: KeyId, keys: &mut KeyTable) -> u32 {
        keys.retain(key);
        let place = self.states.insert(key);
        let bytes = KEY_BYTES + KeyStates::<F::State>::BYTES + keys.text(key).len();
        self.states.get_mut(place).bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.budget.replace(0, bytes);
        place
    }

    /// Removes a key and returns its state, and whether it had a timer.
    fn remove(&mut self, place: u32) -> (F::State, bool) {
        self.end_raised(place);
        let entry = self.states.get(place);
        self.budget.replace(entry.bytes as usize + entry.heap_bytes as usize, 0);
        let had_timer = entry.timer().is_some();
        (self.states.remove(place), had_timer)
    }

    /// Removes a key from the raised alerts, if it is there.
    fn end_raised(&mut self, place: u32) {
        let at = std::mem::replace(&mut self.states.get_mut(place).raised, NOWHERE);
        if at == NOWHERE {
            return;
        }
        self.raised.swap_remove(at as usize);
        if let Some((_, moved)) = self.raised.get(at as usize) {
            self.states.get_mut(*moved).raised = at;
        }
    }

    /// Updates the timer, the memory and the raised alerts of a key whose state has changed, and
    /// passes the changes on.
    fn settle(&mut self, place: u32, scope: &mut RuleScope<'_>) {
        let entry = self.states.get_mut(place);
        let key = entry.key;
        if !self.changes.is_empty() {
            let text = scope.keys.text(key);
            scope.changes.extend(self.changes.drain(..).map(|change| (Arc::clone(text), change)));
        }
        if self.form.is_idle(&entry.state) {
            let (_, had_timer) = self.remove(place);
            if had_timer {
                scope.timers.note_stale();
            }
            scope.keys.release(key);
            return;
        }
        // A timer that is too early finds that out itself, which is cheaper than moving it each time.
        if let Some(deadline) = self.form.deadline(&entry.state)
            && entry.timer().is_none_or(|timer| deadline < timer)
        {
            if entry.set_timer(Some(deadline)) {
                scope.timers.note_stale();
            }
            scope.timers.insert(Timer { at: deadline, rule: self.index, place });
        }
        let heap_bytes = self.form.heap_bytes(&entry.state);
        if heap_bytes != entry.heap_bytes as usize {
            self.budget.replace(entry.heap_bytes as usize, heap_bytes);
            entry.heap_bytes = u32::try_from(heap_bytes).unwrap_or(u32::MAX);
        }
        let standing = self.form.standing(&entry.state);
        let is_raised = standing.is_some_and(|standing| standing.phase == Phase::Raised);
        if is_raised && entry.raised == NOWHERE {
            entry.raised = u32::try_from(self.raised.len()).unwrap_or(NOWHERE);
            self.raised.push((scope.workspace, place));
        } else if !is_raised {
            self.end_raised(place);
        }
    }

    /// Evicts keys until the rest has room. The newest one stays.
    fn evict(&mut self, at: Millis, scope: &mut RuleScope<'_>) {
        while self.budget.is_exceeded() && self.states.len() > 1 {
            let Some(place) = self.states.oldest() else { return };
            let key = self.states.get(place).key;
            let workspace = scope.keys.workspace(key);
            let (state, had_timer) = self.remove(place);
            self.budget.evict(0);
            let standing = self.form.standing(&state);
            let (since, count) =
                standing.map_or((at, 0), |standing| (standing.since, standing.count));
            let change = Change {
                at,
                state: AlertState::Unknown,
                since,
                count,
                value: None,
                reason: AlertReason::Evicted,
            };
            let text = Arc::clone(scope.keys.text(key));
            scope.keys.release(key);
            scope.evicted.push(EvictedKey { workspace, key: text, had_timer, change });
        }
    }
}

impl<F: RuleForm> Rule for KeyedRule<F> {
    fn begins(&self, roles: EventRoles) -> bool {
        self.form.begins(roles)
    }

    fn event(&mut self, key: KeyId, event: &RuleEvent, scope: &mut RuleScope<'_>) {
        let place = match self.states.find(key) {
            Some(place) => {
                self.states.touch(place);
                place
            }
            None if self.form.begins(event.roles) => self.add(key, scope.keys),
            None => return,
        };
        let gaps = GapView::new(scope.gaps, self.streams, scope.keys.text(key));
        let state = &mut self.states.get_mut(place).state;
        self.form.event(state, event, &gaps, &mut self.changes);
        self.settle(place, scope);
        self.evict(event.at, scope);
    }

    fn due(&mut self, timer: Timer, scope: &mut RuleScope<'_>) {
        let Timer { at, place, .. } = timer;
        // The timer may be an earlier one, or that of a key which is no longer there.
        if !self.has_timer(timer) {
            scope.timers.note_passed();
            return;
        }
        let entry = self.states.get_mut(place);
        entry.set_timer(None);
        if self.form.deadline(&entry.state).is_some_and(|deadline| deadline <= at) {
            let gaps = GapView::new(scope.gaps, self.streams, scope.keys.text(entry.key));
            self.form.due(&mut entry.state, at, &gaps, &mut self.changes);
        }
        self.settle(place, scope);
    }

    fn has_timer(&self, timer: Timer) -> bool {
        self.states.get(timer.place).timer() == Some(timer.at)
    }

    fn key_of(&self, timer: Timer) -> KeyId {
        self.states.get(timer.place).key
    }

    fn gap(&mut self, gap: &KnownGap, at: Millis, scope: &mut RuleScope<'_>) {
        let number = scope.workspace;
        let of_workspace = self.raised.iter().filter(|(workspace, _)| *workspace == number);
        let mut affected: Vec<_> = of_workspace
            .map(|(_, place)| (scope.keys.text(self.states.get(*place).key), *place))
            .filter(|(key, _)| self.streams.has(gap, key))
            .map(|(key, place)| (Arc::clone(key), place))
            .collect();
        affected.sort_unstable();
        for (_, place) in affected {
            self.form.gap(&mut self.states.get_mut(place).state, gap, at, &mut self.changes);
            self.settle(place, scope);
        }
    }

    fn for_each_standing(&self, visit: &mut dyn FnMut(KeyId, Standing)) {
        for entry in self.states.iter() {
            if let Some(standing) = self.form.standing(&entry.state) {
                visit(entry.key, standing);
            }
        }
    }

    #[cfg(test)]
    fn used_bytes(&self) -> usize {
        self.budget.used()
    }

    fn save(&self, keys: &KeyTable, out: &mut Vec<u8>) {
        out.push(b'[');
        // The key that is evicted first comes first, so that restoring keeps the order.
        for (number, entry) in self.states.iter().enumerate() {
            let start = out.len();
            if number > 0 {
                out.push(b',');
            }
            let (workspace, key) = (keys.workspace(entry.key), &**keys.text(entry.key));
            if serde_json::to_writer(&mut *out, &(workspace, key, &entry.state)).is_err() {
                out.truncate(start);
            }
        }
        out.push(b']');
    }

    fn restore(&mut self, key: KeyId, state: Value, scope: &mut RuleScope<'_>) {
        let Ok(state) = serde_json::from_value(state) else { return };
        let place = self.states.find(key).unwrap_or_else(|| self.add(key, scope.keys));
        self.states.get_mut(place).state = state;
        self.settle(place, scope);
    }
}
