//! Event shapes: a learned field order, and the scan that matches an event against it.

use super::fields::{FieldBuffer, ValueSpan};
use crate::json::JsonType;
use crate::json::scan::{JsonCursor, KeyToken, ScannedValue, Span, ValueTraits};
use crate::json::string::contents;
use crate::model::conformance::check_value;
use crate::model::{EventSpec, FieldSpec, Kind, Name, Tap, Type, is_choice, is_uuid};
use crate::redact::mask::MASK_JSON;
use crate::redact::policy::{FieldAction, FieldRule};
use crate::redact::rewrite::ScrubScope;
use crate::text::terminal;

/// The largest number of `_tap` texts that are cached for each shape.
const MAX_CACHED_TAPS: usize = 64;

/// The text before the value of `_tap` in a line.
const TAP_KEY: &str = ",\"_tap\":";

/// The fields of one event type, in an order in which they have come. An event may lack any that
/// is not required.
pub(super) struct EventShape {
    kind: Kind,
    fields: Vec<ExpectedField>,
    /// The required fields, a bit for each index.
    required: u64,
    /// The `_tap` texts written so far, one for each combination of hidden fields.
    pub(super) taps: Vec<CachedTap>,
}

/// The `_tap` of events in which the same fields are hidden.
pub(in crate::redact) struct CachedTap {
    /// The hidden fields, a bit for each index.
    hidden: u64,
    pub tap: Tap,
    /// The end of a line, after the fields: `,"_tap":{…}}`.
    pub suffix: String,
}

impl CachedTap {
    /// Returns the value of `_tap` as JSON.
    pub fn json(&self) -> &str {
        &self.suffix[TAP_KEY.len()..self.suffix.len() - 1]
    }
}

/// What a scan found in an event, besides the fields in the [`FieldBuffer`].
pub(super) struct ScannedEvent {
    /// The hidden fields, a bit for each index. A null is not hidden.
    pub hidden: u64,
    /// The value of `_tap`.
    pub recorded_tap: Option<Span>,
    /// End of the last field's value.
    pub end: usize,
}

/// A field that a shape expects, with the policy's decision on it.
struct ExpectedField {
    key: KeyToken,
    index: u8,
    /// `1 << index`.
    bit: u64,
    spec: &'static FieldSpec,
    is_hidden: bool,
    scrub: ScrubScope,
    /// The JSON types that the declaration accepts, a bit each.
    types: u8,
    check: ValueCheck,
}

/// How a value of an accepted type is checked further.
enum ValueCheck {
    None,
    /// A number must have neither a fraction nor an exponent.
    Integer,
    /// A string must be a UUID; otherwise the declaration decides.
    Uuid,
    /// A string must be one of these.
    Choice(&'static [&'static str]),
    /// Nested values must be of these types, a bit each; otherwise the declaration decides.
    Nested(u8),
}

impl EventShape {
    pub fn new(kind: Kind, order: &[u8], rules: &[FieldRule]) -> Self {
        let spec = kind.spec();
        let fields = order
            .iter()
            .map(|index| ExpectedField::new(spec, *index, rules[usize::from(*index)]))
            .collect();
        let required = spec.fields.iter().enumerate().filter(|(_, field)| field.required);
        Self {
            kind,
            fields,
            required: required.fold(0, |bits, (at, _)| bits | 1 << at),
            taps: Vec::new(),
        }
    }

    /// Returns the indices of the fields, in order.
    pub fn order(&self) -> Vec<u8> {
        self.fields.iter().map(|field| field.index).collect()
    }

    /// Scans the members of an object, from `cursor` to its end, into `buffer`. Returns `None` if
    /// the full path must handle the event; the module documentation lists the reasons.
    pub fn scan(
        &self,
        text: &str,
        mut cursor: JsonCursor<'_>,
        mut has_more: bool,
        tap_key: &KeyToken,
        buffer: &mut FieldBuffer,
    ) -> Option<ScannedEvent> {
        let mut scanned = ScannedEvent { hidden: 0, recorded_tap: None, end: cursor.position() };
        let mut present = 0;
        let mut expected = self.fields.iter();
        while has_more {
            // Skipping forward keeps the order: a field that comes too late is not found.
            let Some(field) = expected.find(|field| cursor.skip_key(&field.key)) else {
                // The only other key that may come is `_tap`, as the last member.
                let value = cursor.skip_key(tap_key).then(|| cursor.skip_value())??;
                scanned.recorded_tap =
                    Some(value.span).filter(|_| !value.traits.has(ValueTraits::SPACED));
                scanned.recorded_tap?;
                break;
            };
            let value = cursor.skip_value()?;
            if !field.expects(text, value) {
                return None;
            }
            present |= field.bit;
            let hidden = field.is_hidden && value.json != JsonType::Null;
            if hidden {
                scanned.hidden |= field.bit;
                if value.span.len() != MASK_JSON.len() || value.span.slice(text) != MASK_JSON {
                    buffer.masked.push(value.span);
                }
            } else if field.needs_rewrite(text, value) {
                return None;
            }
            buffer.fields.push(ValueSpan { spec: field.spec, value: value.span, hidden });
            scanned.end = cursor.position();
            has_more = cursor.skip_byte(b',');
        }
        (cursor.is_at_end() && self.required & !present == 0).then_some(scanned)
    }

    /// Returns the names of the fields whose bits are set, in order.
    pub fn field_names(&self, bits: u64) -> impl Iterator<Item = &'static str> {
        self.fields.iter().filter(move |field| bits & field.bit != 0).map(|field| field.spec.name)
    }

    /// Reads the recorded `_tap` into `tap` and returns whether it can be kept: whether evtap could
    /// have written it, and it lists exactly the fields that are hidden now.
    pub fn is_tap_current(
        &self,
        scanned: &ScannedEvent,
        buffer: &FieldBuffer,
        json: &str,
        tap: &mut Tap,
    ) -> bool {
        // A value that is masked only now was not masked in the recording.
        buffer.masked.is_empty()
            && tap.read(json, Some(self.kind.spec()))
            && self.field_names(scanned.hidden).eq(tap.redacted.iter().map(|name| &**name))
    }

    /// Returns the index in `taps` of the `_tap` that lists these hidden fields, and writes it if
    /// there is none.
    pub fn cache_tap(&mut self, hidden: u64) -> usize {
        if let Some(known) = self.taps.iter().position(|cached| cached.hidden == hidden) {
            return known;
        }
        let tap = Tap {
            stream: Some(Name::Borrowed(self.kind.spec().stream.name())),
            redacted: self.field_names(hidden).map(Name::Borrowed).collect(),
            ..Tap::default()
        };
        let mut suffix = TAP_KEY.as_bytes().to_vec();
        tap.write_json(&mut suffix);
        suffix.push(b'}');
        if self.taps.len() >= MAX_CACHED_TAPS {
            self.taps.clear();
        }
        let suffix = String::from_utf8(suffix).unwrap_or_default();
        self.taps.push(CachedTap { hidden, tap, suffix });
        self.taps.len() - 1
    }
}

impl ExpectedField {
    fn new(spec: &'static EventSpec, index: u8, rule: FieldRule) -> Self {
        let field = &spec.fields[usize::from(index)];
        let accepts =
            |json: JsonType| (json == JsonType::Null && field.nullable) || field.ty.accepts(json);
        let check = match field.ty {
            Type::Integer => ValueCheck::Integer,
            Type::Uuid => ValueCheck::Uuid,
            Type::Choice(choices) => ValueCheck::Choice(choices),
            Type::List(item @ (Type::Text | Type::Number)) => {
                ValueCheck::Nested(type_bits(|json| json == JsonType::Null || item.accepts(json)))
            }
            Type::Bool | Type::Number | Type::Text => ValueCheck::None,
            _ => ValueCheck::Nested(0),
        };
        Self {
            key: KeyToken::new(field.name),
            index,
            bit: 1 << index,
            spec: field,
            is_hidden: rule.action == FieldAction::Hide,
            scrub: rule.scrub,
            types: type_bits(accepts),
            check,
        }
    }

    /// Returns whether a value matches the declaration: it causes no drift and, unless the field
    /// is hidden, the declaration covers everything in it.
    #[inline]
    fn expects(&self, text: &str, value: ScannedValue) -> bool {
        if self.types & value.json.bit() == 0 {
            return false;
        }
        match self.check {
            ValueCheck::None => true,
            _ if value.json == JsonType::Null => true,
            ValueCheck::Integer => !value.traits.has(ValueTraits::FRACTION),
            ValueCheck::Uuid if contents(value.span.slice(text)).is_some_and(is_uuid) => true,
            ValueCheck::Choice(choices) => is_choice(value.span.slice(text), choices),
            ValueCheck::Nested(types) if value.inside != 0 && value.inside & !types == 0 => true,
            ValueCheck::Uuid | ValueCheck::Nested(_) => self.conforms(value.span.slice(text)),
        }
    }

    fn conforms(&self, json: &str) -> bool {
        let mut drift = Vec::new();
        let is_covered = check_value(json, &self.spec.ty, &mut drift, &String::new);
        drift.is_empty() && (is_covered || self.is_hidden)
    }

    /// Returns whether a value that is shown cannot be copied as it arrived.
    ///
    /// Only characters beyond ASCII need a search for hostile ones: `Frame::text` has no DEL, and
    /// JSON allows no other control character without an escape.
    #[inline]
    fn needs_rewrite(&self, text: &str, value: ScannedValue) -> bool {
        value.traits.has(ValueTraits::SPACED)
            || (value.traits.has(ValueTraits::HIGH)
                && terminal::has_hostile(value.span.slice(text)))
            || (self.scrub != ScrubScope::Nothing && self.scrub.finds(value.span.slice(text)))
    }
}

/// Returns the set of JSON types that satisfy `accepts`, a bit each.
fn type_bits(accepts: impl Fn(JsonType) -> bool) -> u8 {
    const TYPES: [JsonType; 6] = [
        JsonType::Null,
        JsonType::Bool,
        JsonType::Number,
        JsonType::String,
        JsonType::Array,
        JsonType::Object,
    ];
    TYPES.iter().filter(|json| accepts(**json)).fold(0, |bits, json| bits | json.bit())
}
