//! The redacted event, and how it is written.
//!
//! Only [`Redactor`](super::Redactor) creates one, and everything that prints, filters, counts or
//! records events takes one. It borrows the frame: values that are shown are slices of the text
//! that arrived, and only masks and rewritten values are new text.

use std::borrow::Cow;

use super::fast_path::{InPlaceField, Replacement};
use super::mask::MASK_JSON;
use crate::json::scan::Span;
use crate::json::string::{unescape, unquote};
use crate::model::{Declared, Field, FieldSpec, Kind, Severity, Stream, Tap};
use crate::text::terminal;

/// The length of `":` between a key and its value and of `,"` between a value and the next key,
/// where there is no white space.
const SEPARATOR_LENGTH: usize = 2;

/// The bytes reserved for the rest of a line: `_tap`, and what surrounds the fields.
const LINE_RESERVE: usize = 256;

/// A reference to a text of a redacted event.
#[derive(Debug, Clone, Copy)]
pub(super) enum TextRef {
    /// In the frame, as it arrived.
    Frame(Span),
    /// In the scratch text, from start to end.
    Scratch(usize, usize),
}

/// A field on the full path.
pub(super) struct FieldEntry {
    pub key: TextRef,
    pub value: TextRef,
    pub hidden: bool,
    pub spec: Option<&'static FieldSpec>,
}

/// The fields of an event on the fast path: a slice of the frame, except for what is replaced.
#[derive(Clone, Copy)]
pub(super) struct InPlaceFields<'a> {
    /// The fields, in order; no two have the same name.
    pub fields: &'a [InPlaceField],
    /// The parts of the frame that are replaced, in order.
    pub replaced: &'a [Replacement],
    /// The hidden fields are left out.
    pub drops_hidden: bool,
    /// The frame begins as the line does: `{"event_type":"…"`.
    pub is_line: bool,
    /// Start of the fields: the quote of the first key.
    pub start: usize,
    /// End of the fields: just after the last value.
    pub end: usize,
    /// The end of the line, if it is known: `,"_tap":{…}}`.
    pub suffix: Option<&'a str>,
    /// No text in `_tap` needs an escape.
    pub has_plain_tap: bool,
}

/// The fields of an event, from either path.
#[derive(Clone, Copy)]
pub(super) enum FieldSource<'a> {
    InPlace(InPlaceFields<'a>),
    Entries(&'a [FieldEntry]),
}

/// An event without its hidden values: safe to print, filter, count and record.
pub struct RedactedEvent<'a> {
    pub(super) text: &'a str,
    pub(super) scratch: &'a str,
    pub(super) fields: FieldSource<'a>,
    pub(super) name: Cow<'a, str>,
    pub(super) kind: Option<Kind>,
    pub(super) tap: &'a Tap,
    /// The JSON of `tap`, if it was recorded or written before.
    pub(super) recorded_tap: Option<&'a str>,
}

/// A field of a redacted event.
#[derive(Clone, Copy)]
pub struct RedactedField<'a> {
    /// The key as in the JSON text, without its quotes.
    pub key: &'a str,
    /// The value: valid JSON on one line, without white space between tokens and without hostile
    /// characters.
    pub json: &'a str,
    /// The value is hidden; `json` is a stand-in.
    pub hidden: bool,
    /// The field's declaration, if it is declared.
    pub spec: Option<&'static FieldSpec>,
}

impl<'a> RedactedField<'a> {
    /// Returns the text of a string; of a hidden value, the mask.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'a, str>> {
        unquote(self.json)
    }

    /// Returns the value of a number.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        self.json.parse().ok()
    }

    /// Returns the field's name.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        unescape(self.key)
    }
}

impl<'a> RedactedEvent<'a> {
    /// Returns the event type.
    #[must_use]
    pub fn event_type(&self) -> &str {
        &self.name
    }

    /// Returns the event type with the lifetime of the frame, borrowed where possible.
    #[must_use]
    pub fn name(&self) -> Cow<'a, str> {
        self.name.clone()
    }

    /// Returns the declared event type, if the type is declared.
    #[must_use]
    pub const fn kind(&self) -> Option<Kind> {
        self.kind
    }

    /// Returns whether the frame held an event. If not, this event reports what is wrong with it.
    #[must_use]
    pub const fn has_content(&self) -> bool {
        !self.text.is_empty()
    }

    /// Returns an upper bound of the bytes that the values of the event take, apart from what is
    /// added to `_tap`.
    #[must_use]
    pub fn size(&self) -> usize {
        match self.fields {
            FieldSource::InPlace(fields) => {
                let replaced: usize = fields.replaced.iter().map(|new| new.text.len()).sum();
                fields.end + replaced + self.recorded_tap.map_or(0, str::len)
            }
            FieldSource::Entries(_) => self.text.len() + self.scratch.len(),
        }
    }

    /// Returns whether it is certain that no two members of the event's JSON object have the same
    /// name.
    #[must_use]
    pub fn has_distinct_names(&self) -> bool {
        const MAX_COMPARED: usize = 64;
        let FieldSource::Entries(entries) = self.fields else { return true };
        let key = |entry: &FieldEntry| self.resolve(entry.key);
        entries.len() <= MAX_COMPARED
            && entries.iter().enumerate().all(|(at, entry)| {
                let name = key(entry);
                !matches!(name, "event_type" | "_tap")
                    && !name.contains('\\')
                    && entries[..at].iter().all(|earlier| key(earlier) != name)
            })
    }

    /// Returns what evtap knows about the event.
    #[must_use]
    pub const fn tap(&self) -> &'a Tap {
        self.tap
    }

    /// Returns `_tap` as JSON: the recorded bytes, if nothing about it changed.
    #[must_use]
    pub fn tap_json(&self) -> Cow<'a, str> {
        self.recorded_tap.map_or_else(
            || {
                let mut json = Vec::new();
                self.tap.write_json(&mut json);
                Cow::Owned(String::from_utf8(json).unwrap_or_default())
            },
            Cow::Borrowed,
        )
    }

    /// Appends the JSON that [`RedactedEvent::tap_json`] returns.
    pub fn write_tap(&self, out: &mut Vec<u8>) {
        if let Some(recorded) = self.recorded_tap {
            out.extend_from_slice(recorded.as_bytes());
        } else {
            self.tap.write_json(out);
        }
    }

    /// Returns the stream that the event type belongs to.
    #[must_use]
    pub fn stream(&self) -> Option<Stream> {
        self.kind.map(|kind| kind.spec().stream)
    }

    /// Returns the severity of the event type.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.kind.map_or_else(|| Severity::of_undeclared(&self.name), |kind| kind.spec().severity)
    }

    /// Iterates over the fields in the order in which they arrived.
    pub fn fields(&self) -> impl Iterator<Item = RedactedField<'a>> {
        let (in_place, entries) = match self.fields {
            FieldSource::InPlace(in_place) => (Some(in_place), &[][..]),
            FieldSource::Entries(entries) => (None, entries),
        };
        let in_place = in_place.into_iter().flat_map(|in_place| self.in_place_fields(in_place));
        in_place.chain(entries.iter().map(|entry| self.entry_field(entry)))
    }

    fn in_place_fields(
        &self,
        in_place: InPlaceFields<'a>,
    ) -> impl Iterator<Item = RedactedField<'a>> {
        shown_in_place(in_place).map(move |field| self.in_place_field(field, in_place.replaced))
    }

    fn in_place_field(
        &self,
        field: &InPlaceField,
        replaced: &'a [Replacement],
    ) -> RedactedField<'a> {
        let json = field.value.resolve(self.text, replaced);
        let key = field.key(self.text, replaced);
        RedactedField { key, json, hidden: field.hidden, spec: field.spec }
    }

    fn entry_field(&self, entry: &FieldEntry) -> RedactedField<'a> {
        RedactedField {
            key: self.resolve(entry.key),
            json: self.resolve(entry.value),
            hidden: entry.hidden,
            spec: entry.spec,
        }
    }

    fn resolve(&self, text: TextRef) -> &'a str {
        match text {
            TextRef::Frame(span) => span.slice(self.text),
            TextRef::Scratch(start, end) => &self.scratch[start..end],
        }
    }

    /// Returns the field of that name. Of duplicates the last counts, as in other JSON readers.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<RedactedField<'a>> {
        match self.fields {
            FieldSource::InPlace(in_place) => shown_in_place(in_place)
                .find(|field| field.key(self.text, in_place.replaced) == name)
                .map(|field| self.in_place_field(field, in_place.replaced)),
            FieldSource::Entries(entries) => {
                let has_name = |entry: &&FieldEntry| match entry.spec {
                    Some(spec) => spec.name == name,
                    None => self.entry_field(entry).name() == name,
                };
                entries.iter().rev().find(has_name).map(|entry| self.entry_field(entry))
            }
        }
    }

    /// Returns the event as the typed struct `T`, if it is of that type and can be read.
    #[must_use]
    pub fn read<T: Declared>(&self) -> Option<T> {
        (self.kind?.spec().event_type == T::SPEC.event_type).then(|| {
            T::read(|name| match self.field(name) {
                None if self.tap.redacted.iter().any(|hidden| hidden == name) => Field::Hidden,
                None => Field::Absent,
                Some(field) if field.hidden => Field::Hidden,
                Some(field) if field.json == "null" => Field::Null,
                Some(field) => Field::Value(field.json),
            })
        })
    }

    /// Appends the event as one JSON object: its type, its fields, `_tap`.
    pub fn write_object(&self, out: &mut Vec<u8>) {
        let (suffix, has_plain_tap) = match self.fields {
            FieldSource::InPlace(in_place) => {
                let masks = in_place.replaced.len() * MASK_JSON.len();
                out.reserve(self.name.len() + in_place.end + masks + LINE_RESERVE);
                if in_place.is_line && !in_place.drops_hidden {
                    self.write_in_place(in_place, 0, out);
                } else {
                    self.write_name(out);
                    self.write_fields(out);
                }
                (in_place.suffix, in_place.has_plain_tap)
            }
            FieldSource::Entries(_) => {
                self.write_name(out);
                self.write_fields(out);
                (None, false)
            }
        };
        if let Some(suffix) = suffix {
            out.extend_from_slice(suffix.as_bytes());
        } else {
            out.extend_from_slice(b",\"_tap\":");
            if has_plain_tap {
                self.tap.write_plain_json(out);
            } else {
                self.write_tap(out);
            }
            out.push(b'}');
        }
    }

    fn write_name(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"event_type\":");
        match self.kind {
            Some(kind) => terminal::push_plain_quoted(kind.spec().event_type, out),
            None => terminal::push_quoted(&self.name, out),
        }
    }

    /// Appends the frame from `start` to the end of the fields, with the replacements in place.
    fn write_in_place(&self, fields: InPlaceFields<'_>, start: usize, out: &mut Vec<u8>) {
        let (text, mut at) = (self.text.as_bytes(), start);
        for Replacement { span, text: new } in fields.replaced {
            out.extend_from_slice(&text[at..span.start()]);
            out.extend_from_slice(new.as_bytes());
            at = span.end();
        }
        out.extend_from_slice(&text[at..fields.end]);
    }

    /// Appends the fields to a JSON object that already has a member. Fields that are adjacent in
    /// the frame are copied together.
    pub fn write_fields(&self, out: &mut Vec<u8>) {
        match self.fields {
            FieldSource::InPlace(in_place) if in_place.drops_hidden => {
                for field in self.in_place_fields(in_place) {
                    out.extend_from_slice(b",\"");
                    out.extend_from_slice(field.key.as_bytes());
                    out.extend_from_slice(b"\":");
                    out.extend_from_slice(field.json.as_bytes());
                }
            }
            FieldSource::InPlace(in_place) => {
                if !in_place.fields.is_empty() {
                    out.push(b',');
                    self.write_in_place(in_place, in_place.start, out);
                }
            }
            FieldSource::Entries(entries) => self.write_entries(entries, out),
        }
    }

    fn write_entries(&self, entries: &[FieldEntry], out: &mut Vec<u8>) {
        let text = self.text.as_bytes();
        // The range of adjacent fields to copy next; it begins at a quote.
        let mut run: Option<(usize, usize)> = None;
        let flush = |run: &mut Option<(usize, usize)>, out: &mut Vec<u8>| {
            if let Some((start, end)) = run.take() {
                out.push(b',');
                out.extend_from_slice(&text[start..end]);
            }
        };
        for entry in entries {
            match (entry.key, entry.value) {
                (TextRef::Frame(key), TextRef::Frame(value))
                    if value.start() == key.end() + SEPARATOR_LENGTH =>
                {
                    match &mut run {
                        Some((_, end)) if key.start() == *end + SEPARATOR_LENGTH => {
                            *end = value.end();
                        }
                        _ => {
                            flush(&mut run, out);
                            run = Some((key.start() - 1, value.end()));
                        }
                    }
                }
                (key, value) => {
                    flush(&mut run, out);
                    out.extend_from_slice(b",\"");
                    out.extend_from_slice(self.resolve(key).as_bytes());
                    out.extend_from_slice(b"\":");
                    out.extend_from_slice(self.resolve(value).as_bytes());
                }
            }
        }
        flush(&mut run, out);
    }
}

/// Iterates over the fields that are not left out.
fn shown_in_place(in_place: InPlaceFields<'_>) -> impl Iterator<Item = &InPlaceField> {
    let is_shown = move |field: &&InPlaceField| !(in_place.drops_hidden && field.hidden);
    in_place.fields.iter().filter(is_shown)
}
