//! What needs attention, as the rules report it, and what the user has acknowledged.
//!
//! The pipeline sends each change in the order of the events, so the list is a function of the
//! events up to now. It is limited in bytes and can be cloned.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::analysis::alerts::{AlertSubject, AttentionChange, AttentionItem};
use crate::analysis::byte_budget::ByteBudget;
use crate::text::units::counted;

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
    /// How often each rule has raised an alert since the last notification.
    news: BTreeMap<Arc<str>, u64>,
}

impl Default for AttentionList {
    fn default() -> Self {
        Self { items: Vec::new(), budget: ByteBudget::new(MAX_BYTES), news: BTreeMap::new() }
    }
}

impl AttentionList {
    /// Applies a change. An item that is raised again is no longer acknowledged.
    pub fn apply(&mut self, change: AttentionChange) {
        let known = self.items.iter().position(|listed| listed.is_about(change.item()));
        let before = known.map(|at| self.items.remove(at));
        self.budget.replace(before.as_ref().map_or(0, |listed| listed.item.bytes()), 0);
        let item = match change {
            AttentionChange::Begins(item) => item,
            AttentionChange::Ends(_) => return,
            AttentionChange::Evicted(_) => {
                // Most keys that a rule forgets were not listed.
                if before.is_some() {
                    self.budget.evict(0);
                }
                return;
            }
        };
        if item.is_raised {
            *self.news.entry(Arc::clone(&item.rule)).or_default() += 1;
        }
        let is_acknowledged = !item.is_raised && before.is_some_and(|it| it.is_acknowledged);
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

    /// Acknowledges the items for which `is_meant` is true, or takes that back if all of them were
    /// acknowledged. Returns whether there is one.
    pub fn acknowledge(&mut self, is_meant: impl Fn(&ListedAlert) -> bool) -> bool {
        let meant = |listed: &&ListedAlert| is_meant(listed);
        let mut found = self.items.iter().filter(meant).peekable();
        if found.peek().is_none() {
            return false;
        }
        let is_acknowledged = !found.all(|listed| listed.is_acknowledged);
        let items = std::mem::take(&mut self.items);
        for mut listed in items {
            if is_meant(&listed) {
                listed.is_acknowledged = is_acknowledged;
            }
            self.insert(listed);
        }
        true
    }

    /// Takes the text of a notification about what was raised since the last call. It has the names
    /// of rules and counts, and nothing of the events.
    pub fn take_news(&mut self) -> Option<String> {
        let news = std::mem::take(&mut self.news);
        let raised: u64 = news.values().sum();
        let what = match news.first_key_value()? {
            (rule, 1) if news.len() == 1 => rule.to_string(),
            (rule, number) if news.len() == 1 => format!("{rule} ({number} times)"),
            (rule, _) => format!("{rule} and others ({raised} in all)"),
        };
        let verb = if self.open_count() == 1 { "needs" } else { "need" };
        let items = counted(self.open_count() as u64, "item");
        Some(format!("evtap: {what}; {items} {verb} attention"))
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
            since,
            count: 1,
        }
    }

    fn begin(list: &mut AttentionList, rule: &str, key: &str, since: i64) {
        list.apply(AttentionChange::Begins(item(rule, key, since)));
    }

    fn keys(list: &AttentionList) -> Vec<String> {
        let sign = |listed: &ListedAlert| if listed.is_acknowledged { "✓" } else { "" };
        list.items().map(|listed| format!("{}{}", listed.item.key, sign(listed))).collect()
    }

    #[test]
    fn the_most_urgent_item_that_has_waited_longest_comes_first() {
        let mut list = AttentionList::default();
        begin(&mut list, "gap", "a", 1);
        begin(&mut list, "nobody-joined", "b", 3);
        begin(&mut list, "nobody-joined", "c", 2);
        begin(&mut list, "a-rule-of-the-user", "d", 4);
        let unknown = AttentionItem { is_raised: false, ..item("nobody-joined", "e", 0) };
        list.apply(AttentionChange::Begins(unknown));
        assert_eq!(keys(&list), ["c", "b", "d", "a", "e"]);
        let problems = list.problems();
        assert_eq!(problems[0], ("nobody joined", Urgency::High, 2));
        assert_eq!(problems[3], ("nobody joined", Urgency::Unknown, 1));
        list.apply(AttentionChange::Ends(item("nobody-joined", "c", 2)));
        assert_eq!((keys(&list).len(), list.open_count()), (4, 4));
    }

    #[test]
    fn an_acknowledged_item_stays_until_it_ends_and_returns_if_it_is_raised_again() {
        let mut list = AttentionList::default();
        begin(&mut list, "nobody-joined", "a", 1);
        begin(&mut list, "nobody-joined", "b", 2);
        assert!(list.acknowledge(|listed| &*listed.item.key == "a"));
        assert!(!list.acknowledge(|listed| &*listed.item.key == "z"));
        assert_eq!((keys(&list), list.open_count()), (vec!["b".to_owned(), "a✓".to_owned()], 1));
        assert!(list.calls().contains("b") && !list.calls().contains("a"));
        let unknown = AttentionItem { is_raised: false, ..item("nobody-joined", "a", 1) };
        list.apply(AttentionChange::Begins(unknown));
        assert_eq!(list.open_count(), 1, "that it cannot be known is not new");
        begin(&mut list, "nobody-joined", "a", 1);
        assert_eq!((keys(&list), list.open_count()), (vec!["a".to_owned(), "b".to_owned()], 2));
        list.acknowledge(|_| true);
        assert_eq!(list.open_count(), 0);
        list.acknowledge(|_| true);
        assert_eq!(list.open_count(), 2, "it can be taken back");
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
        assert_eq!(keys(&list)[0], "urgent");
        assert_eq!(list.items().count() as u64 + list.missing(), 20_001);
    }

    #[test]
    fn a_notification_has_names_of_rules_and_counts_only() {
        let mut list = AttentionList::default();
        assert_eq!(list.take_news(), None);
        begin(&mut list, "nobody-joined", "CA-secret", 1);
        assert_eq!(
            list.take_news().as_deref(),
            Some("evtap: nobody-joined; 1 item needs attention")
        );
        begin(&mut list, "gap", "secret", 1);
        begin(&mut list, "pipeline-late", "secret", 1);
        let news = list.take_news().expect("there is news");
        assert_eq!(news, "evtap: gap and others (2 in all); 3 items need attention");
        list.apply(AttentionChange::Ends(item("gap", "secret", 1)));
        assert_eq!(list.take_news(), None, "an end is not reported");
    }
}
