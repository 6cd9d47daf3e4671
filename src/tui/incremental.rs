//! Runs filters and searches in slices, so that no key waits for them.

use super::search::{SearchProgress, SearchTask};
use super::selection::{keep_visible, select};
use super::state::State;
use super::time_slice::TimeSlice;

/// Continues filtering and searching until both are done or the slice is used up.
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
    advance_search(state, &mut slice);
    keep_visible(state);
}

/// Starts a search from the selected event onwards, forward or backward.
pub fn start_search(state: &mut State, forward: bool) {
    let (place, len) = (state.rows().place(state.selected), state.rows().len());
    let Some(search) = &mut state.search else {
        return state.notify("no search pattern; press / to search");
    };
    if let Some(task) = SearchTask::new(place, len, forward) {
        search.task = Some(task);
    }
}

fn advance_search(state: &mut State, slice: &mut TimeSlice) {
    let Some(search) = &state.search else { return };
    let Some(mut task) = search.task else { return };
    let progress = task.advance(&search.grep, state.rows(), &state.buffer, slice);
    if let Some(search) = &mut state.search {
        search.task = (progress == SearchProgress::Unfinished).then_some(task);
    }
    match progress {
        SearchProgress::Found(number) => select(state, number),
        SearchProgress::NotFound => state.notify("no match"),
        SearchProgress::Unfinished => {}
    }
}
