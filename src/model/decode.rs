//! Decodes frames into events.
//!
//! Decoding is total: any bytes give a [`DecodedEvent`], and nothing that the model did not expect
//! stops it. What differs from the model is reported in `_tap.drift`, by kind and field name, never
//! by value.
//!
//! A `DecodedEvent` is the text that arrived, a table of its fields, and what is declared about
//! them. It still holds protected values, so it cannot be printed, compared or serialised: only
//! [`redact`](crate::redact) reads its content.

mod envelope;
mod member;

use std::borrow::Cow;
use std::num::NonZeroU32;

use crate::json::JsonType;
use crate::json::scan::{self, Category, Defect, Member, Span};
use crate::model::conformance::check_value;
use crate::model::name::{NameMasks, mask_of_name};
use crate::model::tap::{assign, assign_millis, assign_time, parse_id};
use crate::model::{
    Drift, DriftKind, EventSpec, FieldSpec, Frame, FrameError, FrameFlags, FrameFormat, Kind, Name,
    Stream, Tap,
};
use envelope::UnexpectedMember;
pub(crate) use member::key_of;
use member::string;

/// A decoded event, before redaction.
pub struct DecodedEvent<'a> {
    pub(crate) frame: Frame<'a>,
    pub(crate) text: &'a str,
    pub(crate) content: Content<'a>,
    pub(crate) tap: &'a Tap,
    /// The value of `_tap` in a recorded line, which is written again if nothing about it changes.
    pub(crate) recorded_tap: Option<Span>,
    /// Members of the event or its envelope that are not passed on.
    pub(crate) unexpected: Vec<UnexpectedMember>,
}

/// The content of a frame.
pub(crate) enum Content<'a> {
    /// An event of the platform or of evtap.
    Event { name: Cow<'a, str>, kind: Option<Kind>, fields: &'a [DecodedField] },
    /// Something that is not an event; `length` is in bytes.
    Malformed { defect: Defect, length: u64 },
}

/// A field as found in an event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DecodedField {
    pub member: Member,
    /// The index of its declaration, if the event type declares it.
    pub index: Option<u8>,
    /// The number of the placeholder for its name; `None` if the name may be shown.
    pub mask: Option<NonZeroU32>,
    /// The field is declared, but its value does not match the declaration, or something inside it
    /// is not covered by it. Redaction masks what is not covered.
    pub has_undeclared: bool,
}

/// Decodes frames. Its tables are reused from frame to frame.
#[derive(Default)]
pub struct Decoder {
    members: Vec<Member>,
    fields: Vec<DecodedField>,
    tap: Tap,
}

impl Decoder {
    /// Decodes one frame.
    pub fn decode<'a>(&'a mut self, frame: Frame<'a>) -> DecodedEvent<'a> {
        let mut unexpected = Vec::new();
        match self.read(&frame, &mut unexpected) {
            Ok(ParsedFrame { text, name, kind, recorded_tap }) => {
                let content = Content::Event { name, kind, fields: &self.fields };
                DecodedEvent { frame, text, content, tap: &self.tap, recorded_tap, unexpected }
            }
            Err((defect, length)) => {
                tap_from_transport(&frame, &mut self.tap);
                let content = Content::Malformed { defect, length };
                DecodedEvent {
                    frame,
                    text: "",
                    content,
                    tap: &self.tap,
                    recorded_tap: None,
                    unexpected,
                }
            }
        }
    }

    /// Reads a frame into the tables. Members that are not passed on are added to `unexpected`.
    ///
    /// # Errors
    ///
    /// Returns the defect and the frame's length in bytes if it is not an event.
    fn read<'a>(
        &mut self,
        frame: &Frame<'a>,
        unexpected: &mut Vec<UnexpectedMember>,
    ) -> Result<ParsedFrame<'a>, (Defect, u64)> {
        if let Some((error, length)) = frame.fault {
            let category = match error {
                FrameError::TooLarge => Category::TooLarge,
                FrameError::NotUtf8 => Category::NotUtf8,
                FrameError::CutOff => Category::Truncated,
                FrameError::NotText => Category::NotJson,
            };
            return Err((Defect { category, offset: 0 }, length));
        }
        let malformed = |defect| (defect, frame.data.len() as u64);
        let text = match frame.text.and_then(|text| text.get(..frame.data.len())) {
            Some(text) => scan::scan_text(text, &mut self.members).map(|()| text),
            None => scan::scan_object(frame.data, &mut self.members),
        };
        let text = text.map_err(malformed)?;
        let (mut frame, mut time) = (*frame, None);
        if frame.format == FrameFormat::Record
            && let Some(envelope) = envelope::open(text, &mut self.members)
        {
            if let Some(name) = envelope.name {
                frame = Frame { format: FrameFormat::Sse, event: Some(name), ..frame };
                time = envelope.time;
            }
            *unexpected = envelope.unexpected;
        }
        let naming = self
            .event_name(text, &frame)
            .ok_or_else(|| malformed(Defect { category: Category::NoEventType, offset: 0 }))?;
        let kind =
            if naming.has_conflict { None } else { declared_kind(&naming.name, frame.format) };

        let recorded_tap = self.recorded_tap(text, &frame, kind);
        let is_recorded = recorded_tap.is_some();
        let mut drift = DriftList(None);
        if !is_recorded {
            tap_from_transport(&frame, &mut self.tap);
            if time.is_some() {
                assign_time(&mut self.tap.time, time);
            }
            drift = DriftList(Some(std::mem::take(&mut self.tap.drift)));
        }
        if naming.has_conflict {
            drift.push(DriftKind::TypeConflict, || None);
        } else if kind.is_none() {
            drift.push(DriftKind::UnknownEvent, || None);
        }
        let count_before = unexpected.len();
        self.find_fields(text, &naming, kind.map(Kind::spec), &mut drift, unexpected);
        let is_complete = unexpected.len() == count_before;
        if let DriftList(Some(drift)) = drift {
            self.tap.drift = drift;
        }
        for UnexpectedMember { name, .. } in unexpected.iter().filter(|member| member.is_drift) {
            self.tap.drift.push(Drift { kind: DriftKind::UnknownField, field: Some(name.clone()) });
        }
        // A recorded `_tap` cannot be reused if a member that it does not mention is dropped.
        let recorded_tap =
            recorded_tap.filter(|tap| is_complete && !tap.spaced).map(|tap| tap.value);
        if !is_recorded && self.tap.stream.is_none() {
            self.tap.stream = match kind.map(|kind| kind.spec().stream) {
                Some(stream @ (Stream::Workspace | Stream::Observer)) => Some(stream.name().into()),
                _ => None,
            };
        }
        Ok(ParsedFrame { text, name: naming.name, kind, recorded_tap })
    }

    /// Reads `_tap` of a recorded line into `self.tap` and removes it from the members, if it is
    /// the last member and evtap could have written it.
    fn recorded_tap(
        &mut self,
        text: &str,
        frame: &Frame<'_>,
        kind: Option<Kind>,
    ) -> Option<Member> {
        let is_record = frame.format == FrameFormat::Record;
        let last =
            *self.members.last().filter(|last| is_record && last.key.slice(text) == "_tap")?;
        self.tap.read(last.value.slice(text), kind.map(Kind::spec)).then(|| {
            self.members.pop();
            last
        })
    }

    /// Finds the event type: on the `event:` line or in a member; `None` if there is no type.
    ///
    /// An SSE event without a type is a `message`, as the HTML standard says.
    fn event_name<'a>(&self, text: &'a str, frame: &Frame<'a>) -> Option<EventName<'a>> {
        let values_of = |key: &'static str| {
            let is_name = move |member: &&Member| {
                member.json == JsonType::String && key_of(member, text) == key
            };
            self.members.iter().filter(is_name).map(move |member| string(member.value, text))
        };
        let key = match frame.format {
            FrameFormat::Sse => "event_type",
            FrameFormat::Observer | FrameFormat::Record | FrameFormat::Own
                if values_of("event_type").next().is_some() =>
            {
                "event_type"
            }
            FrameFormat::Observer | FrameFormat::Record | FrameFormat::Own => "type",
        };
        let line = frame.event.filter(|line| !line.is_empty()).map(Cow::Borrowed);
        let mut names = line.into_iter().chain(values_of(key));
        let name = names
            .next()
            .or_else(|| (frame.format == FrameFormat::Sse).then_some(Cow::Borrowed("message")))?;
        let has_conflict = names.any(|other| other != name);
        Some(EventName { name, key, has_conflict })
    }

    /// Fills the table of fields and reports what the model did not expect as `drift`. Members that
    /// are not passed on are added to `unexpected`.
    fn find_fields(
        &mut self,
        text: &str,
        naming: &EventName<'_>,
        spec: Option<&'static EventSpec>,
        drift: &mut DriftList,
        unexpected: &mut Vec<UnexpectedMember>,
    ) {
        self.fields.clear();
        // The observer can nest the fields in `data`.
        let is_wrapper = |member: &Member| {
            naming.key == "type"
                && member.json == JsonType::Object
                && member.key.slice(text) == "data"
                && spec.is_none_or(|spec| spec.field("data").is_none())
        };
        let mut inner = 0..0;
        if let Some(at) = self.members.iter().position(is_wrapper) {
            let after = self.members.split_off(at);
            scan::scan_inner_object(text, after[0].value, &mut self.members);
            inner = at..self.members.len();
            self.members.extend_from_slice(&after[1..]);
        }
        let declared = spec.map_or(&[][..], |spec| spec.fields);
        let (mut seen, mut masks, mut next) = (0u64, NameMasks::default(), 0);
        for (at, member) in self.members.iter().enumerate() {
            let name = key_of(member, text);
            if name == naming.key && member.json == JsonType::String && !inner.contains(&at) {
                continue;
            }
            // These keys would collide with the ones that evtap writes. A genuine `_tap` and the
            // event type are handled already, so what remains is not passed on.
            if let Some(name) = ["_tap", "event_type"].into_iter().find(|own| name == *own) {
                unexpected.push(UnexpectedMember { name: name.into(), is_drift: true });
                continue;
            }
            // Most events have their fields in the order of the declaration.
            let mut indices = (next..declared.len()).chain(0..next);
            let index = indices.find(|index| declared[*index].name == name);
            let (mut mask, mut has_undeclared) = (None, false);
            if let Some(index) = index {
                next = index + 1;
                let field = &declared[index];
                if seen & 1 << index != 0 {
                    drift.push(DriftKind::DuplicateField, || Some(field.name.into()));
                }
                seen |= 1 << index;
                if !(member.json == JsonType::Null && field.nullable) {
                    let json = member.value.slice(text);
                    let mut report = |kind, path: &dyn Fn() -> Name| {
                        drift.push(kind, || Some(path()));
                    };
                    let path = || Name::Borrowed(field.name);
                    has_undeclared = !check_value(json, &field.ty, &mut report, &path);
                }
            } else {
                mask = masks.number(&name);
                // `unknown_event` already covers every field of an undeclared event.
                if spec.is_some() {
                    drift.push(DriftKind::UnknownField, || {
                        let name = mask.map_or_else(|| name.clone(), mask_of_name);
                        Some(Name::Owned(name.into_owned()))
                    });
                }
            }
            self.fields.push(DecodedField {
                member: *member,
                index: index.and_then(|index| u8::try_from(index).ok()),
                mask,
                has_undeclared,
            });
        }
        for (index, field) in declared.iter().enumerate() {
            if field.required
                && seen & 1 << index == 0
                && !self.tap.redacted.iter().any(|name| name == field.name)
            {
                drift.push(DriftKind::MissingField, || Some(field.name.into()));
            }
        }
    }
}

/// The drift of an event; `None` if `_tap` was recorded and so lists it already.
struct DriftList(Option<Vec<Drift>>);

impl DriftList {
    fn push(&mut self, kind: DriftKind, field: impl FnOnce() -> Option<Name>) {
        if let Self(Some(list)) = self {
            list.push(Drift { kind, field: field() });
        }
    }
}

/// The result of reading a frame; its fields are in the tables.
struct ParsedFrame<'a> {
    text: &'a str,
    name: Cow<'a, str>,
    kind: Option<Kind>,
    recorded_tap: Option<Span>,
}

/// The type of an event, and where it was found.
struct EventName<'a> {
    name: Cow<'a, str>,
    /// The key that names the type in this frame format.
    key: &'static str,
    /// The frame names two different types.
    has_conflict: bool,
}

impl DecodedField {
    /// Returns the field's name, given its text, as it may be shown.
    pub(crate) fn shown_name<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.mask.map_or_else(|| key_of(&self.member, text), mask_of_name)
    }
}

impl DecodedEvent<'_> {
    /// Returns the declaration of a field.
    pub(crate) fn spec_of(kind: Option<Kind>, found: &DecodedField) -> Option<&'static FieldSpec> {
        Some(&kind?.spec().fields[usize::from(found.index?)])
    }
}

/// Sets `tap` to what the transport knows about a frame, and reuses its memory.
pub(crate) fn tap_from_transport(frame: &Frame<'_>, tap: &mut Tap) {
    let Tap { id, time, received_at, stream, workspace_id, call_sid, redacted, scrubbed, drift } =
        tap;
    let number = frame.id.and_then(parse_id);
    assign(id, frame.id.filter(|_| number.is_some()));
    assign_millis(time, number.and_then(|number| number.try_into().ok()));
    assign_time(received_at, frame.received_at);
    *stream = frame.origin.stream.map(|stream| stream.name().into());
    assign(workspace_id, frame.origin.workspace_id.as_deref());
    assign(call_sid, frame.origin.call_sid.as_deref());
    redacted.clear();
    scrubbed.clear();
    drift.clear();
    if frame.id.is_some() && number.is_none() {
        drift.push(Drift { kind: DriftKind::OddId, field: None });
    }
    let FrameFlags { id_missing, id_backwards, after_repeat, .. } = frame.flags;
    for (is_set, kind) in [
        (id_missing, DriftKind::MissingId),
        (id_backwards, DriftKind::BackwardId),
        (after_repeat, DriftKind::RepeatDropped),
    ] {
        if is_set {
            drift.push(Drift { kind, field: None });
        }
    }
}

/// Returns the declared event of that name. A server cannot send evtap's own events.
fn declared_kind(name: &str, format: FrameFormat) -> Option<Kind> {
    let own = || Kind::OWN.iter().copied().find(|kind| kind.spec().event_type == name);
    Kind::from_name(name).or_else(|| {
        if matches!(format, FrameFormat::Record | FrameFormat::Own) { own() } else { None }
    })
}
