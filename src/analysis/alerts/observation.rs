//! What the rules need to know of events, in the order of the events.

use serde::{Deserialize, Serialize};

use super::gaps::KnownGap;
use super::millis::Millis;
use super::rule::{EventRoles, RuleEvent};
use crate::model::Stream;
use crate::redact::RedactedEvent;

/// The number of streams that are compared before one is listed again.
const COMPARED: usize = 8;

/// A stream of events.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StreamId {
    /// The workspace, if it is known.
    pub workspace: Option<Box<str>>,
    /// The call whose observer it is; empty if the call is not known.
    pub call: Option<Box<str>>,
}

impl StreamId {
    fn is_of(&self, workspace: Option<&str>, call: Option<&str>) -> bool {
        self.workspace.as_deref() == workspace && self.call.as_deref() == call
    }
}

/// Something that the rules need to know.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Observation {
    /// An event happened.
    Event { at: Millis },
    /// An event concerns a rule.
    Match(Box<MatchedRule>),
    /// Events are missing.
    Gap(KnownGap),
    /// All events before a time have arrived.
    Covered { until: Millis },
    /// An earlier run knew all events up to a time.
    Alert { at: Millis },
}

/// An event that concerns a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct MatchedRule {
    pub rule: u16,
    /// When the event happened; `None` for the time of the latest event.
    pub at: Option<Millis>,
    /// The time if there is no other event.
    pub fallback: Option<Millis>,
    pub roles: EventRoles,
    pub key: Box<str>,
    pub value: f64,
    pub subject: u64,
}

impl MatchedRule {
    /// Returns the event that the rule handles.
    pub const fn event(&self, at: Millis) -> RuleEvent {
        RuleEvent { at, roles: self.roles, value: self.value, subject: self.subject }
    }
}

/// What the rules need to know of a number of events.
#[derive(Debug, Default)]
pub struct Observations {
    pub(super) streams: Vec<StreamId>,
    /// What was observed, and the index of its stream.
    pub(super) items: Vec<(u32, Observation)>,
    /// The number of events that concern a rule and have no key.
    pub(super) without_key: u64,
}

impl Observations {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.streams.clear();
        self.items.clear();
        self.without_key = 0;
    }

    /// Returns the index of the stream of an event.
    pub(super) fn stream_of(&mut self, event: &RedactedEvent<'_>) -> u32 {
        let tap = event.tap();
        let call = match event.stream() {
            Some(Stream::Observer) => Some(tap.call_sid.as_deref().unwrap_or_default()),
            Some(Stream::Workspace) => None,
            _ => tap.call_sid.as_deref(),
        };
        self.stream(tap.workspace_id.as_deref(), call)
    }

    /// Returns the index of a stream.
    pub(super) fn stream(&mut self, workspace: Option<&str>, call: Option<&str>) -> u32 {
        let recent = self.streams.len().saturating_sub(COMPARED);
        let known = self.streams[recent..].iter().rposition(|known| known.is_of(workspace, call));
        let index = known.map_or(self.streams.len(), |index| recent + index);
        if index == self.streams.len() {
            let (workspace, call) = (workspace.map(Into::into), call.map(Into::into));
            self.streams.push(StreamId { workspace, call });
        }
        u32::try_from(index).unwrap_or(u32::MAX)
    }

    /// Adds the time of an event. Of several in a row without a match, the latest counts.
    pub(super) fn event(&mut self, stream: u32, at: Millis) {
        if let Some((last, Observation::Event { at: latest })) = self.items.last_mut()
            && *last == stream
        {
            *latest = at.max(*latest);
            return;
        }
        self.items.push((stream, Observation::Event { at }));
    }
}
