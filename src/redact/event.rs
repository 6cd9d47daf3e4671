//! An event as it may be shown.
//!
//! Only [`Redactor`](super::Redactor) makes one, and everything that prints, filters, counts or records takes one.

use std::borrow::Cow;

use super::fast_path::ValueSpan;
use super::mask::MASK_JSON;
use crate::json::scan::Span;
use crate::json::string::{unescape, unquote};
use crate::model::{Declared, Field, FieldSpec, Kind, Severity, Stream, Tap};
use crate::text::terminal;

/// The bytes between a key and its value, `":`, and between a value and the next key, `,"`, where no white space is.
const TOGETHER: usize = 2;

/// How long the rest of a line mostly is at most, in bytes: `_tap`, and what is around the fields.
const ROOM: usize = 256;

/// Where a text of a shown event stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum TextRef {
    /// In the frame, as it arrived.
    Arrived(Span),
    /// In the scratch text.
    Made(usize, usize),
}

pub(super) struct FieldEntry {
    pub key: TextRef,
    pub value: TextRef,
    pub hidden: bool,
    pub spec: Option<&'static FieldSpec>,
}

/// The fields of an event that can be written as they stand in the frame, but for the masks.
#[derive(Clone, Copy)]
pub(super) struct InPlaceFields<'a> {
    /// The fields that are there, in order.
    pub places: &'a [ValueSpan],
    /// The values in whose place the mask is to be, in order.
    pub masked: &'a [Span],
    /// The frame begins as its line does: `{"event_type":"…"`.
    pub is_line: bool,
    /// Where they begin: at the quote of the first key.
    pub start: usize,
    /// Where they end: behind the last value.
    pub end: usize,
    /// What is written behind them, to the end of the line, if that is known: `,"_tap":{…}}`.
    pub rest: Option<&'a str>,
}

/// The fields of an event.
#[derive(Clone, Copy)]
pub(super) enum FieldSource<'a> {
    Known(InPlaceFields<'a>),
    Made(&'a [FieldEntry]),
}

/// An event as it may be shown.
pub struct RedactedEvent<'a> {
    pub(super) text: &'a str,
    pub(super) scratch: &'a str,
    pub(super) fields: FieldSource<'a>,
    pub(super) name: Cow<'a, str>,
    pub(super) kind: Option<Kind>,
    pub(super) tap: &'a Tap,
    pub(super) recorded_tap: Option<&'a str>,
}

/// A field as it may be shown.
#[derive(Clone, Copy)]
pub struct RedactedField<'a> {
    /// What stands between the quotes of its key.
    pub key: &'a str,
    /// Its value: valid JSON on one line, without white space between tokens and without hostile characters.
    pub json: &'a str,
    /// The value is hidden; `json` is a mask.
    pub hidden: bool,
    /// Its declaration, if the model has it.
    pub spec: Option<&'static FieldSpec>,
}

impl<'a> RedactedField<'a> {
    /// What it says, if it is a string, be it a mask.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'a, str>> {
        unquote(self.json)
    }

    /// How much it is, if it is a number.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        self.json.parse().ok()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        unescape(self.key)
    }
}

impl<'a> RedactedEvent<'a> {
    /// Its type.
    #[must_use]
    pub fn event_type(&self) -> &str {
        &self.name
    }

    /// Its type, for as long as the frame lives where it stands in it.
    #[must_use]
    pub fn name(&self) -> Cow<'a, str> {
        self.name.clone()
    }

    /// Which of the declared events it is.
    #[must_use]
    pub const fn kind(&self) -> Option<Kind> {
        self.kind
    }

    /// What evtap says about it.
    #[must_use]
    pub const fn tap(&self) -> &'a Tap {
        self.tap
    }

    /// `_tap` as JSON: what was recorded, to the byte, where it says the same.
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

    /// Appends what [`RedactedEvent::tap_json`] gives.
    pub fn write_tap(&self, out: &mut Vec<u8>) {
        if let Some(recorded) = self.recorded_tap {
            out.extend_from_slice(recorded.as_bytes());
        } else {
            self.tap.write_json(out);
        }
    }

    /// The stream that it belongs to.
    #[must_use]
    pub fn stream(&self) -> Option<Stream> {
        self.kind.map(|kind| kind.spec().stream)
    }

    /// How bad the news is that it brings, going by its type.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.kind.map_or_else(|| Severity::of_undeclared(&self.name), |kind| kind.spec().severity)
    }

    /// Its fields, in the order in which they arrived.
    pub fn fields(&self) -> impl Iterator<Item = RedactedField<'a>> {
        let (known, made) = match self.fields {
            FieldSource::Known(known) => (Some(known), &[][..]),
            FieldSource::Made(made) => (None, made),
        };
        let known = known
            .into_iter()
            .flat_map(move |known| known.places.iter().map(|place| self.known(place)));
        known.chain(made.iter().map(|entry| self.made(entry)))
    }

    fn known(&self, place: &ValueSpan) -> RedactedField<'a> {
        let spec = place.spec;
        let json = if place.hidden { MASK_JSON } else { place.value.slice(self.text) };
        RedactedField { key: spec.name, json, hidden: place.hidden, spec: Some(spec) }
    }

    fn made(&self, entry: &FieldEntry) -> RedactedField<'a> {
        RedactedField {
            key: self.piece(entry.key),
            json: self.piece(entry.value),
            hidden: entry.hidden,
            spec: entry.spec,
        }
    }

    /// Appends it as one JSON object: its type, its fields, `_tap`.
    pub fn write_object(&self, out: &mut Vec<u8>) {
        let rest = match self.fields {
            FieldSource::Known(known) => {
                // What follows has its place at once.
                out.reserve(
                    self.name.len() + known.end + known.masked.len() * MASK_JSON.len() + ROOM,
                );
                if known.is_line {
                    self.write_known(known, 0, out);
                } else {
                    self.write_name(out);
                    self.write_fields(out);
                }
                known.rest
            }
            FieldSource::Made(_) => {
                self.write_name(out);
                self.write_fields(out);
                None
            }
        };
        if let Some(rest) = rest {
            out.extend_from_slice(rest.as_bytes());
        } else {
            out.extend_from_slice(b",\"_tap\":");
            self.write_tap(out);
            out.push(b'}');
        }
    }

    fn write_name(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"event_type\":");
        terminal::push_quoted(&self.name, out);
    }

    /// What stands in the frame from there on to the end of the fields, but for the masks.
    fn write_known(&self, known: InPlaceFields<'_>, from: usize, out: &mut Vec<u8>) {
        let (text, mut at) = (self.text.as_bytes(), from);
        for span in known.masked {
            out.extend_from_slice(&text[at..span.start()]);
            out.extend_from_slice(MASK_JSON.as_bytes());
            at = span.end();
        }
        out.extend_from_slice(&text[at..known.end]);
    }

    /// Appends its fields to a JSON object that has a member already, what stands together in the frame in one piece.
    pub fn write_fields(&self, out: &mut Vec<u8>) {
        let entries = match self.fields {
            FieldSource::Known(known) => {
                if !known.places.is_empty() {
                    out.push(b',');
                    self.write_known(known, known.start, out);
                }
                return;
            }
            FieldSource::Made(entries) => entries,
        };
        let text = self.text.as_bytes();
        // What is to be copied next, from a quote on.
        let mut run: Option<(usize, usize)> = None;
        let flush = |run: &mut Option<(usize, usize)>, out: &mut Vec<u8>| {
            if let Some((start, end)) = run.take() {
                out.push(b',');
                out.extend_from_slice(&text[start..end]);
            }
        };
        for entry in entries {
            match (entry.key, entry.value) {
                (TextRef::Arrived(key), TextRef::Arrived(value))
                    if value.start() == key.end() + TOGETHER =>
                {
                    match &mut run {
                        Some((_, end)) if key.start() == *end + TOGETHER => *end = value.end(),
                        _ => {
                            flush(&mut run, out);
                            run = Some((key.start() - 1, value.end()));
                        }
                    }
                }
                (key, value) => {
                    flush(&mut run, out);
                    out.extend_from_slice(b",\"");
                    out.extend_from_slice(self.piece(key).as_bytes());
                    out.extend_from_slice(b"\":");
                    out.extend_from_slice(self.piece(value).as_bytes());
                }
            }
        }
        flush(&mut run, out);
    }

    fn piece(&self, piece: TextRef) -> &'a str {
        match piece {
            TextRef::Arrived(span) => span.slice(self.text),
            TextRef::Made(start, end) => &self.scratch[start..end],
        }
    }

    /// The field of that name. Of several with one name, the last counts, as in other readers of JSON.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<RedactedField<'a>> {
        match self.fields {
            // There are no two with one name.
            FieldSource::Known(known) => known
                .places
                .iter()
                .find(|place| place.spec.name == name)
                .map(|place| self.known(place)),
            FieldSource::Made(entries) => {
                let is_it = |entry: &&FieldEntry| match entry.spec {
                    Some(spec) => spec.name == name,
                    None => self.made(entry).name() == name,
                };
                entries.iter().rev().find(is_it).map(|entry| self.made(entry))
            }
        }
    }

    /// The typed struct, if it is such an event.
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
}
