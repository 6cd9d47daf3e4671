//! What is hidden, by class and by name.

use std::collections::HashSet;

use super::mask::Mode;
use super::rewrite::ScrubScope;
use crate::model::{Class, EventSpec, FieldSpec, Kind};

/// Fields by name: all of them, one of every event, or one of one event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldNames {
    all: bool,
    anywhere: HashSet<String>,
    of_event: HashSet<(String, String)>,
}

impl FieldNames {
    /// Adds `all`, `field` or `event.field`.
    pub fn add(&mut self, name: &str) {
        if name == "all" {
            self.all = true;
        } else if let Some((event, field)) = of_event(name) {
            self.of_event.insert((event.to_owned(), field.to_owned()));
        } else {
            self.anywhere.insert(name.to_owned());
        }
    }

    pub(super) fn has(&self, event: &str, field: &str) -> bool {
        self.all
            || (!self.anywhere.is_empty() && self.anywhere.contains(field))
            || self.of_event.iter().any(|(of, name)| of == event && name == field)
    }

    pub(super) const fn has_all(&self) -> bool {
        self.all
    }
}

/// Splits `call.started.caller_id` into the event and its field.
fn of_event(name: &str) -> Option<(&str, &str)> {
    let (event, field) = name.rsplit_once('.')?;
    Some((event, field))
}

/// Which text is searched for telephone numbers, addresses and other identifiers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ScrubMode {
    /// Every string that is shown.
    All,
    /// Fields of the class `free`.
    #[default]
    Free,
    /// None.
    None,
}

/// What is hidden, and how.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// What takes the place of a hidden value.
    pub mode: Mode,
    /// Which text is searched for identifiers.
    pub scrub: ScrubMode,
    /// What is shown though its class says otherwise.
    pub reveal: FieldNames,
    /// What is hidden though its class says otherwise. It goes before `reveal`.
    pub redact: FieldNames,
}

/// How a field is to be treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldAction {
    Hide,
    /// Shown, but for what nobody has classed inside it.
    Show,
    /// Asked for by name: shown with all that is inside.
    Reveal,
}

/// What is to be done with a field.
#[derive(Debug, Clone, Copy)]
pub(super) struct FieldRule {
    pub treatment: FieldAction,
    /// What of it is searched for identifiers, if it is shown.
    pub search: ScrubScope,
}

impl Policy {
    fn treat(&self, event: &str, name: &str, spec: Option<&FieldSpec>) -> FieldAction {
        if self.redact.has(event, name) {
            FieldAction::Hide
        } else if self.reveal.has(event, name) {
            FieldAction::Reveal
        } else if spec.is_none_or(|spec| spec.class.is_hidden()) {
            FieldAction::Hide
        } else {
            FieldAction::Show
        }
    }

    /// What of a field that is shown is searched for identifiers.
    fn search(&self, treatment: FieldAction, spec: Option<&FieldSpec>) -> ScrubScope {
        let is_free = spec.is_some_and(|spec| spec.class == Class::Free);
        match self.scrub {
            _ if treatment == FieldAction::Reveal => ScrubScope::Nothing,
            ScrubMode::All | ScrubMode::Free if is_free => ScrubScope::Numbers,
            ScrubMode::All => ScrubScope::Strings,
            ScrubMode::Free | ScrubMode::None => ScrubScope::Nothing,
        }
    }

    /// Whether a part of what `_tap` says of the stream is hidden.
    pub(super) fn hides_origin(&self) -> bool {
        self.redact.has("_tap", "workspace_id") || self.redact.has("_tap", "call_sid")
    }

    /// What is to be done with every declared field of every event.
    pub(super) fn rules(&self) -> Vec<Vec<FieldRule>> {
        let of_kind = |kind: &Kind| {
            let spec = kind.spec();
            spec.fields
                .iter()
                .map(|field| self.rule(spec.event_type, field.name, Some(field)))
                .collect()
        };
        // In the order of the kinds' numbers.
        Kind::ALL.iter().chain(Kind::OWN).map(of_kind).collect()
    }

    /// What is to be done with a field.
    pub(super) fn rule(&self, event: &str, name: &str, spec: Option<&FieldSpec>) -> FieldRule {
        let treatment = self.treat(event, name, spec);
        FieldRule { treatment, search: self.search(treatment, spec) }
    }

    /// Whether a declared field is hidden.
    #[must_use]
    pub fn hides(&self, event: &EventSpec, field: &FieldSpec) -> bool {
        self.treat(event.event_type, field.name, Some(field)) == FieldAction::Hide
    }
}
