//! The selection in the list of events, and the visible part of the list.

use super::event_row;
use super::layout::StreamLayout;
use super::state::State;

/// How many rows are shown before and after an event that was looked for.
const CONTEXT_ROWS: usize = 3;

/// Selects the event with that number. If it is not listed, selects the next or the last one.
pub fn select(state: &mut State, number: u64) {
    let rows = state.rows();
    let place = rows.place(number);
    let is_last = place + 1 >= rows.len();
    if let Some(number) = rows.get(place) {
        state.selected = number;
    }
    // An open detail would change under the cursor.
    state.follow = is_last && !state.buffer.is_paused() && state.detail.is_none();
    if let Some(detail) = &mut state.detail {
        detail.cursor = 0;
    }
    keep_visible(state);
}

/// Selects an event that was looked for, with some rows before and after it.
pub fn reveal(state: &mut State, number: u64) {
    select(state, number);
    keep_visible_with(state, CONTEXT_ROWS);
}

/// Moves the selection by that many events.
pub fn step(state: &mut State, by: usize, down: bool) {
    let rows = state.rows();
    let place = rows.place(state.selected);
    let place = if down {
        (place + by).min(rows.len().saturating_sub(1))
    } else {
        place.saturating_sub(by)
    };
    let Some(number) = rows.get(place) else { return };
    let is_unmoved = number == state.selected;
    select(state, number);
    // Moving up at the top does not stop following.
    state.follow &= down || is_unmoved;
}

/// Selects the next or previous event that matches. `noun` names what is looked for, in the notice
/// that there is none.
pub fn jump(state: &mut State, forward: bool, noun: &str, is_match: impl Fn(&State, u64) -> bool) {
    let rows = state.rows();
    let place = rows.place(state.selected);
    let found = if forward {
        (place + 1..rows.len())
            .filter_map(|place| rows.get(place))
            .find(|number| is_match(state, *number))
    } else {
        (0..place).rev().filter_map(|place| rows.get(place)).find(|number| is_match(state, *number))
    };
    if let Some(number) = found {
        reveal(state, number);
    } else {
        let side = if forward { "after" } else { "before" };
        state.notify(format!("no {noun} {side} this one"));
    }
}

/// Returns whether an event, or one that is folded into its row, is marked.
#[must_use]
pub fn is_marked_row(state: &State, number: u64) -> bool {
    let last = state.rows().run(number).map_or(number, |run| run.last);
    state.marks.range(number..=last).next().is_some()
}

/// Adjusts the selection and the first line so that both are listed events and the selection is
/// visible.
pub fn keep_visible(state: &mut State) {
    keep_visible_with(state, 0);
}

/// Adjusts the selection and the first line, with that many rows of context if they fit.
fn keep_visible_with(state: &mut State, context: usize) {
    let rows = state.rows();
    let (Some(last), Some(first)) = (rows.last(), rows.get(0)) else { return };
    let opened = state.detail.as_ref().and_then(|detail| detail.event.as_ref());
    let is_opened = opened.is_some_and(|(number, _)| *number == state.selected);
    let selected = if state.follow {
        last
    } else if is_opened && state.selected < first {
        // The buffer has dropped the event whose detail is open.
        state.selected
    } else {
        rows.get(rows.place(state.selected)).unwrap_or(first)
    };
    let height = usize::from(StreamLayout::new(state).list.height).max(1);
    let place = rows.place(selected);
    let context = context.min((height - 1) / 2);
    let mut top = rows.place(state.top).min(place.saturating_sub(context));
    // Find the first row from which everything up to the selected row and its context fits.
    let end = (place + context).min(rows.len() - 1);
    let (mut lines, mut earliest) = (0, end);
    for place in (0..=end).rev() {
        lines += rows.get(place).map_or(1, |number| event_row::height(state, number));
        if lines > height {
            break;
        }
        earliest = place;
    }
    top = top.max(earliest.min(place));
    if !state.wrap {
        top = top.min(rows.len().saturating_sub(height));
    }
    let top = rows.get(top).unwrap_or(first);
    (state.selected, state.top) = (selected, top);
    state.buffer.keep_from(top.min(selected));
    if let Some(detail) = &mut state.detail
        && detail.event.as_ref().is_none_or(|(number, _)| *number != selected)
    {
        detail.event = state.buffer.get(selected).map(|event| (selected, event.clone()));
    }
}
