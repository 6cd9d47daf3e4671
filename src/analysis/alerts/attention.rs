//! What needs attention now: the alerts that are raised or cannot be known, for a screen.
//!
//! A stage passes each change to a listener as it happens, in the order of the events.

use std::sync::{Arc, Mutex};

use super::alert::Alert;
use super::engine::RuleEngine;
use super::millis::Millis;
use super::rule::Phase;
use super::subject::AlertSubject;
use crate::model::catalog::value::{AlertReason, AlertState};

/// The list of what needs attention, which a stage passes to whoever shows it.
pub type SharedAttention = Arc<Mutex<Vec<AttentionItem>>>;

/// A change of what needs attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttentionChange {
    /// Something needs attention, or it is no longer known whether it does.
    Begins(AttentionItem),
    /// Something no longer needs attention.
    Ends(AttentionItem),
    /// Something is no longer known about, because its rule has used up its memory.
    Evicted(AttentionItem),
}

/// Receives the changes of what needs attention.
pub type AttentionListener = Box<dyn FnMut(AttentionChange) + Send>;

impl AttentionChange {
    /// Returns the change that an alert stands for; `None` if nothing that needs attention changes.
    #[must_use]
    pub fn of(alert: &Alert) -> Option<Self> {
        let item = AttentionItem {
            rule: Arc::clone(&alert.rule),
            workspace: alert.origin.workspace_id.as_deref().map(Into::into),
            key: (&*alert.key).into(),
            subject: alert.subject,
            is_raised: alert.state == AlertState::Raised,
            at: alert.at,
            since: alert.since,
            count: alert.count,
        };
        match alert.state {
            AlertState::Unknown if alert.reason == AlertReason::Evicted => {
                Some(Self::Evicted(item))
            }
            AlertState::Raised | AlertState::Unknown => Some(Self::Begins(item)),
            AlertState::Resolved => Some(Self::Ends(item)),
            _ => None,
        }
    }

    /// Returns the item that changes.
    #[must_use]
    pub const fn item(&self) -> &AttentionItem {
        match self {
            Self::Begins(item) | Self::Ends(item) | Self::Evicted(item) => item,
        }
    }
}

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
    /// When that became known, in milliseconds of Unix time by the time of the events.
    pub at: Millis,
    /// Since when, in milliseconds of Unix time.
    pub since: Millis,
    /// The number of events that led to it.
    pub count: u64,
}

impl AttentionItem {
    /// Returns the approximate memory use, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.key.len()
    }
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
                        at: standing.since,
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
