//! What redacting an event finds: the paths that were hidden, and what was in the clear before.

use std::collections::HashSet;

use super::mask;
use crate::model::{Class, Name, Tap};
use crate::text::scrub::{Detector, Scrubbed};

/// Something that stands in a frame and should not be passed on as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The field, as it may be shown; `outer.inner` where it is nested.
    pub field: String,
    /// Why it should not.
    pub reason: Reason,
}

/// Why something should not be passed on as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The field is declared as one that is hidden, or the policy hides it, and it stands in the clear.
    Declared(Class),
    /// Nobody has classed the field.
    Unknown,
    /// Two characters of a hidden value are shown.
    Partial,
    /// A detector fires on its text.
    Text(Detector),
    /// It is no event, so nobody can tell what it holds.
    NoEvent,
}

/// What redacting one event says about it.
pub(super) struct RedactionLog<'n> {
    /// What was known of the event when it came.
    arrived: &'n Tap,
    /// The same with what is to be added to it, once there is something.
    tap: &'n mut Tap,
    pub is_edited: bool,
    /// The same, and all names of `tap.redacted`, once they are so many that a search would take long.
    recorded_index: HashSet<&'n str>,
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

    /// What is known of the event by now.
    pub const fn tap(&self) -> &Tap {
        if self.is_edited { self.tap } else { self.arrived }
    }

    /// The same, to add to it.
    pub fn edit(&mut self) -> &mut Tap {
        if !std::mem::replace(&mut self.is_edited, true) {
            self.tap.clone_from(self.arrived);
        }
        self.tap
    }

    /// Whether that value was hidden before, and what stands for it came with a recording.
    pub fn already(&mut self, path: &str, json: &str) -> bool {
        let recorded = &self.arrived.redacted;
        let is_known = if let 0..=FEW = recorded.len() {
            recorded.iter().any(|known| known == path)
        } else {
            if self.recorded_index.is_empty() {
                self.recorded_index.extend(recorded.iter().map(|name| &**name));
            }
            self.recorded_index.contains(path)
        };
        is_known && mask::is_stand_in(json)
    }

    /// A value is hidden.
    pub fn hides(&mut self, path: Name, json: &str, reason: Reason) {
        if self.findings.is_some() {
            if mask::is_partial(json) {
                self.finds(&path, Reason::Partial);
            } else if !mask::is_stand_in(json) {
                self.finds(&path, reason);
            }
        }
        let names = &self.tap().redacted;
        let is_new = if let 0..=FEW = names.len() {
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

    /// Something in a text is hidden that was not before.
    pub fn scrubs(&mut self, field: &str, scrubbed: &Scrubbed) {
        if !self.tap().scrubbed.iter().any(|name| name == field) {
            self.edit().scrubbed.push(Name::Owned(field.to_owned()));
        }
        for detector in &scrubbed.detectors {
            self.finds(field, Reason::Text(*detector));
        }
    }

    pub fn finds(&mut self, field: &str, reason: Reason) {
        if let Some(findings) = &mut self.findings {
            findings.push(Finding { field: field.to_owned(), reason });
        }
    }
}

/// Up to how many names a search through all of them is the quickest.
const FEW: usize = 32;
