//! Audits recordings for content that should not be shared: values in the clear of fields that are
//! hidden by their class, undeclared fields, text in which a detector finds an identifier, and
//! lines that are not events.
//!
//! The report contains counts and places, and never a value. All text of a line is searched, also
//! what was revealed when it was written. The detectors are a safety net, so a clean report is no
//! proof.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::analysis::byte_budget::ByteBudget;
use crate::error::{Error, Exit, Result};
use crate::model::Kind;
use crate::model::decode::Decoder;
use crate::model::{Frame, Origin};
use crate::redact::{FieldNames, Finding, Policy, Reason, Redactor, ScrubMode};
use crate::text::scrub::{self, Scrubbed};
use crate::text::terminal;
use crate::transport::progress::Progress;
use crate::transport::{self, Chunk, Item, recording};

/// The number of places of a finding that are reported.
const MAX_LOCATIONS: usize = 5;

/// The memory of the findings, in bytes. The report takes several times as much.
const MAX_BYTES: usize = 4 << 20;

/// The memory of a finding besides its names, in bytes.
const FINDING_BYTES: usize =
    size_of::<(FindingKey, AuditLocations)>() * 3 / 2 + MAX_LOCATIONS * size_of::<AuditLocation>();

/// The event type of all findings that are not reported separately. No event type contains
/// parentheses.
const OTHER: &str = "(other fields)";

/// The reason, the event type and the field of a finding.
type FindingKey = (Reason, String, String);

/// The findings in a set of recordings.
#[derive(Debug)]
pub struct AuditReport {
    events: u64,
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
struct AuditLocation {
    file: Arc<str>,
    /// The number of the event in the file, from 1.
    event: u64,
    /// The number of the line, from 1. A capture of a stream has no lines.
    line: Option<u64>,
}

/// Reads and audits files, where `-` is stdin. Blocks until their end.
///
/// What detectors find in an `allowed` field is no finding.
pub fn audit_files(
    paths: &[PathBuf],
    allowed: FieldNames,
    progress: &Arc<Progress>,
) -> Result<AuditReport> {
    let mut auditor = Auditor {
        allowed,
        decoder: Decoder::default(),
        redactor: Redactor::new(Policy { scrub: ScrubMode::All, ..Policy::default() }),
        findings: Vec::new(),
        report: AuditReport::default(),
    };
    for path in paths {
        auditor.audit_file(path, progress)?;
    }
    Ok(auditor.report)
}

struct Auditor {
    allowed: FieldNames,
    decoder: Decoder,
    redactor: Redactor,
    findings: Vec<Finding>,
    report: AuditReport,
}

impl Auditor {
    fn audit_file(&mut self, path: &Path, progress: &Arc<Progress>) -> Result<()> {
        let (tx, mut rx) = transport::channel(transport::QUEUE_CAPACITY);
        let mut place =
            AuditLocation { file: path.display().to_string().into(), event: 0, line: None };
        std::thread::scope(|threads| {
            let reader = threads.spawn(move || {
                recording::run(path, transport::FRAME_LIMIT, progress, &tx.blocking())
            });
            let mut lines = 1;
            while let Some(item) = rx.blocking_recv() {
                match item {
                    Item::Chunk(Chunk::Lines(chunk)) => {
                        let origin = Origin::default();
                        for frame in chunk.frames(&origin) {
                            let before =
                                usize::try_from(frame.offset - chunk.offset).unwrap_or(usize::MAX);
                            let before = chunk.bytes.get(..before).unwrap_or_default();
                            place.line = Some(lines + count_newlines(before));
                            self.audit_frame(frame, &mut place);
                        }
                        lines += count_newlines(&chunk.bytes);
                    }
                    Item::Chunk(chunk) => {
                        place.line = None;
                        for frame in chunk.frames(&Origin::default()) {
                            self.audit_frame(frame, &mut place);
                        }
                    }
                    Item::Frame(frame) => {
                        place.line = Some(lines);
                        self.audit_frame(frame.as_frame(), &mut place);
                        lines += 1;
                    }
                    Item::Connection(_) | Item::Recording(_) => {}
                }
                progress.set_events(self.report.events);
            }
            reader.join().unwrap_or_else(|_| {
                Err(Error::new(
                    Exit::Failure,
                    "cannot read on",
                    "the reader thread panicked",
                    "report this as a bug",
                ))
            })
        })
    }

    fn audit_frame(&mut self, frame: Frame<'_>, place: &mut AuditLocation) {
        place.event += 1;
        self.report.events += 1;
        let event = self.decoder.decode(frame);
        let is_from_evtap = event.recorded_tap.is_some();
        let redacted = self.redactor.audit(&event, &mut self.findings);
        let event_type = redacted.event_type().to_owned();
        if redacted.kind() == Some(Kind::TapMalformed) && !is_from_evtap {
            self.findings.push(Finding { field: String::new(), reason: Reason::NoEvent });
            let found = scrub::scrub(&String::from_utf8_lossy(frame.data));
            for detector in found.iter().flat_map(|Scrubbed { detectors, .. }| detectors) {
                self.findings
                    .push(Finding { field: String::new(), reason: Reason::Text(*detector) });
            }
        }
        for Finding { field, reason } in self.findings.drain(..) {
            let top = field.split_once('.').map_or(&*field, |(top, _)| top);
            if matches!(reason, Reason::Text(_)) && self.allowed.contains(&event_type, top) {
                continue;
            }
            self.report.add((reason, event_type.clone(), field), place);
        }
    }
}

fn count_newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

impl AuditReport {
    fn add(&mut self, key: FindingKey, place: &AuditLocation) {
        let bytes = FINDING_BYTES + key.1.len() + key.2.len();
        let key = if self.findings.contains_key(&key) || self.budget.take(bytes) {
            key
        } else {
            (key.0, OTHER.to_owned(), String::new())
        };
        let places = self.findings.entry(key).or_default();
        places.count += 1;
        if places.first.len() < MAX_LOCATIONS && places.first.last() != Some(place) {
            places.first.push(place.clone());
        }
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
        let width = |column: fn(&(Reason, String, String)) -> String| {
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

impl AuditLocation {
    fn text(&self) -> String {
        let file = terminal::visible(&self.file);
        self.line
            .map_or_else(|| format!("{file} event {}", self.event), |line| format!("{file}:{line}"))
    }

    fn json(&self) -> Value {
        json!({"file": terminal::visible(&self.file), "event": self.event, "line": self.line})
    }
}

fn name((_, event_type, field): &(Reason, String, String)) -> String {
    if field.is_empty() { event_type.clone() } else { format!("{event_type}.{field}") }
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
