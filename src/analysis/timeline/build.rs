//! Builds a timeline: puts events, which are in the order of their arrival, in order of time, and
//! turns them into entries.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::collect::{CallEvent, CollectedEvents, to_platform_clock};
use super::{EntryKind, Timeline, TimelineEntry, TimelineField};
use crate::analysis::call::Call;
use crate::analysis::call::transcript::{Transcript, TranscriptItem};
use crate::model::catalog::TapGap;
use crate::model::{Field, Kind, Stream};
use crate::output::stored_event::StoredEventReader;
use crate::redact;

/// How long before its first event a call may claim to have started, in milliseconds: a day.
const MAX_LEAD: i64 = 86_400_000;

/// Builds the timeline of the call with a SID. A time without events that is longer than `quiet`
/// milliseconds becomes an entry.
#[must_use]
pub fn build(
    collected: &mut CollectedEvents,
    sid: &str,
    quiet: i64,
    revealed: Vec<String>,
) -> Timeline {
    let shift = collected.shift.unwrap_or(0);
    let events: Vec<_> = std::mem::take(&mut collected.events)
        .into_iter()
        .filter(|kept| kept.stored.call_sid.as_deref() == Some(sid))
        .collect();
    let count_of = |stream| events.iter().filter(|kept| kept.stream == Some(stream)).count() as u64;
    let counts = (count_of(Stream::Workspace), count_of(Stream::Observer));
    let mut timed = with_times(events, shift);
    if let (Some((Some(first), _)), Some((Some(last), _))) = (timed.first(), timed.last()) {
        let gaps = relevant_gaps(&collected.gaps, sid, *first, *last);
        timed.extend(gaps);
        timed.sort_by_key(|(at, _)| *at);
    }
    let (call, entries) = build_entries(timed, quiet);
    let first = entries.iter().find_map(|entry| entry.at);
    let is_plausible = |first: Timestamp, began: &Timestamp| {
        (0..MAX_LEAD).contains(&(first.as_millisecond() - began.as_millisecond()))
    };
    let began =
        first.map(|first| call.began.filter(|began| is_plausible(first, began)).unwrap_or(first));
    Timeline {
        sid: sid.to_owned(),
        call,
        began,
        entries: nest_tools(entries),
        events: counts,
        dropped: collected.dropped,
        shift,
        revealed,
    }
}

type Timed = (Option<Timestamp>, CallEvent);

/// Gives all events a time of the platform's clock, and sorts them. An event without a time gets
/// that of the event before it.
fn with_times(events: Vec<CallEvent>, shift: i64) -> Vec<Timed> {
    let mut last = HashMap::new();
    let mut timed: Vec<Timed> = Vec::new();
    for kept in events {
        let arrived = to_platform_clock(kept.received, Some(shift));
        let before: &mut Option<Timestamp> = last.entry(kept.stream).or_default();
        // The events of an observer are in order, even if this machine's clock was set back.
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

/// Returns the gaps in which events of the call may be missing.
fn relevant_gaps(gaps: &[CallEvent], sid: &str, first: Timestamp, last: Timestamp) -> Vec<Timed> {
    let mut reader = StoredEventReader::default();
    let concerns =
        |kept: &&CallEvent| kept.stored.call_sid.as_deref().is_none_or(|call| call == sid);
    let mut found = Vec::new();
    for kept in gaps.iter().filter(concerns) {
        let moments = reader.read(&kept.stored, |shown| {
            shown.read::<TapGap>().map(|gap| (parse_time(&gap.from), parse_time(&gap.to)))
        });
        let Some((from, Some(to))) = moments else { continue };
        if to >= first && from.is_none_or(|from| from <= last) {
            // A gap may end after the call.
            let kept = CallEvent { stored: kept.stored.clone(), ..*kept };
            found.push((Some(to.min(last)), kept));
        }
    }
    found
}

fn parse_time(field: &Field<String>) -> Option<Timestamp> {
    field.value()?.parse().ok()
}

/// The place of an entry: the next item of the transcript, or an entry of its own.
enum TimelineSlot {
    Item(Option<Timestamp>, Option<Stream>),
    Entry(TimelineEntry),
}

fn build_entries(timed: Vec<Timed>, quiet: i64) -> (Call, Vec<TimelineEntry>) {
    let mut reader = StoredEventReader::default();
    let mut call = Call { transcript: Transcript::with_limit(usize::MAX), ..Call::default() };
    let mut slots = Vec::new();
    let mut last: Option<Timestamp> = None;
    for (at, kept) in timed {
        if let Some((last, at)) = last.zip(at) {
            let silence = at.as_millisecond() - last.as_millisecond();
            if silence > quiet {
                slots.push(TimelineSlot::Entry(TimelineEntry {
                    at: Some(last),
                    stream: None,
                    kind: EntryKind::Quiet(silence),
                }));
            }
        }
        last = at.or(last);
        let before = call.transcript.items.len();
        let kind = reader.read(&kept.stored, |shown| {
            if let Some(gap) = shown.read::<TapGap>() {
                return Some(gap_entry(&gap));
            }
            if let Some(kind) = kept.stored.kind {
                call.observe(kind, shown, at.unwrap_or_default());
            }
            let is_covered = call.transcript.items.len() > before
                || kept.stored.kind.is_some_and(updates_an_earlier_item);
            (!is_covered).then(|| event_entry(shown))
        });
        slots.extend(
            (before..call.transcript.items.len()).map(|_| TimelineSlot::Item(at, kept.stream)),
        );
        slots.extend(
            kind.map(|kind| TimelineSlot::Entry(TimelineEntry { at, stream: kept.stream, kind })),
        );
    }
    let mut items = std::mem::take(&mut call.transcript.items).into_iter();
    let entry = |slot| match slot {
        TimelineSlot::Entry(entry) => Some(entry),
        TimelineSlot::Item(at, stream) => {
            items.next().map(|(_, item)| TimelineEntry { at, stream, kind: EntryKind::Item(item) })
        }
    };
    let entries = slots.into_iter().filter_map(entry).collect();
    (call, entries)
}

/// Whether an event of this kind may change an earlier item in place of adding one.
const fn updates_an_earlier_item(kind: Kind) -> bool {
    matches!(kind, Kind::AgentTranscript | Kind::AgentTranscriptDelta | Kind::ToolCallCompleted)
}

fn event_entry(shown: &redact::RedactedEvent<'_>) -> EntryKind {
    let field = |field: redact::RedactedField<'_>| TimelineField {
        name: field.name().into_owned(),
        json: field.json.to_owned(),
        hidden: field.hidden,
    };
    let fields = shown.fields().filter(|field| field.key != "call_sid").map(field).collect();
    EntryKind::Event { event_type: shown.event_type().to_owned(), fields }
}

fn gap_entry(gap: &TapGap) -> EntryKind {
    EntryKind::Gap {
        from: parse_time(&gap.from),
        certain: gap.certain.value().is_some_and(|certain| *certain),
        reason: gap
            .reason
            .value()
            .map_or_else(|| "unknown".to_owned(), |reason| reason.expose().to_owned()),
    }
}

/// Moves tool calls below the tool call that contains them.
fn nest_tools(entries: Vec<TimelineEntry>) -> Vec<TimelineEntry> {
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
    // Tool calls that contain each other have no root, and come at the end.
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

/// Returns the id of a tool call and of the tool call that contains it.
fn tool(entry: &TimelineEntry) -> Option<(&str, Option<&str>)> {
    match &entry.kind {
        EntryKind::Item(TranscriptItem::Tool { id, parent, .. }) => Some((id, parent.as_deref())),
        _ => None,
    }
}
