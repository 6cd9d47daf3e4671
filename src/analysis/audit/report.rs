//! The findings in a set of recordings, and how they are reported.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Value, json};

use super::chunk::{ChunkFindings, EventPlace, FindingKey, FindingPlaces};
use crate::analysis::byte_budget::ByteBudget;
use crate::model::Name;
use crate::redact::Reason;
use crate::text::terminal;

/// The number of places of a finding that are reported.
pub(super) const MAX_LOCATIONS: usize = 5;

/// The memory of the findings, in bytes. The report takes several times as much.
pub(super) const MAX_BYTES: usize = 4 << 20;

/// The memory of a finding besides its names, in bytes.
const FINDING_BYTES: usize =
    size_of::<(FindingKey, AuditLocations)>() * 3 / 2 + MAX_LOCATIONS * size_of::<AuditLocation>();

/// The event type of all findings that are not reported separately. No event type contains
/// parentheses.
const OTHER: &str = "(other fields)";

/// The findings in a set of recordings.
#[derive(Debug)]
pub struct AuditReport {
    pub(super) events: u64,
    /// The places of each finding.
    findings: BTreeMap<FindingKey, AuditLocations>,
    budget: ByteBudget,
}

impl Default for AuditReport {
    fn default() -> Self {
        let budget = ByteBudget::new(MAX_BYTES);
        Self { events: 0, findings: BTreeMap::new(), budget }
    }
}

#[derive(Debug, Default)]
struct AuditLocations {
    count: u64,
    first: Vec<AuditLocation>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AuditLocation {
    pub file: Arc<str>,
    pub place: EventPlace,
}

/// Returns the memory of a finding, in bytes.
pub(super) fn finding_bytes((_, event_type, field): &FindingKey) -> usize {
    FINDING_BYTES + event_type.len() + field.len()
}

impl AuditReport {
    /// Adds a finding.
    pub(super) fn add(&mut self, key: FindingKey, location: &AuditLocation) {
        let bytes = finding_bytes(&key);
        let key = if self.findings.contains_key(&key) || self.budget.take(bytes) {
            key
        } else {
            (key.0, Name::Borrowed(OTHER), Name::Borrowed(""))
        };
        let locations = self.findings.entry(key).or_default();
        locations.count += 1;
        locations.add_place(location);
    }

    /// Adds the findings of a chunk that begins after `start`. Returns `false`, and adds nothing, if
    /// there is no room for all of them.
    pub(super) fn merge(&mut self, chunk: &ChunkFindings, start: &AuditLocation) -> bool {
        let is_new = |key: &FindingKey| !self.findings.contains_key(key);
        let new = chunk.findings.iter().filter(|(key, _)| is_new(key));
        if !self.budget.take(new.map(|(key, _)| finding_bytes(key)).sum()) {
            return false;
        }
        for (key, FindingPlaces { count, first }) in &chunk.findings {
            let locations = match self.findings.get_mut(key) {
                Some(locations) => locations,
                None => self.findings.entry(key.clone()).or_default(),
            };
            locations.count += count;
            for place in first {
                let file = Arc::clone(&start.file);
                locations.add_place(&AuditLocation { file, place: place.after(start.place) });
            }
        }
        self.events += chunk.events;
        true
    }

    /// Whether there are no findings.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// Renders the report as lines for people.
    #[must_use]
    pub fn text(&self) -> String {
        let events =
            format!("{} {}", self.events, if self.events == 1 { "event" } else { "events" });
        if self.is_clean() {
            return format!(
                "nothing found in {events}; names and what is written out in words pass the \
                 detectors\n"
            );
        }
        let count = self.findings.values().map(|places| places.count).sum::<u64>();
        let mut text =
            format!("{count} {} in {events}\n", if count == 1 { "finding" } else { "findings" });
        let width = |column: fn(&FindingKey) -> String| {
            self.findings.keys().map(|key| column(key).len()).max().unwrap_or(0)
        };
        let (names, reasons) = (width(name), width(|(reason, ..)| description(*reason)));
        for (key, places) in &self.findings {
            let mut at: Vec<_> = places.first.iter().map(AuditLocation::text).collect();
            if places.count > at.len() as u64 {
                at.push("…".to_owned());
            }
            let _ = writeln!(
                text,
                "{:7}  {:names$}  {:reasons$}  {}",
                places.count,
                name(key),
                description(key.0),
                at.join(", ")
            );
        }
        for advice in self.advice() {
            text.push_str(advice);
        }
        text
    }

    /// Returns what to do about the findings, a line for each kind.
    fn advice(&self) -> impl Iterator<Item = &'static str> {
        let has = |wanted: fn(Reason) -> bool| self.findings.keys().any(|key| wanted(key.0));
        let hidden =
            has(|reason| matches!(reason, Reason::Declared(_) | Reason::Unknown | Reason::Partial));
        let text = has(|reason| matches!(reason, Reason::Text(_)));
        let no_event = has(|reason| reason == Reason::NoEvent);
        [
            (hidden, "to hide these values, write the file again: evtap replay FILE > NEW\n"),
            (
                text,
                "to mask what detectors find, add --scrub all; to accept it in a field, give \
                 --allow FIELD\n",
            ),
            (no_event, "lines that are not events stay hidden in what evtap replay writes\n"),
        ]
        .into_iter()
        .filter_map(|(applies, advice)| applies.then_some(advice))
    }

    /// Converts the report to a JSON object.
    #[must_use]
    pub fn json(&self) -> Value {
        let findings: Vec<_> = self
            .findings
            .iter()
            .map(|((reason, event_type, field), places)| {
                let is_named = event_type != OTHER;
                let places_json: Vec<_> = places.first.iter().map(AuditLocation::json).collect();
                json!({
                    "reason": code(*reason),
                    "event_type": is_named.then_some(event_type),
                    "field": is_named.then_some(field),
                    "count": places.count,
                    "places": places_json,
                })
            })
            .collect();
        json!({"events": self.events, "findings": findings})
    }
}

impl AuditLocations {
    fn add_place(&mut self, location: &AuditLocation) {
        if self.first.len() < MAX_LOCATIONS && self.first.last() != Some(location) {
            self.first.push(location.clone());
        }
    }
}

impl AuditLocation {
    fn text(&self) -> String {
        let file = terminal::visible(&self.file);
        let EventPlace { event, line } = self.place;
        line.map_or_else(|| format!("{file} event {event}"), |line| format!("{file}:{line}"))
    }

    fn json(&self) -> Value {
        let EventPlace { event, line } = self.place;
        json!({"file": terminal::visible(&self.file), "event": event, "line": line})
    }
}

fn name((_, event_type, field): &FindingKey) -> String {
    if field.is_empty() { event_type.to_string() } else { format!("{event_type}.{field}") }
}

fn description(reason: Reason) -> String {
    match reason {
        Reason::Declared(class) => format!("{class}, in the clear"),
        Reason::Unknown => "not declared".to_owned(),
        Reason::Partial => "two characters are shown".to_owned(),
        Reason::Text(detector) => format!("looks like: {}", detector.name()),
        Reason::NoEvent => "not an event; may contain anything".to_owned(),
    }
}

fn code(reason: Reason) -> &'static str {
    match reason {
        Reason::Declared(class) => class.name(),
        Reason::Unknown => "unknown",
        Reason::Partial => "partial",
        Reason::Text(detector) => detector.name(),
        Reason::NoEvent => "no_event",
    }
}
