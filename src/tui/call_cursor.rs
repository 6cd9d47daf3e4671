//! Moves the cursor through a call: by item, by turn, by failed tool call, by match of the search,
//! and to a point in time.

use jiff::Timestamp;

use super::call_search::CallSearch;
use super::call_view::CallCursor;
use super::state::State;
use crate::analysis::call::transcript::{MeasuredTurn, Speaker, Transcript, TranscriptItem};
use crate::query::GrepFilter;

/// How far from its measurement the utterance of a turn is looked for, in items.
const MAX_DISTANCE: usize = 100;

/// Returns the place of the item under the cursor, and the time. Without a cursor, these are those
/// of the newest item.
#[must_use]
pub fn position(cursor: Option<CallCursor>, transcript: &Transcript) -> Option<(usize, Timestamp)> {
    if let Some(CallCursor { item, time }) = cursor {
        return Some((transcript.place(item)?, time));
    }
    let place = transcript.items.len().checked_sub(1)?;
    Some((place, transcript.items.get(place)?.0))
}

/// Returns the cursor on the item in that place.
#[must_use]
pub fn on_item(transcript: &Transcript, place: usize) -> Option<CallCursor> {
    let (time, _) = transcript.items.get(place)?;
    Some(CallCursor { item: transcript.number(place), time: *time })
}

/// Returns the cursor at a point in time, on the last item before it.
#[must_use]
pub fn at_time(transcript: &Transcript, time: Timestamp) -> Option<CallCursor> {
    let place = transcript.items.iter().rposition(|(at, _)| *at <= time).unwrap_or(0);
    transcript.items.get(place)?;
    Some(CallCursor { item: transcript.number(place), time })
}

/// Returns the places where turns begin: the answers of the agent whose latency was measured, and
/// after them, such as when an operator has taken over, wherever the speaker changes.
#[must_use]
pub fn turns(transcript: &Transcript) -> Vec<CallCursor> {
    let mut turns: Vec<_> =
        transcript.turns.iter().filter_map(|turn| turn_cursor(transcript, turn)).collect();
    turns.dedup();
    let measured = turns.last().map_or(0, |last| last.item);
    let mut before = None;
    for (place, (_, item)) in transcript.items.iter().enumerate() {
        let TranscriptItem::Utterance { speaker, .. } = item else { continue };
        let is_after = transcript.number(place) > measured;
        if before.replace(*speaker) != Some(*speaker) && is_after {
            turns.extend(on_item(transcript, place));
        }
    }
    turns
}

/// Returns the cursor on the answer of a measured turn: the agent's next utterance, or else the one
/// before.
#[must_use]
pub fn turn_cursor(transcript: &Transcript, turn: &MeasuredTurn) -> Option<CallCursor> {
    let place = transcript.place(turn.item)?;
    let is_by = |place: &usize, wanted: fn(Speaker) -> bool| {
        matches!(&transcript.items[*place].1,
            TranscriptItem::Utterance { speaker, .. } if wanted(*speaker))
    };
    let is_agent = |place: &usize| is_by(place, |speaker| speaker == Speaker::Agent);
    let end = transcript.items.len().min(place + MAX_DISTANCE);
    let until =
        (place..end).find(|place| is_by(place, |speaker| speaker != Speaker::Agent)).unwrap_or(end);
    let before = (0..place).rev().take(MAX_DISTANCE);
    let answer = (place..until).find(is_agent).or_else(|| { before }.find(is_agent));
    on_item(transcript, answer.unwrap_or(place))
}

/// Returns the index of the measured turn that the item in `place` belongs to: that of the agent's
/// utterance, or of the answer to what is said before it.
#[must_use]
pub fn measured_turn(transcript: &Transcript, place: usize) -> Option<usize> {
    let item = transcript.number(place);
    let answers = transcript.turns.iter().map(|turn| turn_cursor(transcript, turn));
    let answers: Vec<_> = answers.map(|it| it.map_or(0, |cursor| cursor.item)).collect();
    let last = answers.len().checked_sub(1)?;
    let after = answers.partition_point(|answer| *answer <= item);
    // The caller has spoken since the last answer, so this belongs to the next one.
    let said = |number: &u64| {
        let place = transcript.place(*number);
        place.and_then(|place| transcript.items.get(place)).is_some_and(|(_, item)| {
            matches!(item, TranscriptItem::Utterance { speaker, marks, .. }
                if *speaker != Speaker::Agent && !marks.contains(&"cut in"))
        })
    };
    let since = after.checked_sub(1).map_or(0, |before| answers[before]);
    let since = (since + 1).max(transcript.number(0));
    let is_next = after == 0 || (since..=item).any(|number| said(&number));
    Some(if is_next { after } else { after - 1 }.min(last))
}

/// Returns where tool calls failed.
#[must_use]
pub fn failures(transcript: &Transcript) -> Vec<CallCursor> {
    let failure = |(place, (time, item)): (usize, &(Timestamp, TranscriptItem))| match item {
        TranscriptItem::Tool { succeeded: Some(false), finished, .. } => {
            let item = transcript.number(place);
            Some(CallCursor { item, time: finished.unwrap_or(*time) })
        }
        _ => None,
    };
    transcript.items.iter().enumerate().filter_map(failure).collect()
}

/// Moves the cursor to the next of some places, or to the previous one. `noun` names what is looked
/// for, in the notice that there is none.
pub fn jump(
    state: &mut State,
    places: fn(&Transcript) -> Vec<CallCursor>,
    forward: bool,
    noun: &str,
) {
    let Some((_, call)) = state.current_call() else { return };
    let transcript = &call.transcript;
    let Some((place, _)) = position(state.call_view.cursor, transcript) else { return };
    let item = transcript.number(place);
    let places = places(transcript);
    let found = if forward {
        places.iter().find(|cursor| cursor.item > item)
    } else {
        places.iter().rev().find(|cursor| cursor.item < item)
    };
    if let Some(cursor) = found {
        state.call_view.cursor = Some(*cursor);
    } else {
        let side = if forward { "after" } else { "before" };
        state.notify(format!("no {noun} {side} this one"));
    }
}

/// Searches the conversation from the cursor on. An empty pattern repeats the last search.
pub fn search(state: &mut State, pattern: String, grep: GrepFilter) {
    if !pattern.is_empty() {
        state.call_view.search = Some(CallSearch::new(pattern, grep));
    }
    next_match(state, true);
}

/// Moves the cursor to the next match of the search, or to the previous one.
pub fn next_match(state: &mut State, forward: bool) {
    update_search(state);
    let Some((_, call)) = state.current_call() else { return };
    let Some(search) = &state.call_view.search else {
        return state.notify("no search pattern; press / to search");
    };
    let transcript = &call.transcript;
    let place = position(state.call_view.cursor, transcript).map_or(0, |(place, _)| place);
    let Some((item, wrapped)) = search.next(transcript.number(place), forward) else {
        return state.notify("no match");
    };
    let cursor = transcript.place(item).and_then(|place| on_item(transcript, place));
    if cursor.is_some() {
        state.call_view.cursor = cursor;
    }
    if wrapped {
        let end = if forward { "first" } else { "last" };
        state.notify(format!("the search continues at the {end} line"));
    }
}

/// Searches what was said since the last search.
pub fn update_search(state: &mut State) {
    // The search is taken out of the state, which the call borrows.
    let Some(mut search) = state.call_view.search.take() else { return };
    if let Some((sid, call)) = state.current_call() {
        search.update(sid, &call.transcript);
    }
    state.call_view.search = Some(search);
}
