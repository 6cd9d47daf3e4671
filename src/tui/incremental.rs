//! Runs filters and searches, and builds what is shown of the past, in slices, so that no key waits for them.

use super::search::SearchJump;
use super::selection::{keep_visible, reveal};
use super::state::State;
use super::time_slice::TimeSlice;

/// Continues what is unfinished until it is done or the slice is used up.
pub fn advance(state: &mut State, mut slice: TimeSlice) {
    if !state.is_busy() {
        return;
    }
    state.changed = true;
    let State { filter, prompt, buffer, reader, .. } = state;
    let tasks = prompt.as_mut().and_then(|prompt| prompt.draft.as_mut()).into_iter().chain(filter);
    let messages: Vec<_> =
        tasks.filter_map(|task| task.advance(buffer, reader, &mut slice)).collect();
    if let Some(message) = messages.into_iter().next() {
        state.notify(message);
    }
    state.advance_past(&mut slice);
    advance_search(state, &mut slice);
    keep_visible(state);
}

/// Starts a search from the selected event onwards, forward or backward.
pub fn start_search(state: &mut State, forward: bool) {
    match &mut state.search {
        Some(search) => search.pending = Some(forward),
        None => state.advise("no search pattern; press {search} to search"),
    }
}

fn advance_search(state: &mut State, slice: &mut TimeSlice) {
    // The search is taken out of the state, which its rows borrow.
    let Some(mut search) = state.search.take() else { return };
    let mut reader = std::mem::take(&mut state.reader);
    let listed = state.listed();
    search.advance(&listed, state.columns.as_ref(), &state.buffer, &mut reader, slice);
    let is_finished = search.is_finished(listed.tested) && listed.tested >= state.buffer.end();
    state.reader = reader;
    let Some(forward) = search.pending else {
        state.search = Some(search);
        return;
    };
    let jump = search.jump(state.selected, forward, is_finished);
    search.pending = search.pending.filter(|_| jump == SearchJump::Unknown);
    state.search = Some(search);
    match jump {
        SearchJump::Unknown => {}
        SearchJump::NoMatch => state.notify("no match"),
        SearchJump::To { number, wrapped } => {
            if wrapped {
                let end = if forward { "oldest" } else { "newest" };
                state.notify(format!("the search continues at the {end} event"));
            }
            reveal(state, number);
        }
    }
}
