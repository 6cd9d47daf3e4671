//! CloudEvents 1.0 in the JSON format, structured, one a line.
//!
//! `data` is the line that `ndjson` has, to the byte, so that a replay gives it back. The attributes around it are made
//! from what is shown, and hold nothing that the line does not.

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

/// How many ids are remembered, to tell events apart that are alike.
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

/// Writes CloudEvents.
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
    let about =
        SUBJECTS.iter().find_map(|name| context(shown, name)).or_else(|| tap.call_sid.clone());
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
    for (name, value) in [("subject", about.as_ref()), ("time", time)] {
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

/// The text of a field that is shown.
fn context(shown: &RedactedEvent<'_>, name: &str) -> Option<String> {
    let field = shown.field(name).filter(|field| !field.hidden)?;
    field.text().filter(|text| !text.is_empty()).map(Cow::into_owned)
}

/// Ids that tell a source's events apart: several can share a millisecond, which is all that the platform's own ids tell.
///
/// An id is made from what the event is known by, so that it is the same in the next run, and in a replay: who gets an event
/// twice can tell. Events that are alike in all of that are counted.
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

/// The event's own id, or its time in milliseconds.
fn moment(shown: &RedactedEvent<'_>) -> Option<String> {
    let tap = shown.tap();
    tap.id.clone().or_else(|| Some(tap.moment()?.as_millisecond().to_string()))
}
