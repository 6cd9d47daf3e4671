//! What the user has acknowledged.
//!
//! It does not depend on the moment that is looked at: what was acknowledged is known to the user at
//! every moment. It is limited in bytes.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::analysis::alerts::AttentionItem;
use crate::analysis::byte_budget::ByteBudget;

/// The memory of what is acknowledged, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// An item, from when its state began. If it is raised again later, that is another one.
type AcknowledgedItem = (i64, Arc<str>, Option<Arc<str>>, Box<str>);

/// The acknowledged items, the oldest first.
#[derive(Debug)]
pub struct Acknowledged {
    keys: BTreeSet<AcknowledgedItem>,
    budget: ByteBudget,
}

impl Default for Acknowledged {
    fn default() -> Self {
        Self { keys: BTreeSet::new(), budget: ByteBudget::new(MAX_BYTES) }
    }
}

impl Acknowledged {
    /// Returns whether an item is acknowledged.
    #[must_use]
    pub fn contains(&self, item: &AttentionItem) -> bool {
        !self.keys.is_empty() && self.keys.contains(&key(item))
    }

    /// Acknowledges an item, and forgets the oldest ones if they take too much memory.
    pub fn insert(&mut self, item: &AttentionItem) {
        let key = key(item);
        let added = bytes(&key);
        if !self.keys.insert(key) {
            return;
        }
        self.budget.replace(0, added);
        while self.budget.is_exceeded()
            && let Some(oldest) = self.keys.pop_first()
        {
            self.budget.evict(bytes(&oldest));
        }
    }

    /// Takes back that an item is acknowledged.
    pub fn remove(&mut self, item: &AttentionItem) {
        let key = key(item);
        if self.keys.remove(&key) {
            self.budget.replace(bytes(&key), 0);
        }
    }
}

fn key(item: &AttentionItem) -> AcknowledgedItem {
    let AttentionItem { since, rule, workspace, key, .. } = item;
    (*since, Arc::clone(rule), workspace.clone(), key.clone())
}

fn bytes(key: &AcknowledgedItem) -> usize {
    size_of::<AcknowledgedItem>() + key.3.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::alerts::AlertSubject;

    fn item(key: &str, since: i64) -> AttentionItem {
        AttentionItem {
            rule: "gap".into(),
            workspace: None,
            key: key.into(),
            subject: AlertSubject::Call,
            is_raised: true,
            at: since,
            since,
            count: 1,
        }
    }

    #[test]
    fn an_item_that_is_raised_later_is_another_one() {
        let mut acknowledged = Acknowledged::default();
        acknowledged.insert(&item("a", 1));
        let known = |acknowledged: &Acknowledged| {
            [("a", 1), ("a", 2), ("b", 1)]
                .map(|(key, since)| acknowledged.contains(&item(key, since)))
        };
        assert_eq!(known(&acknowledged), [true, false, false]);
        acknowledged.remove(&item("b", 1));
        acknowledged.remove(&item("a", 1));
        assert_eq!((known(&acknowledged), acknowledged.budget.used()), ([false; 3], 0));
    }

    #[test]
    fn the_oldest_items_are_forgotten_if_they_take_too_much_memory() {
        let mut acknowledged = Acknowledged::default();
        (0..20_000).for_each(|since| acknowledged.insert(&item(&"x".repeat(200), since)));
        let kept = acknowledged.keys.len() * bytes(&key(&item(&"x".repeat(200), 0)));
        assert!(kept <= MAX_BYTES && acknowledged.budget.used() == kept, "{kept}");
        assert!(acknowledged.contains(&item(&"x".repeat(200), 19_999)));
        assert!(!acknowledged.contains(&item(&"x".repeat(200), 0)));
    }
}
