//! What needs attention, as the rules report it.
//!
//! The pipeline sends each change in the order of the events, so the list is a function of the
//! events up to now and of what the user has acknowledged. It is limited in bytes and can be cloned.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::acknowledged::Acknowledged;
use crate::analysis::alerts::{AlertSubject, AttentionChange, AttentionItem};
use crate::analysis::byte_budget::ByteBudget;

/// The memory of the list, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// How soon somebody should look at an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Somebody is waiting, or will be.
    High,
    /// Something is wrong.
    Low,
    /// Events are missing, so nobody knows whether something is wrong.
    Unknown,
}

impl Urgency {
    /// Returns the sign before an item.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::High => "▲",
            Self::Low => "●",
            Self::Unknown => "?",
        }
    }
}

/// Returns the name of what a built-in rule finds.
const fn problem(rule: &str) -> Option<(&'static str, Urgency)> {
    // A rule of the user's own has its name, and somebody wants to know about it at once.
    Some(match rule.as_bytes() {
        b"nobody-joined" => ("nobody joined", Urgency::High),
        b"tool-keeps-failing" => ("tool keeps failing", Urgency::High),
        b"no-operator" => ("no operator available", Urgency::High),
        b"call-silent" => ("call silent", Urgency::Low),
        b"pipeline-late" => ("pipeline late", Urgency::Low),
        b"gap" => ("events missing", Urgency::Low),
        _ => return None,
    })
}

/// Returns the name of what a rule finds.
#[must_use]
pub fn problem_name(rule: &str) -> &str {
    problem(rule).map_or(rule, |(name, _)| name)
}

/// An item of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAlert {
    /// The alert.
    pub item: AttentionItem,
    /// Whether the user has acknowledged it.
    pub is_acknowledged: bool,
}

impl ListedAlert {
    /// Returns the id of its row.
    #[must_use]
    pub fn id(&self) -> String {
        let AttentionItem { rule, workspace, key, .. } = &self.item;
        format!("{rule} {} {key}", workspace.as_deref().unwrap_or_default())
    }

    /// Returns how soon somebody should look at it.
    #[must_use]
    pub fn urgency(&self) -> Urgency {
        if self.item.is_raised {
            problem(&self.item.rule).map_or(Urgency::High, |(_, urgency)| urgency)
        } else {
            Urgency::Unknown
        }
    }

    /// Returns the SID of the call that it is about.
    #[must_use]
    pub fn call(&self) -> Option<&str> {
        (self.item.subject == AlertSubject::Call).then_some(&*self.item.key)
    }

    fn is_about(&self, item: &AttentionItem) -> bool {
        let AttentionItem { rule, workspace, key, .. } = &self.item;
        (rule, workspace, key) == (&item.rule, &item.workspace, &item.key)
    }

    /// The order of the list: the most urgent first, and of those the one that has waited longest.
    fn order(&self) -> impl Ord + use<> {
        let AttentionItem { rule, key, since, .. } = &self.item;
        (self.is_acknowledged, self.urgency(), *since, Arc::clone(rule), key.clone())
    }
}

/// What needs attention.
#[derive(Debug, Clone)]
pub struct AttentionList {
    /// The items in the order of the list.
    items: Vec<ListedAlert>,
    budget: ByteBudget,
    /// The number of changes that were applied.
    changes: u64,
}

impl Default for AttentionList {
    fn default() -> Self {
        Self { items: Vec::new(), budget: ByteBudget::new(MAX_BYTES), changes: 0 }
    }
}

impl AttentionList {
    /// Applies the next change.
    pub fn apply(&mut self, change: &AttentionChange, acknowledged: &Acknowledged) {
        self.changes += 1;
        let known = self.items.iter().position(|listed| listed.is_about(change.item()));
        let before = known.map(|at| self.items.remove(at));
        self.budget.replace(before.as_ref().map_or(0, |listed| listed.item.bytes()), 0);
        let item = match change {
            AttentionChange::Begins(item) => item.clone(),
            AttentionChange::Ends(_) => return,
            AttentionChange::Evicted(_) => {
                // Most keys that a rule forgets were not listed.
                if before.is_some() {
                    self.budget.evict(0);
                }
                return;
            }
        };
        let is_acknowledged = acknowledged.contains(&item);
        self.budget.replace(0, item.bytes());
        self.insert(ListedAlert { item, is_acknowledged });
        while self.budget.is_exceeded() && self.items.len() > 1 {
            // Those that are listed last matter least.
            let dropped = self.items.pop();
            self.budget.evict(dropped.map_or(0, |listed| listed.item.bytes()));
        }
    }

    fn insert(&mut self, listed: ListedAlert) {
        let at = self.items.partition_point(|other| other.order() < listed.order());
        self.items.insert(at, listed);
    }

    /// Iterates over the items: those that were not acknowledged first, the most urgent first.
    pub fn items(&self) -> impl Iterator<Item = &ListedAlert> {
        self.items.iter()
    }

    /// Iterates over the items that were not acknowledged.
    pub fn open(&self) -> impl Iterator<Item = &ListedAlert> {
        self.items.iter().take_while(|listed| !listed.is_acknowledged)
    }

    /// Returns the number of items that were not acknowledged.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.items.partition_point(|listed| !listed.is_acknowledged)
    }

    /// Returns whether an item with the same rule and key is acknowledged.
    #[must_use]
    pub fn is_acknowledged(&self, item: &AttentionItem) -> bool {
        self.items.iter().any(|listed| listed.is_acknowledged && listed.is_about(item))
    }

    /// Returns the number of changes that were applied.
    #[must_use]
    pub const fn changes(&self) -> u64 {
        self.changes
    }

    /// Skips changes that are not known any more, up to that many.
    pub const fn skip_to(&mut self, changes: u64) {
        if self.changes < changes {
            self.changes = changes;
        }
    }

    /// Returns the approximate memory use, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.budget.used()
    }

    /// Returns the number of items that are not kept.
    #[must_use]
    pub const fn missing(&self) -> u64 {
        self.budget.missing()
    }

    /// Returns the calls with an item that was not acknowledged.
    #[must_use]
    pub fn calls(&self) -> BTreeSet<&str> {
        self.open().filter_map(ListedAlert::call).collect()
    }

    /// Returns the names of what was found and was not acknowledged, with the number of items of
    /// each, the most urgent first.
    #[must_use]
    pub fn problems(&self) -> Vec<(&str, Urgency, u64)> {
        let mut problems: Vec<(&str, Urgency, u64)> = Vec::new();
        for listed in self.open() {
            let (name, urgency) = (problem_name(&listed.item.rule), listed.urgency());
            match problems.iter_mut().find(|known| (known.0, known.1) == (name, urgency)) {
                Some(known) => known.2 += 1,
                None => problems.push((name, urgency, 1)),
            }
        }
        problems.sort_by_key(|(_, urgency, number)| (*urgency, Reverse(*number)));
        problems
    }

    /// Updates which items are acknowledged.
    pub fn mark_acknowledged(&mut self, acknowledged: &Acknowledged) {
        for listed in &mut self.items {
            listed.is_acknowledged = acknowledged.contains(&listed.item);
        }
        self.items.sort_by_cached_key(ListedAlert::order);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(rule: &str, key: &str, since: i64) -> AttentionItem {
        AttentionItem {
            rule: rule.into(),
            workspace: None,
            key: key.into(),
            subject: AlertSubject::Call,
            is_raised: true,
            at: since,
            since,
            count: 1,
        }
    }

    fn apply(list: &mut AttentionList, change: &AttentionChange) {
        list.apply(change, &Acknowledged::default());
    }

    fn begin(list: &mut AttentionList, rule: &str, key: &str, since: i64) {
        apply(list, &AttentionChange::Begins(item(rule, key, since)));
    }

    fn keys(list: &AttentionList) -> Vec<&str> {
        list.items().map(|listed| &*listed.item.key).collect()
    }

    #[test]
    fn the_most_urgent_item_that_has_waited_longest_comes_first() {
        let mut list = AttentionList::default();
        begin(&mut list, "gap", "a", 1);
        begin(&mut list, "nobody-joined", "b", 3);
        begin(&mut list, "nobody-joined", "c", 2);
        begin(&mut list, "a-rule-of-the-user", "d", 4);
        let unknown = AttentionItem { is_raised: false, ..item("nobody-joined", "e", 0) };
        apply(&mut list, &AttentionChange::Begins(unknown));
        assert_eq!(keys(&list), ["c", "b", "d", "a", "e"]);
        let problems = list.problems();
        assert_eq!(problems[0], ("nobody joined", Urgency::High, 2));
        assert_eq!(problems[3], ("nobody joined", Urgency::Unknown, 1));
        apply(&mut list, &AttentionChange::Ends(item("nobody-joined", "c", 2)));
        assert_eq!((keys(&list).len(), list.open_count(), list.changes()), (4, 4, 6));
    }

    #[test]
    fn the_list_is_limited_in_bytes_and_counts_what_it_drops() {
        let mut list = AttentionList::default();
        for number in 0..20_000 {
            begin(&mut list, "gap", &format!("{number:0200}"), number);
        }
        begin(&mut list, "nobody-joined", "urgent", 99_999);
        let bytes: usize = list.items().map(|listed| listed.item.bytes()).sum();
        assert!(bytes <= MAX_BYTES, "{bytes}");
        assert_eq!((keys(&list)[0], list.bytes()), ("urgent", bytes));
        assert_eq!(list.items().count() as u64 + list.missing(), 20_001);
    }
}
