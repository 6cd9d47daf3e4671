//! Applies what is known of events to the rules, in the order of time.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::alert::Alert;
use super::gaps::{self, KnownGap};
use super::millis::{Millis, millis};
use super::observation::{Observation, Observations};
use super::rule::{Change, EvictedKey, Phase, Rule, RuleScope, Standing};
use super::subject::AlertSubject;
use super::workspace::{WorkspaceProgress, WorkspaceStep};
use crate::model::catalog::value::{AlertReason, AlertState};

/// The maximum number of workspaces that rules are applied to.
const MAX_WORKSPACES: usize = 1 << 16;

/// A change that was not taken yet: the numbers of the workspace and the rule, the key, the change.
pub(super) type UntakenChange = (u32, u16, Box<str>, Change);

/// A rule and its name.
pub struct RuleConfig {
    /// The name.
    pub name: Arc<str>,
    /// A text that is equal for rules that do the same.
    pub fingerprint: String,
    /// The longest time that the rule looks back.
    pub longest: Duration,
    /// What its keys stand for.
    pub subject: AlertSubject,
    /// The rule.
    pub rule: Box<dyn Rule>,
}

/// Applies rules to the events of workspaces.
///
/// The time of a workspace is that of its latest event, less the lateness that is allowed where
/// streams are merged. Deadlines pass by it, or by what a connection proves to have arrived.
pub struct RuleEngine {
    pub(super) rules: Vec<RuleConfig>,
    lateness: Millis,
    /// The longest time that a rule looks back.
    longest: Millis,
    pub(super) workspaces: Vec<WorkspaceProgress>,
    /// The numbers of the workspaces by id.
    pub(super) numbers: HashMap<Arc<str>, u32>,
    /// The number of the workspace of events without the id of one.
    unnamed: Option<u32>,
    /// The changes that were not taken yet: workspace, rule, key and change.
    pub(super) untaken: VecDeque<UntakenChange>,
    changes: Vec<(Box<str>, Change)>,
    evicted: Vec<EvictedKey>,
    /// The number of events that concern a rule and have no key.
    without_key: u64,
    /// The number of matches whose time is not known.
    without_time: u64,
    /// The number of matches of workspaces beyond the limit.
    beyond_limit: u64,
}

impl RuleEngine {
    /// Creates an engine for these rules. Where streams are merged, an event may be later than
    /// others by `lateness`.
    #[must_use]
    pub fn new(rules: Vec<RuleConfig>, lateness: Duration) -> Self {
        let longest = rules.iter().map(|rule| rule.longest).max().unwrap_or_default();
        Self {
            rules,
            lateness: millis(lateness),
            longest: millis(longest),
            workspaces: Vec::new(),
            numbers: HashMap::new(),
            unnamed: None,
            untaken: VecDeque::new(),
            changes: Vec::new(),
            evicted: Vec::new(),
            without_key: 0,
            without_time: 0,
            beyond_limit: 0,
        }
    }

    /// Returns the names of the rules, in order.
    #[must_use]
    pub fn rule_names(&self) -> Vec<Arc<str>> {
        self.rules.iter().map(|config| Arc::clone(&config.name)).collect()
    }

    /// Takes the next alert, in order.
    pub fn next_alert(&mut self) -> Option<Alert> {
        let (number, index, key, change) = self.untaken.pop_front()?;
        let Change { at, state, since, count, value, reason } = change;
        let rule = Arc::clone(&self.rules.get(usize::from(index))?.name);
        let workspace = self.workspaces.get(number as usize)?.id.clone();
        Some(Alert { rule, key, workspace, at, state, since, count, value, reason })
    }

    /// Returns the number of events that concern a rule and have no key.
    #[must_use]
    pub const fn without_key(&self) -> u64 {
        self.without_key
    }

    /// Returns the number of events that no rule was applied to, because no time is known.
    #[must_use]
    pub const fn without_time(&self) -> u64 {
        self.without_time
    }

    /// Returns the number of events that no rule was applied to, because there are too many
    /// workspaces.
    #[must_use]
    pub const fn beyond_limit(&self) -> u64 {
        self.beyond_limit
    }

    /// Returns the memory that the rules use, in bytes.
    #[cfg(test)]
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.rules.iter().map(|config| config.rule.used_bytes()).sum()
    }

    /// Applies what was observed.
    pub fn apply(&mut self, observations: &mut Observations) {
        self.without_key += observations.without_key;
        let streams = std::mem::take(&mut observations.streams);
        let numbers: Vec<_> =
            streams.iter().map(|stream| self.number(stream.workspace.as_deref())).collect();
        for (stream, observation) in observations.items.drain(..) {
            let Some(Some(number)) = numbers.get(stream as usize).copied() else {
                self.beyond_limit += u64::from(matches!(observation, Observation::Match(_)));
                continue;
            };
            let call = streams[stream as usize].call.as_deref();
            let workspace = &mut self.workspaces[number as usize];
            match observation {
                Observation::Event { at } => {
                    let until = workspace.event(call, at, self.lateness);
                    self.advance(number, until);
                }
                Observation::Match(found) => match workspace.push(found, self.lateness) {
                    Some(until) => self.steps(number, until),
                    None => self.without_time += 1,
                },
                Observation::Gap(gap) => self.gap(number, &gap),
                Observation::Covered { until } => {
                    self.advance(number, until.saturating_sub(self.lateness));
                }
                // Otherwise events show it, and more of that time may come.
                Observation::Alert { at } if workspace.latest.is_some_and(|latest| at > latest) => {
                    self.advance(number, at.saturating_add(1));
                }
                Observation::Alert { .. } => {}
            }
        }
        observations.streams = streams;
        observations.clear();
    }

    /// Notes that all of a live stream before a time has arrived; `None` if it was only opened.
    pub fn covered(&mut self, workspace: Option<&str>, call: Option<&str>, until: Option<Millis>) {
        let Some(number) = self.number(workspace) else { return };
        let covered = self.workspaces[number as usize].covered(call, until);
        if let Some(until) = covered {
            self.advance(number, until.saturating_sub(self.lateness));
        }
    }

    /// Notes that a live stream was disconnected, or has ended for good.
    pub fn closed(&mut self, workspace: Option<&str>, call: Option<&str>, for_good: bool) {
        if let Some(number) = self.number(workspace) {
            self.workspaces[number as usize].closed(call, for_good);
        }
    }

    /// Handles the end of the input: no event is missing any more, and what is still undecided is
    /// reported. Does nothing if the next run goes on.
    pub fn finish(&mut self, goes_on: bool) {
        if goes_on {
            return;
        }
        for number in 0..self.workspaces.len() {
            if let Some(latest) = self.workspaces[number].latest {
                self.advance(u32::try_from(number).unwrap_or(u32::MAX), latest);
            }
        }
        let mut pending = Vec::new();
        for (index, config) in self.rules.iter().enumerate() {
            config.rule.for_each_standing(&mut |workspace, key, standing| {
                if standing.phase == Phase::Waiting {
                    pending.push((workspace, index, Box::<str>::from(key), standing));
                }
            });
        }
        pending.sort_by(|(w1, i1, k1, _), (w2, i2, k2, _)| (w1, i1, k1).cmp(&(w2, i2, k2)));
        for (number, index, key, Standing { since, count, .. }) in pending {
            let at = self.workspaces[number as usize].latest.unwrap_or(since);
            let (state, reason) = (AlertState::Pending, AlertReason::InputEnded);
            self.alert(number, index, key, Change { at, state, since, count, value: None, reason });
        }
    }

    /// Returns the number of a workspace; `None` if there are too many.
    pub(super) fn number(&mut self, id: Option<&str>) -> Option<u32> {
        let known = match id {
            Some(id) => self.numbers.get(id).copied(),
            None => self.unnamed,
        };
        if known.is_some() || self.workspaces.len() >= MAX_WORKSPACES {
            return known;
        }
        let number = u32::try_from(self.workspaces.len()).ok()?;
        let id: Option<Arc<str>> = id.map(Into::into);
        match &id {
            Some(id) => _ = self.numbers.insert(Arc::clone(id), number),
            None => self.unnamed = Some(number),
        }
        self.workspaces.push(WorkspaceProgress::new(id));
        Some(number)
    }

    /// Handles everything up to a time.
    fn advance(&mut self, number: u32, until: Millis) {
        let workspace = &mut self.workspaces[number as usize];
        workspace.reached = workspace.reached.max(Some(until));
        self.steps(number, until);
    }

    /// Handles the matches and the deadlines up to a time.
    fn steps(&mut self, number: u32, until: Millis) {
        while let Some(step) = self.workspaces[number as usize].next(until) {
            let workspace = &mut self.workspaces[number as usize];
            let mut scope = RuleScope {
                workspace: number,
                timers: &mut workspace.timers,
                gaps: &workspace.gaps,
                changes: &mut self.changes,
                evicted: &mut self.evicted,
            };
            let index = match step {
                WorkspaceStep::Match(at, found) => {
                    let event = found.event(at);
                    let config = self.rules.get_mut(usize::from(found.rule));
                    if let Some(config) = config {
                        config.rule.event(&found.key, &event, &mut scope);
                    }
                    found.rule
                }
                WorkspaceStep::Due(at, rule, entry) => {
                    let config = self.rules.get_mut(usize::from(rule));
                    if let Some(config) = config {
                        config.rule.due(&entry, at, &mut scope);
                    }
                    rule
                }
            };
            self.report(number, usize::from(index));
        }
    }

    fn gap(&mut self, number: u32, gap: &KnownGap) {
        let workspace = &mut self.workspaces[number as usize];
        let at = workspace.latest.unwrap_or(gap.to);
        let reached = workspace.reached.unwrap_or(Millis::MIN);
        let oldest = reached.saturating_sub(self.longest).saturating_sub(self.lateness);
        gaps::remember(&mut workspace.gaps, gap.clone(), oldest);
        for index in 0..self.rules.len() {
            let workspace = &mut self.workspaces[number as usize];
            let mut scope = RuleScope {
                workspace: number,
                timers: &mut workspace.timers,
                gaps: &workspace.gaps,
                changes: &mut self.changes,
                evicted: &mut self.evicted,
            };
            self.rules[index].rule.gap(gap, at, &mut scope);
            self.report(number, index);
        }
    }

    /// Turns the changes of a rule into alerts.
    fn report(&mut self, number: u32, index: usize) {
        for (key, change) in std::mem::take(&mut self.changes) {
            self.alert(number, index, key, change);
        }
        for EvictedKey { workspace, key, timer, change } in std::mem::take(&mut self.evicted) {
            if let Some(timer) = timer {
                self.workspaces[workspace as usize].timers.remove(&timer);
            }
            self.alert(workspace, index, key, change);
        }
    }

    fn alert(&mut self, number: u32, index: usize, key: Box<str>, change: Change) {
        let index = u16::try_from(index).unwrap_or(u16::MAX);
        self.untaken.push_back((number, index, key, change));
    }
}
