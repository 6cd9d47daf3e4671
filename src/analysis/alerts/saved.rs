//! The state of the rules as the next run finds it.
//!
//! It holds the names of rules, keys, times, and the numbers that rules measure.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::engine::RuleEngine;
use super::rule::{Change, RuleScope};
use super::workspace::{SavedWorkspace, WorkspaceProgress};

/// The version of the format.
const VERSION: u32 = 2;

/// The state of all rules.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedRules {
    version: u32,
    workspaces: Vec<SavedWorkspace>,
    rules: Vec<SavedRule>,
    /// The changes that were not reported yet.
    untaken: Vec<(u32, u16, Box<str>, Change)>,
}

/// The state of a rule.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedRule {
    name: String,
    fingerprint: String,
    /// The number of the workspace, the key and the state of each entry.
    keys: Box<RawValue>,
}

impl RuleEngine {
    /// Returns the state of all rules whose alerts are events as JSON.
    #[must_use]
    pub fn save(&self) -> Option<Box<RawValue>> {
        let mut rules = Vec::new();
        // The others come last, so the indexes of these are right without them.
        for config in self.rules.iter().filter(|config| config.is_reported) {
            let mut keys = Vec::new();
            config.rule.save(&self.keys, &mut keys);
            let keys = RawValue::from_string(String::from_utf8(keys).ok()?).ok()?;
            let (name, fingerprint) = (config.name.to_string(), config.fingerprint.clone());
            rules.push(SavedRule { name, fingerprint, keys });
        }
        let workspaces = self.workspaces.iter().map(WorkspaceProgress::save).collect();
        let untaken = self.untaken.iter().map(|(number, index, key, change)| {
            (*number, *index, Box::from(&**key), change.clone())
        });
        let untaken = untaken.collect();
        let saved = SavedRules { version: VERSION, workspaces, rules, untaken };
        serde_json::value::to_raw_value(&saved).ok()
    }

    /// Restores a state that [`save`](Self::save) returned. Returns the names of the rules that begin
    /// anew, because they are no longer the same; `None` if it is no such state.
    pub fn restore(&mut self, saved: &RawValue) -> Option<Vec<String>> {
        let saved: SavedRules = serde_json::from_str(saved.get()).ok()?;
        if saved.version != VERSION {
            return None;
        }
        let mut changed = Vec::new();
        // The index that each saved rule has now.
        let mut indexes = Vec::new();
        for rule in &saved.rules {
            let index = self.rules.iter().position(|config| *config.name == *rule.name);
            let same = index.filter(|at| self.rules[*at].fingerprint == rule.fingerprint);
            if index.is_some_and(|at| self.rules[at].is_reported) && same.is_none() {
                changed.push(rule.name.clone());
            }
            indexes.push(same);
        }
        let mut numbers = HashMap::new();
        for (before, workspace) in (0_u32..).zip(saved.workspaces) {
            let Some(number) = self.number(workspace.id.as_deref()) else { continue };
            numbers.insert(before, number);
            self.workspaces[number as usize].restore(workspace, |rule| {
                indexes.get(usize::from(rule)).copied().flatten()?.try_into().ok()
            });
        }
        for (before, index, key, change) in saved.untaken {
            let index = indexes.get(usize::from(index)).copied().flatten();
            let index = index.and_then(|index| index.try_into().ok());
            if let Some((number, index)) = numbers.get(&before).copied().zip(index) {
                self.untaken.push_back((number, index, key.into(), change));
            }
        }
        for (index, rule) in indexes.into_iter().zip(saved.rules) {
            let Some(index) = index else { continue };
            let keys: Vec<(u32, Box<str>, Value)> = serde_json::from_str(rule.keys.get()).ok()?;
            for (before, key, state) in keys {
                if let Some(number) = numbers.get(&before) {
                    self.restore_key(index, *number, &key, state);
                }
            }
        }
        Some(changed)
    }

    fn restore_key(&mut self, index: usize, number: u32, key: &str, state: Value) {
        let id = self.keys.take(number, key);
        let workspace = &mut self.workspaces[number as usize];
        let mut scope = RuleScope {
            workspace: number,
            keys: &mut self.keys,
            timers: &mut workspace.timers,
            gaps: &workspace.gaps,
            changes: &mut Vec::new(),
            evicted: &mut Vec::new(),
        };
        self.rules[index].rule.restore(id, state, &mut scope);
        self.keys.release(id);
    }
}
