//! The format `cloudevents`: CloudEvents 1.0 in structured JSON mode, one per line.
//!
//! `data` is byte for byte the line that `ndjson` would write, so a replay restores it. The
//! attributes derive from the redacted event and contain nothing that the line does not contain.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use super::encoder::Encoder;
use super::format::OutputFormat;
use super::ndjson::object;
use crate::error::Error;
use crate::model::cloudevent::{self, SUBJECTS, legal};
use crate::query::EventContext;
use crate::redact::{Fnv, RedactedEvent, identity};
use crate::text::terminal::push_quoted;

/// The number of recent ids that are remembered, to number events that are equal.
const REMEMBERED: usize = 4096;

/// The format `cloudevents`.
pub const FORMAT: OutputFormat = OutputFormat {
    name: "cloudevents",
    argument: None,
    help: "One CloudEvent per line.",
    refuses_fields: Some("a CloudEvent holds the whole event"),
    is_coloured: false,
    shows_local_times: false,
    encoder: |_| Ok(Box::new(CloudEvents::default())),
};

/// Encodes events as CloudEvents.
#[derive(Default)]
pub struct CloudEvents {
    ids: EventIds,
}

impl Encoder for CloudEvents {
    fn event(&mut self, context: &EventContext<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        cloud_event(context.event, &mut self.ids, out);
        out.push(b'\n');
        Ok(())
    }
}

/// Appends an event as a CloudEvent, without a line end.
pub fn cloud_event(shown: &RedactedEvent<'_>, ids: &mut EventIds, out: &mut Vec<u8>) {
    let source = source(shown);
    let id = ids.next(&source, shown);
    let tap = shown.tap();
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
    attribute("id", &id);
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

fn source(shown: &RedactedEvent<'_>) -> String {
    cloudevent::source(shown.tap().workspace_id.as_deref(), shown.tap().call_sid.as_deref())
}

/// Returns the text of a field that is neither hidden nor empty.
fn shown_text(shown: &RedactedEvent<'_>, name: &str) -> Option<String> {
    let field = shown.field(name).filter(|field| !field.hidden)?;
    field.text().filter(|text| !text.is_empty()).map(Cow::into_owned)
}

/// Creates the ids of CloudEvents, which are unique within a source.
///
/// The platform's own ids are times in milliseconds, which several events can share. An id is
/// therefore made from the time and the [`identity`] of the event, so that it is the same in the
/// next run and in a replay, and a receiver can recognise an event that is delivered twice. Events
/// that are equal in both are numbered.
#[derive(Default)]
pub struct EventIds {
    counts: HashMap<u64, u32>,
    order: VecDeque<u64>,
    without_time: u64,
}

impl EventIds {
    fn next(&mut self, source: &str, shown: &RedactedEvent<'_>) -> String {
        let identity = identity(shown);
        let Some(moment) = moment(shown) else {
            self.without_time += 1;
            return format!("n{}-{identity:016x}", self.without_time);
        };
        let mut key = Fnv(identity);
        key.update(source);
        key.update(&moment);
        match self.count(key.0) {
            1 => format!("{moment}-{identity:016x}"),
            count => format!("{moment}-{identity:016x}-{count}"),
        }
    }

    fn count(&mut self, key: u64) -> u32 {
        let count = self.counts.entry(key).or_default();
        *count += 1;
        let count = *count;
        if count == 1 {
            self.order.push_back(key);
            if self.order.len() > REMEMBERED
                && let Some(oldest) = self.order.pop_front()
            {
                self.counts.remove(&oldest);
            }
        }
        count
    }
}

/// Returns the event's own id, or its time in milliseconds.
fn moment(shown: &RedactedEvent<'_>) -> Option<String> {
    let tap = shown.tap();
    tap.id.clone().or_else(|| Some(tap.moment()?.as_millisecond().to_string()))
}
