//! Tests of the rules, on observations without events.

mod forms;
mod naive;
mod random;

use std::time::Duration;

use super::alert::Alert;
use super::gaps::{AffectedStreams, KnownGap};
use super::millis::Millis;
use super::observation::{FoundEvent, FoundRule, Observation};
use super::rule::{EventRole, EventRoles, RuleForm};
use super::{AlertSubject, KeyedRule, Observations, RuleConfig, RuleEngine};

/// All streams, with keys that are not calls.
pub const ALL: AffectedStreams =
    AffectedStreams { workspace: true, observer: true, keys_are_calls: false };

/// Returns an engine with one rule.
pub fn engine(form: impl RuleForm + 'static, lateness: Millis) -> RuleEngine {
    engine_with(form, lateness, ALL, 1 << 20)
}

/// Returns an engine with one rule that remembers at most `limit` bytes.
pub fn engine_with(
    form: impl RuleForm + 'static,
    lateness: Millis,
    streams: AffectedStreams,
    limit: usize,
) -> RuleEngine {
    let config = RuleConfig {
        name: "rule".into(),
        fingerprint: String::new(),
        longest: Duration::from_secs(3600),
        subject: AlertSubject::Call,
        is_reported: true,
        rule: Box::new(KeyedRule::new(0, form, streams, limit)),
    };
    RuleEngine::new(vec![config], Duration::from_millis(lateness.unsigned_abs()))
}

/// An event that arrives on a stream: of the workspace, or of the observer of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    pub at: Millis,
    pub call: Option<&'static str>,
    /// What the event is to the rule; `None` if it does not concern it.
    pub found: Option<(&'static str, EventRoles, f64)>,
}

/// Returns the roles of an event.
pub fn roles(list: &[EventRole]) -> EventRoles {
    let mut roles = EventRoles::default();
    for role in list {
        roles.add(*role);
    }
    roles
}

/// Returns an event of the workspace that concerns the rule.
pub fn event(at: Millis, key: &'static str, list: &[EventRole]) -> Arrival {
    Arrival { at, call: None, found: Some((key, roles(list), 0.0)) }
}

/// Returns an event of the workspace that does not concern the rule.
pub fn other(at: Millis) -> Arrival {
    Arrival { at, call: None, found: None }
}

/// Passes an event to the engine.
pub fn arrive(engine: &mut RuleEngine, arrival: &Arrival) {
    let mut observations = Observations::default();
    let stream = observations.stream(Some("w"), arrival.call);
    observations.event(stream, arrival.at);
    if let Some((key, roles, value)) = arrival.found {
        let key = observations.add_text(key);
        let found = FoundEvent { at: Some(arrival.at), fallback: None, key, rules: 0..0 };
        let rule = FoundRule { rule: 0, roles, value, subject: 0 };
        observations.found(stream, found, rule, false);
    }
    engine.apply(&mut observations);
}

/// Passes a gap to the engine.
pub fn miss(engine: &mut RuleEngine, from: Millis, to: Millis, call: Option<&str>) {
    let mut observations = Observations::default();
    let stream = observations.stream(Some("w"), call);
    let gap = KnownGap { from, to, call: call.map(Into::into) };
    observations.items.push((stream, Observation::Gap(gap)));
    engine.apply(&mut observations);
}

/// Returns the alerts since the last call: time, key, state, since, count and reason.
pub fn told(engine: &mut RuleEngine) -> Vec<String> {
    std::iter::from_fn(|| engine.next_alert()).map(|alert| line(&alert)).collect()
}

/// Returns an alert as a line.
pub fn line(alert: &Alert) -> String {
    let Alert { at, key, state, since, count, value, reason, .. } = alert;
    let value = value.map_or_else(String::new, |value| format!(" {value}"));
    format!("{at} {key} {state} since {since}, {count}{value}: {reason}")
}
