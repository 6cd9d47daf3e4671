//! How the list of what needs attention came about, so that an earlier list can be built again; and
//! what the user was not notified of yet.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use super::acknowledged::Acknowledged;
use super::attention::{AttentionList, ListedAlert};
use crate::analysis::alerts::AttentionChange;
use crate::analysis::byte_budget::ByteBudget;
use crate::text::units::counted;

/// The memory of the changes, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// A change, and between which events it came.
#[derive(Debug)]
struct LoggedChange {
    /// The number of events that were observed before it.
    sequence: u64,
    change: AttentionChange,
}

impl LoggedChange {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.change.item().key.len()
    }
}

/// The newest changes, what was acknowledged, and what is news.
#[derive(Debug)]
pub struct AttentionLog {
    /// The changes, the oldest first.
    changes: VecDeque<LoggedChange>,
    /// The number of changes before the first one that is kept.
    first: u64,
    budget: ByteBudget,
    acknowledged: Acknowledged,
    /// How often each rule has raised an alert since the last notification.
    news: BTreeMap<Arc<str>, u64>,
}

impl Default for AttentionLog {
    fn default() -> Self {
        Self {
            changes: VecDeque::new(),
            first: 0,
            budget: ByteBudget::new(MAX_BYTES),
            acknowledged: Acknowledged::default(),
            news: BTreeMap::new(),
        }
    }
}

impl AttentionLog {
    /// Applies a change after that many events to the present list. An item that is raised again is
    /// no longer acknowledged.
    pub fn add(&mut self, sequence: u64, change: AttentionChange, present: &mut AttentionList) {
        if let AttentionChange::Begins(item) = &change {
            if item.is_raised {
                *self.news.entry(Arc::clone(&item.rule)).or_default() += 1;
                self.acknowledged.remove(item);
            } else if present.is_acknowledged(item) {
                self.acknowledged.insert(item);
            }
        }
        present.apply(&change, &self.acknowledged);
        let logged = LoggedChange { sequence, change };
        self.budget.replace(0, logged.bytes());
        self.changes.push_back(logged);
        while self.budget.is_exceeded()
            && let Some(oldest) = self.changes.pop_front()
        {
            self.first += 1;
            self.budget.evict(oldest.bytes());
        }
    }

    /// Applies the changes to an earlier list that came before the event after that many, and those
    /// of that time or an earlier one: a rule that waits reports what did not happen only when a later
    /// event arrives. Returns whether all of them are kept.
    pub fn advance(
        &self,
        list: &mut AttentionList,
        sequence: u64,
        until: Option<Timestamp>,
    ) -> bool {
        let until = until.map(Timestamp::as_millisecond);
        let is_complete = list.changes() >= self.first;
        list.skip_to(self.first);
        let start = usize::try_from(list.changes() - self.first).unwrap_or(usize::MAX);
        let is_meant = |logged: &&LoggedChange| match until {
            Some(until) if logged.sequence >= sequence => logged.change.item().at <= until,
            _ => logged.sequence <= sequence,
        };
        let changes = self.changes.range(start.min(self.changes.len())..).take_while(is_meant);
        changes.for_each(|logged| list.apply(&logged.change, &self.acknowledged));
        is_complete
    }

    /// Updates which items of a list are acknowledged.
    pub fn mark_acknowledged(&self, list: &mut AttentionList) {
        list.mark_acknowledged(&self.acknowledged);
    }

    /// Acknowledges items, or takes that back if all of them were acknowledged.
    pub fn acknowledge(&mut self, items: &[ListedAlert]) {
        let are_acknowledged = items.iter().all(|listed| listed.is_acknowledged);
        for listed in items {
            if are_acknowledged {
                self.acknowledged.remove(&listed.item);
            } else {
                self.acknowledged.insert(&listed.item);
            }
        }
    }

    /// Returns whether something was raised since the last notification.
    pub fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// Takes the text of a notification about what was raised since the last call. It has the names
    /// of rules and counts, and nothing of the events.
    pub fn take_news(&mut self, present: &AttentionList) -> Option<String> {
        let news = std::mem::take(&mut self.news);
        let raised: u64 = news.values().sum();
        let what = match news.first_key_value()? {
            (rule, 1) if news.len() == 1 => rule.to_string(),
            (rule, number) if news.len() == 1 => format!("{rule} ({number} times)"),
            (rule, _) => format!("{rule} and others ({raised} in all)"),
        };
        let open = present.open_count();
        let verb = if open == 1 { "needs" } else { "need" };
        Some(format!("evtap: {what}; {} {verb} attention", counted(open as u64, "item")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::alerts::{AlertSubject, AttentionItem};

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

    /// A log and the present list.
    #[derive(Default)]
    struct Present(AttentionLog, AttentionList);

    impl Present {
        fn begin(&mut self, sequence: u64, rule: &str, key: &str, since: i64) {
            self.add(sequence, AttentionChange::Begins(item(rule, key, since)));
        }

        fn add(&mut self, sequence: u64, change: AttentionChange) {
            self.0.add(sequence, change, &mut self.1);
        }

        fn acknowledge(&mut self, is_meant: impl Fn(&ListedAlert) -> bool) {
            let meant: Vec<_> = self.1.items().filter(|it| is_meant(it)).cloned().collect();
            self.0.acknowledge(&meant);
            self.0.mark_acknowledged(&mut self.1);
        }

        fn keys(&self) -> Vec<String> {
            keys(&self.1)
        }
    }

    fn keys(list: &AttentionList) -> Vec<String> {
        let sign = |listed: &ListedAlert| if listed.is_acknowledged { "✓" } else { "" };
        list.items().map(|listed| format!("{}{}", listed.item.key, sign(listed))).collect()
    }

    #[test]
    fn changes_are_applied_between_the_events_they_came_between() {
        let mut present = Present::default();
        for (sequence, key, at) in
            [(1, "a", 10), (3, "b", 30), (3, "c", 35), (4, "d", 40), (4, "e", 50)]
        {
            present.begin(sequence, "gap", key, at);
        }
        let mut list = AttentionList::default();
        let mut listed = |sequence, until: Option<i64>| {
            let until = until.and_then(|millis| Timestamp::from_millisecond(millis).ok());
            assert!(present.0.advance(&mut list, sequence, until));
            keys(&list).concat()
        };
        assert_eq!(listed(0, None), "");
        assert_eq!(listed(1, None), "a");
        assert_eq!(listed(3, Some(34)), "ab", "the next one came later");
        assert_eq!(listed(3, Some(34)), "ab", "none is applied twice");
        assert_eq!(listed(3, None), "abc");
        assert_eq!(listed(3, Some(39)), "abc");
        assert_eq!(listed(3, Some(40)), "abcd", "it was true then, and found out later");
        assert_eq!(listed(5, Some(0)), "abcde", "it came before the last event");
    }

    #[test]
    fn the_memory_of_the_changes_is_limited_and_what_is_dropped_is_missed() {
        let mut present = Present::default();
        (0..20_000).for_each(|number| present.begin(number, "gap", &"x".repeat(200), 0));
        let Present(log, list) = &present;
        assert!(log.budget.used() <= MAX_BYTES && log.changes.len() > 1000);
        assert_eq!(list.changes(), 20_000);
        let mut early = AttentionList::default();
        assert!(!log.advance(&mut early, 19_000, None));
        assert!(log.advance(&mut early, 19_999, None), "from there on, all are kept");
    }

    #[test]
    fn an_acknowledged_item_stays_until_it_ends_and_returns_if_it_is_raised_again() {
        let mut present = Present::default();
        present.begin(1, "nobody-joined", "a", 1);
        present.begin(2, "nobody-joined", "b", 2);
        present.acknowledge(|listed| &*listed.item.key == "a");
        assert_eq!((present.keys().concat(), present.1.open_count()), ("ba✓".to_owned(), 1));
        assert!(present.1.calls().contains("b") && !present.1.calls().contains("a"));
        let unknown = AttentionItem { is_raised: false, ..item("nobody-joined", "a", 4) };
        present.add(3, AttentionChange::Begins(unknown));
        assert_eq!(present.1.open_count(), 1, "that it cannot be known is not new");
        present.begin(4, "nobody-joined", "a", 1);
        assert_eq!((present.keys().concat(), present.1.open_count()), ("ab".to_owned(), 2));
        present.acknowledge(|_| true);
        assert_eq!(present.1.open_count(), 0);
        present.acknowledge(|_| true);
        assert_eq!(present.1.open_count(), 2, "it can be taken back");
    }

    #[test]
    fn what_is_acknowledged_is_acknowledged_in_an_earlier_list_too() {
        let mut present = Present::default();
        present.begin(1, "nobody-joined", "a", 1);
        present.begin(2, "gap", "b", 2);
        present.acknowledge(|listed| &*listed.item.key == "a");
        present.add(3, AttentionChange::Ends(item("nobody-joined", "a", 1)));
        present.begin(4, "nobody-joined", "a", 4);
        let mut list = AttentionList::default();
        let mut at = |sequence| {
            present.0.advance(&mut list, sequence, None);
            keys(&list).concat()
        };
        assert_eq!([at(1), at(2), at(3), at(4)], ["a✓", "ba✓", "b", "ab"]);
    }

    #[test]
    fn a_notification_has_names_of_rules_and_counts_only() {
        let mut present = Present::default();
        let news = |present: &mut Present| present.0.take_news(&present.1);
        assert_eq!(news(&mut present), None);
        present.begin(1, "nobody-joined", "CA-secret", 1);
        let expected = "evtap: nobody-joined; 1 item needs attention";
        assert_eq!(news(&mut present).as_deref(), Some(expected));
        present.begin(2, "gap", "secret", 1);
        present.begin(2, "pipeline-late", "secret", 1);
        let expected = "evtap: gap and others (2 in all); 3 items need attention";
        assert_eq!(news(&mut present).as_deref(), Some(expected));
        present.add(3, AttentionChange::Ends(item("gap", "secret", 1)));
        assert_eq!(news(&mut present), None, "an end is not reported");
    }
}
