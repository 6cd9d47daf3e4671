//! The states of a rule's keys, in bounded memory.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Bound;
use std::sync::Arc;

use lru::LruCache;
use serde_json::Value;

use super::gaps::{AffectedStreams, GapView, KnownGap};
use super::millis::Millis;
use super::rule::{Change, EvictedKey, Phase, Rule, RuleEvent, RuleForm, RuleScope, Standing};
use crate::analysis::byte_budget::ByteBudget;
use crate::model::catalog::value::{AlertReason, AlertState};

/// The memory of an entry besides its state and its name, in bytes: the node of the cache and its
/// slots, the counts of the name, and the entries in the timers and in the raised alerts.
const ENTRY_BYTES: usize = 220;

/// A rule of a form, and what it remembers of each key.
///
/// The name of an entry is the number of the workspace, a colon, and the key. If there are too many
/// keys, the one that has had no event for the longest time is evicted, which is reported.
pub struct KeyedRule<F: RuleForm> {
    index: u16,
    form: F,
    streams: AffectedStreams,
    entries: LruCache<Arc<str>, Entry<F::State>>,
    /// The entries with a raised alert.
    raised: BTreeSet<Arc<str>>,
    budget: ByteBudget,
    name: String,
    changes: Vec<Change>,
}

struct Entry<S> {
    state: S,
    /// The time of its timer.
    timer: Option<Millis>,
    bytes: usize,
}

impl<F: RuleForm> KeyedRule<F> {
    /// Creates the rule with this index, which remembers at most `limit` bytes.
    #[must_use]
    pub fn new(index: u16, form: F, streams: AffectedStreams, limit: usize) -> Self {
        Self {
            index,
            form,
            streams,
            entries: LruCache::unbounded(),
            raised: BTreeSet::new(),
            budget: ByteBudget::new(limit),
            name: String::new(),
            changes: Vec::new(),
        }
    }

    /// Updates the timer, the memory and the raised alerts of an entry whose state has changed, and
    /// passes the changes on.
    fn settle(&mut self, entry: &Arc<str>, scope: &mut RuleScope<'_>) {
        let (_, key) = split(entry);
        scope.changes.extend(self.changes.drain(..).map(|change| (key.into(), change)));
        let Some(found) = self.entries.peek_mut(entry) else { return };
        if self.form.is_idle(&found.state) {
            if let Some(timer) = found.timer {
                scope.timers.remove(&(timer, self.index, Arc::clone(entry)));
            }
            let bytes = found.bytes;
            self.budget.replace(bytes, 0);
            self.entries.pop(entry);
            self.raised.remove(entry);
            return;
        }
        // A timer that is too early finds that out itself, which is cheaper than moving it each time.
        if let Some(deadline) = self.form.deadline(&found.state)
            && found.timer.is_none_or(|timer| deadline < timer)
        {
            if let Some(timer) = found.timer.replace(deadline) {
                scope.timers.remove(&(timer, self.index, Arc::clone(entry)));
            }
            scope.timers.insert((deadline, self.index, Arc::clone(entry)));
        }
        let standing = self.form.standing(&found.state);
        if standing.is_some_and(|standing| standing.phase == Phase::Raised) {
            if !self.raised.contains(entry) {
                self.raised.insert(Arc::clone(entry));
            }
        } else if !self.raised.is_empty() {
            self.raised.remove(entry);
        }
        let bytes = ENTRY_BYTES
            + size_of::<Entry<F::State>>()
            + entry.len()
            + self.form.heap_bytes(&found.state);
        let before = std::mem::replace(&mut found.bytes, bytes);
        self.budget.replace(before, bytes);
    }

    /// Evicts entries until the rest has room. The newest one stays.
    fn evict(&mut self, at: Millis, scope: &mut RuleScope<'_>) {
        while self.budget.is_exceeded() && self.entries.len() > 1 {
            let Some((name, entry)) = self.entries.pop_lru() else { return };
            self.budget.evict(entry.bytes);
            self.raised.remove(&name);
            let (workspace, key) = split(&name);
            let standing = self.form.standing(&entry.state);
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
            let key = key.into();
            let timer = entry.timer.map(|timer| (timer, self.index, name));
            scope.evicted.push(EvictedKey { workspace, key, timer, change });
        }
    }

    fn entry_name(&mut self, workspace: u32, key: &str) -> &str {
        self.name.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.name, "{workspace}:{key}");
        &self.name
    }

    /// Returns the name of the entry of a key, which is created if there is none.
    fn entry_of(&mut self, workspace: u32, key: &str) -> Arc<str> {
        self.entry_name(workspace, key);
        if let Some((name, _)) = self.entries.get_key_value(self.name.as_str()) {
            return Arc::clone(name);
        }
        let name: Arc<str> = Arc::from(self.name.as_str());
        let entry = Entry { state: F::State::default(), timer: None, bytes: 0 };
        self.entries.put(Arc::clone(&name), entry);
        name
    }
}

/// Returns the number of the workspace and the key of an entry.
fn split(name: &str) -> (u32, &str) {
    let (workspace, key) = name.split_once(':').unwrap_or(("0", name));
    (workspace.parse().unwrap_or_default(), key)
}

impl<F: RuleForm> Rule for KeyedRule<F> {
    fn event(&mut self, key: &str, event: &RuleEvent, scope: &mut RuleScope<'_>) {
        let entry = self.entry_of(scope.workspace, key);
        if let Some(found) = self.entries.get_mut(&entry) {
            let gaps = GapView::new(scope.gaps, self.streams, key);
            self.form.event(&mut found.state, event, &gaps, &mut self.changes);
        }
        self.settle(&entry, scope);
        self.evict(event.at, scope);
    }

    fn due(&mut self, entry: &Arc<str>, at: Millis, scope: &mut RuleScope<'_>) {
        let Some(found) = self.entries.peek_mut(entry) else { return };
        // The timer may be that of an entry that was evicted and created again.
        if found.timer != Some(at) {
            return;
        }
        found.timer = None;
        if self.form.deadline(&found.state).is_some_and(|deadline| deadline <= at) {
            let (_, key) = split(entry);
            let gaps = GapView::new(scope.gaps, self.streams, key);
            self.form.due(&mut found.state, at, &gaps, &mut self.changes);
        }
        self.settle(entry, scope);
    }

    fn gap(&mut self, gap: &KnownGap, at: Millis, scope: &mut RuleScope<'_>) {
        let prefix = format!("{}:", scope.workspace);
        let affected: Vec<_> = self
            .raised
            .range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded))
            .take_while(|name| name.starts_with(&prefix))
            .filter(|name| self.streams.has(gap, split(name).1))
            .cloned()
            .collect();
        for entry in affected {
            if let Some(found) = self.entries.peek_mut(&entry) {
                self.form.gap(&mut found.state, gap, at, &mut self.changes);
            }
            self.settle(&entry, scope);
        }
    }

    fn for_each_standing(&self, visit: &mut dyn FnMut(u32, &str, Standing)) {
        for (name, entry) in &self.entries {
            if let Some(standing) = self.form.standing(&entry.state) {
                let (workspace, key) = split(name);
                visit(workspace, key, standing);
            }
        }
    }

    #[cfg(test)]
    fn used_bytes(&self) -> usize {
        self.budget.used()
    }

    fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        // The entry that is evicted first comes first, so that restoring keeps the order.
        for (number, (name, entry)) in self.entries.iter().rev().enumerate() {
            let start = out.len();
            if number > 0 {
                out.push(b',');
            }
            let (workspace, key) = split(name);
            if serde_json::to_writer(&mut *out, &(workspace, key, &entry.state)).is_err() {
                out.truncate(start);
            }
        }
        out.push(b']');
    }

    fn restore(&mut self, key: &str, state: Value, scope: &mut RuleScope<'_>) {
        let Ok(state) = serde_json::from_value(state) else { return };
        let entry = self.entry_of(scope.workspace, key);
        if let Some(found) = self.entries.get_mut(&entry) {
            found.state = state;
        }
        self.settle(&entry, scope);
    }
}
