//! Applies the policy to an event, field by field: the only way from a [`DecodedEvent`] to a
//! [`RedactedEvent`].
//!
//! [`Redactor::decode_and_redact`] tries the fast path first. The full path below is the reference
//! for what an event becomes:
//!
//! 1. The [`Policy`] gives each field a rule: hide, show or reveal.
//! 2. A hidden value is replaced according to the [`Mode`], unless it is null or an earlier run has
//!    already replaced it.
//! 3. A shown value is copied if it is declared, on one line and without hostile characters or
//!    identifiers. Otherwise [`rewrite`](super::rewrite) writes it anew.
//! 4. The names of hidden and scrubbed fields go to `_tap`.
//!
//! A name that is not declared is shown only if it looks like a name, as it may itself be protected
//! text.

use std::borrow::Cow;

use super::event::{FieldEntry, FieldSource, InPlaceFields, RedactedEvent, TextRef};
use super::fast_path::{FastPath, FieldBuffer, InPlaceText, RecognizedEvent, TapSource};
use super::findings::{AuditedEvent, Finding, Reason, RedactionLog};
use super::mask::{self, Mode};
use super::policy::{FieldAction, FieldRule, Policy};
use super::rewrite::Rewriter;
use crate::json::JsonType;
use crate::json::scan::Defect;
use crate::model::conformance::conformance;
use crate::model::decode::{Content, DecodedEvent, DecodedField, Decoder, key_of};
use crate::model::name::shown_name;
use crate::model::{Domain, FieldSpec, Frame, Kind, Name, Tap};
use crate::text::{MASK, terminal};

/// Redacts events by one policy. Its buffers are reused from event to event.
pub struct Redactor {
    policy: Policy,
    /// The rule of each declared field, indexed by `Kind as usize` and field index.
    rules: Vec<Vec<FieldRule>>,
    /// The fields of an event on the fast path.
    buffer: FieldBuffer,
    /// The fields of an event on the full path.
    entries: Vec<FieldEntry>,
    /// The text of keys and values that had to be rewritten.
    scratch: String,
    tap: Tap,
    /// The fast path; `None` if the policy does not allow it.
    fast_path: Option<FastPath>,
}

impl Redactor {
    /// Creates a redactor that applies `policy`.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let rules = policy.rules();
        // A policy that hides ids in `_tap` changes what was recorded, which the fast path does not.
        let fast_path = (!policy.hides_tap_ids()).then(|| FastPath::new(policy.reveal.is_empty()));
        Self {
            policy,
            rules,
            buffer: FieldBuffer::default(),
            entries: Vec::new(),
            scratch: String::new(),
            tap: Tap::default(),
            fast_path,
        }
    }

    /// Creates a redactor with the same policy, for another thread.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self::new(self.policy.clone())
    }

    /// Decodes and redacts a frame, on the fast path if possible.
    pub fn decode_and_redact<'a>(
        &'a mut self,
        decoder: &'a mut Decoder,
        frame: Frame<'a>,
    ) -> RedactedEvent<'a> {
        if let Some(recognized) = self.recognize(&frame) {
            return self.recognized_event(recognized.text(&frame), recognized);
        }
        self.redact(&decoder.decode(frame))
    }

    /// Tries the fast path on a frame and leaves the event's fields in the buffer.
    #[inline]
    pub(super) fn recognize(&mut self, frame: &Frame<'_>) -> Option<RecognizedEvent> {
        let Self { policy, rules, fast_path, buffer, tap, .. } = self;
        let event = fast_path.as_mut()?.recognize(frame, rules, buffer, tap)?;
        if let Mode::Partial | Mode::Hash(_) = policy.mode {
            compute_stand_ins(&policy.mode, event.text(frame), tap, buffer)?;
        }
        Some(event)
    }

    /// Returns the event whose fields the fast path has left in the buffer.
    #[inline]
    fn recognized_event<'a>(
        &'a self,
        text: &'a str,
        RecognizedEvent { kind, tap: source, is_line, start, end, .. }: RecognizedEvent,
    ) -> RedactedEvent<'a> {
        let cached = match (source, &self.fast_path) {
            (TapSource::Cached(index), Some(fast_path)) => fast_path.cached_tap(kind, index),
            _ => None,
        };
        let (tap, recorded_tap, suffix) = match (source, cached) {
            (_, Some(cached)) => (&cached.tap, Some(cached.json()), Some(&*cached.suffix)),
            (TapSource::Recorded(span), None) => (&self.tap, Some(span.slice(text)), None),
            _ => (&self.tap, None, None),
        };
        let has_plain_tap = matches!(source, TapSource::Plain);
        let FieldBuffer { fields, replaced, .. } = &self.buffer;
        let drops_hidden = matches!(self.policy.mode, Mode::Drop);
        let fields = FieldSource::InPlace(InPlaceFields {
            fields,
            replaced,
            drops_hidden,
            is_line,
            start,
            end,
            suffix,
            has_plain_tap,
        });
        let name = Cow::Borrowed(kind.spec().event_type);
        RedactedEvent { text, scratch: "", fields, name, kind: Some(kind), tap, recorded_tap }
    }

    /// Redacts a decoded event on the full path.
    pub fn redact<'a>(&'a mut self, event: &DecodedEvent<'a>) -> RedactedEvent<'a> {
        self.redact_and_log(event, None)
    }

    /// Decodes and redacts a frame, and appends to `findings` what was not hidden before: values in
    /// the clear, and members that are not part of an event and are therefore not passed on.
    pub fn decode_and_audit<'a>(
        &'a mut self,
        decoder: &'a mut Decoder,
        frame: Frame<'a>,
        findings: &mut Vec<Finding>,
    ) -> AuditedEvent<'a> {
        // The fast path tells neither what was found in a text, nor whether a report of evtap itself
        // was recorded.
        let recognized = self
            .recognize(&frame)
            .filter(|event| !self.buffer.has_scrubbed() && event.kind != Kind::TapMalformed);
        if let Some(event) = recognized {
            let (kind, text) = (event.kind, event.text(&frame));
            let FieldBuffer { fields, replaced, .. } = &self.buffer;
            findings.extend(fields.iter().filter(|field| field.hidden).filter_map(|field| {
                let value = field.value.arrived(replaced);
                let name = || match (field.spec, field.key) {
                    (Some(spec), _) => Name::Borrowed(spec.name),
                    (None, InPlaceText::Frame(key)) => Name::Owned(key.slice(text).to_owned()),
                    (None, InPlaceText::Replaced(index)) => replaced[index].text.clone(),
                };
                let reason = match field.spec {
                    // The policy of an audit hides a field only because of its class.
                    Some(spec) if spec.class.is_hidden() => Reason::Declared(spec.class),
                    _ => Reason::Unknown,
                };
                Finding::of_hidden(name, value.slice(text), reason)
            }));
            let event_type = Cow::Borrowed(kind.spec().event_type);
            return AuditedEvent { event_type, kind: Some(kind), is_recorded: false };
        }
        let event = decoder.decode(frame);
        let is_recorded = event.recorded_tap.is_some();
        let redacted = self.audit(&event, findings);
        AuditedEvent { event_type: redacted.name(), kind: redacted.kind(), is_recorded }
    }

    /// Redacts a decoded event and appends its findings, like [`Redactor::decode_and_audit`].
    pub fn audit<'a>(
        &'a mut self,
        event: &DecodedEvent<'a>,
        findings: &mut Vec<Finding>,
    ) -> RedactedEvent<'a> {
        let redacted = self.redact_and_log(event, Some(findings));
        let unexpected = event.unexpected.iter().map(|member| member.name.clone());
        findings.extend(unexpected.map(|field| Finding { field, reason: Reason::Unknown }));
        redacted
    }

    fn redact_and_log<'a>(
        &'a mut self,
        event: &DecodedEvent<'a>,
        findings: Option<&mut Vec<Finding>>,
    ) -> RedactedEvent<'a> {
        self.entries.clear();
        self.scratch.clear();
        let Self { policy, rules, entries, scratch, tap, .. } = self;
        let mut log = RedactionLog::new(event.tap, tap, findings);
        let (name, kind) = match &event.content {
            Content::Malformed { defect, length } => {
                let offset = event.frame.offset + defect.offset as u64;
                push_malformed(*defect, offset, *length, entries, scratch);
                (Cow::Borrowed(Kind::TapMalformed.spec().event_type), Some(Kind::TapMalformed))
            }
            Content::Event { name, kind, fields } => {
                let is_plain = event.text.is_ascii()
                    && (event.frame.text.is_some()
                        || memchr::memchr(0x7f, event.text.as_bytes()).is_none());
                entries.reserve(fields.len());
                let mut redactor = FieldRedactor {
                    policy,
                    text: event.text,
                    is_plain,
                    entries,
                    scratch,
                    log: &mut log,
                };
                for found in *fields {
                    let spec = DecodedEvent::spec_of(*kind, found);
                    let rule = match (kind, found.index) {
                        (Some(kind), Some(index)) => rules[*kind as usize][usize::from(index)],
                        _ => policy.rule(name, &key_of(&found.member, event.text), spec),
                    };
                    redactor.redact_field(found, spec, rule);
                }
                let name =
                    if kind.is_some() { name.clone() } else { shown_type(policy, name, &mut log) };
                (name, *kind)
            }
        };
        if log.tap().workspace_id.is_some() && policy.redact.contains("_tap", "workspace_id") {
            log.edit().workspace_id = None;
        }
        if log.tap().call_sid.is_some() && policy.redact.contains("_tap", "call_sid") {
            log.edit().call_sid = None;
        }
        let is_edited = log.is_edited;
        let recorded_tap =
            event.recorded_tap.filter(|_| !is_edited).map(|span| span.slice(event.text));
        let tap = if is_edited { &self.tap } else { event.tap };
        let Self { scratch, entries, .. } = self;
        RedactedEvent {
            text: event.text,
            scratch,
            fields: FieldSource::Entries(entries),
            name,
            kind,
            tap,
            recorded_tap,
        }
    }

    #[cfg(all(test, feature = "cli"))]
    pub(super) const fn fast_path(&self) -> Option<&FastPath> {
        self.fast_path.as_ref()
    }
}

/// Replaces the masks of hidden values by what `mode` computes from them; `None` if one arrived as a
/// mask that no earlier run has written.
fn compute_stand_ins(mode: &Mode, text: &str, tap: &Tap, buffer: &mut FieldBuffer) -> Option<()> {
    let FieldBuffer { fields, replaced, recorded, .. } = buffer;
    for field in fields.iter().filter(|field| field.hidden) {
        let InPlaceText::Replaced(index) = field.value else {
            let name = field.key(text, replaced);
            let mut recorded = tap.redacted.iter().take(*recorded);
            recorded.any(|known| known == name).then_some(())?;
            continue;
        };
        let domain = || match field.spec {
            Some(spec) => spec.domain,
            None => Domain::for_field(field.key.arrived(replaced).slice(text)),
        };
        let mut json = String::new();
        mask::push(mode, domain, replaced[index].span.slice(text), &mut json);
        replaced[index].text = Name::Owned(json);
    }
    Some(())
}

/// Appends the fields of `tap.malformed`, which describe a defect without quoting the frame.
fn push_malformed(
    defect: Defect,
    offset: u64,
    length: u64,
    entries: &mut Vec<FieldEntry>,
    scratch: &mut String,
) {
    for (spec, value) in Kind::TapMalformed.spec().fields.iter().zip([
        offset.to_string(),
        length.to_string(),
        format!("\"{}\"", defect.category.name()),
    ]) {
        let key = push_scratch(scratch, |out| out.push_str(spec.name));
        let value = push_scratch(scratch, |out| out.push_str(&value));
        entries.push(FieldEntry { key, value, hidden: false, spec: Some(spec) });
    }
}

/// Redacts the fields of one event.
struct FieldRedactor<'f, 'n> {
    policy: &'f Policy,
    text: &'f str,
    /// The text has no character beyond ASCII and no DEL, so nothing hostile either.
    is_plain: bool,
    entries: &'f mut Vec<FieldEntry>,
    scratch: &'f mut String,
    log: &'f mut RedactionLog<'n>,
}

impl FieldRedactor<'_, '_> {
    /// Redacts one field and appends it to the entries. `spec` is its declaration, if it has one.
    fn redact_field(
        &mut self,
        found: &DecodedField,
        spec: Option<&'static FieldSpec>,
        FieldRule { action, scrub }: FieldRule,
    ) {
        let Self { policy, text, is_plain, entries, scratch, log } = self;
        let member = &found.member;
        let json = member.value.slice(text);
        let name = key_of(member, text);
        let is_masked_name = found.mask.is_some() && action != FieldAction::Reveal;
        let shown = if is_masked_name { found.shown_name(text) } else { name.clone() };
        let is_already_hidden = log.is_already_hidden(&shown, json);
        // What the declaration does not cover is hidden, in an open field too.
        let declared = spec.filter(|_| found.has_undeclared && action == FieldAction::Show);
        let is_covered = declared.is_none_or(|spec| conformance(json, &spec.ty).is_shown());
        let is_hidden = is_already_hidden
            || ((action == FieldAction::Hide || !is_covered) && member.json != JsonType::Null);
        if is_hidden {
            let path = spec
                .map_or_else(|| Name::Owned(shown.to_string()), |spec| Name::Borrowed(spec.name));
            let reason = match spec {
                Some(spec) if declared.is_none() => Reason::Declared(spec.class),
                _ => Reason::Unknown,
            };
            log.record_hidden(path, json, reason);
        }
        if is_hidden && matches!(policy.mode, Mode::Drop) {
            return;
        }
        let key = if is_masked_name {
            push_scratch(scratch, |out| out.push_str(&shown))
        } else if terminal::has_hostile(member.key.slice(text)) {
            push_scratch(scratch, |out| terminal::push_json(member.key.slice(text), out))
        } else {
            TextRef::Frame(member.key)
        };
        let needs_rewrite = || {
            declared.is_some()
                || member.spaced
                || (!*is_plain && terminal::has_hostile(json))
                || scrub.finds(json)
        };
        let value = if is_already_hidden {
            TextRef::Frame(member.value)
        } else if is_hidden {
            let domain = || spec.map_or_else(|| Domain::for_field(&name), |spec| spec.domain);
            push_scratch(scratch, |out| mask::push(&policy.mode, domain, json, out))
        } else if needs_rewrite() {
            let mut rewriter = Rewriter { mode: &policy.mode, scrub, field: &shown, log };
            push_scratch(scratch, |out| match declared {
                Some(spec) => rewriter.push_covered(json, &spec.ty, out),
                None => rewriter.push_all(json, out),
            })
        } else {
            TextRef::Frame(member.value)
        };
        entries.push(FieldEntry { key, value, hidden: is_hidden, spec });
    }
}

/// Returns the type of an undeclared event, masked if it does not look like a name.
fn shown_type<'a>(
    policy: &Policy,
    name: &Cow<'a, str>,
    log: &mut RedactionLog<'_>,
) -> Cow<'a, str> {
    if shown_name(name) == name || policy.reveal.is_all() {
        name.clone()
    } else {
        log.record_hidden(Name::Borrowed("event_type"), name, Reason::Unknown);
        Cow::Borrowed(MASK)
    }
}

/// Appends what `write` writes to the scratch text and returns a reference to it.
fn push_scratch(scratch: &mut String, write: impl FnOnce(&mut String)) -> TextRef {
    let start = scratch.len();
    write(scratch);
    TextRef::Scratch(start, scratch.len())
}
