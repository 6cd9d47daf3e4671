//! The findings in a set of recordings, and how they are reported.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;

use indexmap::map::Entry;
use serde_json::json;

use super::chunk::{ChunkFindings, EventPlace, FindingKey, FindingPlaces, Findings, MAX_PLACES};
use crate::analysis::byte_budget::ByteBudget;
use crate::model::Name;
use crate::redact::Reason;
use crate::text::terminal;

/// The memory of the findings, in bytes.
const MAX_BYTES: usize = 5 << 19;

/// The memory of a finding besides its names, in bytes. A map has room for more than it holds.
const FINDING_BYTES: usize = size_of::<(FindingKey, FindingPlaces<AuditLocation>)>() * 3 / 2
    + MAX_PLACES * size_of::<AuditLocation>();

/// The event type of all findings that are not reported separately. No event type contains
/// parentheses.
const OTHER: &str = "(other fields)";

/// The findings in a set of recordings.
#[derive(Debug)]
pub struct AuditReport {
    pub(super) events: u64,
    /// The names of the recordings, as they are shown.
    files: Vec<String>,
    findings: Findings<AuditLocation>,
    budget: ByteBudget,
}

/// A place in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct AuditLocation {
    /// The index of the file.
    pub file: u32,
    pub place: EventPlace,
}

impl AuditReport {
    pub(super) fn new(paths: &[PathBuf]) -> Self {
        let name = |path: &PathBuf| terminal::visible(&path.display().to_string()).into_owned();
        Self {
            events: 0,
            files: paths.iter().map(name).collect(),
            findings: Findings::default(),
            budget: ByteBudget::new(MAX_BYTES),
        }
    }

    /// Adds a finding.
    pub(super) fn add(&mut self, key: FindingKey, location: AuditLocation) {
        let reason = key.0;
        let places = match self.index(key) {
            Some(index) => &mut self.findings[index],
            None => self.others(reason),
        };
        places.count += 1;
        places.add_place(location);
    }

    /// Adds the findings of a chunk that begins after `start`, and removes them from the chunk.
    pub(super) fn merge(&mut self, chunk: &mut ChunkFindings, start: AuditLocation) {
        let location =
            |place: EventPlace| AuditLocation { place: place.after(start.place), ..start };
        // The places of findings that are not reported separately, which are not in order.
        let mut others = Vec::new();
        for (key, FindingPlaces { count, first }) in chunk.findings.drain(..) {
            let reason = key.0;
            if let Some(index) = self.index(key) {
                let places = &mut self.findings[index];
                places.count += count;
                for place in first {
                    places.add_place(location(place));
                }
            } else {
                let places = self.others(reason);
                places.count += count;
                if !places.is_full() {
                    others.extend(first.into_iter().map(|place| (place, reason)));
                }
            }
        }
        others.sort_unstable();
        for (place, reason) in others {
            self.others(reason).add_place(location(place));
        }
        self.events += chunk.events - chunk.outside;
    }

    /// Returns the index of a finding, which is added if there is room for it.
    fn index(&mut self, key: FindingKey) -> Option<usize> {
        match self.findings.entry(key) {
            Entry::Occupied(known) => Some(known.index()),
            Entry::Vacant(new) => {
                let (_, event_type, field) = new.key();
                let has_room = self.budget.take(FINDING_BYTES + event_type.len() + field.len());
                has_room.then(|| new.insert_entry(FindingPlaces::default()).index())
            }
        }
    }

    /// Returns the places of the findings that are not reported separately.
    fn others(&mut self, reason: Reason) -> &mut FindingPlaces<AuditLocation> {
        self.findings.entry((reason, Name::Borrowed(OTHER), Name::Borrowed(""))).or_default()
    }

    /// Puts the findings in the order in which they are reported.
    pub(super) fn sort(&mut self) {
        self.findings.sort_unstable_keys();
    }

    /// Whether there are no findings.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// Writes the report as lines for people.
    pub fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let events =
            format!("{} {}", self.events, if self.events == 1 { "event" } else { "events" });
        if self.is_clean() {
            return writeln!(
                out,
                "nothing found in {events}; names and what is written out in words pass the \
                 detectors"
            );
        }
        let count = self.findings.values().map(|places| places.count).sum::<u64>();
        writeln!(out, "{count} {} in {events}", if count == 1 { "finding" } else { "findings" })?;
        let names = self.findings.keys().map(name_length).max().unwrap_or(0);
        let reasons: BTreeSet<_> = self.findings.keys().map(|key| key.0).collect();
        let reasons =
            reasons.into_iter().map(|reason| description(reason).len()).max().unwrap_or(0);
        let mut at = String::new();
        for (key, places) in &self.findings {
            at.clear();
            for (index, location) in places.first.iter().enumerate() {
                at.push_str(if index > 0 { ", " } else { "" });
                self.push_location(*location, &mut at);
            }
            if places.count > places.first.len() as u64 {
                at.push_str(", …");
            }
            let (count, name, reason) = (places.count, name(key), description(key.0));
            writeln!(out, "{count:7}  {name:names$}  {reason:reasons$}  {at}")?;
        }
        self.advice().try_for_each(|advice| out.write_all(advice.as_bytes()))
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

    /// Writes the report as a JSON object on a line.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{{\"events\":{},\"findings\":[", self.events)?;
        for (index, ((reason, event_type, field), places)) in self.findings.iter().enumerate() {
            let is_named = event_type != OTHER;
            let locations: Vec<_> = places
                .first
                .iter()
                .map(|AuditLocation { file, place: EventPlace { event, line } }| {
                    json!({"file": self.file(*file), "event": event, "line": line})
                })
                .collect();
            let finding = json!({
                "reason": code(*reason),
                "event_type": is_named.then_some(event_type),
                "field": is_named.then_some(field),
                "count": places.count,
                "places": locations,
            });
            write!(out, "{}{finding}", if index > 0 { "," } else { "" })?;
        }
        writeln!(out, "]}}")
    }

    fn file(&self, index: u32) -> &str {
        self.files.get(index as usize).map_or("", String::as_str)
    }

    fn push_location(&self, AuditLocation { file, place }: AuditLocation, text: &mut String) {
        let file = self.file(file);
        let _ = match place.line {
            Some(line) => write!(text, "{file}:{line}"),
            None => write!(text, "{file} event {}", place.event),
        };
    }
}

fn name((_, event_type, field): &FindingKey) -> String {
    if field.is_empty() { event_type.to_string() } else { format!("{event_type}.{field}") }
}

fn name_length((_, event_type, field): &FindingKey) -> usize {
    event_type.len() + if field.is_empty() { 0 } else { 1 + field.len() }
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
