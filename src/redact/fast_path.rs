//! The fast path: recognises an event that can be redacted by copying it, with masks in place of
//! some values, and finds those values in one scan.
//!
//! # Idea
//!
//! Nearly all events have declared fields, with values of the declared types. For such an event
//! everything that [`Decoder`](crate::model::decode::Decoder) and
//! [`Redactor::redact`](super::Redactor::redact) would compute is known beforehand, except which
//! fields come in which order, and where each value begins and ends. The fast path has a
//! [`FieldTable`] for each event type. It compares the text with the keys in the table, beginning
//! with the one that came there last, checks each value, and notes which spans to mask.
//!
//! # Guarantee
//!
//! The fast path either produces exactly what the full path would produce, byte for byte, or it
//! declines with `None` and the full path runs. It therefore never decides what is hidden:
//! [`Policy`](super::Policy) does, once per field, through [`FieldRule`]. The tests run both paths
//! on every event and compare the results.
//!
//! # When it declines
//!
//! [`FastPath::recognize`] declines where more is necessary than to replace keys and values:
//!
//! - the event type is not declared, a key has an escape or comes twice, or there is white space
//!   between tokens;
//! - a field that is not declared may be revealed, or there are more than
//!   `table::MAX_UNDECLARED` of them;
//! - something inside a shown array or object is not declared, is hostile or may hold an identifier.
//!   The full path masks or escapes only that;
//! - `_tap` in a recorded line is not one that evtap could have written, or lists something that is
//!   not hidden now;
//! - a field that is hidden now has a pseudonym or two characters in a line that has `_tap`;
//! - a server sent a `_tap`;
//! - the event is in a CloudEvents envelope that is not spelled exactly as evtap writes it.
//!
//! The [`Redactor`](super::Redactor) uses it only if the policy leaves `_tap` intact. In the modes
//! [`Partial`](super::Mode::Partial) and [`Hash`](super::Mode::Hash), which compute something from
//! each value, it replaces the masks by what they compute. It cannot do so for a value that is a
//! mask already, unless `_tap` shows that an earlier run has hidden it.
//!
//! # Bounds
//!
//! A server cannot make the tables grow without limit: they hold declared fields only, and for each
//! event type at most `table::MAX_CACHED_TAPS` texts of `_tap`.

mod envelope;
mod fields;
mod table;

use super::policy::FieldRule;
use crate::json::scan::JsonCursor;
use crate::model::decode::tap_from_transport;
use crate::model::{Frame, FrameFormat, Kind, Name, Tap};
use envelope::OwnEnvelope;
pub(super) use fields::{FieldBuffer, InPlaceField, InPlaceText, Replacement};
use table::FieldTable;
pub(super) use table::{CachedTap, TapSource};

/// The beginning of a recorded line that the fast path accepts.
const LINE_START: &str = "{\"event_type\":\"";

/// The tables of the event types that have come.
pub(super) struct FastPath {
    /// Indexed by `Kind as usize`.
    tables: Vec<Option<Box<FieldTable>>>,
    /// The policy hides every field that is not declared.
    hides_undeclared: bool,
}

/// A recorded line, or what is one in an envelope.
#[derive(Clone, Copy)]
struct RecordedLine<'a> {
    /// The line and what follows it in its buffer.
    text: &'a str,
    /// The length of the line, with the rest of the envelope.
    length: usize,
    /// The number of objects around it.
    depth: u8,
}

/// An event that the fast path has recognized. Its fields are in the [`FieldBuffer`].
#[derive(Debug, Clone, Copy)]
pub(super) struct RecognizedEvent {
    pub kind: Kind,
    pub tap: TapSource,
    /// Start of the event in the frame, from which all other offsets count. It is 0, unless the
    /// event is in an envelope.
    pub offset: usize,
    /// The event is a recorded line: it begins with `event_type`, not with the first field.
    pub is_line: bool,
    /// Start of the fields in the event: the quote of the first key.
    pub start: usize,
    /// End of the fields in the event: just after the last value.
    pub end: usize,
}

impl RecognizedEvent {
    /// Returns the text of the event and what follows it in its buffer. `frame` is the one that was
    /// recognized.
    pub fn text<'a>(&self, frame: &Frame<'a>) -> &'a str {
        frame.text.and_then(|text| text.get(self.offset..)).unwrap_or_default()
    }
}

impl FastPath {
    pub fn new(hides_undeclared: bool) -> Self {
        let count = Kind::ALL.len() + Kind::OWN.len();
        let tables = std::iter::repeat_with(|| None).take(count).collect();
        Self { tables, hides_undeclared }
    }

    /// Returns the table of an event type. `rules` are indexed by `Kind as usize` and field index.
    fn table(&mut self, kind: Kind, rules: &[Vec<FieldRule>]) -> Option<&mut FieldTable> {
        let table = self.tables.get_mut(kind as usize)?;
        let hides_undeclared = self.hides_undeclared;
        let new = || Box::new(FieldTable::new(kind, &rules[kind as usize], hides_undeclared));
        Some(table.get_or_insert_with(new))
    }

    /// Recognizes an event; `None` if the full path must handle it. `rules` are those of the
    /// policy, indexed by `Kind as usize` and field index.
    ///
    /// Fills `buffer` with its fields and, unless [`TapSource::Cached`] is returned, `tap` with
    /// what is known about it.
    pub fn recognize(
        &mut self,
        frame: &Frame<'_>,
        rules: &[Vec<FieldRule>],
        buffer: &mut FieldBuffer,
        tap: &mut Tap,
    ) -> Option<RecognizedEvent> {
        let text = frame.text?;
        match frame.format {
            FrameFormat::Record => {
                let line = RecordedLine { text, length: frame.data.len(), depth: 0 };
                match OwnEnvelope::read(text.get(..line.length)?) {
                    None => self.recognize_line(line, rules, buffer, tap),
                    Some(envelope) => self.recognize_data(line, &envelope, rules, buffer, tap),
                }
            }
            FrameFormat::Sse => self.recognize_sse(frame, text, rules, buffer, tap),
            FrameFormat::Observer | FrameFormat::Own => None,
        }
    }

    /// Recognizes an event in the envelope around it.
    fn recognize_data(
        &mut self,
        whole: RecordedLine<'_>,
        envelope: &OwnEnvelope<'_>,
        rules: &[Vec<FieldRule>],
        buffer: &mut FieldBuffer,
        tap: &mut Tap,
    ) -> Option<RecognizedEvent> {
        let offset = envelope.data;
        let text = &whole.text[offset..];
        let line = RecordedLine { text, length: whole.length - offset, depth: 1 };
        let event = self.recognize_line(line, rules, buffer, tap)?;
        envelope.is_of(event.kind, text, buffer).then_some(RecognizedEvent { offset, ..event })
    }

    /// Recognizes a line of a recording: `{"event_type":"…",<fields>,"_tap":{…}}`.
    fn recognize_line(
        &mut self,
        RecordedLine { text, length, depth }: RecordedLine<'_>,
        rules: &[Vec<FieldRule>],
        buffer: &mut FieldBuffer,
        tap: &mut Tap,
    ) -> Option<RecognizedEvent> {
        let mut cursor = JsonCursor::new(text, LINE_START.len(), length).nested_in(depth);
        let quote = text.starts_with(LINE_START).then(|| cursor.finish_plain_string()).flatten()?;
        let kind = Kind::from_name(text.get(LINE_START.len()..quote)?)?;
        // Without fields, the text to copy ends before the comma.
        let end = cursor.position();
        let has_more = cursor.skip_byte(b',');
        let start = cursor.position();
        let table = self.table(kind, rules)?;
        let scanned = table.scan(text, &mut cursor, has_more, end, buffer)?;
        let tap = if scanned.has_tap {
            table.read_tap(text, &mut cursor, buffer, tap)?
        } else if buffer.scrubbed.is_empty() && buffer.drift.is_empty() {
            TapSource::Cached(table.cache_tap(buffer))
        } else {
            *tap = table.new_tap(buffer);
            buffer.move_drift(text, &mut tap.drift);
            TapSource::Own
        };
        let event =
            RecognizedEvent { kind, tap, offset: 0, is_line: true, start, end: scanned.end };
        let is_closed = (0..depth).all(|_| cursor.skip_byte(b'}'));
        (is_closed && cursor.is_at_end()).then_some(event)
    }

    /// Recognizes an SSE frame: the type on the `event:` line, the fields in `{…}`.
    fn recognize_sse(
        &mut self,
        frame: &Frame<'_>,
        text: &str,
        rules: &[Vec<FieldRule>],
        buffer: &mut FieldBuffer,
        tap: &mut Tap,
    ) -> Option<RecognizedEvent> {
        let kind = Kind::from_name(frame.event?)?;
        let mut cursor = JsonCursor::new(text, 0, frame.data.len());
        let has_more = cursor.skip_byte(b'{').then(|| !cursor.is_at_end())?;
        let start = cursor.position();
        let table = self.table(kind, rules)?;
        let scanned = table.scan(text, &mut cursor, has_more, start, buffer)?;
        // Only evtap writes `_tap`; from a server it is drift.
        if scanned.has_tap || !cursor.is_at_end() {
            return None;
        }
        tap_from_transport(frame, tap);
        tap.stream.get_or_insert(Name::Borrowed(kind.spec().stream.name()));
        tap.redacted.append(&mut buffer.hidden);
        tap.scrubbed.append(&mut buffer.scrubbed);
        buffer.move_drift(text, &mut tap.drift);
        // The names are declared or look like names; ids and times are as evtap writes them.
        let is_plain = tap.workspace_id.is_none() && tap.call_sid.is_none();
        let tap = if is_plain { TapSource::Plain } else { TapSource::Own };
        Some(RecognizedEvent { kind, tap, offset: 0, is_line: false, start, end: scanned.end })
    }

    /// Returns the text that [`TapSource::Cached`] refers to.
    pub fn cached_tap(&self, kind: Kind, index: usize) -> Option<&CachedTap> {
        self.tables[kind as usize].as_ref()?.taps.get(index)
    }
}

#[cfg(all(test, feature = "cli"))]
mod tests;
