//! The fast path: recognises an event that looks like earlier ones and redacts it in one scan.
//!
//! # Idea
//!
//! Nearly all events of one type have the same fields in the same order, with values of the
//! declared types. For such an event everything that [`Decoder`](crate::model::decode::Decoder) and
//! [`Redactor::redact`](super::Redactor::redact) would compute is known beforehand, except where
//! each value begins and ends. The fast path learns the order of the fields (an [`EventShape`]) and
//! then only steps from value to value, checks each, and notes which spans to mask.
//!
//! # Guarantee
//!
//! The fast path either produces exactly what the full path would produce, byte for byte, or it
//! declines with `None` and the full path runs. It therefore never decides what is hidden:
//! [`Policy`](super::Policy) does, once per shape, through [`FieldRule`]. The tests run both paths
//! on every event and compare the results.
//!
//! # When it declines
//!
//! [`ShapeCache::recognize`] declines as soon as the full path would do anything but copy or mask:
//!
//! - the event type or a key is not declared, a key has an escape or comes out of order, or there
//!   is white space between tokens;
//! - a required field is missing, or a value does not match its declaration. The full path reports
//!   these as drift and masks what is undeclared inside a value;
//! - a shown value has white space between tokens or hostile characters. The full path rewrites it;
//! - a shown value that the policy scrubs holds an identifier. The full path masks it;
//! - `_tap` in a recorded line is not one that evtap could have written, or does not list exactly
//!   the fields that are hidden now;
//! - a field that is hidden now is in the clear, or has a pseudonym, in a line that has `_tap`;
//! - the transport has drift to report, or a server sent a `_tap`.
//!
//! The [`Redactor`](super::Redactor) uses it only in the mode [`Mask`](super::Mode::Mask), because
//! the other modes compute something from each value, and only if the policy leaves `_tap` intact.
//!
//! # Bounds
//!
//! A server cannot make the cache grow without limit: a shape holds declared fields only, each
//! event type has at most [`MAX_SHAPES`] shapes, learning stops after [`MAX_LESSONS`] events of a
//! type, and a shape caches at most `shape::MAX_CACHED_TAPS` texts of `_tap`.

mod fields;
mod shape;

use super::policy::FieldRule;
use crate::json::scan::{JsonCursor, KeyToken, Span};
use crate::model::decode::{DecodedField, tap_from_transport};
use crate::model::{Frame, FrameFormat, Kind, Name, Tap};
pub(super) use fields::{FieldBuffer, ValueSpan};
pub(super) use shape::CachedTap;
use shape::{EventShape, ScannedEvent};

/// The largest number of shapes that are kept for each event type.
const MAX_SHAPES: usize = 3;

/// The number of unrecognized events of each type from which the cache learns.
///
/// The common orders have come by then. If events are still not recognized after that, something
/// other than the order of their fields is the reason.
const MAX_LESSONS: u16 = 1000;

/// The beginning of a recorded line that the fast path accepts.
const LINE_START: &str = "{\"event_type\":\"";

/// The shapes learned so far, by event type.
pub(super) struct ShapeCache {
    /// Indexed by `Kind as usize`.
    by_kind: Vec<LearnedShapes>,
    /// The token `"_tap":`.
    tap_key: KeyToken,
}

/// The shapes of one event type.
#[derive(Default)]
struct LearnedShapes {
    shapes: Vec<EventShape>,
    /// The number of events from which these were learned.
    lessons: u16,
}

/// An event that the fast path has recognized. Its fields are in the [`FieldBuffer`].
#[derive(Debug, Clone, Copy)]
pub(super) struct RecognizedEvent {
    pub kind: Kind,
    pub tap: TapSource,
    /// The frame is a recorded line: it begins with `event_type`, not with the first field.
    pub is_line: bool,
    /// Start of the fields in the frame: the quote of the first key.
    pub start: usize,
    /// End of the fields in the frame: just after the last value.
    pub end: usize,
}

/// Where the `_tap` of a recognized event comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum TapSource {
    /// A [`CachedTap`], by the index of the shape and the index in it.
    Cached { shape: usize, index: usize },
    /// This span of the recorded line, which is still right. The `Tap` has been read from it.
    Recorded(Span),
    /// The redactor's own `Tap`, which the fast path has filled in from the transport.
    Transport,
}

impl ShapeCache {
    pub fn new() -> Self {
        let kinds = Kind::ALL.len() + Kind::OWN.len();
        Self {
            by_kind: (0..kinds).map(|_| LearnedShapes::default()).collect(),
            tap_key: KeyToken::new("_tap"),
        }
    }

    /// Recognizes an event of a known shape; `None` if the full path must handle it.
    ///
    /// Fills `buffer` with its fields and, unless [`TapSource::Cached`] is returned, `tap` with
    /// what is known about it.
    pub fn recognize(
        &mut self,
        frame: &Frame<'_>,
        buffer: &mut FieldBuffer,
        tap: &mut Tap,
    ) -> Option<RecognizedEvent> {
        let text = frame.text?;
        match frame.format {
            FrameFormat::Record => self.recognize_line(frame, text, buffer, tap),
            FrameFormat::Sse => self.recognize_sse(frame, text, buffer, tap),
            FrameFormat::Observer | FrameFormat::Own => None,
        }
    }

    /// Recognizes a line of a recording: `{"event_type":"…",<fields>,"_tap":{…}}`.
    fn recognize_line(
        &mut self,
        frame: &Frame<'_>,
        text: &str,
        buffer: &mut FieldBuffer,
        tap: &mut Tap,
    ) -> Option<RecognizedEvent> {
        let mut cursor = JsonCursor::new(text, LINE_START.len(), frame.data.len());
        let quote = text.starts_with(LINE_START).then(|| cursor.finish_plain_string()).flatten()?;
        let kind = Kind::from_name(text.get(LINE_START.len()..quote)?)?;
        // Without fields, the text to copy ends before the comma.
        let end = cursor.position();
        let has_more = cursor.skip_byte(b',');
        let start = cursor.position();
        let (index, mut scanned) = self.scan(kind, text, cursor, has_more, buffer)?;
        if buffer.fields.is_empty() {
            scanned.end = end;
        }
        let shape = &mut self.by_kind.get_mut(kind as usize)?.shapes[index];
        let tap = match scanned.recorded_tap {
            Some(span) => shape
                .is_tap_current(&scanned, buffer, span.slice(text), tap)
                .then_some(TapSource::Recorded(span))?,
            None => TapSource::Cached { shape: index, index: shape.cache_tap(scanned.hidden) },
        };
        Some(RecognizedEvent { kind, tap, is_line: true, start, end: scanned.end })
    }

    /// Recognizes an SSE frame: the type on the `event:` line, the fields in `{…}`.
    fn recognize_sse(
        &self,
        frame: &Frame<'_>,
        text: &str,
        buffer: &mut FieldBuffer,
        tap: &mut Tap,
    ) -> Option<RecognizedEvent> {
        let kind = Kind::from_name(frame.event?)?;
        let mut cursor = JsonCursor::new(text, 0, frame.data.len());
        let has_more = cursor.skip_byte(b'{').then(|| !cursor.is_at_end())?;
        let start = cursor.position();
        let (index, scanned) = self.scan(kind, text, cursor, has_more, buffer)?;
        // Only evtap writes `_tap`; from a server it is drift.
        if scanned.recorded_tap.is_some() {
            return None;
        }
        tap_from_transport(frame, tap);
        if !tap.drift.is_empty() {
            return None;
        }
        let shape = &self.by_kind.get(kind as usize)?.shapes[index];
        tap.stream.get_or_insert(Name::Borrowed(kind.spec().stream.name()));
        tap.redacted.extend(shape.field_names(scanned.hidden).map(Name::Borrowed));
        let tap = TapSource::Transport;
        Some(RecognizedEvent { kind, tap, is_line: false, start, end: scanned.end })
    }

    /// Scans the fields with each shape of the type and returns the index of the first that
    /// matches. `has_more` is false if the object has no fields.
    fn scan(
        &self,
        kind: Kind,
        text: &str,
        cursor: JsonCursor<'_>,
        has_more: bool,
        buffer: &mut FieldBuffer,
    ) -> Option<(usize, ScannedEvent)> {
        let shapes = &self.by_kind.get(kind as usize)?.shapes;
        shapes.iter().enumerate().find_map(|(index, shape)| {
            buffer.fields.clear();
            buffer.masked.clear();
            Some((index, shape.scan(text, cursor, has_more, &self.tap_key, buffer)?))
        })
    }

    /// Returns the text that [`TapSource::Cached`] refers to.
    pub fn cached_tap(&self, kind: Kind, shape: usize, index: usize) -> &CachedTap {
        &self.by_kind[kind as usize].shapes[shape].taps[index]
    }

    /// Learns the field order of an event that was not recognized.
    ///
    /// Only orders of distinct declared fields are learned. An order that does not contradict a
    /// known shape extends that shape; another becomes a new shape while there is room.
    pub fn learn(&mut self, kind: Kind, fields: &[DecodedField], rules: &[FieldRule]) {
        let Some(LearnedShapes { shapes, lessons }) = self.by_kind.get_mut(kind as usize) else {
            return;
        };
        if *lessons == MAX_LESSONS {
            return;
        }
        *lessons += 1;
        let Some(order) = fields.iter().map(|field| field.index).collect::<Option<Vec<_>>>() else {
            return;
        };
        let is_duplicate = |(at, index): (usize, &u8)| order[..at].contains(index);
        if order.iter().enumerate().any(is_duplicate) {
            return;
        }
        let merged = shapes
            .iter()
            .enumerate()
            .find_map(|(at, shape)| Some((at, merge_orders(&shape.order(), &order)?)));
        match merged {
            Some((at, merged)) => shapes[at] = EventShape::new(kind, &merged, rules),
            None if shapes.len() < MAX_SHAPES => shapes.push(EventShape::new(kind, &order, rules)),
            None => {}
        }
    }
}

/// Merges two field orders into one that has both as subsequences; `None` if they contradict.
///
/// A field that is new goes right after the field that precedes it in `new`.
fn merge_orders(known: &[u8], new: &[u8]) -> Option<Vec<u8>> {
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

#[cfg(all(test, feature = "cli"))]
mod tests;
