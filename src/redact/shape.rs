//! The short way for events that come as others have come before.
//!
//! Nearly all events of one type have the same fields in the same order, each with a value that its declaration expects. For
//! those, what is to be hidden is known beforehand, and nothing is left to do but to step from value to value and to see that
//! each is valid and as expected. Whatever is in any way else is left to [`Decoder`](crate::decode::Decoder) and
//! [`Redactor::redact`](super::Redactor::redact): what they make of an event is what this makes of it, or this makes nothing.
//!
//! What is learned is the order of declared fields, so that nobody can make it learn without end.

use super::mask::MASK_JSON;
use super::policy::{Rule, Treatment};
use super::rewrite::Search;
use super::shown::{Entry, Piece};
use crate::decode::{Found, fits, is_choice};
use crate::event::{EventSpec, FieldSpec, JsonType, Kind, Name, Tap, Type};
use crate::sanitize;
use crate::scan::{Cursor, Key, Span, Value};

/// How many orders are kept of each type.
const ORDERS: usize = 3;

/// From how many events of each type it is learned, that were not recognised. Most have been by then; of the rest, the order
/// is not what is special about them.
const LESSONS: u16 = 1000;

/// How an event begins that is known by its shape.
const BEGINNING: &str = "{\"event_type\":\"";

/// What stands between the type and the next key, or the end.
const QUOTE: usize = 1;

/// The shapes that have been seen, by the number of the kind.
pub(super) struct Shapes {
    of_kind: Vec<Learned>,
    /// `,"_tap":`
    tap: Key,
}

/// What was learned of one event type.
#[derive(Default)]
struct Learned {
    shapes: Vec<Shape>,
    lessons: u16,
}

/// The fields of one event type, in an order in which they have come. Any of them may be left out.
struct Shape {
    kind: Kind,
    slots: Vec<Slot>,
    /// The fields that must be there, by index.
    required: u64,
    /// What evtap says about such events, by which of the fields are hidden.
    taps: Vec<Said>,
}

/// A field that is expected.
struct Slot {
    key: Key,
    index: u8,
    spec: &'static FieldSpec,
    rule: Rule,
    /// The types that its value may have, a bit each.
    types: u8,
    check: Check,
}

/// What of a value of the right type is looked at.
enum Check {
    Nothing,
    /// It is a number without a fraction.
    Whole,
    /// It is one of these.
    Choice(&'static [&'static str]),
    /// What is inside.
    Inside,
}

/// What evtap says about an event in which these fields are hidden.
struct Said {
    hidden: u64,
    tap: Tap,
    json: String,
}

/// What is known of an event by its shape.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recognised {
    pub kind: Kind,
    pub tap: KnownTap,
    /// Where its type stands.
    pub name: (usize, usize),
    /// Where its fields end.
    pub end: usize,
}

/// What is made of an event on the way through it.
#[derive(Default)]
pub(super) struct Made {
    pub entries: Vec<Entry>,
    /// The values in whose place the mask is to be.
    pub masked: Vec<Span>,
}

/// What evtap says about it.
#[derive(Debug, Clone, Copy)]
pub(super) enum KnownTap {
    /// As this shape says.
    Said { shape: usize, said: usize },
    /// As the line itself says here.
    Recorded(Span),
}

impl Shapes {
    pub fn new() -> Self {
        let kinds = Kind::ALL.len() + Kind::OWN.len();
        Self { of_kind: (0..kinds).map(|_| Learned::default()).collect(), tap: Key::new("_tap") }
    }

    /// Walks an event that may be of a known shape, and makes the entries of its fields and, where it was recorded, its
    /// `tap`.
    pub fn recognise(&mut self, text: &str, made: &mut Made, tap: &mut Tap) -> Option<Recognised> {
        let rest = text.strip_prefix(BEGINNING)?;
        let end = BEGINNING.len() + memchr::memchr(b'"', rest.as_bytes())?;
        let kind = Kind::of(&text[BEGINNING.len()..end])?;
        let name = (BEGINNING.len(), end);
        let shapes = &mut self.of_kind.get_mut(kind as usize)?.shapes;
        for (at, shape) in shapes.iter_mut().enumerate() {
            made.entries.clear();
            made.masked.clear();
            if let Some(walked) = shape.walk(text, end + QUOTE, &self.tap, made) {
                let tap = match walked.recorded {
                    Some(span) => shape.agrees(&walked, made, span.of(text), tap).then_some(KnownTap::Recorded(span))?,
                    None => KnownTap::Said { shape: at, said: shape.said(walked.hidden) },
                };
                return Some(Recognised { kind, tap, name, end: walked.end });
            }
        }
        None
    }

    /// What a shape says.
    pub fn said(&self, kind: Kind, shape: usize, said: usize) -> (&Tap, &str) {
        let said = &self.of_kind[kind as usize].shapes[shape].taps[said];
        (&said.tap, &said.json)
    }

    /// Keeps the order of the fields of an event that was not recognised.
    pub fn learn(&mut self, kind: Kind, fields: &[Found], rules: &[Rule]) {
        let Some(Learned { shapes, lessons }) = self.of_kind.get_mut(kind as usize) else { return };
        if *lessons == LESSONS {
            return;
        }
        *lessons += 1;
        let Some(order) = fields.iter().map(|field| field.index).collect::<Option<Vec<_>>>() else { return };
        let is_twice = |(at, index): (usize, &u8)| order[..at].contains(index);
        if order.iter().enumerate().any(is_twice) {
            return;
        }
        let merged = shapes.iter().enumerate().find_map(|(at, shape)| Some((at, merge(&shape.order(), &order)?)));
        match merged {
            // If all of it is known, it is another thing by which that event is special.
            Some((at, merged)) => shapes[at] = Shape::new(kind, &merged, rules),
            None if shapes.len() < ORDERS => shapes.push(Shape::new(kind, &order, rules)),
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
struct Walked {
    /// The fields that are hidden, by index.
    hidden: u64,
    /// Where `_tap` stands.
    recorded: Option<Span>,
    /// Where the fields end.
    end: usize,
}

impl Shape {
    fn new(kind: Kind, order: &[u8], rules: &[Rule]) -> Self {
        let spec = kind.spec();
        let slots = order.iter().map(|index| Slot::new(spec, *index, rules[usize::from(*index)])).collect();
        let required = spec.fields.iter().enumerate().filter(|(_, field)| field.required);
        Self { kind, slots, required: required.fold(0, |bits, (at, _)| bits | 1 << at), taps: Vec::new() }
    }

    fn order(&self) -> Vec<u8> {
        self.slots.iter().map(|slot| slot.index).collect()
    }

    fn walk(&self, text: &str, at: usize, tap: &Key, made: &mut Made) -> Option<Walked> {
        let mut cursor = Cursor::new(text, at);
        let mut walked = Walked { hidden: 0, recorded: None, end: at };
        let mut seen = 0;
        let mut slots = self.slots.iter();
        while !cursor.is_end() {
            let Some((slot, key)) = slots.find_map(|slot| Some((slot, cursor.key(&slot.key)?))) else {
                cursor.key(tap)?;
                walked.recorded = Some(cursor.value()?.span);
                return cursor.is_end().then_some(walked);
            };
            let value = cursor.value()?;
            if slot.types & bit(value.json) == 0 || !slot.expects(text, value) {
                return None;
            }
            seen |= 1 << slot.index;
            let hidden = slot.rule.treatment == Treatment::Hide && value.json != JsonType::Null;
            if hidden {
                walked.hidden |= 1 << slot.index;
                if value.span.of(text) != MASK_JSON {
                    made.masked.push(value.span);
                }
            } else if value.spaced
                || (value.high && sanitize::has_hostile(value.span.of(text)))
                || (slot.rule.search != Search::Nothing && slot.rule.search.finds(value.span.of(text)))
            {
                return None;
            }
            let piece = if hidden { Piece::Mask } else { Piece::Arrived(value.span) };
            made.entries.push(Entry { key: Piece::Arrived(key), value: piece, hidden, spec: Some(slot.spec) });
            walked.end = cursor.place();
        }
        (self.required & !seen == 0).then_some(walked)
    }

    /// Whether what a line says of itself is what evtap would say of it now.
    fn agrees(&self, walked: &Walked, made: &Made, json: &str, tap: &mut Tap) -> bool {
        let hidden = self.slots.iter().filter(|slot| walked.hidden & 1 << slot.index != 0).map(|slot| slot.spec.name);
        // Nothing is hidden that was not before.
        made.masked.is_empty() && tap.read(json, Some(self.kind.spec())) && hidden.eq(tap.redacted.iter().map(|name| &**name))
    }

    /// Which of the taps says that these fields are hidden.
    fn said(&mut self, hidden: u64) -> usize {
        if let Some(known) = self.taps.iter().position(|said| said.hidden == hidden) {
            return known;
        }
        let names = self.slots.iter().filter(|slot| hidden & 1 << slot.index != 0);
        let tap = Tap {
            stream: Some(Name::Borrowed(self.kind.spec().stream.name())),
            redacted: names.map(|slot| Name::Borrowed(slot.spec.name)).collect(),
            ..Tap::default()
        };
        let mut json = Vec::new();
        tap.write_json(&mut json);
        // There are no more than combinations of what may be null; whoever sends all of them is served all the same.
        if self.taps.len() >= 64 {
            self.taps.clear();
        }
        self.taps.push(Said { hidden, tap, json: String::from_utf8(json).unwrap_or_default() });
        self.taps.len() - 1
    }
}

impl Slot {
    fn new(spec: &'static EventSpec, index: u8, rule: Rule) -> Self {
        const TYPES: [JsonType; 6] =
            [JsonType::Null, JsonType::Bool, JsonType::Number, JsonType::String, JsonType::Array, JsonType::Object];
        let field = &spec.fields[usize::from(index)];
        let accepts = |json: JsonType| (json == JsonType::Null && field.nullable) || field.ty.accepts(json);
        let types = TYPES.iter().filter(|json| accepts(**json)).fold(0, |bits, json| bits | bit(*json));
        let check = match field.ty {
            Type::Integer => Check::Whole,
            Type::Choice(choices) => Check::Choice(choices),
            Type::List(_) | Type::Map(_) | Type::Record(_) | Type::Unstated => Check::Inside,
            Type::Bool | Type::Number | Type::Text | Type::Uuid | Type::OneOf(_) | Type::Any => Check::Nothing,
        };
        Self { key: Key::new(field.name), index, spec: field, rule, types, check }
    }

    /// Whether a value of one of its types gives no cause for remarks.
    fn expects(&self, text: &str, value: Value) -> bool {
        match self.check {
            _ if value.json == JsonType::Null => true,
            Check::Nothing => true,
            Check::Whole => !value.fraction,
            Check::Choice(choices) => is_choice(value.span.of(text), choices),
            Check::Inside => {
                let mut drift = Vec::new();
                fits(value.span.of(text), &self.spec.ty, &mut drift, &String::new) && drift.is_empty()
            }
        }
    }
}

/// The bit of a type.
const fn bit(json: JsonType) -> u8 {
    1 << json as u8
}

#[cfg(test)]
mod tests;
