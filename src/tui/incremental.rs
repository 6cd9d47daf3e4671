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
    if let Some(prompt) = prompt
        && let Some(Err(error)) =
            prompt.draft.as_mut().map(|draft| draft.advance(buffer, reader, &mut slice))
    {
        (prompt.draft, prompt.error) = (None, Some(error));
    }
    if let Some(Err(error)) =
        filter.as_mut().map(|filter| filter.advance(buffer, reader, &mut slice))
    {
        state.filter = None;
        state.notify(error.to_string());
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
