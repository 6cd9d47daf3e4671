//! The selection in the list of events, and the visible part of the list.

use super::event_row;
use super::layout::StreamLayout;
use super::state::State;

/// Selects the event with that number. If it is not listed, selects the next or the last one.
pub fn select(state: &mut State, number: u64) {
    let rows = state.rows();
    let place = rows.place(number);
    let is_last = place + 1 >= rows.len();
    if let Some(number) = rows.get(place) {
        state.selected = number;
    }
    state.follow = is_last && state.paused.is_none();
    if let Some(detail) = &mut state.detail {
        detail.cursor = 0;
    }
    keep_visible(state);
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
        select(state, number);
    } else {
        let side = if forward { "after" } else { "before" };
        state.notify(format!("no {noun} {side} this one"));
    }
}

/// Adjusts the selection and the first line so that both are listed events and the selection is
/// visible.
pub fn keep_visible(state: &mut State) {
    let rows = state.rows();
    let (Some(last), Some(first)) = (rows.last(), rows.get(0)) else { return };
    let selected =
        if state.follow { last } else { rows.get(rows.place(state.selected)).unwrap_or(first) };
    let height = usize::from(StreamLayout::new(state).list.height).max(1);
    let place = rows.place(selected);
    let mut top = rows.place(state.top).min(place);
    // Find the first row from which everything up to the selected row fits.
    let (mut lines, mut earliest) = (0, place);
    for place in (0..=place).rev() {
        lines += rows.get(place).map_or(1, |number| event_row::height(state, number));
        if lines > height {
            break;
        }
        earliest = place;
    }
    top = top.max(earliest);
    if !state.wrap {
        top = top.min(rows.len().saturating_sub(height));
    }
    let top = rows.get(top).unwrap_or(first);
    (state.selected, state.top) = (selected, top);
}
