//! A timeline as JSON: one object, in which every entry has a `kind`.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::calls::CallSummary;
use super::collect::{CollectedEvents, StreamGap};
use super::{EntryKind, Timeline, TimelineEntry, fields};
use crate::analysis::call::transcript::TranscriptItem;
use crate::model::Stream;
use crate::output::stored_event::StoredEventReader;
use crate::text::terminal;

/// Writes the timeline as one line of JSON.
///
/// # Errors
/// Fails if `out` does.
pub fn json(timeline: &Timeline, out: &mut dyn Write) -> io::Result<()> {
    write_with_list(&head(timeline), "entries", entries(timeline), out)
}

/// Describes the call as a whole.
#[must_use]
pub fn head(timeline: &Timeline) -> Value {
    let call = &timeline.call;
    json!({
        "call_sid": timeline.sid,
        "direction": call.direction,
        "service_id": call.service,
        "began": timeline.began.map(|began| format!("{began:.3}")),
        "ended_ms": call.ended.as_ref().and_then(|(at, _)| timeline.offset(Some(*at))),
        "completion_reason": call.ended.as_ref().map(|(_, why)| why),
        "duration_seconds": call.seconds,
        "escalated": call.escalated,
        "events": {
            "workspace": timeline.events.0,
            "observer": timeline.events.1,
            "not_kept": timeline.dropped,
            "gaps_not_kept": timeline.dropped_gaps,
        },
        "moved_ms": -timeline.shift,
        "revealed": timeline.revealed,
    })
}

/// Iterates over the entries as JSON, with hostile characters as escapes.
pub fn entries(timeline: &Timeline) -> impl Iterator<Item = String> {
    let mut reader = StoredEventReader::default();
    timeline.entries.iter().map(move |entry| escaped(&entry_json(timeline, entry, &mut reader)))
}

/// Writes an object on a line of its own, with a list as its last member. The list is not held in
/// memory.
fn write_with_list(
    head: &Value,
    name: &str,
    list: impl Iterator<Item = String>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let head = escaped(head);
    let head = head.strip_suffix('}').unwrap_or(&head);
    write!(out, "{head}{}\"{name}\":[", if head == "{" { "" } else { "," })?;
    for (at, json) in list.enumerate() {
        write!(out, "{}{json}", if at > 0 { "," } else { "" })?;
    }
    out.write_all(b"]}\n")
}

/// Returns JSON with hostile characters as escapes.
fn escaped(value: &Value) -> String {
    let mut text = String::new();
    terminal::push_json(&value.to_string(), &mut text);
    text
}

fn entry_json(timeline: &Timeline, entry: &TimelineEntry, reader: &mut StoredEventReader) -> Value {
    let mut object = match &entry.kind {
        EntryKind::Item(TranscriptItem::Utterance { speaker, text, marks, deltas, .. }) => json!({
            "kind": "said",
            "speaker": speaker.name(),
            "text": text,
            "marks": marks,
            "whole": deltas.is_none(),
        }),
        EntryKind::Item(TranscriptItem::Tool {
            id,
            parent,
            depth,
            name,
            duration,
            succeeded,
            error,
            ..
        }) => json!({
            "kind": "tool",
            "tool_name": name,
            "call_id": id,
            "parent_call_id": parent,
            "depth": depth,
            "duration_ms": duration,
            "succeeded": succeeded,
            "error": error,
        }),
        EntryKind::Item(TranscriptItem::Note(_, text)) => json!({"kind": "note", "text": text}),
        EntryKind::Event(stored) => {
            let value = |json: &str| serde_json::from_str(json).unwrap_or(Value::Null);
            let fields: Map<_, _> = fields(reader, stored)
                .into_iter()
                .map(|field| (field.name, value(&field.json)))
                .collect();
            json!({"kind": "event", "event_type": stored.event_type, "fields": fields})
        }
        EntryKind::Gap(StreamGap { from, is_certain, reason, .. }) => json!({
            "kind": "gap",
            "from": from.map(|from| format!("{from:.3}")),
            "certain": is_certain,
            "reason": reason,
        }),
        EntryKind::Quiet(millis) => json!({"kind": "quiet", "ms": millis}),
    };
    object["at"] = json!(entry.at.map(|at| format!("{at:.3}")));
    object["offset_ms"] = json!(timeline.offset(entry.at));
    object["stream"] = json!(entry.stream.map(Stream::name));
    object
}

/// Writes all calls as one line of JSON.
///
/// # Errors
/// Fails if `out` does.
pub fn list(collected: &CollectedEvents, out: &mut dyn Write) -> io::Result<()> {
    write_with_list(&list_head(collected), "calls", calls(collected), out)
}

/// Describes the list of calls as a whole.
#[must_use]
pub fn list_head(collected: &CollectedEvents) -> Value {
    json!({"events_not_listed": collected.calls.missing()})
}

/// Iterates over the calls as JSON, with hostile characters as escapes.
pub fn calls(collected: &CollectedEvents) -> impl Iterator<Item = String> {
    let call = |(sid, summary): (&str, &CallSummary)| {
        let span = summary.span(collected.shift);
        json!({
            "call_sid": sid,
            "events": summary.events,
            "first": span.map(|(first, _)| format!("{first:.3}")),
            "last": span.map(|(_, last)| format!("{last:.3}")),
            "completion_reason": summary.outcome,
        })
    };
    collected.calls.iter().map(move |of_call| escaped(&call(of_call)))
}
