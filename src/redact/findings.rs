//! Records what redaction hides in one event: the names for `_tap`, and the findings for `audit`.

use std::borrow::Cow;
use std::collections::HashSet;

use super::mask;
use crate::model::{Class, Kind, Name, Tap};
use crate::text::scrub::{Detector, Scrubbed};

/// Up to this many names, a linear search is faster than a hash set.
const LINEAR_SEARCH_MAX: usize = 32;

/// Something in a frame that should not be passed on as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The field's name, safe to show; `outer.inner` if it is nested.
    pub field: Name,
    /// Why it should not be passed on.
    pub reason: Reason,
}

/// What an audit needs to know about an event besides its findings.
pub struct AuditedEvent<'a> {
    /// The event type, safe to show.
    pub event_type: Cow<'a, str>,
    /// The declared event type, if the type is declared.
    pub kind: Option<Kind>,
    /// Whether a report of evtap itself has a `_tap` that evtap wrote.
    pub is_recorded: bool,
}

impl Finding {
    /// Returns what is to be reported about the value of a field that the policy hides because of
    /// `reason`.
    pub(super) fn of_hidden(
        field: impl FnOnce() -> Name,
        json: &str,
        reason: Reason,
    ) -> Option<Self> {
        let reason = match json {
            _ if mask::is_partial(json) => Reason::Partial,
            _ if mask::is_stand_in(json) => return None,
            _ => reason,
        };
        Some(Self { field: field(), reason })
    }
}

/// The reason why something should not be passed on as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The policy hides the declared field, and its value is in the clear.
    Declared(Class),
    /// The field is not declared.
    Unknown,
    /// Two characters of a hidden value are shown.
    Partial,
    /// A detector found an identifier in the text.
    Text(Detector),
    /// The frame is not an event, so its content cannot be classified.
    NoEvent,
}

/// Collects the names and findings of one event while it is redacted.
pub(super) struct RedactionLog<'n> {
    /// The `Tap` that arrived with the event, or that decoding made for it.
    arrived: &'n Tap,
    /// A copy of `arrived` with additions; valid only if `is_edited`.
    tap: &'n mut Tap,
    pub is_edited: bool,
    /// The names in `arrived.redacted`; filled only if they are many.
    recorded_index: HashSet<&'n str>,
    /// The names in the current `redacted`; filled only if they are many.
    redacted_index: HashSet<Name>,
    findings: Option<&'n mut Vec<Finding>>,
}

impl<'n> RedactionLog<'n> {
    pub fn new(arrived: &'n Tap, tap: &'n mut Tap, findings: Option<&'n mut Vec<Finding>>) -> Self {
        Self {
            arrived,
            tap,
            is_edited: false,
            recorded_index: HashSet::new(),
            redacted_index: HashSet::new(),
            findings,
        }
    }

    /// Returns the event's `Tap`, with the additions so far.
    pub const fn tap(&self) -> &Tap {
        if self.is_edited { self.tap } else { self.arrived }
    }

    /// Returns the event's `Tap` for a change. From then on it differs from what arrived.
    pub fn edit(&mut self) -> &mut Tap {
        if !std::mem::replace(&mut self.is_edited, true) {
            self.tap.clone_from(self.arrived);
        }
        self.tap
    }

    /// Returns whether a value was hidden by an earlier run: the recording lists its name, and the
    /// value is a stand-in.
    ///
    /// Neither is enough alone. A server can send a text that looks like a mask, and a recording
    /// can list a name whose value is in the clear.
    pub fn is_already_hidden(&mut self, path: &str, json: &str) -> bool {
        let recorded = &self.arrived.redacted;
        let is_listed = if recorded.len() <= LINEAR_SEARCH_MAX {
            recorded.iter().any(|known| known == path)
        } else {
            if self.recorded_index.is_empty() {
                self.recorded_index.extend(recorded.iter().map(|name| &**name));
            }
            self.recorded_index.contains(path)
        };
        is_listed && mask::is_stand_in(json)
    }

    /// Records that the value `json` at `path` is hidden.
    pub fn record_hidden(&mut self, path: Name, json: &str, reason: Reason) {
        if let Some(findings) = &mut self.findings {
            findings.extend(Finding::of_hidden(|| path.clone(), json, reason));
        }
        let names = &self.tap().redacted;
        let is_new = if names.len() <= LINEAR_SEARCH_MAX {
            !names.contains(&path)
        } else {
            if self.redacted_index.is_empty() {
                self.redacted_index = names.iter().cloned().collect();
            }
            self.redacted_index.insert(path.clone())
        };
        if is_new {
            self.edit().redacted.push(path);
        }
    }

    /// Records that identifiers in a text of `field` are masked.
    pub fn record_scrubbed(&mut self, field: &str, scrubbed: &Scrubbed) {
        if !self.tap().scrubbed.iter().any(|name| name == field) {
            self.edit().scrubbed.push(Name::Owned(field.to_owned()));
        }
        for detector in &scrubbed.detectors {
            self.add_finding(field, Reason::Text(*detector));
        }
    }

    fn add_finding(&mut self, field: &str, reason: Reason) {
        if let Some(findings) = &mut self.findings {
            findings.push(Finding { field: Name::Owned(field.to_owned()), reason });
        }
    }
}
