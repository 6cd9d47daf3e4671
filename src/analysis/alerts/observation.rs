//! What the rules need to know of events, in the order of the events.

use std::hash::BuildHasher as _;
use std::ops::Range;

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use super::gaps::KnownGap;
use super::millis::Millis;
use super::rule::{EventRoles, RuleEvent};
use crate::model::Stream;
use crate::redact::RedactedEvent;

/// The number of streams that are found again.
const RECENT: usize = 64;

/// A stream of events.
#[derive(Debug, Clone)]
pub(super) struct StreamId {
    /// The workspace, if it is known.
    workspace: Option<Range<usize>>,
    /// The call whose observer it is; empty if the call is not known.
    call: Option<Range<usize>>,
}

/// Something that the rules need to know.
#[derive(Debug, Clone)]
pub(super) enum Observation {
    /// An event happened.
    Event { at: Millis },
    /// An event concerns rules.
    Match(FoundEvent),
    /// Events are missing.
    Gap(KnownGap),
    /// All events before a time have arrived.
    Covered { until: Millis },
    /// An earlier run knew all events up to a time.
    Alert { at: Millis },
}

/// An event that concerns rules, which have the same key for it.
#[derive(Debug, Clone)]
pub(super) struct FoundEvent {
    /// When the event happened; `None` for the time of the latest event.
    pub at: Option<Millis>,
    /// The time if there is no other event.
    pub fallback: Option<Millis>,
    pub key: Range<usize>,
    pub rules: Range<usize>,
}

/// What an event is to a rule.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct FoundRule {
    pub rule: u16,
    pub roles: EventRoles,
    pub value: f64,
    pub subject: u64,
}

impl FoundRule {
    /// Returns the event that the rule handles.
    pub const fn event(&self, at: Millis) -> RuleEvent {
        RuleEvent { at, roles: self.roles, value: self.value, subject: self.subject }
    }
}

/// What the rules need to know of a number of events.
#[derive(Debug)]
pub struct Observations {
    /// The ids and keys that the rest refers to.
    text: String,
    streams: Vec<StreamId>,
    /// The index of the latest stream by the hash of its names.
    recent: [u32; RECENT],
    /// The observations, each with the index of its stream.
    pub(super) items: Vec<(u32, Observation)>,
    /// What the events that concern rules are to them.
    pub(super) rules: Vec<FoundRule>,
    /// The number of events that concern a rule and have no key.
    pub(super) without_key: u64,
}

impl Default for Observations {
    fn default() -> Self {
        Self {
            text: String::new(),
            streams: Vec::new(),
            recent: [u32::MAX; RECENT],
            items: Vec::new(),
            rules: Vec::new(),
            without_key: 0,
        }
    }
}

impl Observations {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.text.clear();
        if !self.streams.is_empty() {
            self.streams.clear();
            self.recent = [u32::MAX; RECENT];
        }
        self.items.clear();
        self.rules.clear();
        self.without_key = 0;
    }

    /// Returns a text that an observation refers to.
    pub(super) fn text(&self, range: &Range<usize>) -> &str {
        &self.text[range.clone()]
    }

    /// Adds a text.
    pub(super) fn add_text(&mut self, text: &str) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(text);
        start..self.text.len()
    }

    /// Returns the workspaces of the streams.
    pub(super) fn workspaces(&self) -> impl Iterator<Item = Option<&str>> {
        self.streams.iter().map(|stream| self.names(stream).0)
    }

    /// Returns the call of a stream.
    pub(super) fn call(&self, stream: u32) -> Option<&str> {
        self.names(self.streams.get(stream as usize)?).1
    }

    /// Returns the workspace and the call of a stream.
    fn names(&self, stream: &StreamId) -> (Option<&str>, Option<&str>) {
        let text = |range: &Option<Range<usize>>| range.as_ref().map(|range| self.text(range));
        (text(&stream.workspace), text(&stream.call))
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
        let hash = FixedState::default().hash_one((workspace, call));
        #[expect(clippy::cast_possible_truncation, reason = "it is less than the number of places")]
        let place = (hash % RECENT as u64) as usize;
        let known = self.recent[place];
        if let Some(stream) = self.streams.get(known as usize)
            && self.names(stream) == (workspace, call)
        {
            return known;
        }
        let workspace = workspace.map(|id| self.add_text(id));
        let call = call.map(|id| self.add_text(id));
        let index = u32::try_from(self.streams.len()).unwrap_or(u32::MAX);
        self.streams.push(StreamId { workspace, call });
        self.recent[place] = index;
        index
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

    /// Adds what an event is to a rule. If the last item is the same event with the same key, the
    /// rule is added to that.
    pub(super) fn found(
        &mut self,
        stream: u32,
        event: FoundEvent,
        found: FoundRule,
        is_same: bool,
    ) {
        self.rules.push(found);
        let end = self.rules.len();
        if is_same
            && let Some((_, Observation::Match(last))) = self.items.last_mut()
            && last.key == event.key
        {
            last.rules.end = end;
            return;
        }
        self.items.push((stream, Observation::Match(FoundEvent { rules: end - 1..end, ..event })));
    }
}
