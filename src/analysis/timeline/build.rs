//! From events in the order in which they came to entries in the order in which things happened.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::collect::{CallEvent, CollectedEvents, moved};
use super::{EntryKind, Timeline, TimelineEntry, TimelineField};
use crate::analysis::call::Call;
use crate::analysis::call::transcript::{Transcript, TranscriptItem};
use crate::model::catalog::TapGap;
use crate::model::{Field, Kind, Stream};
use crate::output::stored_event::StoredEventReader;
use crate::redact;

/// How long before its first event a call may say that it began, in milliseconds: a day.
const EARLIEST: i64 = 86_400_000;

/// The timeline of the call with that SID; `quiet` is how many milliseconds of nothing are told of.
#[must_use]
pub fn build(
    gathered: &mut CollectedEvents,
    sid: &str,
    quiet: i64,
    revealed: Vec<String>,
) -> Timeline {
    let shift = gathered.shift.unwrap_or(0);
    let events: Vec<_> = std::mem::take(&mut gathered.events)
        .into_iter()
        .filter(|kept| kept.stored.call_sid.as_deref() == Some(sid))
        .collect();
    let of = |stream| events.iter().filter(|kept| kept.stream == Some(stream)).count() as u64;
    let counts = (of(Stream::Workspace), of(Stream::Observer));
    let mut timed = times(events, shift);
    if let (Some((Some(first), _)), Some((Some(last), _))) = (timed.first(), timed.last()) {
        let gaps = gaps(&gathered.gaps, sid, *first, *last);
        timed.extend(gaps);
        timed.sort_by_key(|(at, _)| *at);
    }
    let (call, entries) = entries(timed, quiet);
    let first = entries.iter().find_map(|entry| entry.at);
    let is_likely = |first: Timestamp, began: &Timestamp| {
        (0..EARLIEST).contains(&(first.as_millisecond() - began.as_millisecond()))
    };
    let began =
        first.map(|first| call.began.filter(|began| is_likely(first, began)).unwrap_or(first));
    Timeline {
        sid: sid.to_owned(),
        call,
        began,
        entries: nested(entries),
        events: counts,
        dropped: gathered.dropped,
        shift,
        revealed,
    }
}

type Timed = (Option<Timestamp>, CallEvent);

/// The events with their times by one clock, in order. What has no time is with what came before it.
fn times(events: Vec<CallEvent>, shift: i64) -> Vec<Timed> {
    let mut last = HashMap::new();
    let mut timed: Vec<Timed> = Vec::new();
    for kept in events {
        let arrived = moved(kept.received, Some(shift));
        let before: &mut Option<Timestamp> = last.entry(kept.stream).or_default();
        // What an observer tells is in order, whatever became of the clock.
        let at = match kept.time {
            Some(time) => Some(time),
            None => arrived.max(*before),
        };
        *before = at.or(*before);
        timed.push((at, kept));
    }
    let first = timed.iter().find_map(|(at, _)| *at);
    let mut before = first;
    for (at, _) in &mut timed {
        *at = at.or(before);
        before = *at;
    }
    timed.sort_by_key(|(at, _)| *at);
    timed
}

/// The holes that may hold something of the call.
fn gaps(gaps: &[CallEvent], sid: &str, first: Timestamp, last: Timestamp) -> Vec<Timed> {
    let mut reader = StoredEventReader::default();
    let concerns =
        |kept: &&CallEvent| kept.stored.call_sid.as_deref().is_none_or(|call| call == sid);
    let mut found = Vec::new();
    for kept in gaps.iter().filter(concerns) {
        let moments = reader.read(&kept.stored, |shown| {
            shown.read::<TapGap>().map(|gap| (moment(&gap.from), moment(&gap.to)))
        });
        let Some((from, Some(to))) = moments else { continue };
        if to >= first && from.is_none_or(|from| from <= last) {
            // Within the course of the call, where the hole begins and ends need not be.
            let kept = CallEvent { stored: kept.stored.clone(), ..*kept };
            found.push((Some(to.min(last)), kept));
        }
    }
    found
}

fn moment(field: &Field<String>) -> Option<Timestamp> {
    field.value()?.parse().ok()
}

/// An item that the call has made of an event, or an entry that is whole.
enum TimelineSlot {
    Item(Option<Timestamp>, Option<Stream>),
    Whole(TimelineEntry),
}

fn entries(timed: Vec<Timed>, quiet: i64) -> (Call, Vec<TimelineEntry>) {
    let mut reader = StoredEventReader::default();
    let mut call = Call { transcript: Transcript::keeping(usize::MAX), ..Call::default() };
    let mut slots = Vec::new();
    let mut last: Option<Timestamp> = None;
    for (at, kept) in timed {
        if let Some((last, at)) = last.zip(at) {
            let silence = at.as_millisecond() - last.as_millisecond();
            if silence > quiet {
                slots.push(TimelineSlot::Whole(TimelineEntry {
                    at: Some(last),
                    stream: None,
                    what: EntryKind::Quiet(silence),
                }));
            }
        }
        last = at.or(last);
        let before = call.transcript.items.len();
        let what = reader.read(&kept.stored, |shown| {
            if let Some(gap) = shown.read::<TapGap>() {
                return Some(told(&gap));
            }
            if let Some(kind) = kept.stored.kind {
                call.observe(kind, shown, at.unwrap_or_default());
            }
            let is_told = call.transcript.items.len() > before
                || kept.stored.kind.is_some_and(goes_into_another);
            (!is_told).then(|| event(shown))
        });
        slots.extend(
            (before..call.transcript.items.len()).map(|_| TimelineSlot::Item(at, kept.stream)),
        );
        slots.extend(
            what.map(|what| TimelineSlot::Whole(TimelineEntry { at, stream: kept.stream, what })),
        );
    }
    let mut items = std::mem::take(&mut call.transcript.items).into_iter();
    let entry = |slot| match slot {
        TimelineSlot::Whole(entry) => Some(entry),
        TimelineSlot::Item(at, stream) => {
            items.next().map(|(_, item)| TimelineEntry { at, stream, what: EntryKind::Item(item) })
        }
    };
    let entries = slots.into_iter().filter_map(entry).collect();
    (call, entries)
}

/// Whether what an event tells may be in the entry of an earlier one.
const fn goes_into_another(kind: Kind) -> bool {
    matches!(kind, Kind::AgentTranscript | Kind::AgentTranscriptDelta | Kind::ToolCallCompleted)
}

fn event(shown: &redact::RedactedEvent<'_>) -> EntryKind {
    let field = |field: redact::RedactedField<'_>| TimelineField {
        name: field.name().into_owned(),
        json: field.json.to_owned(),
        hidden: field.hidden,
    };
    let fields = shown.fields().filter(|field| field.key != "call_sid").map(field).collect();
    EntryKind::Event { event_type: shown.event_type().to_owned(), fields }
}

fn told(gap: &TapGap) -> EntryKind {
    EntryKind::Gap {
        from: moment(&gap.from),
        certain: gap.certain.value().is_some_and(|certain| *certain),
        reason: gap
            .reason
            .value()
            .map_or_else(|| "unknown".to_owned(), |reason| reason.expose().to_owned()),
    }
}

/// Puts tools below the tool that they are part of.
fn nested(entries: Vec<TimelineEntry>) -> Vec<TimelineEntry> {
    let ids: HashSet<String> =
        entries.iter().filter_map(|entry| tool(entry).map(|(id, _)| id.to_owned())).collect();
    let mut parts: HashMap<String, Vec<usize>> = HashMap::new();
    let mut roots = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        match tool(entry) {
            Some((_, Some(parent))) if ids.contains(parent) => {
                parts.entry(parent.to_owned()).or_default().push(at);
            }
            _ => roots.push(at),
        }
    }
    let mut entries: Vec<_> = entries.into_iter().map(Some).collect();
    let mut ordered = Vec::with_capacity(entries.len());
    // Those in a circle are part of nothing that is reached, and come at the end.
    for root in roots.into_iter().chain(0..entries.len()) {
        let mut waiting = vec![root];
        while let Some(at) = waiting.pop() {
            let Some(entry) = entries[at].take() else { continue };
            if let Some((id, _)) = tool(&entry) {
                waiting.extend(parts.remove(id).into_iter().flatten().rev());
            }
            ordered.push(entry);
        }
    }
    ordered
}

/// The id of a tool's call, and of the one that it is part of.
fn tool(entry: &TimelineEntry) -> Option<(&str, Option<&str>)> {
    match &entry.what {
        EntryKind::Item(TranscriptItem::Tool { id, parent, .. }) => Some((id, parent.as_deref())),
        _ => None,
    }
}
