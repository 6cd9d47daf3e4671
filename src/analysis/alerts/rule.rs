//! The interface of rules.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::gaps::{GapView, KnownGap};
use super::key_table::{KeyId, KeyTable};
use super::millis::Millis;
use super::timers::{Timer, Timers};
use crate::model::catalog::value::{AlertReason, AlertState};

/// What an event is to a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventRole {
    /// The rule begins to wait, or counts the event.
    Trigger,
    /// The rule waits for the event.
    Want,
    /// The rule no longer needs to wait.
    Unless,
}

/// The roles of an event in a rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRoles(u8);

impl EventRoles {
    /// Adds a role.
    pub const fn add(&mut self, role: EventRole) {
        self.0 |= 1 << role as u8;
    }

    /// Returns whether the event has a role.
    #[must_use]
    pub const fn has(self, role: EventRole) -> bool {
        self.0 & 1 << role as u8 != 0
    }

    /// Returns whether the event has no role.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// An event that concerns a rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RuleEvent {
    /// When it happened.
    pub at: Millis,
    /// What it is to the rule.
    pub roles: EventRoles,
    /// The value that the rule measures.
    pub value: f64,
    /// The hash of what the event is about within the key, if the rule tells that apart.
    pub subject: u64,
}

/// A change of what a rule knows about a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// When the state changed.
    pub at: Millis,
    /// The current state.
    pub state: AlertState,
    /// When that began.
    pub since: Millis,
    /// The number of events that led to it.
    pub count: u64,
    /// The measured value.
    pub value: Option<f64>,
    /// Why the state changed.
    pub reason: AlertReason,
}

/// What a rule knows about a key between changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// Whether it waits, has raised an alert, or cannot know.
    pub phase: Phase,
    /// Since when.
    pub since: Millis,
    /// The number of events that led to it.
    pub count: u64,
}

/// The part of an alert's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It is not decided yet.
    Waiting,
    /// The alert is raised.
    Raised,
    /// It cannot be known.
    Unknown,
}

/// A form of rule: what it remembers of each key, and how that changes.
///
/// All times are those of events. A form is called in the order of time, except for events that
/// arrive later than the allowance.
pub trait RuleForm: Send {
    /// The state of a key.
    type State: Default + Serialize + DeserializeOwned + Send;

    /// Returns whether an event with these roles changes anything about a key of which nothing is
    /// remembered.
    fn begins(&self, roles: EventRoles) -> bool {
        roles.has(EventRole::Trigger)
    }

    /// Handles an event.
    fn event(
        &self,
        state: &mut Self::State,
        event: &RuleEvent,
        gaps: &GapView<'_>,
        changes: &mut Vec<Change>,
    );

    /// Handles that the [deadline](Self::deadline) has passed and that all events up to it have been
    /// handled.
    fn due(
        &self,
        state: &mut Self::State,
        at: Millis,
        gaps: &GapView<'_>,
        changes: &mut Vec<Change>,
    );

    /// Handles a gap that became known at a time. Only keys with a raised alert are told.
    fn gap(
        &self,
        _state: &mut Self::State,
        _gap: &KnownGap,
        _at: Millis,
        _changes: &mut Vec<Change>,
    ) {
    }

    /// Returns the next time at which something changes without an event.
    fn deadline(&self, state: &Self::State) -> Option<Millis>;

    /// Returns what is known about the key; `None` if nothing is expected of it.
    fn standing(&self, state: &Self::State) -> Option<Standing>;

    /// Returns whether nothing needs to be remembered.
    fn is_idle(&self, state: &Self::State) -> bool;

    /// Returns the memory that the state uses besides its own size, in bytes.
    fn heap_bytes(&self, _state: &Self::State) -> usize {
        0
    }
}

/// A key that was evicted, possibly one of another workspace.
pub struct EvictedKey {
    /// The number of its workspace.
    pub workspace: u32,
    /// The key.
    pub key: Arc<str>,
    /// Whether it had a deadline, which no longer applies.
    pub had_timer: bool,
    /// The reported change.
    pub change: Change,
}

/// What a rule uses of its workspace.
pub struct RuleScope<'a> {
    /// The number of the workspace.
    pub workspace: u32,
    /// The keys of all rules.
    pub keys: &'a mut KeyTable,
    /// The deadlines in the workspace.
    pub timers: &'a mut Timers,
    /// The gaps in its streams.
    pub gaps: &'a [KnownGap],
    /// Takes the changes, with their keys.
    pub changes: &'a mut Vec<(Arc<str>, Change)>,
    /// Takes the keys that were evicted.
    pub evicted: &'a mut Vec<EvictedKey>,
}

/// A rule with the states of all its keys.
pub trait Rule: Send {
    /// Returns whether an event with these roles changes anything about a key of which nothing is
    /// remembered.
    fn begins(&self, roles: EventRoles) -> bool;

    /// Handles an event of a key.
    fn event(&mut self, key: KeyId, event: &RuleEvent, scope: &mut RuleScope<'_>);

    /// Handles a deadline, which may no longer apply.
    fn due(&mut self, timer: Timer, scope: &mut RuleScope<'_>);

    /// Returns whether a deadline still applies.
    fn has_timer(&self, timer: Timer) -> bool;

    /// Returns the key whose deadline it is.
    fn key_of(&self, timer: Timer) -> KeyId;

    /// Handles a gap that became known at a time.
    fn gap(&mut self, gap: &KnownGap, at: Millis, scope: &mut RuleScope<'_>);

    /// Passes what is known about each key to `visit`.
    fn for_each_standing(&self, visit: &mut dyn FnMut(KeyId, Standing));

    /// Returns the memory in use, in bytes.
    #[cfg(test)]
    fn used_bytes(&self) -> usize;

    /// Appends the state of all keys as a JSON array of arrays: the number of the workspace, the key
    /// and the state.
    fn save(&self, keys: &KeyTable, out: &mut Vec<u8>);

    /// Restores the state of a key, unless it is not one.
    fn restore(&mut self, key: KeyId, state: Value, scope: &mut RuleScope<'_>);
}
