//! Builds a timeline: puts events, which are in the order of their arrival, in order of time, and
//! turns them into entries.

use std::collections::HashMap;

use jiff::Timestamp;

use super::call_event::CallEvent;
use super::calls::to_platform_clock;
use super::collect::{CollectedEvents, StreamGap};
use super::{EntryKind, RawEvent, Timeline, TimelineEntry};
use crate::analysis::call::Call;
use crate::analysis::call::transcript::{Speaker, Transcript, TranscriptItem};
use crate::model::{Kind, Stream};
use crate::output::stored_event::StoredEventReader;
use crate::redact::RedactedEvent;

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
    let events = ordered_events(collected, sid);
    let count_of =
        |stream| events.iter().filter(|(_, kept)| kept.stream == Some(stream)).count() as u64;
    let counts = (count_of(Stream::Workspace), count_of(Stream::Observer));
    let mut timed: Vec<_> =
        events.into_iter().map(|(at, event)| (at, TimelineInput::Event(event))).collect();
    if let (Some((Some(first), _)), Some((Some(last), _))) = (timed.first(), timed.last()) {
        let (first, last) = (*first, *last);
        let gaps = std::mem::take(&mut collected.gaps).into_iter();
        let gaps = gaps.filter(|gap| is_relevant(gap, sid, first, last));
        // A gap may end after the call.
        timed.extend(gaps.map(|gap| (Some(gap.to.min(last)), TimelineInput::Gap(gap))));
        timed.sort_by_key(|(at, _)| *at);
    }
    let raw = timed.iter().filter_map(|(at, input)| match input {
        TimelineInput::Event(CallEvent { stored, stream, .. }) => {
            Some(RawEvent { at: *at, stream: *stream, stored: stored.clone() })
        }
        TimelineInput::Gap(_) => None,
    });
    let raw = raw.collect();
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
        raw,
        events: counts,
        dropped: collected.dropped_events(),
        dropped_gaps: collected.dropped_gaps(),
        shift,
        revealed,
    }
}

/// Takes the events of the call with a SID, in order of time.
#[must_use]
pub fn ordered_events(
    collected: &mut CollectedEvents,
    sid: &str,
) -> Vec<(Option<Timestamp>, CallEvent)> {
    let events = std::mem::take(&mut collected.events)
        .into_iter()
        .filter(|kept| kept.stored.call_sid.as_deref() == Some(sid))
        .collect();
    with_times(events, collected.shift.unwrap_or(0))
}

/// Returns the number of gaps in which events of the call with a SID may be missing, given its
/// events in order of time.
#[must_use]
pub fn count_gaps(
    collected: &CollectedEvents,
    sid: &str,
    events: &[(Option<Timestamp>, CallEvent)],
) -> usize {
    let (Some((Some(first), _)), Some((Some(last), _))) = (events.first(), events.last()) else {
        return collected.gaps.len();
    };
    collected.gaps.iter().filter(|gap| is_relevant(gap, sid, *first, *last)).count()
}

/// What an entry is made of.
enum TimelineInput {
    Event(CallEvent),
    Gap(StreamGap),
}

/// Gives all events a time of the platform's clock, and sorts them. An event without a time gets
/// that of the event before it.
fn with_times(events: Vec<CallEvent>, shift: i64) -> Vec<(Option<Timestamp>, CallEvent)> {
    let mut last = HashMap::new();
    let mut timed = Vec::with_capacity(events.len());
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

/// Whether events of the call, which lasted from `first` to `last`, may be missing in a gap.
fn is_relevant(gap: &StreamGap, sid: &str, first: Timestamp, last: Timestamp) -> bool {
    gap.call_sid.as_deref().is_none_or(|call| call == sid)
        && gap.to >= first
        && gap.from.is_none_or(|from| from <= last)
}

/// The place of an entry: the next item of the transcript, or an entry of its own.
enum TimelineSlot {
    Item(Option<Timestamp>, Option<Stream>),
    Entry(Box<TimelineEntry>),
}

fn build_entries(
    timed: Vec<(Option<Timestamp>, TimelineInput)>,
    quiet: i64,
) -> (Call, Vec<TimelineEntry>) {
    let mut reader = StoredEventReader::default();
    let mut call = Call { transcript: Transcript::unlimited(), ..Call::default() };
    let mut slots = Vec::with_capacity(timed.len());
    let mut untils = HashMap::new();
    let mut last: Option<Timestamp> = None;
    for (at, input) in timed {
        if let Some((last, at)) = last.zip(at) {
            let silence = at.as_millisecond() - last.as_millisecond();
            if silence > quiet {
                slots.push(TimelineSlot::Entry(Box::new(TimelineEntry {
                    at: Some(last),
                    until: None,
                    stream: None,
                    kind: EntryKind::Quiet(silence),
                })));
            }
        }
        last = at.or(last);
        let before = call.transcript.items.len();
        let (stream, entry) = match input {
            TimelineInput::Gap(gap) => (gap.stream, Some(EntryKind::Gap(gap))),
            TimelineInput::Event(CallEvent { stored, stream, .. }) => {
                if let Some(kind) = stored.kind {
                    reader.read(&stored, |shown| {
                        call.observe(kind, shown, at.unwrap_or_default());
                        if call.transcript.items.len() == before {
                            let place = updated_item(&call.transcript, kind, shown);
                            untils.extend(place.map(|place| (place, at)));
                        }
                    });
                }
                let is_covered = call.transcript.items.len() > before
                    || stored.kind.is_some_and(updates_an_earlier_item);
                (stream, (!is_covered).then_some(EntryKind::Event(stored)))
            }
        };
        let items = before..call.transcript.items.len();
        slots.extend(items.map(|_| TimelineSlot::Item(at, stream)));
        let entry = entry.map(|kind| Box::new(TimelineEntry { at, until: None, stream, kind }));
        slots.extend(entry.map(TimelineSlot::Entry));
    }
    let mut items = std::mem::take(&mut call.transcript.items).into_iter().enumerate();
    let entry = |slot| match slot {
        TimelineSlot::Entry(entry) => Some(*entry),
        TimelineSlot::Item(at, stream) => items.next().map(|(place, (_, item))| {
            let until = untils.get(&place).copied().flatten();
            TimelineEntry { at, until, stream, kind: EntryKind::Item(item) }
        }),
    };
    let entries = slots.into_iter().filter_map(entry).collect();
    (call, entries)
}

/// Whether an event of this kind may change an earlier item in place of adding one.
const fn updates_an_earlier_item(kind: Kind) -> bool {
    matches!(kind, Kind::AgentTranscript | Kind::AgentTranscriptDelta | Kind::ToolCallCompleted)
}

/// Returns the place of the item that an event has changed.
fn updated_item(transcript: &Transcript, kind: Kind, event: &RedactedEvent<'_>) -> Option<usize> {
    let text = |name| event.field(name).and_then(|field| field.text());
    match kind {
        Kind::AgentTranscript | Kind::AgentTranscriptDelta => {
            transcript.items.iter().rposition(|(_, item)| {
                matches!(item, TranscriptItem::Utterance { speaker: Speaker::Agent, marks, .. }
                    if !marks.contains(&"filler"))
            })
        }
        Kind::ToolCallCompleted => {
            let (wanted, tool) = (text("call_id"), text("tool_name"));
            transcript.items.iter().rposition(|(_, item)| match item {
                TranscriptItem::Tool { id, name, succeeded: Some(_), .. } => match &wanted {
                    Some(wanted) => id == wanted,
                    None => tool.as_ref().is_some_and(|tool| name == tool),
                },
                _ => false,
            })
        }
        _ => None,
    }
}

/// Moves tool calls below the tool call that contains them.
fn nest_tools(entries: Vec<TimelineEntry>) -> Vec<TimelineEntry> {
    let (roots, mut parts) = tool_tree(&entries);
    let mut entries: Vec<_> = entries.into_iter().map(Some).collect();
    let mut ordered = Vec::with_capacity(entries.len());
    // Tool calls that contain each other have no root, and come at the end.
    for root in roots.into_iter().chain(0..entries.len()) {
        let mut waiting = vec![root];
        while let Some(at) = waiting.pop() {
            let Some(entry) = entries[at].take() else { continue };
            waiting.extend(parts.remove(&at).into_iter().flatten().rev());
            ordered.push(entry);
        }
    }
    ordered
}

/// Returns the entries that no tool call contains, and those that each tool call contains. Entries
/// are identified by their places.
fn tool_tree(entries: &[TimelineEntry]) -> (Vec<usize>, HashMap<usize, Vec<usize>>) {
    let mut places = HashMap::new();
    for (at, entry) in entries.iter().enumerate() {
        if let Some((id, _)) = tool(entry) {
            places.entry(id).or_insert(at);
        }
    }
    let (mut roots, mut parts) = (Vec::new(), HashMap::<_, Vec<_>>::new());
    for (at, entry) in entries.iter().enumerate() {
        let parent = tool(entry).and_then(|(_, parent)| places.get(parent?).copied());
        match parent {
            Some(parent) => parts.entry(parent).or_default().push(at),
            None => roots.push(at),
        }
    }
    (roots, parts)
}

/// Returns the id of a tool call and of the tool call that contains it.
fn tool(entry: &TimelineEntry) -> Option<(&str, Option<&str>)> {
    match &entry.kind {
        EntryKind::Item(TranscriptItem::Tool { id, parent, .. }) => Some((id, parent.as_deref())),
        _ => None,
    }
}
