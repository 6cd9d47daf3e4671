//! Decides field by field what is hidden: the only way from a [`DecodedEvent`] to a [`RedactedEvent`].

use std::borrow::Cow;

use super::event::{FieldEntry, FieldSource, InPlaceFields, RedactedEvent, TextRef};
use super::fast_path::{FieldBuffer, KnownTap, RecognizedEvent, ShapeCache};
use super::findings::{Finding, Reason, RedactionLog};
use super::mask::{self, Mode};
use super::policy::{FieldAction, FieldRule, Policy};
use super::rewrite::{NestedType, Rewriter};
use crate::json::JsonType;
use crate::model::decode::{Content, DecodedEvent, DecodedField, Decoder, key_of, shown_name};
use crate::model::{Domain, FieldSpec, Frame, Kind, Name, Tap};
use crate::text::{MASK, terminal};

/// Redacts event after event by one policy, with tables that are used again.
pub struct Redactor {
    policy: Policy,
    /// What is to be done with the declared fields of each kind.
    rules: Vec<Vec<FieldRule>>,
    pub(super) made: FieldBuffer,
    entries: Vec<FieldEntry>,
    scratch: String,
    pub(super) tap: Tap,
    /// What came before, if events may be known by it.
    pub(super) shapes: Option<ShapeCache>,
}

impl Redactor {
    /// A redactor by that policy.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let rules = policy.rules();
        // Other modes make something of each value; and a `_tap` of which a part is hidden is no longer as it was recorded.
        let is_plain = matches!(policy.mode, Mode::Mask) && !policy.hides_origin();
        let shapes = is_plain.then(ShapeCache::new);
        Self {
            policy,
            rules,
            made: FieldBuffer::default(),
            entries: Vec::new(),
            scratch: String::new(),
            tap: Tap::default(),
            shapes,
        }
    }

    /// One by the same policy.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self::new(self.policy.clone())
    }

    /// Decodes a frame and hides what the policy hides: by the short way, if the event is like one before.
    pub fn decode_and_redact<'a>(
        &'a mut self,
        decoder: &'a mut Decoder,
        frame: Frame<'a>,
    ) -> RedactedEvent<'a> {
        if let Some(shapes) = &mut self.shapes
            && let Some(recognised) = shapes.recognise(&frame, &mut self.made, &mut self.tap)
        {
            return self.recognised(frame.text.unwrap_or_default(), recognised);
        }
        let event = decoder.decode(frame);
        if let (Some(shapes), Content::Event { kind: Some(kind), fields, .. }) =
            (&mut self.shapes, &event.content)
        {
            shapes.learn(*kind, fields, &self.rules[*kind as usize]);
        }
        self.redact(&event)
    }

    /// What was recognised, the places of its fields being made.
    #[inline]
    fn recognised<'a>(
        &'a self,
        text: &'a str,
        RecognizedEvent { kind, tap, is_line, start, end }: RecognizedEvent,
    ) -> RedactedEvent<'a> {
        let (tap, json, rest) = match (tap, &self.shapes) {
            (KnownTap::Said { shape, said }, Some(shapes)) => {
                let said = shapes.said(kind, shape, said);
                (&said.tap, Some(said.json()), Some(&*said.rest))
            }
            (KnownTap::Recorded(span), _) => (&self.tap, Some(span.slice(text)), None),
            (KnownTap::Transport | KnownTap::Said { .. }, _) => (&self.tap, None, None),
        };
        let FieldBuffer { places, masked } = &self.made;
        let fields =
            FieldSource::Known(InPlaceFields { places, masked, is_line, start, end, rest });
        let name = Cow::Borrowed(kind.spec().event_type);
        RedactedEvent { text, scratch: "", fields, name, kind: Some(kind), tap, recorded_tap: json }
    }

    /// Hides what the policy hides.
    pub fn redact<'a>(&'a mut self, event: &DecodedEvent<'a>) -> RedactedEvent<'a> {
        self.examine(event, None)
    }

    /// Hides what the policy hides, and appends to `findings` what was not hidden before: values, and members that are
    /// no part of an event and go no further.
    pub fn audit<'a>(
        &'a mut self,
        event: &DecodedEvent<'a>,
        findings: &mut Vec<Finding>,
    ) -> RedactedEvent<'a> {
        let redacted = self.examine(event, Some(findings));
        let unexpected = event.unexpected.iter().map(|member| member.name.clone().into_owned());
        findings.extend(unexpected.map(|field| Finding { field, reason: Reason::Unknown }));
        redacted
    }

    fn examine<'a>(
        &'a mut self,
        event: &DecodedEvent<'a>,
        findings: Option<&mut Vec<Finding>>,
    ) -> RedactedEvent<'a> {
        self.entries.clear();
        self.scratch.clear();
        let Self { policy, rules, entries, scratch, tap, .. } = self;
        let mut notes = RedactionLog::new(event.tap, tap, findings);
        let (name, kind) = match &event.content {
            Content::Malformed { defect, length } => {
                let offset = event.frame.offset + defect.offset as u64;
                for (spec, value) in Kind::TapMalformed.spec().fields.iter().zip([
                    offset.to_string(),
                    length.to_string(),
                    format!("\"{}\"", defect.category.name()),
                ]) {
                    let mut made = |text: &str| made_with(scratch, |out| out.push_str(text));
                    let (key, value) = (made(spec.name), made(&value));
                    entries.push(FieldEntry { key, value, hidden: false, spec: Some(spec) });
                }
                (Cow::Borrowed(Kind::TapMalformed.spec().event_type), Some(Kind::TapMalformed))
            }
            Content::Event { name, kind, fields } => {
                let plain =
                    event.text.is_ascii() && memchr::memchr(0x7f, event.text.as_bytes()).is_none();
                entries.reserve(fields.len());
                let mut fields_of = FieldRedactor {
                    policy,
                    text: event.text,
                    plain,
                    entries,
                    scratch,
                    notes: &mut notes,
                };
                for found in *fields {
                    let spec = DecodedEvent::spec_of(*kind, found);
                    let rule = match (kind, found.index) {
                        (Some(kind), Some(index)) => rules[*kind as usize][usize::from(index)],
                        _ => policy.rule(name, &key_of(&found.member, event.text), spec),
                    };
                    fields_of.field(found, spec, rule);
                }
                (
                    if kind.is_some() {
                        name.clone()
                    } else {
                        shown_type(policy, name, &mut notes)
                    },
                    *kind,
                )
            }
        };
        if notes.tap().workspace_id.is_some() && policy.redact.has("_tap", "workspace_id") {
            notes.edit().workspace_id = None;
        }
        if notes.tap().call_sid.is_some() && policy.redact.has("_tap", "call_sid") {
            notes.edit().call_sid = None;
        }
        let is_edited = notes.is_edited;
        let recorded_tap =
            event.recorded_tap.filter(|_| !is_edited).map(|span| span.slice(event.text));
        let tap = if is_edited { &self.tap } else { event.tap };
        let Self { scratch, entries, .. } = self;
        RedactedEvent {
            text: event.text,
            scratch,
            fields: FieldSource::Made(entries),
            name,
            kind,
            tap,
            recorded_tap,
        }
    }
}

/// The fields of one event on their way.
struct FieldRedactor<'f, 'n> {
    policy: &'f Policy,
    text: &'f str,
    /// There is nothing hostile in the text.
    plain: bool,
    entries: &'f mut Vec<FieldEntry>,
    scratch: &'f mut String,
    notes: &'f mut RedactionLog<'n>,
}

impl FieldRedactor<'_, '_> {
    fn field(
        &mut self,
        found: &DecodedField,
        spec: Option<&'static FieldSpec>,
        FieldRule { treatment, search }: FieldRule,
    ) {
        let Self { policy, text, plain, entries, scratch, notes } = self;
        let member = &found.member;
        let json = member.value.slice(text);
        let name = key_of(member, text);
        // A declared name needs no second look.
        let shown = if spec.is_some() || treatment == FieldAction::Reveal {
            &name
        } else {
            shown_name(&name)
        };
        let already = notes.already(shown, json);
        let is_odd = found.odd && treatment == FieldAction::Show;
        let inside =
            if is_odd { NestedType::Typed(spec.map(|spec| &spec.ty)) } else { NestedType::Free };
        // What has an inside where none is declared is hidden as a whole, in an open field too.
        let hidden = already
            || (treatment == FieldAction::Hide && member.json != JsonType::Null)
            || !inside.has_inside(member.json);
        if hidden {
            notes.hides(
                spec.map_or_else(
                    || Name::Owned(shown.to_owned()),
                    |spec| Name::Borrowed(spec.name),
                ),
                json,
                match spec {
                    Some(spec) if !is_odd => Reason::Declared(spec.class),
                    _ => Reason::Unknown,
                },
            );
        }
        if hidden && matches!(policy.mode, Mode::Drop) {
            return;
        }
        let key = if shown != name {
            made_with(scratch, |out| out.push_str(shown))
        } else if !terminal::has_hostile(member.key.slice(text)) {
            TextRef::Arrived(member.key)
        } else {
            made_with(scratch, |out| terminal::push_json(member.key.slice(text), out))
        };
        let value = if hidden {
            match &policy.mode {
                _ if already => TextRef::Arrived(member.value),
                mode => {
                    let domain =
                        || spec.map_or_else(|| Domain::for_field(&name), |spec| spec.domain);
                    made_with(scratch, |out| mask::push(mode, domain, json, out))
                }
            }
        } else if is_odd
            || member.spaced
            || (!*plain && terminal::has_hostile(json))
            || search.finds(json)
        {
            let mut rewriter = Rewriter { mode: &policy.mode, search, field: shown, notes };
            made_with(scratch, |out| rewriter.value(json, inside, shown, out))
        } else {
            TextRef::Arrived(member.value)
        };
        entries.push(FieldEntry { key, value, hidden, spec });
    }
}

/// The type of an event that nobody has declared, as it may be shown.
fn shown_type<'a>(
    policy: &Policy,
    name: &Cow<'a, str>,
    notes: &mut RedactionLog<'_>,
) -> Cow<'a, str> {
    if shown_name(name) == name || policy.reveal.has_all() {
        name.clone()
    } else {
        notes.hides(Name::Borrowed("event_type"), name, Reason::Unknown);
        Cow::Borrowed(MASK)
    }
}

fn made_with(scratch: &mut String, write: impl FnOnce(&mut String)) -> TextRef {
    let start = scratch.len();
    write(scratch);
    TextRef::Made(start, scratch.len())
}
