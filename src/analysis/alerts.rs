//! Alerts: rules about events that did not happen, or happen too often.
//!
//! [`RuleMatcher`] finds out which rules an event concerns. It looks at one event at a time, so
//! that several threads can do so. [`RuleEngine`] takes the matches in the order of the stream and
//! keeps the state of each rule and key. It works on the time of the events: the result does not
//! depend on the speed of a replay, on threads, or on the clock of this machine.
//!
//! A form of rule is a [`RuleForm`]: what it remembers of a key, and how events, the passing of time
//! and gaps change that. The forms that a file can express and those that need code differ in
//! nothing else.

mod alert;
mod attention;
mod availability;
mod bell;
mod engine;
mod frequency;
mod gaps;
mod key_states;
mod key_table;
mod keyed_rule;
mod matcher;
mod millis;
mod observation;
mod percentile;
mod rhythm;
mod rule;
mod saved;
mod silence;
mod stage;
mod subject;
mod table;
mod timers;
mod wait;
mod workspace;

pub use attention::{AttentionChange, AttentionItem, SharedAttention};
pub use availability::Availability;
pub use bell::AlertBell;
pub use engine::{RuleConfig, RuleEngine};
pub use frequency::Frequency;
pub use gaps::AffectedStreams;
pub use keyed_rule::KeyedRule;
pub use matcher::{ExpressionPool, RuleCondition, RuleExpressions, RuleMatcher};
pub use millis::millis;
pub use observation::Observations;
pub use percentile::Percentile;
pub use rhythm::Rhythm;
pub use rule::{EventRole, Rule, RuleForm};
pub use silence::Silence;
pub use stage::AlertStage;
pub use subject::AlertSubject;
pub use table::AlertTable;
pub use wait::Wait;

#[cfg(test)]
mod tests;
