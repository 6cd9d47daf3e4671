//! The format `cloudevents`: CloudEvents 1.0 in structured JSON mode, one per line.
//!
//! `data` is byte for byte the line that `ndjson` would write, so a replay restores it. The
//! attributes derive from the redacted event and contain nothing that the line does not contain.

use std::borrow::Cow;

use super::encoder::Encoder;
use super::format::OutputFormat;
use super::ndjson::object;
use crate::error::Error;
use crate::model::cloudevent::{self, SUBJECTS, legal};
use crate::query::EventContext;
use crate::redact::RedactedEvent;
use crate::text::terminal::push_quoted;

/// The format `cloudevents`.
pub const FORMAT: OutputFormat = OutputFormat {
    name: "cloudevents",
    argument: None,
    help: "One CloudEvent per line.",
    refuses_fields: Some("a CloudEvent holds the whole event"),
    is_coloured: false,
    shows_local_times: false,
    encoder: |_| Ok(Box::new(CloudEvents)),
};

/// Encodes events as CloudEvents.
pub struct CloudEvents;

impl Encoder for CloudEvents {
    fn event(&mut self, context: &EventContext<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        cloud_event(context, out);
        out.push(b'\n');
        Ok(())
    }

    fn needs_ids(&self) -> bool {
        true
    }
}

/// Appends an event as a CloudEvent, without a line end.
pub fn cloud_event(context: &EventContext<'_>, out: &mut Vec<u8>) {
    let shown = context.event;
    let tap = shown.tap();
    let source = cloudevent::source(tap.workspace_id.as_deref(), tap.call_sid.as_deref());
    debug_assert!(context.id.is_some(), "the pipeline creates an id if an output needs one");
    let subject =
        SUBJECTS.iter().find_map(|name| shown_text(shown, name)).or_else(|| tap.call_sid.clone());
    let time = tap.time.as_ref().or(tap.received_at.as_ref());
    out.extend_from_slice(b"{\"specversion\":\"1.0\"");
    let mut attribute = |name: &str, value: &str| {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        push_quoted(&legal(value), out);
    };
    attribute("id", context.id.as_deref().unwrap_or_default());
    attribute("source", &source);
    attribute("type", shown.event_type());
    for (name, value) in [("subject", subject.as_ref()), ("time", time)] {
        if let Some(value) = value {
            attribute(name, value);
        }
    }
    attribute("datacontenttype", "application/json");
    out.extend_from_slice(b",\"data\":");
    object(shown, out);
    out.push(b'}');
}

/// Returns the text of a field that is neither hidden nor empty.
fn shown_text(shown: &RedactedEvent<'_>, name: &str) -> Option<String> {
    let field = shown.field(name).filter(|field| !field.hidden)?;
    field.text().filter(|text| !text.is_empty()).map(Cow::into_owned)
}
