//! Finds the rules that an event concerns.

use std::ops::Range;
use std::sync::Arc;

use super::gaps::KnownGap;
use super::millis::Millis;
use super::observation::{FoundEvent, FoundRule, Observation, Observations};
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

/// A condition on the events of a rule.
#[derive(Debug, Clone, Copy)]
pub struct RuleCondition {
    /// What an event that satisfies it is to the rule.
    pub role: EventRole,
    /// The number of the condition in the pool.
    pub condition: usize,
    /// The events that can satisfy it.
    pub kinds: Kinds,
}

/// The expressions of a rule. Keys, values and subjects are numbers of programs in the pool.
#[derive(Debug, Clone)]
pub struct RuleExpressions {
    /// The conditions on events.
    pub conditions: Vec<RuleCondition>,
    /// Gives the key; `None` if the rule has no keys.
    pub key: Option<usize>,
    /// Gives the value that is measured.
    pub value: Option<usize>,
    /// Gives what an event is about within the key.
    pub subject: Option<usize>,
}

/// The expressions of all rules, each once.
#[derive(Default)]
pub struct ExpressionPool {
    /// The conditions.
    pub conditions: Vec<Predicate>,
    /// The programs that give keys, values and subjects.
    pub programs: Vec<Arc<OutputProgram>>,
}

/// A condition and what it gave for the current event.
struct PooledCondition {
    predicate: Predicate,
    /// Whether the declared events satisfy it, as far as that depends on their type and is known.
    by_type: Vec<Option<bool>>,
    /// The number of the event for which `held` applies.
    event: u64,
    held: bool,
}

impl PooledCondition {
    fn new(predicate: Predicate) -> Self {
        let known = if predicate.depends_on_type_only() { KIND_COUNT } else { 0 };
        Self { predicate, by_type: vec![None; known], event: 0, held: false }
    }

    fn holds(&mut self, event: u64, kind: Option<Kind>, context: &EventContext<'_>) -> bool {
        if let Some(known) = kind.and_then(|kind| self.by_type.get_mut(kind as usize)) {
            return *known.get_or_insert_with(|| self.predicate.holds(context));
        }
        if self.event != event {
            (self.event, self.held) = (event, self.predicate.holds(context));
        }
        self.held
    }
}

/// A program and what it gave for the current event.
#[expect(clippy::option_option, reason = "no result and one not computed yet are different")]
struct PooledProgram {
    program: Arc<OutputProgram>,
    /// The number of the event for which the rest applies.
    event: u64,
    key: Option<Option<Range<usize>>>,
    value: Option<Option<f64>>,
    subject: Option<Option<u64>>,
}

impl PooledProgram {
    fn new(program: Arc<OutputProgram>) -> Self {
        Self { program, event: 0, key: None, value: None, subject: None }
    }

    /// Forgets what it gave for another event.
    fn at(&mut self, event: u64) -> &mut Self {
        if self.event != event {
            self.event = event;
            (self.key, self.value, self.subject) = (None, None, None);
        }
        self
    }
}

/// A rule that events of a type may concern.
struct CandidateRule {
    rule: u16,
    /// The conditions that these events can satisfy.
    conditions: Box<[(EventRole, usize)]>,
    key: Option<usize>,
    value: Option<usize>,
    subject: Option<usize>,
}

/// Finds the rules that an event concerns.
///
/// It knows which events can satisfy a condition at all, so most conditions are not evaluated. What
/// several rules have in common is evaluated once for each event.
pub struct RuleMatcher {
    conditions: Vec<PooledCondition>,
    programs: Vec<PooledProgram>,
    /// The rules that each event type may concern, in order. The last are those of undeclared types.
    by_kind: Arc<[Box<[CandidateRule]>]>,
    /// The number of the current event.
    event: u64,
    json: Vec<u8>,
}

impl RuleMatcher {
    /// Creates a matcher for rules, in the order of the engine.
    #[must_use]
    pub fn new(pool: ExpressionPool, rules: &[RuleExpressions]) -> Self {
        let candidates = |is_in: &dyn Fn(Kinds) -> bool| -> Box<[CandidateRule]> {
            let candidate = |(rule, of): (u16, &RuleExpressions)| {
                let known = of.conditions.iter().filter(|condition| is_in(condition.kinds));
                let conditions: Box<[_]> =
                    known.map(|condition| (condition.role, condition.condition)).collect();
                let RuleExpressions { key, value, subject, .. } = *of;
                let candidate = CandidateRule { rule, conditions, key, value, subject };
                (!candidate.conditions.is_empty()).then_some(candidate)
            };
            (0..).zip(rules).filter_map(candidate).collect()
        };
        let mut by_kind: Vec<Box<[CandidateRule]>> = Vec::new();
        by_kind.resize_with(KIND_COUNT + 1, Box::default);
        for kind in Kind::ALL.iter().chain(Kind::OWN) {
            by_kind[*kind as usize] = candidates(&|kinds| kinds.has(*kind));
        }
        by_kind[KIND_COUNT] = candidates(&|kinds| kinds.unknown);
        Self {
            conditions: pool.conditions.into_iter().map(PooledCondition::new).collect(),
            programs: pool.programs.into_iter().map(PooledProgram::new).collect(),
            by_kind: by_kind.into(),
            event: 0,
            json: Vec::new(),
        }
    }

    /// Creates a copy for another thread, which counts failures but does not report them.
    #[must_use]
    pub fn fork(&self) -> Self {
        let condition = |pooled: &PooledCondition| PooledCondition::new(pooled.predicate.fork());
        let program = |pooled: &PooledProgram| PooledProgram::new(Arc::clone(&pooled.program));
        Self {
            conditions: self.conditions.iter().map(condition).collect(),
            programs: self.programs.iter().map(program).collect(),
            by_kind: Arc::clone(&self.by_kind),
            event: 0,
            json: Vec::new(),
        }
    }

    /// Returns the failure counters of the expressions, in order.
    pub fn failures_each(&mut self) -> impl Iterator<Item = &mut Failures> {
        self.conditions.iter_mut().map(|condition| condition.predicate.failures_mut())
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
        self.event += 1;
        let (mut has_key, mut lacks_key) = (false, false);
        for candidate in candidates {
            let mut roles = EventRoles::default();
            for (role, condition) in &candidate.conditions {
                if self.conditions[*condition].holds(self.event, kind, context) {
                    roles.add(*role);
                }
            }
            if roles.is_empty() {
                continue;
            }
            let key = match candidate.key {
                Some(program) => self.key(program, context, observations),
                None => Some(0..0),
            };
            let Some(key) = key else {
                lacks_key = true;
                continue;
            };
            let value = candidate.value.map_or(Some(0.0), |program| self.value(program, context));
            let subject =
                candidate.subject.map_or(Some(0), |program| self.subject(program, context));
            let (Some(value), Some(subject)) = (value, subject) else { continue };
            let found = FoundEvent { at, fallback, key, rules: 0..0 };
            let rule = FoundRule { rule: candidate.rule, roles, value, subject };
            observations.found(stream, found, rule, has_key);
            has_key = true;
        }
        observations.without_key += u64::from(lacks_key);
    }

    /// Returns the key of the current event.
    fn key(
        &mut self,
        program: usize,
        context: &EventContext<'_>,
        observations: &mut Observations,
    ) -> Option<Range<usize>> {
        let PooledProgram { program, key, .. } = self.programs[program].at(self.event);
        let json = &mut self.json;
        key.get_or_insert_with(|| {
            first(program, context, json, |json| {
                let key = match json.as_bytes().first()? {
                    b'"' => unquote(json)?,
                    b'n' | b'[' | b'{' => return None,
                    _ => json.into(),
                };
                // A mask stands for many values.
                let is_key = key.len() <= MAX_KEY && *key != *MASK;
                is_key.then(|| observations.add_text(&key))
            })
        })
        .clone()
    }

    /// Returns the number that a program gives for the current event.
    fn value(&mut self, program: usize, context: &EventContext<'_>) -> Option<f64> {
        let PooledProgram { program, value, .. } = self.programs[program].at(self.event);
        let json = &mut self.json;
        *value.get_or_insert_with(|| {
            let number = |json: &str| json.parse().ok().filter(|number: &f64| number.is_finite());
            first(program, context, json, number)
        })
    }

    /// Returns the hash of what a program gives for the current event.
    fn subject(&mut self, program: usize, context: &EventContext<'_>) -> Option<u64> {
        let PooledProgram { program, subject, .. } = self.programs[program].at(self.event);
        let json = &mut self.json;
        *subject.get_or_insert_with(|| first(program, context, json, |json| Some(hash(json))))
    }
}

/// Returns the first output of a program, as far as `read` accepts it. There is none if the program
/// fails.
fn first<T>(
    program: &OutputProgram,
    context: &EventContext<'_>,
    buffer: &mut Vec<u8>,
    mut read: impl FnMut(&str) -> Option<T>,
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
