//! A timeline as JSON: one object, in which every entry has a `kind`.

use serde_json::{Map, Value, json};

use super::collect::{CallSummary, CollectedEvents};
use super::{EntryKind, Timeline, TimelineEntry};
use crate::analysis::call::transcript::TranscriptItem;
use crate::analysis::stats::json::line;
use crate::model::Stream;

/// Renders the timeline as one line of JSON.
#[must_use]
pub fn json(timeline: &Timeline) -> String {
    let call = &timeline.call;
    let entries: Vec<_> =
        timeline.entries.iter().map(|entry| entry_json(timeline, entry)).collect();
    line(&json!({
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
        },
        "moved_ms": -timeline.shift,
        "revealed": timeline.revealed,
        "entries": entries,
    }))
}

fn entry_json(timeline: &Timeline, entry: &TimelineEntry) -> Value {
    let mut object = match &entry.kind {
        EntryKind::Item(TranscriptItem::Utterance { speaker, text, marks, deltas }) => json!({
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
        EntryKind::Event { event_type, fields } => {
            let value = |json: &str| serde_json::from_str(json).unwrap_or(Value::Null);
            let fields: Map<_, _> =
                fields.iter().map(|field| (field.name.clone(), value(&field.json))).collect();
            json!({"kind": "event", "event_type": event_type, "fields": fields})
        }
        EntryKind::Gap { from, certain, reason } => json!({
            "kind": "gap",
            "from": from.map(|from| format!("{from:.3}")),
            "certain": certain,
            "reason": reason,
        }),
        EntryKind::Quiet(millis) => json!({"kind": "quiet", "ms": millis}),
    };
    object["at"] = json!(entry.at.map(|at| format!("{at:.3}")));
    object["offset_ms"] = json!(timeline.offset(entry.at));
    object["stream"] = json!(entry.stream.map(Stream::name));
    object
}

/// Renders all calls as one line of JSON.
#[must_use]
pub fn list(collected: &CollectedEvents) -> String {
    let call = |(sid, summary): (&String, &CallSummary)| {
        let span = summary.span(collected.shift);
        json!({
            "call_sid": sid,
            "events": summary.events,
            "first": span.map(|(first, _)| format!("{first:.3}")),
            "last": span.map(|(_, last)| format!("{last:.3}")),
            "completion_reason": summary.outcome,
        })
    };
    line(&json!({"calls": collected.calls.iter().map(call).collect::<Vec<_>>()}))
}
