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
use crate::text::terminal::{self, push_quoted};

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

    fn fork(&self) -> Option<Box<dyn Encoder>> {
        Some(Box::new(Self))
    }

    fn id_offset(&self) -> Option<usize> {
        // The id follows a quote.
        Some(cloudevent::START.len() + 1)
    }
}

/// Appends an event as a CloudEvent, without a line end.
pub fn cloud_event(context: &EventContext<'_>, out: &mut Vec<u8>) {
    let shown = context.event;
    let tap = shown.tap();
    debug_assert!(context.id.is_some(), "the pipeline creates an id if an output needs one");
    let subject = SUBJECTS.iter().find_map(|name| shown_text(shown, name));
    let time = tap.time.as_ref().or(tap.received_at.as_ref());
    let source = cloudevent::source(tap.workspace_id.as_deref(), tap.call_sid.as_deref());
    out.extend_from_slice(cloudevent::START.as_bytes());
    push_attribute([context.id.unwrap_or_default()], out);
    out.extend_from_slice(cloudevent::SOURCE.as_bytes());
    push_attribute(source, out);
    out.extend_from_slice(cloudevent::TYPE.as_bytes());
    push_attribute([shown.event_type()], out);
    if let Some(subject) = subject.as_deref().or(tap.call_sid.as_deref()) {
        out.extend_from_slice(cloudevent::SUBJECT.as_bytes());
        push_attribute([subject], out);
    }
    if let Some(time) = time {
        out.extend_from_slice(cloudevent::TIME.as_bytes());
        push_attribute([time], out);
    }
    out.extend_from_slice(cloudevent::DATA.as_bytes());
    object(shown, out);
    out.push(b'}');
}

/// Appends the value of an attribute that consists of `parts`.
fn push_attribute<const N: usize>(parts: [&str; N], out: &mut Vec<u8>) {
    let is_plain = |text: &str| terminal::is_plain(text) && !text.contains(['"', '\\']);
    if parts.iter().all(|part| is_plain(part)) {
        out.push(b'"');
        for part in parts {
            out.extend_from_slice(part.as_bytes());
        }
        out.push(b'"');
    } else {
        push_quoted(&legal(&parts.concat()), out);
    }
}

/// Returns the text of a field that is neither hidden nor empty.
fn shown_text<'a>(shown: &RedactedEvent<'a>, name: &str) -> Option<Cow<'a, str>> {
    let field = shown.field(name).filter(|field| !field.hidden)?;
    field.text().filter(|text| !text.is_empty())
}
