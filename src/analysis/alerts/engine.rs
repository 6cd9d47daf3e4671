//! Applies what is known of events to the rules, in the order of time.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;

use super::alert::Alert;
use super::gaps::{self, KnownGap};
use super::key_table::{KeyId, KeyTable};
use super::millis::{Millis, millis};
use super::observation::{FoundRule, Observation, Observations};
use super::rule::{Change, EvictedKey, Phase, Rule, RuleScope, Standing};
use super::subject::AlertSubject;
use super::timers::Timer;
use super::workspace::{WorkspaceProgress, WorkspaceStep};
use crate::model::catalog::value::{AlertReason, AlertState};

/// The maximum number of workspaces that rules are applied to.
const MAX_WORKSPACES: usize = 1 << 16;

/// A change that was not taken yet: the numbers of the workspace and the rule, the key, the change.
pub(super) type UntakenChange = (u32, u16, Arc<str>, Change);

/// A wait that the end of the input leaves undecided.
struct PendingWait {
    workspace: u32,
    rule: u16,
    key: KeyId,
    since: Millis,
    count: u64,
}

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
    /// Whether its alerts are events, rather than only shown on the live screen. Rules of which they
    /// are not come last.
    pub is_reported: bool,
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
    pub(super) numbers: HashMap<Arc<str>, u32, RandomState>,
    /// The number of the workspace of events without the id of one.
    unnamed: Option<u32>,
    /// The changes that were not taken yet: workspace, rule, key and change.
    pub(super) untaken: VecDeque<UntakenChange>,
    /// The waits that are undecided at the end of the input and were not taken yet.
    pending: std::vec::IntoIter<PendingWait>,
    /// The keys of all rules.
    pub(super) keys: KeyTable,
    /// The numbers of the workspaces of the streams that are being observed.
    stream_numbers: Vec<Option<u32>>,
    changes: Vec<(Arc<str>, Change)>,
    evicted: Vec<EvictedKey>,
    /// The deadlines of the same time and rule that are being handled.
    due: Vec<Timer>,
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
            numbers: HashMap::default(),
            unnamed: None,
            untaken: VecDeque::new(),
            pending: Vec::new().into_iter(),
            keys: KeyTable::default(),
            stream_numbers: Vec::new(),
            changes: Vec::new(),
            evicted: Vec::new(),
            due: Vec::new(),
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

    /// Returns whether the alerts of a rule are events.
    #[must_use]
    pub fn reports_events(&self) -> bool {
        self.rules.iter().any(|config| config.is_reported)
    }

    /// Takes the next alert, in order.
    pub fn next_alert(&mut self) -> Option<Alert> {
        let (number, index, key, change) =
            self.untaken.pop_front().or_else(|| self.next_pending())?;
        let Change { at, state, since, count, value, reason } = change;
        let config = self.rules.get(usize::from(index))?;
        let (rule, subject) = (Arc::clone(&config.name), config.subject);
        let is_reported = config.is_reported;
        let origin = Arc::clone(&self.workspaces.get(number as usize)?.origin);
        Some(Alert {
            rule,
            key,
            origin,
            at,
            state,
            since,
            count,
            value,
            reason,
            subject,
            is_reported,
        })
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
        let mut numbers = std::mem::take(&mut self.stream_numbers);
        numbers.clear();
        numbers.extend(observations.workspaces().map(|id| self.number(id)));
        let mut items = std::mem::take(&mut observations.items);
        for (stream, observation) in items.drain(..) {
            let Some(Some(number)) = numbers.get(stream as usize).copied() else {
                self.beyond_limit += u64::from(matches!(observation, Observation::Match(_)));
                continue;
            };
            let workspace = &mut self.workspaces[number as usize];
            match observation {
                Observation::Event { at } => {
                    let until = workspace.event(observations.call(stream), at, self.lateness);
                    self.advance(number, until);
                }
                Observation::Match(found) => {
                    let Some(at) = workspace.time_of(&found, self.lateness) else {
                        self.without_time += 1;
                        continue;
                    };
                    let until = workspace.reached.unwrap_or(at);
                    let (key, rules) =
                        (observations.text(&found.key), &observations.rules[found.rules]);
                    if workspace.is_next(at, until) {
                        self.matched(number, at, key, rules);
                    } else {
                        workspace.enqueue(at, key, rules.to_vec());
                    }
                    self.steps(number, until);
                }
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
        observations.items = items;
        observations.clear();
        self.stream_numbers = numbers;
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
        for (rule, config) in (0..).zip(&self.rules) {
            let mut count = 0;
            config.rule.for_each_standing(&mut |_, standing| {
                count += usize::from(standing.phase == Phase::Waiting);
            });
            pending.reserve_exact(count);
            config.rule.for_each_standing(&mut |key, Standing { phase, since, count }| {
                if phase == Phase::Waiting {
                    let workspace = self.keys.workspace(key);
                    pending.push(PendingWait { workspace, rule, key, since, count });
                }
            });
        }
        let order = |wait: &PendingWait| (wait.workspace, wait.rule, self.keys.text(wait.key));
        pending.sort_unstable_by(|a, b| order(a).cmp(&order(b)));
        self.pending = pending.into_iter();
    }

    /// Takes the report of the next wait that the end of the input leaves undecided.
    fn next_pending(&mut self) -> Option<UntakenChange> {
        let PendingWait { workspace, rule, key, since, count } = self.pending.next()?;
        let at = self.workspaces[workspace as usize].latest.unwrap_or(since);
        let (state, reason) = (AlertState::Pending, AlertReason::InputEnded);
        let change = Change { at, state, since, count, value: None, reason };
        Some((workspace, rule, Arc::clone(self.keys.text(key)), change))
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
            match step {
                WorkspaceStep::Match(at, found) => {
                    self.matched(number, at, &found.key, &found.rules);
                }
                WorkspaceStep::Due(timer) => self.due(number, timer),
            }
        }
        let Self { workspaces, rules, .. } = self;
        let timers = &mut workspaces[number as usize].timers;
        if timers.needs_cleaning() {
            timers.clean(|timer| rules[usize::from(timer.rule)].rule.has_timer(timer));
        }
    }

    /// Applies rules to an event.
    fn matched(&mut self, number: u32, at: Millis, key: &str, rules: &[FoundRule]) {
        // A known key stays known until all rules have handled the event.
        let mut known = self.keys.find(number, key);
        if let Some(id) = known {
            self.keys.retain(id);
        }
        for found in rules {
            let Some(config) = self.rules.get_mut(usize::from(found.rule)) else { continue };
            let id = match known {
                Some(id) => id,
                None if config.rule.begins(found.roles) => {
                    *known.insert(self.keys.take(number, key))
                }
                None => continue,
            };
            let workspace = &mut self.workspaces[number as usize];
            let mut scope = RuleScope {
                workspace: number,
                keys: &mut self.keys,
                timers: &mut workspace.timers,
                gaps: &workspace.gaps,
                changes: &mut self.changes,
                evicted: &mut self.evicted,
            };
            config.rule.event(id, &found.event(at), &mut scope);
            self.report(number, found.rule);
        }
        if let Some(id) = known {
            self.keys.release(id);
        }
    }

    /// Handles a deadline and the others of the same time and rule, in the order of their keys.
    fn due(&mut self, number: u32, timer: Timer) {
        let Some(config) = self.rules.get_mut(usize::from(timer.rule)) else { return };
        let mut due = std::mem::take(&mut self.due);
        due.push(timer);
        let workspace = &mut self.workspaces[number as usize];
        while workspace
            .timers
            .first()
            .is_some_and(|next| (next.at, next.rule) == (timer.at, timer.rule))
        {
            due.extend(workspace.timers.pop());
        }
        if due.len() > 1 {
            let rule = &config.rule;
            let keys = &self.keys;
            let order =
                |timer: &Timer| rule.has_timer(*timer).then(|| keys.text(rule.key_of(*timer)));
            due.sort_by(|a, b| order(a).cmp(&order(b)));
        }
        let mut scope = RuleScope {
            workspace: number,
            keys: &mut self.keys,
            timers: &mut workspace.timers,
            gaps: &workspace.gaps,
            changes: &mut self.changes,
            evicted: &mut self.evicted,
        };
        for timer in due.drain(..) {
            config.rule.due(timer, &mut scope);
        }
        self.due = due;
        self.report(number, timer.rule);
    }

    fn gap(&mut self, number: u32, gap: &KnownGap) {
        let workspace = &mut self.workspaces[number as usize];
        let at = workspace.latest.unwrap_or(gap.to);
        let reached = workspace.reached.unwrap_or(Millis::MIN);
        let oldest = reached.saturating_sub(self.longest).saturating_sub(self.lateness);
        gaps::remember(&mut workspace.gaps, gap.clone(), oldest);
        for (index, config) in (0..).zip(&mut self.rules) {
            let workspace = &mut self.workspaces[number as usize];
            let mut scope = RuleScope {
                workspace: number,
                keys: &mut self.keys,
                timers: &mut workspace.timers,
                gaps: &workspace.gaps,
                changes: &mut self.changes,
                evicted: &mut self.evicted,
            };
            config.rule.gap(gap, at, &mut scope);
            let changes = self.changes.drain(..).map(|(key, change)| (number, index, key, change));
            self.untaken.extend(changes);
        }
    }

    /// Turns the changes of a rule into alerts.
    fn report(&mut self, number: u32, index: u16) {
        if self.changes.is_empty() && self.evicted.is_empty() {
            return;
        }
        let changes = self.changes.drain(..).map(|(key, change)| (number, index, key, change));
        self.untaken.extend(changes);
        for EvictedKey { workspace, key, had_timer, change } in self.evicted.drain(..) {
            if had_timer {
                self.workspaces[workspace as usize].timers.note_stale();
            }
            self.untaken.push_back((workspace, index, key, change));
        }
    }
}
