//! The short way for events that come as others have come before.
//!
//! Nearly all events of one type have the same fields in the same order, each with a value that its declaration expects. For
//! those, what is to be hidden is known beforehand, and nothing is left to do but to step from value to value and to see that
//! each is valid and as expected. Whatever is in any way else is left to [`Decoder`](crate::model::decode::Decoder) and
//! [`Redactor::redact`](super::Redactor::redact): what they make of an event is what this makes of it, or this makes nothing.
//!
//! What is learned is the order of declared fields, so that nobody can make it learn without end.

use super::mask::MASK_JSON;
use super::policy::{FieldAction, FieldRule};
use super::rewrite::ScrubScope;
use crate::json::JsonType;
use crate::json::scan::{JsonCursor, KeyToken, ScannedValue, Span, ValueTraits};
use crate::model::decode::{DecodedField, fits, transport};
use crate::model::{EventSpec, FieldSpec, Kind, Name, Tap, Type, is_choice};
use crate::model::{Frame, FrameFormat};
use crate::text::terminal;

/// How many orders are kept of each type.
const ORDERS: usize = 3;

/// From how many events of each type it is learned, that were not recognised. Most have been by then; of the rest, the order
/// is not what is special about them.
const LESSONS: u16 = 1000;

/// How a line of a recording begins that is known by its shape.
const BEGINNING: &str = "{\"event_type\":\"";

/// What stands before `_tap` in a line.
const TAP: &str = ",\"_tap\":";

/// The shapes that have been seen, by the number of the kind.
pub(super) struct ShapeCache {
    of_kind: Vec<LearnedShapes>,
    /// `"_tap":`
    tap: KeyToken,
}

/// What was learned of one event type.
#[derive(Default)]
struct LearnedShapes {
    shapes: Vec<EventShape>,
    lessons: u16,
}

/// The fields of one event type, in an order in which they have come. Any of them may be left out.
struct EventShape {
    kind: Kind,
    slots: Vec<ExpectedField>,
    /// The fields that must be there, by index.
    required: u64,
    /// What evtap says about such events, by which of the fields are hidden.
    taps: Vec<CachedTap>,
}

/// A field that is expected.
struct ExpectedField {
    key: KeyToken,
    index: u8,
    /// The bit of its index.
    bit: u64,
    spec: &'static FieldSpec,
    is_hidden: bool,
    search: ScrubScope,
    /// The types that its value may have, a bit each.
    types: u8,
    check: ValueCheck,
}

/// What of a value of the right type is looked at.
enum ValueCheck {
    Nothing,
    /// It is a number without a fraction.
    Whole,
    /// It is one of these.
    Choice(&'static [&'static str]),
    /// What is inside, if that is not of these types throughout, a bit each.
    Inside(u8),
}

/// What evtap says about an event in which these fields are hidden.
pub(super) struct CachedTap {
    hidden: u64,
    pub tap: Tap,
    /// It as it stands behind the fields in a line: `,"_tap":{…}}`.
    pub rest: String,
}

impl CachedTap {
    /// It as JSON.
    pub fn json(&self) -> &str {
        &self.rest[TAP.len()..self.rest.len() - 1]
    }
}

/// What is known of an event by its shape.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecognizedEvent {
    pub kind: Kind,
    pub tap: KnownTap,
    /// It begins as its line does, and not with its fields.
    pub is_line: bool,
    /// Where its fields begin: at the quote of the first key.
    pub start: usize,
    /// Where they end: behind the last value.
    pub end: usize,
}

/// What is made of an event on the way through it.
#[derive(Default)]
pub(super) struct FieldBuffer {
    /// The fields that it has.
    pub places: Vec<ValueSpan>,
    /// The values in whose place the mask is to be.
    pub masked: Vec<Span>,
}

/// Where the value of a field stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct ValueSpan {
    pub spec: &'static FieldSpec,
    pub value: Span,
    /// Another stands for it.
    pub hidden: bool,
}

/// What evtap says about it.
#[derive(Debug, Clone, Copy)]
pub(super) enum KnownTap {
    /// As this shape says.
    Said { shape: usize, said: usize },
    /// As the line itself says here.
    Recorded(Span),
    /// As the transport says of it.
    Transport,
}

impl ShapeCache {
    pub fn new() -> Self {
        let kinds = Kind::ALL.len() + Kind::OWN.len();
        Self {
            of_kind: (0..kinds).map(|_| LearnedShapes::default()).collect(),
            tap: KeyToken::new("_tap"),
        }
    }

    /// Walks an event that may be of a known shape, and makes the places of its fields and, unless its shape says it, its `tap`.
    pub fn recognise(
        &mut self,
        frame: &Frame<'_>,
        made: &mut FieldBuffer,
        tap: &mut Tap,
    ) -> Option<RecognizedEvent> {
        let (text, end) = (frame.text?, frame.data.len());
        match frame.format {
            FrameFormat::Record => {
                let mut cursor = JsonCursor::new(text, BEGINNING.len(), end);
                let quote =
                    text.starts_with(BEGINNING).then(|| cursor.finish_plain_string()).flatten()?;
                let kind = Kind::from_name(text.get(BEGINNING.len()..quote)?)?;
                let more = cursor.skip_byte(b',');
                let at = cursor.position();
                let (shape, walked) = self.walk(kind, text, cursor, more, made)?;
                let known = &mut self.of_kind.get_mut(kind as usize)?.shapes[shape];
                let tap = match walked.recorded {
                    Some(span) => known
                        .agrees(&walked, made, span.slice(text), tap)
                        .then_some(KnownTap::Recorded(span))?,
                    None => KnownTap::Said { shape, said: known.said(walked.hidden) },
                };
                Some(RecognizedEvent { kind, tap, is_line: true, start: at, end: walked.end })
            }
            FrameFormat::Sse => {
                let kind = Kind::from_name(frame.event?)?;
                let mut cursor = JsonCursor::new(text, 0, end);
                let more = cursor.skip_byte(b'{').then(|| !cursor.is_at_end())?;
                let at = cursor.position();
                let (shape, walked) = self.walk(kind, text, cursor, more, made)?;
                if walked.recorded.is_some() {
                    return None;
                }
                transport(frame, tap);
                if !tap.drift.is_empty() {
                    return None;
                }
                let known = &self.of_kind.get(kind as usize)?.shapes[shape];
                tap.stream.get_or_insert(Name::Borrowed(kind.spec().stream.name()));
                tap.redacted.extend(known.hidden(walked.hidden).map(Name::Borrowed));
                Some(RecognizedEvent {
                    kind,
                    tap: KnownTap::Transport,
                    is_line: false,
                    start: at,
                    end: walked.end,
                })
            }
            FrameFormat::Observer | FrameFormat::Own => None,
        }
    }

    /// The first of the shapes of that kind by which the fields come, of which there are none if not `more`, and what was found
    /// on the way.
    fn walk(
        &self,
        kind: Kind,
        text: &str,
        at: JsonCursor<'_>,
        more: bool,
        made: &mut FieldBuffer,
    ) -> Option<(usize, FastScan)> {
        let shapes = &self.of_kind.get(kind as usize)?.shapes;
        shapes.iter().enumerate().find_map(|(number, shape)| {
            made.places.clear();
            made.masked.clear();
            Some((number, shape.walk(text, at, more, &self.tap, made)?))
        })
    }

    /// What a shape says.
    pub fn said(&self, kind: Kind, shape: usize, said: usize) -> &CachedTap {
        &self.of_kind[kind as usize].shapes[shape].taps[said]
    }

    /// Keeps the order of the fields of an event that was not recognised.
    pub fn learn(&mut self, kind: Kind, fields: &[DecodedField], rules: &[FieldRule]) {
        let Some(LearnedShapes { shapes, lessons }) = self.of_kind.get_mut(kind as usize) else {
            return;
        };
        if *lessons == LESSONS {
            return;
        }
        *lessons += 1;
        let Some(order) = fields.iter().map(|field| field.index).collect::<Option<Vec<_>>>() else {
            return;
        };
        let is_twice = |(at, index): (usize, &u8)| order[..at].contains(index);
        if order.iter().enumerate().any(is_twice) {
            return;
        }
        let merged = shapes
            .iter()
            .enumerate()
            .find_map(|(at, shape)| Some((at, merge(&shape.order(), &order)?)));
        match merged {
            // If all of it is known, it is another thing by which that event is special.
            Some((at, merged)) => shapes[at] = EventShape::new(kind, &merged, rules),
            None if shapes.len() < ORDERS => shapes.push(EventShape::new(kind, &order, rules)),
            None => {}
        }
    }
}

/// Both orders in one, if they don't contradict each other.
fn merge(known: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    let mut merged = known.to_vec();
    let mut at = 0;
    for index in new {
        match merged.iter().position(|known| known == index) {
            Some(place) if place < at => return None,
            Some(place) => at = place + 1,
            None => {
                merged.insert(at, *index);
                at += 1;
            }
        }
    }
    Some(merged)
}

/// What was found on the way through an event.
struct FastScan {
    /// The fields that are hidden, by index.
    hidden: u64,
    /// Where `_tap` stands.
    recorded: Option<Span>,
    /// Where the fields end.
    end: usize,
}

impl EventShape {
    fn new(kind: Kind, order: &[u8], rules: &[FieldRule]) -> Self {
        let spec = kind.spec();
        let slots = order
            .iter()
            .map(|index| ExpectedField::new(spec, *index, rules[usize::from(*index)]))
            .collect();
        let required = spec.fields.iter().enumerate().filter(|(_, field)| field.required);
        Self {
            kind,
            slots,
            required: required.fold(0, |bits, (at, _)| bits | 1 << at),
            taps: Vec::new(),
        }
    }

    fn order(&self) -> Vec<u8> {
        self.slots.iter().map(|slot| slot.index).collect()
    }

    fn walk(
        &self,
        text: &str,
        mut cursor: JsonCursor<'_>,
        mut more: bool,
        tap: &KeyToken,
        made: &mut FieldBuffer,
    ) -> Option<FastScan> {
        let mut walked = FastScan { hidden: 0, recorded: None, end: cursor.position() };
        let mut seen = 0;
        let mut slots = self.slots.iter();
        while more {
            let Some(slot) = slots.find(|slot| cursor.skip_key(&slot.key)) else {
                let value = cursor.skip_key(tap).then(|| cursor.skip_value())??;
                walked.recorded =
                    Some(value.span).filter(|_| !value.traits.has(ValueTraits::SPACED));
                walked.recorded?;
                break;
            };
            let value = cursor.skip_value()?;
            if slot.types & value.json.bit() == 0 || !slot.expects(text, value) {
                return None;
            }
            seen |= slot.bit;
            let hidden = slot.is_hidden && value.json != JsonType::Null;
            if hidden {
                walked.hidden |= slot.bit;
                if value.span.len() != MASK_JSON.len() || value.span.slice(text) != MASK_JSON {
                    made.masked.push(value.span);
                }
            } else if value.traits.has(ValueTraits::SPACED)
                || (value.traits.has(ValueTraits::HIGH)
                    && terminal::has_hostile(value.span.slice(text)))
                || (slot.search != ScrubScope::Nothing && slot.search.finds(value.span.slice(text)))
            {
                return None;
            }
            made.places.push(ValueSpan { spec: slot.spec, value: value.span, hidden });
            walked.end = cursor.position();
            more = cursor.skip_byte(b',');
        }
        (cursor.is_at_end() && self.required & !seen == 0).then_some(walked)
    }

    /// The names of the fields of which the bits are set.
    fn hidden(&self, bits: u64) -> impl Iterator<Item = &'static str> {
        self.slots.iter().filter(move |slot| bits & slot.bit != 0).map(|slot| slot.spec.name)
    }

    /// Whether what a line says of itself is what evtap would say of it now.
    fn agrees(&self, walked: &FastScan, made: &FieldBuffer, json: &str, tap: &mut Tap) -> bool {
        // Nothing is hidden that was not before.
        made.masked.is_empty()
            && tap.read(json, Some(self.kind.spec()))
            && self.hidden(walked.hidden).eq(tap.redacted.iter().map(|name| &**name))
    }

    /// Which of the taps says that these fields are hidden.
    fn said(&mut self, hidden: u64) -> usize {
        if let Some(known) = self.taps.iter().position(|said| said.hidden == hidden) {
            return known;
        }
        let tap = Tap {
            stream: Some(Name::Borrowed(self.kind.spec().stream.name())),
            redacted: self.hidden(hidden).map(Name::Borrowed).collect(),
            ..Tap::default()
        };
        let mut rest = TAP.as_bytes().to_vec();
        tap.write_json(&mut rest);
        rest.push(b'}');
        // There are no more than combinations of what may be null; whoever sends all of them is served all the same.
        if self.taps.len() >= 64 {
            self.taps.clear();
        }
        self.taps.push(CachedTap {
            hidden,
            tap,
            rest: String::from_utf8(rest).unwrap_or_default(),
        });
        self.taps.len() - 1
    }
}

impl ExpectedField {
    fn new(spec: &'static EventSpec, index: u8, rule: FieldRule) -> Self {
        const TYPES: [JsonType; 6] = [
            JsonType::Null,
            JsonType::Bool,
            JsonType::Number,
            JsonType::String,
            JsonType::Array,
            JsonType::Object,
        ];
        let field = &spec.fields[usize::from(index)];
        let accepts =
            |json: JsonType| (json == JsonType::Null && field.nullable) || field.ty.accepts(json);
        let bits = |accepts: &dyn Fn(JsonType) -> bool| {
            TYPES.iter().filter(|json| accepts(**json)).fold(0, |bits, json| bits | json.bit())
        };
        let check = match field.ty {
            Type::Integer => ValueCheck::Whole,
            Type::Choice(choices) => ValueCheck::Choice(choices),
            Type::List(item @ (Type::Text | Type::Uuid | Type::Number))
            | Type::Map(item @ (Type::Text | Type::Uuid | Type::Number)) => {
                ValueCheck::Inside(bits(&|json| json == JsonType::Null || item.accepts(json)))
            }
            Type::List(_) | Type::Map(_) | Type::Record(_) | Type::Unstated => {
                ValueCheck::Inside(0)
            }
            Type::Bool | Type::Number | Type::Text | Type::Uuid | Type::OneOf(_) | Type::Any => {
                ValueCheck::Nothing
            }
        };
        let is_hidden = rule.treatment == FieldAction::Hide;
        Self {
            key: KeyToken::new(field.name),
            index,
            bit: 1 << index,
            spec: field,
            is_hidden,
            search: rule.search,
            types: bits(&accepts),
            check,
        }
    }

    /// Whether a value of one of its types gives no cause for remarks.
    fn expects(&self, text: &str, value: ScannedValue) -> bool {
        match self.check {
            ValueCheck::Nothing => true,
            _ if value.json == JsonType::Null => true,
            ValueCheck::Whole => !value.traits.has(ValueTraits::FRACTION),
            ValueCheck::Choice(choices) => is_choice(value.span.slice(text), choices),
            ValueCheck::Inside(types) if value.inside != 0 && value.inside & !types == 0 => true,
            ValueCheck::Inside(_) => {
                let mut drift = Vec::new();
                fits(value.span.slice(text), &self.spec.ty, &mut drift, &String::new)
                    && drift.is_empty()
            }
        }
    }
}

#[cfg(all(test, feature = "cli"))]
mod tests;
