//! Events as the live screen stores them: the `ndjson` line, and what the event list needs.
//!
//! A [`StoredEvent`] is created from a [`RedactedEvent`], so it never contains hidden values.
//! [`StoredEventReader`] decodes it again.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::catalog::error_fields;
use crate::model::decode::Decoder;
use crate::model::{Frame, FrameFormat, Origin};
use crate::model::{Kind, Severity};
use crate::output::ndjson;
use crate::redact::{Policy, RedactedEvent, Redactor};

/// An owned, redacted event.
#[derive(Debug, Clone)]
pub struct StoredEvent {
    /// The event type.
    pub event_type: Cow<'static, str>,
    /// The declared event type, or `None` if it is not declared.
    pub kind: Option<Kind>,
    /// The time of the event, or the time of arrival if it has none.
    pub time: Option<Timestamp>,
    /// The SID of the call that the event is about.
    pub call_sid: Option<Box<str>>,
    /// The event as one JSON object. It is shared, so that it can be saved to a file after the
    /// buffer has dropped the event.
    pub line: Arc<str>,
    /// Whether the event deviates from the model.
    pub drifted: bool,
    /// Whether the event reports an error.
    pub is_error: bool,
    /// The position of the event in the replayed recordings, in bytes; 0 on a live stream.
    pub place: u64,
}

impl StoredEvent {
    /// Creates a stored event from a redacted one.
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
            is_error: reports_error(shown),
            place: 0,
        }
    }

    /// Returns the approximate memory use, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let event_type =
            if let Cow::Owned(event_type) = &self.event_type { event_type.len() } else { 0 };
        let call_sid = self.call_sid.as_ref().map_or(0, |sid| sid.len());
        size_of::<Self>() + self.line.len() + event_type + call_sid
    }
}

fn reports_error(shown: &RedactedEvent<'_>) -> bool {
    shown.severity() > Severity::Normal
        || error_fields().iter().any(|declared| {
            shown.field(declared.name).is_some_and(|field| declared.reports_error(field.json))
        })
}

/// Decodes stored events. It reuses its tables, so that reading allocates little.
pub struct StoredEventReader {
    decoder: Decoder,
    redactor: Redactor,
}

impl Default for StoredEventReader {
    /// Creates a reader that reveals everything, because stored events are redacted already.
    fn default() -> Self {
        let mut policy = Policy::default();
        policy.reveal.add("all");
        Self { decoder: Decoder::default(), redactor: Redactor::new(policy) }
    }
}

impl StoredEventReader {
    /// Decodes a stored event and passes it to `look`.
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
