//! Frames become events. Decoding is total: any bytes give a [`DecodedEvent`], and nothing that the model did not expect
//! stops it.
//!
//! A `DecodedEvent` is the text that arrived, the table of its fields, and what the model knows of them. It cannot be printed,
//! compared or serialised: only [`redact`](crate::redact) looks inside.

mod envelope;
mod member;

use std::borrow::Cow;

use jiff::Timestamp;

use crate::json::JsonType;
use crate::json::scan::{self, Category, Defect, Member, Span};
use crate::json::string::unescape;
use crate::model::{
    Drift, DriftKind, EventSpec, FieldSpec, Frame, FrameError, FrameFlags, FrameFormat, Kind,
    Stream, Tap, Type, is_choice, is_id,
};
use envelope::UnexpectedMember;
pub(crate) use member::{key_of, shown_name};
use member::{rfc3339, string};

/// An event, with everything that is to be hidden still in it.
pub struct DecodedEvent<'a> {
    pub(crate) frame: Frame<'a>,
    pub(crate) text: &'a str,
    pub(crate) content: Content<'a>,
    pub(crate) tap: &'a Tap,
    /// Where `_tap` stands in a line that evtap wrote: its bytes are kept where nothing about it changes.
    pub(crate) recorded_tap: Option<Span>,
    /// What stands in it or in its envelope that evtap would not have written, and is not shown.
    pub(crate) unexpected: Vec<UnexpectedMember>,
}

/// What a frame holds.
pub(crate) enum Content<'a> {
    /// An event of the platform, or of evtap's own.
    Event { name: Cow<'a, str>, kind: Option<Kind>, fields: &'a [DecodedField] },
    /// No event.
    Malformed { defect: Defect, length: u64 },
}

/// A field of an event, as found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DecodedField {
    pub member: Member,
    /// Which of the declared fields it is.
    pub index: Option<u8>,
    /// There is something inside that nobody has classed.
    pub odd: bool,
}

/// Decodes frame after frame, with tables that are used again.
#[derive(Default)]
pub struct Decoder {
    members: Vec<Member>,
    fields: Vec<DecodedField>,
    tap: Tap,
}

impl Decoder {
    /// Decodes one frame.
    pub fn decode<'a>(&'a mut self, frame: Frame<'a>) -> DecodedEvent<'a> {
        let mut odd = Vec::new();
        match self.read(&frame, &mut odd) {
            Ok(ParsedFrame { text, name, kind, recorded_tap }) => {
                let content = Content::Event { name, kind, fields: &self.fields };
                DecodedEvent { frame, text, content, tap: &self.tap, recorded_tap, unexpected: odd }
            }
            Err((defect, length)) => {
                transport(&frame, &mut self.tap);
                let content = Content::Malformed { defect, length };
                DecodedEvent {
                    frame,
                    text: "",
                    content,
                    tap: &self.tap,
                    recorded_tap: None,
                    unexpected: odd,
                }
            }
        }
    }

    /// Reads a frame into the tables, or says where and why it is no event, and how long. What goes no further is added to
    /// `odd`.
    fn read<'a>(
        &mut self,
        frame: &Frame<'a>,
        odd: &mut Vec<UnexpectedMember>,
    ) -> Result<ParsedFrame<'a>, (Defect, u64)> {
        if let Some((fault, length)) = frame.fault {
            let category = match fault {
                FrameError::TooLarge => Category::TooLarge,
                FrameError::NotUtf8 => Category::NotUtf8,
                FrameError::CutOff => Category::Truncated,
            };
            return Err((Defect { category, offset: 0 }, length));
        }
        let malformed = |defect| (defect, frame.data.len() as u64);
        let text = scan::scan_object(frame.data, &mut self.members).map_err(malformed)?;
        let (mut frame, mut time) = (*frame, None);
        if frame.format == FrameFormat::Record
            && let Some(envelope) = envelope::open(text, &mut self.members)
        {
            if let Some(name) = envelope.name {
                frame = Frame { format: FrameFormat::Sse, event: Some(name), ..frame };
                time = envelope.time;
            }
            *odd = envelope.odd;
        }
        let naming = self.naming(text, &frame);
        let naming = naming
            .ok_or_else(|| malformed(Defect { category: Category::NoEventType, offset: 0 }))?;
        let kind = if naming.conflict { None } else { kind(&naming.name, frame.format) };

        let recorded_tap = self.recorded_tap(text, &frame, kind);
        let is_recorded = recorded_tap.is_some();
        let mut drift = Vec::new();
        if !is_recorded {
            transport(&frame, &mut self.tap);
            self.tap.time = time.or(self.tap.time.take());
            drift = std::mem::take(&mut self.tap.drift);
        }
        if naming.conflict {
            drift.push(Drift { kind: DriftKind::TypeConflict, field: None });
        } else if kind.is_none() {
            drift.push(Drift { kind: DriftKind::UnknownEvent, field: None });
        }
        let around = odd.len();
        self.find_fields(text, &naming, kind.map(Kind::spec), &mut drift, odd);
        let is_whole = odd.len() == around;
        if !is_recorded {
            self.tap.drift = drift;
        }
        for UnexpectedMember { name, .. } in odd.iter().filter(|attribute| attribute.is_drift) {
            self.tap.drift.push(Drift { kind: DriftKind::UnknownField, field: Some(name.clone()) });
        }
        // It no longer says all.
        let recorded_tap = recorded_tap.filter(|tap| is_whole && !tap.spaced).map(|tap| tap.value);
        if !is_recorded && self.tap.stream.is_none() {
            self.tap.stream = match kind.map(|kind| kind.spec().stream) {
                Some(stream @ (Stream::Workspace | Stream::Observer)) => Some(stream.name().into()),
                _ => None,
            };
        }
        Ok(ParsedFrame { text, name: naming.name, kind, recorded_tap })
    }

    /// Takes `_tap` of a line that evtap wrote for what is known of the event.
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

    /// Which event it is, and by which members it says so.
    fn naming<'a>(&self, text: &'a str, frame: &Frame<'a>) -> Option<EventName<'a>> {
        let named = |key: &'static str| {
            let is_name = move |member: &&Member| {
                member.json == JsonType::String && key_of(member, text) == key
            };
            self.members.iter().filter(is_name).map(move |member| string(member.value, text))
        };
        let key = match frame.format {
            FrameFormat::Sse => "event_type",
            FrameFormat::Observer | FrameFormat::Record | FrameFormat::Own
                if named("event_type").next().is_some() =>
            {
                "event_type"
            }
            FrameFormat::Observer | FrameFormat::Record | FrameFormat::Own => "type",
        };
        let line = frame.event.filter(|line| !line.is_empty()).map(Cow::Borrowed);
        let mut given = line.into_iter().chain(named(key));
        let name = given
            .next()
            .or_else(|| (frame.format == FrameFormat::Sse).then_some(Cow::Borrowed("message")))?;
        let conflict = given.any(|other| other != name);
        Some(EventName { name, key, conflict })
    }

    /// Fills the table of fields, and reports what the model did not expect. What is no field is added to `odd`.
    fn find_fields(
        &mut self,
        text: &str,
        naming: &EventName<'_>,
        spec: Option<&'static EventSpec>,
        drift: &mut Vec<Drift>,
        odd: &mut Vec<UnexpectedMember>,
    ) {
        self.fields.clear();
        // The observer's nested shape: the fields stand in `data`.
        let wrapped = |member: &Member| {
            naming.key == "type"
                && member.json == JsonType::Object
                && member.key.slice(text) == "data"
                && spec.is_none_or(|spec| spec.field("data").is_none())
        };
        let mut inner = 0..0;
        if let Some(at) = self.members.iter().position(wrapped) {
            let after = self.members.split_off(at);
            scan::scan_inner_object(text, after[0].value, &mut self.members);
            inner = at..self.members.len();
            self.members.extend_from_slice(&after[1..]);
        }
        let mut seen = 0u64;
        for (at, member) in self.members.iter().enumerate() {
            let name = key_of(member, text);
            if name == naming.key && member.json == JsonType::String && !inner.contains(&at) {
                continue;
            }
            let mut report = |kind, field: &str| {
                drift.push(Drift { kind, field: Some(shown_name(field).to_owned().into()) });
            };
            // Nobody but evtap writes `_tap`, and this is none of its own; and a type that is no name would be one, once a mask
            // stands for it. They go no further.
            if let Some(name) = ["_tap", "event_type"].into_iter().find(|own| name == *own) {
                odd.push(UnexpectedMember { name: name.into(), is_drift: true });
                continue;
            }
            let index =
                spec.and_then(|spec| spec.fields.iter().position(|field| field.name == name));
            let mut odd = false;
            match (spec, index) {
                (Some(spec), Some(index)) => {
                    if seen & 1 << index != 0 {
                        report(DriftKind::DuplicateField, &name);
                    }
                    seen |= 1 << index;
                    let mut notes = Vec::new();
                    let field = &spec.fields[index];
                    if !(member.json == JsonType::Null && field.nullable) {
                        odd = !fits(member.value.slice(text), &field.ty, &mut notes, &|| {
                            name.to_string()
                        });
                    }
                    drift.append(&mut notes);
                }
                // Of an unknown event, all fields are unknown: it has been said once.
                (None, _) => odd = member.json.is_container(),
                (Some(_), None) => report(DriftKind::UnknownField, &name),
            }
            self.fields.push(DecodedField {
                member: *member,
                index: index.and_then(|index| u8::try_from(index).ok()),
                odd,
            });
        }
        for (index, field) in spec.into_iter().flat_map(|spec| spec.fields.iter().enumerate()) {
            if field.required
                && seen & 1 << index == 0
                && !self.tap.redacted.iter().any(|name| name == field.name)
            {
                drift.push(Drift { kind: DriftKind::MissingField, field: Some(field.name.into()) });
            }
        }
    }
}

/// What a frame was read to be.
struct ParsedFrame<'a> {
    text: &'a str,
    name: Cow<'a, str>,
    kind: Option<Kind>,
    recorded_tap: Option<Span>,
}

struct EventName<'a> {
    name: Cow<'a, str>,
    /// The key under which data of this format names its type.
    key: &'static str,
    /// Two names are given that differ.
    conflict: bool,
}

impl DecodedEvent<'_> {
    pub(crate) fn spec_of(kind: Option<Kind>, found: &DecodedField) -> Option<&'static FieldSpec> {
        Some(&kind?.spec().fields[usize::from(found.index?)])
    }
}

/// Sets `tap` to what the transport says of a frame.
pub(crate) fn transport(frame: &Frame<'_>, tap: &mut Tap) {
    *tap = Tap {
        received_at: frame.received_at.map(rfc3339),
        stream: frame.origin.stream.map(|stream| stream.name().into()),
        workspace_id: frame.origin.workspace_id.clone(),
        call_sid: frame.origin.call_sid.clone(),
        ..Tap::default()
    };
    match frame.id {
        Some(id) if is_id(id) => {
            tap.id = Some(id.to_owned());
            tap.time =
                id.parse().ok().and_then(|id| Timestamp::from_millisecond(id).ok()).map(rfc3339);
        }
        Some(_) => tap.drift.push(Drift { kind: DriftKind::OddId, field: None }),
        None => {}
    }
    let FrameFlags { id_missing, id_backwards, after_repeat } = frame.flags;
    for (noted, kind) in [
        (id_missing, DriftKind::MissingId),
        (id_backwards, DriftKind::BackwardId),
        (after_repeat, DriftKind::RepeatDropped),
    ] {
        if noted {
            tap.drift.push(Drift { kind, field: None });
        }
    }
}

/// The event of that name. Those of evtap's own are never taken from a server.
fn kind(name: &str, format: FrameFormat) -> Option<Kind> {
    let own = || Kind::OWN.iter().copied().find(|kind| kind.spec().event_type == name);
    Kind::from_name(name).or_else(|| {
        if matches!(format, FrameFormat::Record | FrameFormat::Own) { own() } else { None }
    })
}

/// Holds a value against its type, all the way down. False if there is something inside that nobody has classed: a value
/// with an inside where none is declared, or a key that the record doesn't have. `path` leads to it.
pub(crate) fn fits(
    json: &str,
    ty: &Type,
    drift: &mut Vec<Drift>,
    path: &dyn Fn() -> String,
) -> bool {
    let found = JsonType::from_first_byte(json.as_bytes()[0]);
    let mut report = |kind| {
        drift.push(Drift {
            kind,
            field: Some(path().split('.').map(shown_name).collect::<Vec<_>>().join(".").into()),
        });
    };
    if !ty.accepts(found) {
        report(DriftKind::OtherType);
        return !found.is_container();
    }
    match ty {
        Type::Integer if json.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) => {
            report(DriftKind::OtherType);
        }
        Type::Choice(choices) if !is_choice(json, choices) => report(DriftKind::UnknownValue),
        Type::Unstated => return !found.is_container(),
        Type::List(_) | Type::Map(_) | Type::Record(_) => {
            return fits_inside(json, ty, drift, path);
        }
        _ => {}
    }
    true
}

fn fits_inside(json: &str, ty: &Type, drift: &mut Vec<Drift>, path: &dyn Fn() -> String) -> bool {
    let mut fit = true;
    for (key, value) in scan::iter_entries(json) {
        let null = value == "null";
        match ty {
            Type::List(item) | Type::Map(item) => fit &= null || fits(value, item, drift, path),
            Type::Record(members) => {
                let key = unescape(key.unwrap_or_default());
                if let Some(member) = members.iter().find(|member| key == member.name) {
                    let path = || format!("{}.{}", path(), member.name);
                    fit &= (null && !member.required) || fits(value, &member.ty, drift, &path);
                } else {
                    let name = format!("{}.{}", path(), shown_name(&key));
                    drift.push(Drift { kind: DriftKind::UnknownField, field: Some(name.into()) });
                    fit = false;
                }
            }
            _ => {}
        }
    }
    fit
}
