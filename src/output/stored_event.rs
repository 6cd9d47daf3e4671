//! An event as the screen holds it: its line as `-o ndjson` would write it, and what the list needs beside that.
//!
//! A [`StoredEvent`] is made from a [`RedactedEvent`] alone, so what is hidden never gets here. [`StoredEventReader`] looks into one again.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::catalog::error_fields;
use crate::model::decode::Decoder;
use crate::model::{Frame, FrameFormat, Origin};
use crate::model::{Kind, Severity};
use crate::output::ndjson;
use crate::redact::{Policy, RedactedEvent, Redactor};

/// One event, owned, with masks where something is hidden.
#[derive(Debug, Clone)]
pub struct StoredEvent {
    /// Its type.
    pub event_type: Cow<'static, str>,
    /// Which of the declared events it is.
    pub kind: Option<Kind>,
    /// When it took place, or arrived.
    pub time: Option<Timestamp>,
    /// The call that it is about.
    pub call_sid: Option<Box<str>>,
    /// One JSON object. Shared, so that saving can go on while the buffer lets go of it.
    pub line: Arc<str>,
    /// The model did not expect something about it.
    pub drifted: bool,
    /// It tells of something that went wrong.
    pub is_error: bool,
    /// How many bytes of the recordings that are replayed come before it, if any are.
    pub place: u64,
}

impl StoredEvent {
    /// What may be kept of an event.
    #[must_use]
    pub fn new(shown: &RedactedEvent<'_>) -> Self {
        let mut line = Vec::with_capacity(512);
        ndjson::object(shown, &mut line);
        let tap = shown.tap();
        let time = tap.moment();
        let text = |name: &str| {
            let field = shown.field(name).filter(|field| !field.hidden)?;
            field.text().map(Cow::into_owned)
        };
        Self {
            event_type: match shown.kind() {
                Some(kind) => Cow::Borrowed(kind.spec().event_type),
                None => Cow::Owned(shown.event_type().to_owned()),
            },
            kind: shown.kind(),
            time,
            call_sid: text("call_sid").or_else(|| tap.call_sid.clone()).map(Into::into),
            line: String::from_utf8_lossy(&line).into(),
            drifted: !tap.drift.is_empty(),
            is_error: tells_of_error(shown),
            place: 0,
        }
    }

    /// About how much memory it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.line.len() + self.call_sid.as_ref().map_or(0, |sid| sid.len())
    }
}

fn tells_of_error(shown: &RedactedEvent<'_>) -> bool {
    shown.severity() > Severity::Normal
        || error_fields().iter().any(|declared| {
            shown.field(declared.name).is_some_and(|field| declared.tells_of_error(field.json))
        })
}

/// Looks into held events, with tables that are used again.
pub struct StoredEventReader {
    decoder: Decoder,
    redactor: Redactor,
}

impl Default for StoredEventReader {
    /// The lines are redacted already, and are read as they stand.
    fn default() -> Self {
        let mut policy = Policy::default();
        policy.reveal.add("all");
        Self { decoder: Decoder::default(), redactor: Redactor::new(policy) }
    }
}

impl StoredEventReader {
    /// Reads a held event.
    pub fn read<T>(
        &mut self,
        stored: &StoredEvent,
        look: impl FnOnce(&RedactedEvent<'_>) -> T,
    ) -> T {
        let origin = Origin::default();
        let frame = Frame {
            origin: &origin,
            format: FrameFormat::Record,
            event: None,
            id: None,
            data: stored.line.as_bytes(),
            text: None,
            received_at: None,
            fault: None,
            offset: 0,
            flags: crate::model::FrameFlags::default(),
        };
        look(&self.redactor.redact(&self.decoder.decode(frame)))
    }
}
