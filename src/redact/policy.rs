//! Decides which fields are hidden and which text is scrubbed, by data class and by name.
//!
//! The order of precedence is: `redact` by name, `reveal` by name, the field's class. A field that
//! is not declared has no class and is hidden.

use std::collections::HashSet;

use super::mask::Mode;
use super::rewrite::ScrubScope;
use crate::model::{Class, EventSpec, FieldSpec, Kind};

/// A set of fields: all of them, a field of every event, or a field of one event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldNames {
    all: bool,
    /// Fields of every event.
    any_event: HashSet<String>,
    /// Pairs of an event type and a field.
    one_event: HashSet<(String, String)>,
}

impl FieldNames {
    /// Adds `all`, `field` or `event.field`.
    pub fn add(&mut self, name: &str) {
        if name == "all" {
            self.all = true;
        } else if let Some((event, field)) = name.rsplit_once('.') {
            // An event type has dots of its own: `call.started.caller_id`.
            self.one_event.insert((event.to_owned(), field.to_owned()));
        } else {
            self.any_event.insert(name.to_owned());
        }
    }

    /// Returns whether the set has a field of an event.
    #[must_use]
    pub fn contains(&self, event: &str, field: &str) -> bool {
        self.all
            || (!self.any_event.is_empty() && self.any_event.contains(field))
            || self.one_event.iter().any(|(of, name)| of == event && name == field)
    }

    /// Returns whether the set has a field of at least one event.
    #[must_use]
    pub fn contains_in_any(&self, field: &str) -> bool {
        self.all
            || self.any_event.contains(field)
            || self.one_event.iter().any(|(_, name)| name == field)
    }

    /// Returns the fields in an order that does not depend on how they were added.
    fn listed(&self) -> Vec<String> {
        let all = self.all.then(|| "all".to_owned());
        let one_event = self.one_event.iter().map(|(event, field)| format!("{event}.{field}"));
        let mut listed: Vec<_> =
            all.into_iter().chain(self.any_event.iter().cloned()).chain(one_event).collect();
        listed.sort();
        listed
    }

    pub(super) const fn is_all(&self) -> bool {
        self.all
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.all && self.any_event.is_empty() && self.one_event.is_empty()
    }
}

/// Which text is searched for telephone numbers, addresses and other identifiers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ScrubMode {
    /// Every string that is shown.
    All,
    /// Fields of the class `free`.
    #[default]
    Free,
    /// No text.
    None,
}

/// Decides which fields are hidden, and how hidden values are replaced.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// What takes the place of a hidden value.
    pub mode: Mode,
    /// Which text is searched for identifiers.
    pub scrub: ScrubMode,
    /// Whether fields of the class `free` are hidden.
    pub hides_free: bool,
    /// The fields that are shown whatever their class.
    pub reveal: FieldNames,
    /// The fields that are hidden whatever their class; takes precedence over `reveal`.
    pub redact: FieldNames,
}

/// What happens to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldAction {
    Hide,
    /// Shown, but undeclared nested values are masked.
    Show,
    /// Shown with everything inside, because `reveal` names it.
    Reveal,
}

/// The policy's decision on one field.
#[derive(Debug, Clone, Copy)]
pub(super) struct FieldRule {
    pub action: FieldAction,
    /// The parts of a shown value that are searched for identifiers.
    pub scrub: ScrubScope,
}

impl Policy {
    fn action(&self, event: &str, name: &str, spec: Option<&FieldSpec>) -> FieldAction {
        if self.redact.contains(event, name) {
            FieldAction::Hide
        } else if self.reveal.contains(event, name) {
            FieldAction::Reveal
        } else if spec.is_none_or(|spec| self.hides_class(spec.class)) {
            FieldAction::Hide
        } else {
            FieldAction::Show
        }
    }

    fn hides_class(&self, class: Class) -> bool {
        class.is_hidden() || (self.hides_free && class == Class::Free)
    }

    /// Returns a text that is equal for policies that hide the same things in the same way. It
    /// contains no key.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let Self { mode, scrub, hides_free, reveal, redact } = self;
        let (reveal, redact) = (reveal.listed(), redact.listed());
        format!("{} {scrub:?} {hides_free} {reveal:?} {redact:?}", mode.fingerprint())
    }

    fn scrub_scope(&self, action: FieldAction, spec: Option<&FieldSpec>) -> ScrubScope {
        let is_free = spec.is_some_and(|spec| spec.class == Class::Free);
        match self.scrub {
            _ if action == FieldAction::Reveal => ScrubScope::Nothing,
            ScrubMode::All | ScrubMode::Free if is_free => ScrubScope::Strings,
            ScrubMode::All if spec.is_some_and(FieldSpec::is_id) => ScrubScope::StringsBesidesIds,
            ScrubMode::All => ScrubScope::Strings,
            ScrubMode::Free | ScrubMode::None => ScrubScope::Nothing,
        }
    }

    /// Returns whether the policy hides an id in `_tap` itself.
    pub(super) fn hides_tap_ids(&self) -> bool {
        self.redact.contains("_tap", "workspace_id") || self.redact.contains("_tap", "call_sid")
    }

    /// Returns the rule of every declared field, indexed by `Kind as usize` and field index.
    pub(super) fn rules(&self) -> Vec<Vec<FieldRule>> {
        let rules_of_kind = |kind: &Kind| {
            let spec = kind.spec();
            spec.fields
                .iter()
                .map(|field| self.rule(spec.event_type, field.name, Some(field)))
                .collect()
        };
        Kind::ALL.iter().chain(Kind::OWN).map(rules_of_kind).collect()
    }

    /// Returns the rule of one field; `spec` is `None` if it is not declared.
    pub(super) fn rule(&self, event: &str, name: &str, spec: Option<&FieldSpec>) -> FieldRule {
        let action = self.action(event, name, spec);
        FieldRule { action, scrub: self.scrub_scope(action, spec) }
    }

    /// Returns whether the policy hides a declared field.
    #[must_use]
    pub fn hides(&self, event: &EventSpec, field: &FieldSpec) -> bool {
        self.action(event.event_type, field.name, Some(field)) == FieldAction::Hide
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::JsonType;
    use crate::model::Type;

    /// Returns whether a value of the type, or one inside it, can be a number that is shown.
    fn shows_numbers(ty: &Type) -> bool {
        match ty {
            Type::List(inner) | Type::Map(inner) => shows_numbers(inner),
            Type::Record(members) => members.iter().any(|member| shows_numbers(&member.ty)),
            Type::OneOf(types) => types.iter().any(shows_numbers),
            Type::Any | Type::Unstated => false,
            _ => ty.accepts(JsonType::Number),
        }
    }

    #[test]
    fn no_number_in_free_text_is_shown_so_none_needs_a_search() {
        for kind in Kind::ALL.iter().chain(Kind::OWN) {
            for field in kind.spec().fields {
                let is_free = field.class == Class::Free;
                assert!(!is_free || !shows_numbers(&field.ty), "{}", field.name);
            }
        }
    }
}
