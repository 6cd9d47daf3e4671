//! Finds the rules that an event concerns.

use std::sync::Arc;

use super::gaps::KnownGap;
use super::millis::Millis;
use super::observation::{MatchedRule, Observation, Observations};
use super::rule::{EventRole, EventRoles};
use crate::json::string::unquote;
use crate::model::catalog::{TapEnded, TapGap, TapPosition};
use crate::model::{Field, Kind, Time, parse_millis};
use crate::query::check::Kinds;
use crate::query::{EventContext, Failures, OutputProgram, Predicate};
use crate::redact::{Fnv, RedactedEvent};
use crate::text::MASK;

/// The maximum length of a key, in bytes. An event with a longer one has no key.
const MAX_KEY: usize = 256;

/// The number of declared event types.
const KIND_COUNT: usize = Kind::ALL.len() + Kind::OWN.len();

/// Conditions, as indexes of rules and of their conditions.
type ConditionList = Box<[(u16, u16)]>;

/// A condition on the events of a rule.
pub struct RuleCondition {
    /// What an event that satisfies it is to the rule.
    pub role: EventRole,
    /// The condition.
    pub predicate: Predicate,
    /// The events that can satisfy it.
    pub kinds: Kinds,
    /// Whether the declared events satisfy it, as far as that depends on their type and is known.
    by_type: Vec<Option<bool>>,
}

impl RuleCondition {
    /// Creates a condition that only events in `kinds` can satisfy.
    #[must_use]
    pub fn new(role: EventRole, predicate: Predicate, kinds: Kinds) -> Self {
        let known = if predicate.depends_on_type_only() { KIND_COUNT } else { 0 };
        Self { role, predicate, kinds, by_type: vec![None; known] }
    }

    fn fork(&self) -> Self {
        Self::new(self.role, self.predicate.fork(), self.kinds)
    }

    fn holds(&mut self, kind: Option<Kind>, context: &EventContext<'_>) -> bool {
        let Some(known) = kind.and_then(|kind| self.by_type.get_mut(kind as usize)) else {
            return self.predicate.holds(context);
        };
        *known.get_or_insert_with(|| self.predicate.holds(context))
    }
}

/// The expressions of a rule.
pub struct RuleExpressions {
    /// The conditions on events.
    pub conditions: Vec<RuleCondition>,
    /// Gives the key; `None` if the rule has no keys.
    pub key: Option<Arc<OutputProgram>>,
    /// Gives the value that is measured.
    pub value: Option<Arc<OutputProgram>>,
    /// Gives what an event is about within the key.
    pub subject: Option<Arc<OutputProgram>>,
}

impl RuleExpressions {
    fn fork(&self) -> Self {
        Self {
            conditions: self.conditions.iter().map(RuleCondition::fork).collect(),
            key: self.key.clone(),
            value: self.value.clone(),
            subject: self.subject.clone(),
        }
    }
}

/// Finds the rules that an event concerns.
///
/// It knows which events can satisfy a condition at all, so most conditions are not evaluated.
pub struct RuleMatcher {
    rules: Vec<RuleExpressions>,
    /// The conditions that each event type can satisfy, as indexes of rules and conditions. The last
    /// are those of undeclared types.
    by_kind: Arc<[ConditionList]>,
    json: Vec<u8>,
}

impl RuleMatcher {
    /// Creates a matcher for rules, in the order of the engine.
    #[must_use]
    pub fn new(rules: Vec<RuleExpressions>) -> Self {
        let mut by_kind = vec![Vec::new(); KIND_COUNT + 1];
        for (index, rule) in (0..).zip(&rules) {
            for (number, RuleCondition { kinds, .. }) in (0..).zip(&rule.conditions) {
                for kind in kinds.iter() {
                    by_kind[kind as usize].push((index, number));
                }
                if kinds.unknown {
                    by_kind[KIND_COUNT].push((index, number));
                }
            }
        }
        let by_kind = by_kind.into_iter().map(Vec::into_boxed_slice).collect();
        Self { rules, by_kind, json: Vec::new() }
    }

    /// Creates a copy for another thread, which counts failures but does not report them.
    #[must_use]
    pub fn fork(&self) -> Self {
        let rules = self.rules.iter().map(RuleExpressions::fork).collect();
        Self { rules, by_kind: Arc::clone(&self.by_kind), json: Vec::new() }
    }

    /// Returns the failure counters of the expressions, in order.
    pub fn failures_each(&mut self) -> impl Iterator<Item = &mut Failures> {
        let conditions = self.rules.iter_mut().flat_map(|rule| &mut rule.conditions);
        conditions.map(|condition| condition.predicate.failures_mut())
    }

    /// Adds what the rules need to know of an event.
    pub fn observe(&mut self, context: &EventContext<'_>, observations: &mut Observations) {
        let event = context.event;
        let stream = observations.stream_of(event);
        let kind = event.kind();
        let moment = moment(event);
        let is_own = match kind {
            // The alerts of an earlier run prove that it knew everything up to their time.
            Some(Kind::TapAlert) => {
                if let Some(at) = moment {
                    observations.items.push((stream, Observation::Alert { at }));
                }
                return;
            }
            Some(kind) if Kind::OWN.contains(&kind) => {
                if let Some(observation) = own(kind, event) {
                    observations.items.push((stream, observation));
                }
                true
            }
            _ => {
                if let Some(at) = moment {
                    observations.event(stream, at);
                }
                false
            }
        };
        let (at, fallback) = if is_own { (None, moment) } else { (moment, None) };
        let by_kind = Arc::clone(&self.by_kind);
        let candidates = &by_kind[kind.map_or(KIND_COUNT, |kind| kind as usize)];
        for of_rule in candidates.chunk_by(|(a, _), (b, _)| a == b) {
            let Some((rule, _)) = of_rule.first() else { continue };
            let mut roles = EventRoles::default();
            for (_, number) in of_rule {
                let conditions = &mut self.rules[usize::from(*rule)].conditions;
                let condition = &mut conditions[usize::from(*number)];
                if condition.holds(kind, context) {
                    roles.add(condition.role);
                }
            }
            if roles.is_empty() {
                continue;
            }
            let Some(key) = self.key(*rule, context) else {
                observations.without_key += 1;
                continue;
            };
            let RuleExpressions { value, subject, .. } = &self.rules[usize::from(*rule)];
            let value = value.as_ref().map_or(Some(0.0), |value| {
                first(value, context, &mut self.json, |json| json.parse().ok())
            });
            let subject = subject.as_ref().map_or(Some(0), |subject| {
                first(subject, context, &mut self.json, |json| Some(hash(json)))
            });
            let (Some(value), Some(subject)) = (value, subject) else { continue };
            let found = MatchedRule { rule: *rule, at, fallback, roles, key, value, subject };
            observations.items.push((stream, Observation::Match(Box::new(found))));
        }
    }

    /// Returns the key of an event for a rule; `None` if it has none.
    fn key(&mut self, rule: u16, context: &EventContext<'_>) -> Option<Box<str>> {
        let Some(key) = &self.rules[usize::from(rule)].key else { return Some(Box::default()) };
        let key = first(key, context, &mut self.json, |json| match json.as_bytes().first()? {
            b'"' => unquote(json).map(|text| text.into_owned().into_boxed_str()),
            b'n' | b'[' | b'{' => None,
            _ => Some(json.into()),
        })?;
        // A mask stands for many values.
        (key.len() <= MAX_KEY && *key != *MASK).then_some(key)
    }
}

/// Returns the first output of a program, as far as `read` accepts it. There is none if the program
/// fails.
fn first<T>(
    program: &OutputProgram,
    context: &EventContext<'_>,
    buffer: &mut Vec<u8>,
    read: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let mut output = None;
    let run = program.for_each_json(context, buffer, |json| {
        output = read(json);
        false
    });
    run.ok().and(output)
}

fn hash(json: &str) -> u64 {
    let mut hash = Fnv::default();
    hash.update(json);
    hash.0
}

/// Returns the time of an event in milliseconds.
fn moment(event: &RedactedEvent<'_>) -> Option<Millis> {
    let tap = event.tap();
    parse_millis(tap.time.as_ref().or(tap.received_at.as_ref())?)
}

/// Returns what an event of evtap itself says about the stream.
fn own(kind: Kind, event: &RedactedEvent<'_>) -> Option<Observation> {
    let covered = |position: &Field<Time>| {
        position
            .value()
            .and_then(|time| parse_millis(&time.0))
            .map(|until| Observation::Covered { until })
    };
    match kind {
        Kind::TapPosition => covered(&event.read::<TapPosition>()?.position),
        Kind::TapEnded => covered(&event.read::<TapEnded>()?.position),
        Kind::TapGap => {
            let gap = event.read::<TapGap>()?;
            let time = |time: &Field<Time>| time.value().and_then(|time| parse_millis(&time.0));
            let from = time(&gap.from).unwrap_or(Millis::MIN);
            let to = time(&gap.to).or_else(|| moment(event))?;
            let call = event.tap().call_sid.as_deref().map(Into::into);
            Some(Observation::Gap(KnownGap { from, to, call }))
        }
        _ => None,
    }
}
