//! The fields that an event type declares, and the scan that finds them in an event, in any order.

use super::fields::{FieldBuffer, InPlaceField, InPlaceText};
use crate::json::JsonType;
use crate::json::scan::{JsonCursor, KeyToken, ScannedValue, Span, ValueTraits};
use crate::json::string::contents;
use crate::model::conformance::{check_value, conformance};
use crate::model::name::mask_of_name;
use crate::model::{
    Drift, DriftKind, EventSpec, FieldSpec, Kind, Name, Tap, Type, is_choice, is_time, is_uuid,
};
use crate::redact::mask::{MASK_JSON, is_stand_in};
use crate::redact::policy::{FieldAction, FieldRule};
use crate::redact::rewrite::{ScrubScope, push_scalar};
use crate::text::terminal;

/// The largest number of `_tap` texts that are cached for each event type.
pub(super) const MAX_CACHED_TAPS: usize = 64;

/// The largest number of undeclared fields in an event.
const MAX_UNDECLARED: usize = 8;

/// The text before the value of `_tap` in a line.
const TAP_KEY: &str = ",\"_tap\":";

/// The declared fields of one event type, with the policy's decision on each.
pub(super) struct FieldTable {
    kind: Kind,
    fields: Vec<ExpectedField>,
    /// The keys that may come: those of the fields, and `_tap` as the last one.
    keys: Vec<KeyToken>,
    /// The key that came last at the start of an event and after each field. Searching starts there.
    successors: Vec<u8>,
    /// The required fields, a bit for each index.
    required: u64,
    /// The policy hides every field that is not declared.
    hides_undeclared: bool,
    /// The `_tap` texts written so far, one for each sequence of hidden fields.
    pub(super) taps: Vec<CachedTap>,
}

/// The `_tap` of events in which the same fields are hidden.
pub(in crate::redact) struct CachedTap {
    pub tap: Tap,
    /// The end of a line, after the fields: `,"_tap":{…}}`.
    pub suffix: String,
}

/// Where the `_tap` of a recognized event comes from.
#[derive(Debug, Clone, Copy)]
pub(in crate::redact) enum TapSource {
    /// The [`CachedTap`] with this index in the table of the event type.
    Cached(usize),
    /// This span of the recorded line, which is still right. The `Tap` has been read from it.
    Recorded(Span),
    /// The redactor's own `Tap`, which the fast path has filled in.
    Own,
    /// The same, and no text in it needs an escape.
    Plain,
}

impl CachedTap {
    /// Returns the value of `_tap` as JSON.
    pub fn json(&self) -> &str {
        &self.suffix[TAP_KEY.len()..self.suffix.len() - 1]
    }
}

/// What a scan found in an event, besides the fields in the [`FieldBuffer`].
pub(super) struct ScannedEvent {
    /// The cursor is at the value of `_tap`.
    pub has_tap: bool,
    /// End of the last field's value.
    pub end: usize,
}

/// A field that may come, with the policy's decision on it.
struct ExpectedField {
    spec: &'static FieldSpec,
    action: FieldAction,
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
    /// A string must be a time; otherwise the declaration decides.
    Time,
    /// A string must be one of these.
    Choice(&'static [&'static str]),
    /// Nested values must be of these types, a bit each; otherwise the declaration decides.
    Nested(u8),
}

impl FieldTable {
    /// Creates the table of an event type whose fields have these rules.
    pub fn new(kind: Kind, rules: &[FieldRule], hides_undeclared: bool) -> Self {
        let spec = kind.spec();
        let names = spec.fields.iter().map(|field| field.name);
        let required = spec.fields.iter().enumerate().filter(|(_, field)| field.required);
        Self {
            kind,
            fields: spec
                .fields
                .iter()
                .zip(rules)
                .map(|(field, rule)| ExpectedField::new(field, *rule))
                .collect(),
            keys: names.chain(["_tap"]).map(KeyToken::new).collect(),
            successors: vec![0; spec.fields.len() + 1],
            required: required.fold(0, |bits, (at, _)| bits | 1 << at),
            hides_undeclared,
            taps: Vec::new(),
        }
    }

    const fn spec(&self) -> &'static EventSpec {
        self.kind.spec()
    }

    /// Scans the members of an object, from `cursor` to the value of `_tap` or to the end, into
    /// `buffer`. `has_more` is false if there are none, and `end` is the end of the text before
    /// them.
    ///
    /// Returns `None` if the full path must handle the event; the module documentation lists the
    /// reasons.
    pub fn scan(
        &mut self,
        text: &str,
        cursor: &mut JsonCursor<'_>,
        mut has_more: bool,
        end: usize,
        buffer: &mut FieldBuffer,
    ) -> Option<ScannedEvent> {
        buffer.clear();
        let mut scanned = ScannedEvent { has_tap: false, end };
        let (mut present, mut place) = (0u64, 0);
        while has_more {
            if let Some(index) = self.skip_key(cursor, place) {
                let Some(field) = self.fields.get(index) else {
                    scanned.has_tap = true;
                    break;
                };
                // The full path reports a field that comes twice.
                if present & 1 << index != 0 {
                    return None;
                }
                present |= 1 << index;
                field.scan(text, cursor, buffer)?;
                place = index + 1;
            } else {
                self.scan_undeclared(text, cursor, buffer)?;
            }
            scanned.end = cursor.position();
            has_more = cursor.skip_byte(b',');
        }
        let missing = self.required & !present;
        if missing != 0 {
            let fields = self.fields.iter().enumerate();
            let missing = fields.filter(|(at, _)| missing & 1 << at != 0);
            buffer.drift.extend(missing.map(|(_, field)| field.drift(DriftKind::MissingField)));
        }
        Some(scanned)
    }

    /// Scans a field that is not declared, and hides its value and, unless it looks like a name, its
    /// key.
    fn scan_undeclared(
        &self,
        text: &str,
        cursor: &mut JsonCursor<'_>,
        buffer: &mut FieldBuffer,
    ) -> Option<()> {
        let is_key = self.hides_undeclared && cursor.skip_byte(b'"');
        let start = cursor.position();
        let key = is_key.then(|| cursor.finish_plain_string()).flatten()?;
        let key = Span::new(start, key);
        let value = cursor.skip_byte(b':').then(|| cursor.skip_value()).flatten()?;
        let name = key.slice(text);
        let is_taken = |field: &InPlaceField| match (field.spec, field.key) {
            (None, InPlaceText::Frame(key)) => key.slice(text) == name,
            _ => false,
        };
        let undeclared = buffer.fields.iter().filter(|field| field.spec.is_none()).count();
        if undeclared == MAX_UNDECLARED
            || name == "event_type"
            || buffer.fields.iter().any(is_taken)
        {
            return None;
        }
        let (key, shown) = match buffer.masks.number(name).map(mask_of_name) {
            Some(mask) => (buffer.replace(key, mask.clone()), mask),
            None => (InPlaceText::Frame(key), Name::Owned(name.to_owned())),
        };
        let hidden = value.json != JsonType::Null;
        if hidden {
            buffer.hidden.push(shown);
        }
        let value =
            if hidden { hide(text, value.span, buffer) } else { InPlaceText::Frame(value.span) };
        buffer.drift.push(Drift { kind: DriftKind::UnknownField, field: None });
        buffer.fields.push(InPlaceField { spec: None, key, value, hidden });
        Some(())
    }

    /// Skips the next key and returns its index, or returns `None` if it is not declared. `place`
    /// is one more than the index of the previous key.
    #[inline]
    fn skip_key(&mut self, cursor: &mut JsonCursor<'_>, place: usize) -> Option<usize> {
        let successor = usize::from(self.successors[place]);
        if cursor.skip_key(&self.keys[successor]) {
            return Some(successor);
        }
        let mut indices = (place..self.keys.len()).chain(0..place);
        let index = indices.find(|index| cursor.skip_key(&self.keys[*index]))?;
        // A declaration has fewer fields than a table has bits.
        self.successors[place] = u8::try_from(index).unwrap_or(0);
        Some(index)
    }

    /// Reads the recorded `_tap` at `cursor` into `tap`.
    ///
    /// Returns `None` if evtap could not have written it, or it lists a field that is not hidden
    /// now, or a value that is hidden now may have been hidden before in another mode.
    pub fn read_tap(
        &self,
        text: &str,
        cursor: &mut JsonCursor<'_>,
        buffer: &mut FieldBuffer,
        tap: &mut Tap,
    ) -> Option<TapSource> {
        let hidden = &buffer.hidden;
        let mut is_plain = true;
        // Whether the fields that `_tap` lists are the first hidden ones.
        let mut is_same = true;
        let mut expected = hidden.iter();
        let declared = |name: &str| match expected.next().filter(|next| *next == name) {
            Some(Name::Borrowed(next)) => Some(*next),
            Some(Name::Owned(_)) => None,
            None => {
                is_same = false;
                Some(self.spec().field(name)?.name)
            }
        };
        let span = cursor.skip_with(text, |rest| tap.read_start(rest, declared)).or_else(|| {
            (is_same, is_plain) = (false, false);
            let value = cursor.skip_value()?;
            let is_ours = !value.traits.has(ValueTraits::SPACED)
                && tap.read(value.span.slice(text), Some(self.spec()));
            is_ours.then_some(value.span)
        })?;
        if buffer.replaced.iter().any(|replaced| is_stand_in(replaced.span.slice(text)))
            || !(is_same || tap.redacted.iter().all(|name| hidden.contains(name)))
        {
            return None;
        }
        buffer.recorded = tap.redacted.len();
        let is_same = is_same && tap.redacted.len() == hidden.len();
        let is_current = (is_same || !add_missing(&mut buffer.hidden, &mut tap.redacted))
            & !add_missing(&mut buffer.scrubbed, &mut tap.scrubbed);
        Some(match (is_current, is_plain) {
            (true, _) => TapSource::Recorded(span),
            (false, true) => TapSource::Plain,
            (false, false) => TapSource::Own,
        })
    }

    /// Returns the `_tap` of an event of which nothing is known but its fields, without drift.
    pub fn new_tap(&self, buffer: &FieldBuffer) -> Tap {
        Tap {
            stream: Some(Name::Borrowed(self.spec().stream.name())),
            redacted: buffer.hidden.clone(),
            scrubbed: buffer.scrubbed.clone(),
            ..Tap::default()
        }
    }

    /// Returns the index in `taps` of the `_tap` that lists these hidden fields, and writes it if
    /// there is none.
    pub fn cache_tap(&mut self, buffer: &FieldBuffer) -> usize {
        let hidden = &buffer.hidden;
        if let Some(known) = self.taps.iter().position(|cached| cached.tap.redacted == *hidden) {
            return known;
        }
        let tap = self.new_tap(buffer);
        let mut suffix = TAP_KEY.as_bytes().to_vec();
        tap.write_json(&mut suffix);
        suffix.push(b'}');
        if self.taps.len() >= MAX_CACHED_TAPS {
            self.taps.clear();
        }
        let suffix = String::from_utf8(suffix).unwrap_or_default();
        self.taps.push(CachedTap { tap, suffix });
        self.taps.len() - 1
    }
}

impl ExpectedField {
    fn new(field: &'static FieldSpec, FieldRule { action, scrub }: FieldRule) -> Self {
        let accepts =
            |json: JsonType| (json == JsonType::Null && field.nullable) || field.ty.accepts(json);
        let check = match field.ty {
            Type::Integer => ValueCheck::Integer,
            Type::Uuid => ValueCheck::Uuid,
            Type::Time => ValueCheck::Time,
            Type::Choice(choices) => ValueCheck::Choice(choices),
            Type::List(item @ (Type::Text | Type::Number)) => {
                ValueCheck::Nested(type_bits(|json| json == JsonType::Null || item.accepts(json)))
            }
            Type::Bool | Type::Number | Type::Text => ValueCheck::None,
            _ => ValueCheck::Nested(0),
        };
        Self { spec: field, action, scrub, types: type_bits(accepts), check }
    }

    fn drift(&self, kind: DriftKind) -> Drift {
        Drift { kind, field: Some(Name::Borrowed(self.spec.name)) }
    }

    /// Scans the value of the field into `buffer`; `None` if a part of the value must be rewritten.
    #[inline]
    fn scan(
        &self,
        text: &str,
        cursor: &mut JsonCursor<'_>,
        buffer: &mut FieldBuffer,
    ) -> Option<()> {
        let value = cursor.skip_value()?;
        let hidden = self.hides(text, value, &mut buffer.drift)?;
        let key = InPlaceText::Frame(value.span);
        let value = if hidden {
            buffer.hidden.push(Name::Borrowed(self.spec.name));
            hide(text, value.span, buffer)
        } else if self.needs_rewrite(text, value) {
            self.rewrite(text, value, buffer)?
        } else {
            InPlaceText::Frame(value.span)
        };
        buffer.fields.push(InPlaceField { spec: Some(self.spec), key, value, hidden });
        Some(())
    }

    /// Rewrites a value that cannot be shown as it arrived; `None` if it is an array or an object.
    fn rewrite(
        &self,
        text: &str,
        value: ScannedValue,
        buffer: &mut FieldBuffer,
    ) -> Option<InPlaceText> {
        if value.json.is_container() {
            return None;
        }
        let mut json = String::new();
        if push_scalar(value.span.slice(text), self.scrub, &mut json).is_some() {
            buffer.scrubbed.push(Name::Borrowed(self.spec.name));
        }
        Some(buffer.replace(value.span, Name::Owned(json)))
    }

    /// Returns whether a value is hidden, and adds what differs from the declaration to `drift`;
    /// `None` if a part of the value must be masked.
    #[inline]
    fn hides(&self, text: &str, value: ScannedValue, drift: &mut Vec<Drift>) -> Option<bool> {
        if self.expects(text, value) {
            Some(self.action == FieldAction::Hide && value.json != JsonType::Null)
        } else {
            self.hides_by_declaration(value.span.slice(text), drift)
        }
    }

    /// Returns whether a value is certain to match the declaration: it causes no drift, and the
    /// declaration covers everything in it.
    #[inline]
    fn expects(&self, text: &str, value: ScannedValue) -> bool {
        if self.types & value.json.bit() == 0 {
            return false;
        }
        let is_string =
            |accepts: fn(&str) -> bool| contents(value.span.slice(text)).is_some_and(accepts);
        match self.check {
            ValueCheck::None => true,
            _ if value.json == JsonType::Null => true,
            ValueCheck::Integer => !value.traits.has(ValueTraits::FRACTION),
            ValueCheck::Uuid => is_string(is_uuid),
            ValueCheck::Time => is_string(is_time),
            ValueCheck::Choice(choices) => is_choice(value.span.slice(text), choices),
            ValueCheck::Nested(types) => value.inside != 0 && value.inside & !types == 0,
        }
    }

    /// Decides by the declaration, in the same way as the full path.
    fn hides_by_declaration(&self, json: &str, drift: &mut Vec<Drift>) -> Option<bool> {
        if json == "null" && self.spec.nullable {
            return Some(false);
        }
        let path = || Name::Borrowed(self.spec.name);
        let mut report =
            |kind, path: &dyn Fn() -> Name| drift.push(Drift { kind, field: Some(path()) });
        let is_covered = check_value(json, &self.spec.ty, &mut report, &path);
        let hides = match self.action {
            FieldAction::Reveal => false,
            FieldAction::Show if is_covered => false,
            // Something inside it is not declared.
            FieldAction::Show if conformance(json, &self.spec.ty).is_shown() => return None,
            FieldAction::Hide | FieldAction::Show => true,
        };
        Some(hides && json != "null")
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

/// Moves the names that are not `listed` yet, and returns whether there were any.
fn add_missing(names: &mut Vec<Name>, listed: &mut Vec<Name>) -> bool {
    let count = listed.len();
    for name in names.drain(..) {
        if !listed.contains(&name) {
            listed.push(name);
        }
    }
    listed.len() > count
}

/// Replaces a value by the mask, unless it already is the mask.
#[inline]
fn hide(text: &str, value: Span, buffer: &mut FieldBuffer) -> InPlaceText {
    if value.len() == MASK_JSON.len() && value.slice(text) == MASK_JSON {
        InPlaceText::Frame(value)
    } else {
        buffer.replace(value, Name::Borrowed(MASK_JSON))
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
