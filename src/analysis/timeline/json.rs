//! A timeline for machines: one object, whose entries have a `kind` each.

use serde_json::{Map, Value, json};

use super::collect::{CallSummary, CollectedEvents};
use super::{EntryKind, Timeline, TimelineEntry};
use crate::analysis::call::transcript::TranscriptItem;
use crate::analysis::stats::json::line;
use crate::model::Stream;

/// The timeline as one line of JSON.
#[must_use]
pub fn json(timeline: &Timeline) -> String {
    let call = &timeline.call;
    let entries: Vec<_> = timeline.entries.iter().map(|entry| told(timeline, entry)).collect();
    line(&json!({
        "call_sid": timeline.sid,
        "direction": call.direction,
        "service_id": call.service,
        "began": timeline.began.map(|began| format!("{began:.3}")),
        "ended_ms": call.ended.as_ref().and_then(|(at, _)| timeline.offset(Some(*at))),
        "completion_reason": call.ended.as_ref().map(|(_, why)| why),
        "duration_seconds": call.seconds,
        "escalated": call.escalated,
        "events": {"workspace": timeline.events.0, "observer": timeline.events.1, "not_kept": timeline.dropped},
        "moved_ms": -timeline.shift,
        "revealed": timeline.revealed,
        "entries": entries,
    }))
}

fn told(timeline: &Timeline, entry: &TimelineEntry) -> Value {
    let mut object = match &entry.what {
        EntryKind::Item(TranscriptItem::Bubble { speaker, text, marks, growing }) => {
            let speaker = speaker.name();
            json!({"kind": "said", "speaker": speaker, "text": text, "marks": marks, "whole": growing.is_none()})
        }
        EntryKind::Item(TranscriptItem::Tool {
            id,
            parent,
            depth,
            name,
            duration,
            succeeded,
            error,
        }) => json!({
            "kind": "tool", "tool_name": name, "call_id": id, "parent_call_id": parent, "depth": depth,
            "duration_ms": duration, "succeeded": succeeded, "error": error,
        }),
        EntryKind::Item(TranscriptItem::Note(_, text)) => json!({"kind": "note", "text": text}),
        EntryKind::Event { event_type, fields } => {
            let value = |json: &str| serde_json::from_str(json).unwrap_or(Value::Null);
            let fields: Map<_, _> =
                fields.iter().map(|field| (field.name.clone(), value(&field.json))).collect();
            json!({"kind": "event", "event_type": event_type, "fields": fields})
        }
        EntryKind::Gap { from, certain, reason } => {
            json!({"kind": "gap", "from": from.map(|from| format!("{from:.3}")), "certain": certain, "reason": reason})
        }
        EntryKind::Quiet(millis) => json!({"kind": "quiet", "ms": millis}),
    };
    object["at"] = json!(entry.at.map(|at| format!("{at:.3}")));
    object["offset_ms"] = json!(timeline.offset(entry.at));
    object["stream"] = json!(entry.stream.map(Stream::name));
    object
}

/// The calls that there are, an object each.
#[must_use]
pub fn list(gathered: &CollectedEvents) -> String {
    let call = |(sid, found): (&String, &CallSummary)| {
        let span = found.span(gathered.shift);
        json!({
            "call_sid": sid, "events": found.events, "first": span.map(|(first, _)| format!("{first:.3}")),
            "last": span.map(|(_, last)| format!("{last:.3}")), "completion_reason": found.outcome,
        })
    };
    line(&json!({"calls": gathered.calls.iter().map(call).collect::<Vec<_>>()}))
}
