//! What needs attention now: the alerts that are raised or cannot be known, for a screen.

use std::sync::{Arc, Mutex};

use super::engine::RuleEngine;
use super::millis::Millis;
use super::rule::Phase;
use super::subject::AlertSubject;

/// The list of what needs attention, which a stage passes to whoever shows it.
pub type SharedAttention = Arc<Mutex<Vec<AttentionItem>>>;

/// An alert that is raised, or that cannot be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttentionItem {
    /// The name of the rule.
    pub rule: Arc<str>,
    /// The workspace.
    pub workspace: Option<Arc<str>>,
    /// The key.
    pub key: Box<str>,
    /// What the key stands for.
    pub subject: AlertSubject,
    /// Whether the alert is raised, rather than unknown.
    pub is_raised: bool,
    /// Since when, in milliseconds of Unix time.
    pub since: Millis,
    /// The number of events that led to it.
    pub count: u64,
}

impl RuleEngine {
    /// Returns what needs attention now: what is raised first, and of that the newest first.
    #[must_use]
    pub fn attention(&self) -> Vec<AttentionItem> {
        let mut items = Vec::new();
        for config in &self.rules {
            config.rule.for_each_standing(&mut |key, standing| {
                if standing.phase != Phase::Waiting {
                    let workspace = self.keys.workspace(key);
                    items.push(AttentionItem {
                        rule: Arc::clone(&config.name),
                        workspace: self.workspaces[workspace as usize].id.clone(),
                        key: (&**self.keys.text(key)).into(),
                        subject: config.subject,
                        is_raised: standing.phase == Phase::Raised,
                        since: standing.since,
                        count: standing.count,
                    });
                }
            });
        }
        items.sort_by(|a, b| {
            let key = |item: &AttentionItem| (!item.is_raised, -item.since);
            key(a).cmp(&key(b)).then_with(|| (&a.rule, &a.key).cmp(&(&b.rule, &b.key)))
        });
        items
    }
}
