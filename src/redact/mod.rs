//! From [`Event`] to [`Shown`]: the only way, and the only place that decides what is hidden.
//!
//! A `Shown` is the text that arrived with masks in place of spans. Whatever prints, filters, counts or records takes a
//! `Shown`; none of it can come at what a mask covers, since only this module reads an `Event`. What stands in the place of
//! a value is for [`mask`](Mode) to say, what counts as an identifier in free text for [`scrub`](crate::scrub).

mod identity;
mod mask;
mod policy;
mod rewrite;
mod shown;

use std::borrow::Cow;
use std::collections::HashSet;

use crate::decode::{Content, Event, Found, key_of, shown_name};
use crate::event::{Class, Domain, FieldSpec, JsonType, Kind, MASK, Name, Tap};
use crate::sanitize;
use crate::scrub::{Detector, Scrubbed};

pub use identity::{Fnv, identity};
pub use mask::{KEY_LENGTH, Key, Mode, pattern};
use policy::Treatment;
pub use policy::{Names, Policy, Scrub};
use rewrite::{Inside, Rewriter};
use shown::{Entry, Piece};
pub use shown::{Shown, ShownField};

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
#[derive(Default)]
struct Notes<'n> {
    tap: Tap,
    /// What a recorded line says is hidden in it.
    recorded: &'n [Name],
    /// The same, and all names of `tap.redacted`, once they are so many that a search would take long.
    recorded_index: HashSet<&'n str>,
    redacted_index: HashSet<Name>,
    findings: Option<&'n mut Vec<Finding>>,
}

impl Notes<'_> {
    /// Whether that value was hidden before, and what stands for it came with a recording.
    fn already(&mut self, path: &str, json: &str) -> bool {
        if self.recorded.len() > FEW && self.recorded_index.is_empty() {
            self.recorded_index.extend(self.recorded.iter().map(|name| &**name));
        }
        let is_known = match self.recorded.len() {
            0..=FEW => self.recorded.iter().any(|known| known == path),
            _ => self.recorded_index.contains(path),
        };
        is_known && mask::is_stand_in(json)
    }

    /// A value is hidden.
    fn hides(&mut self, path: Name, json: &str, reason: Reason) {
        if self.findings.is_some() {
            if mask::is_partial(json) {
                self.finds(&path, Reason::Partial);
            } else if !mask::is_stand_in(json) {
                self.finds(&path, reason);
            }
        }
        let names = &mut self.tap.redacted;
        if names.len() <= FEW {
            return note(names, path);
        }
        if self.redacted_index.is_empty() {
            self.redacted_index.extend(names.iter().cloned());
        }
        if self.redacted_index.insert(path.clone()) {
            names.push(path);
        }
    }

    /// Something in a text is hidden that was not before.
    fn scrubs(&mut self, field: &str, scrubbed: &Scrubbed) {
        note(&mut self.tap.scrubbed, Name::Owned(field.to_owned()));
        for detector in &scrubbed.detectors {
            self.finds(field, Reason::Text(*detector));
        }
    }

    fn finds(&mut self, field: &str, reason: Reason) {
        if let Some(findings) = &mut self.findings {
            findings.push(Finding { field: field.to_owned(), reason });
        }
    }
}

/// Up to how many names a search through all of them is the quickest.
const FEW: usize = 32;

fn note(names: &mut Vec<Name>, name: Name) {
    if !names.contains(&name) {
        names.push(name);
    }
}

/// Redacts event after event by one policy, with tables that are used again.
pub struct Redactor {
    policy: Policy,
    entries: Vec<Entry>,
    scratch: String,
}

impl Redactor {
    /// A redactor by that policy.
    #[must_use]
    pub const fn new(policy: Policy) -> Self {
        Self { policy, entries: Vec::new(), scratch: String::new() }
    }

    /// Hides what the policy hides.
    pub fn redact<'a>(&'a mut self, event: &Event<'a>) -> Shown<'a> {
        self.examine(event, None)
    }

    /// Hides what the policy hides, and appends to `findings` what was not hidden before.
    pub fn audit<'a>(&'a mut self, event: &Event<'a>, findings: &mut Vec<Finding>) -> Shown<'a> {
        self.examine(event, Some(findings))
    }

    fn examine<'a>(&'a mut self, event: &Event<'a>, findings: Option<&mut Vec<Finding>>) -> Shown<'a> {
        self.entries.clear();
        self.scratch.clear();
        let mut notes = Notes { tap: event.tap.clone(), recorded: &event.tap.redacted, findings, ..Notes::default() };
        let (name, kind) = match &event.content {
            Content::Malformed { defect, length } => {
                let offset = event.frame.offset + defect.offset as u64;
                for (spec, value) in Kind::TapMalformed.spec().fields.iter().zip([
                    offset.to_string(),
                    length.to_string(),
                    format!("\"{}\"", defect.category.name()),
                ]) {
                    let mut made = |text: &str| made_with(&mut self.scratch, |out| out.push_str(text));
                    let (key, value) = (made(spec.name), made(&value));
                    self.entries.push(Entry { key, value, hidden: false, spec: Some(spec) });
                }
                (Cow::Borrowed(Kind::TapMalformed.spec().event_type), Some(Kind::TapMalformed))
            }
            Content::Event { name, kind, fields } => {
                let plain = event.text.is_ascii() && memchr::memchr(0x7f, event.text.as_bytes()).is_none();
                for found in *fields {
                    self.field(event, name, Event::spec_of(*kind, found), found, plain, &mut notes);
                }
                (if kind.is_some() { name.clone() } else { self.name(name, &mut notes) }, *kind)
            }
        };
        let mut tap = notes.tap;
        for (name, part) in [("workspace_id", &mut tap.workspace_id), ("call_sid", &mut tap.call_sid)] {
            if part.is_some() && self.policy.redact.has("_tap", name) {
                *part = None;
            }
        }
        let recorded_tap = event.recorded_tap.filter(|_| tap == event.tap).map(|span| span.of(event.text));
        Shown { text: event.text, scratch: &self.scratch, entries: &self.entries, name, kind, tap, recorded_tap }
    }

    fn field(
        &mut self,
        event: &Event<'_>,
        event_type: &str,
        spec: Option<&'static FieldSpec>,
        found: &Found,
        plain: bool,
        notes: &mut Notes<'_>,
    ) {
        let Self { policy, entries, scratch } = self;
        let member = &found.member;
        let json = member.value.of(event.text);
        let name = key_of(member, event.text);
        let treatment = policy.treat(event_type, &name, spec);
        // A declared name needs no second look.
        let shown = if spec.is_some() || treatment == Treatment::Reveal { &name } else { shown_name(&name) };
        let already = notes.already(shown, json);
        let hidden = already || (treatment == Treatment::Hide && member.json != JsonType::Null);
        if hidden {
            let declared = spec.filter(|spec| spec.name == shown).map(|spec| Name::Borrowed(spec.name));
            notes.hides(
                declared.unwrap_or_else(|| Name::Owned(shown.to_owned())),
                json,
                spec.map_or(Reason::Unknown, |spec| Reason::Declared(spec.class)),
            );
        }
        if hidden && matches!(policy.mode, Mode::Drop) {
            return;
        }
        let key = if shown != name {
            made_with(scratch, |out| out.push_str(shown))
        } else if plain || !sanitize::has_hostile(member.key.of(event.text)) {
            Piece::Arrived(member.key)
        } else {
            made_with(scratch, |out| sanitize::push_json(member.key.of(event.text), out))
        };
        let value = if hidden {
            match &policy.mode {
                _ if already => Piece::Arrived(member.value),
                Mode::Mask => Piece::Mask,
                mode => made_with(scratch, |out| mask::push(mode, Domain::of(&name), json, out)),
            }
        } else {
            let search = policy.search(treatment, spec);
            let is_odd = found.odd && treatment == Treatment::Show;
            if is_odd || member.spaced || (!plain && sanitize::has_hostile(json)) || search.finds(json) {
                let inside = if is_odd { Inside::Typed(spec.map(|spec| &spec.ty)) } else { Inside::Free };
                let mut rewriter = Rewriter { mode: &policy.mode, search, field: shown, notes };
                made_with(scratch, |out| rewriter.value(json, inside, shown, out))
            } else {
                Piece::Arrived(member.value)
            }
        };
        entries.push(Entry { key, value, hidden, spec });
    }

    fn name<'a>(&self, name: &Cow<'a, str>, notes: &mut Notes<'_>) -> Cow<'a, str> {
        if shown_name(name) == name || self.policy.reveal.has_all() {
            name.clone()
        } else {
            notes.hides(Name::Borrowed("event_type"), name, Reason::Unknown);
            Cow::Borrowed(MASK)
        }
    }
}

fn made_with(scratch: &mut String, write: impl FnOnce(&mut String)) -> Piece {
    let start = scratch.len();
    write(scratch);
    Piece::Made(start, scratch.len())
}
