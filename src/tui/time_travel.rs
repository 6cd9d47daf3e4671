//! Goes to an earlier moment and back to the present.
//!
//! The selected event of the stream is a point in time, and so is the cursor of a call: the other
//! screens show what was known then. Following the newest event means the present.

use jiff::Timestamp;

use super::call_cursor;
use super::call_view::CallCursor;
use super::past::Moment;
use super::screen::Screen;
use super::selection::{reveal, select};
use super::state::State;

/// What the moment depends on and an input may change.
#[derive(Debug)]
pub struct TimePlace {
    screen: Screen,
    call: Option<String>,
    cursor: Option<CallCursor>,
    time: Option<Timestamp>,
}

impl TimePlace {
    /// Returns the place before an input.
    #[must_use]
    pub fn new(state: &State) -> Self {
        let (call, cursor) = (state.selected_call.clone(), state.call_view.cursor);
        Self { screen: state.screen, call, cursor, time: state.chosen_time() }
    }
}

/// Returns to the present, on every screen.
pub fn return_to_present(state: &mut State) {
    state.look_at(None);
    state.call_view.follow_newest();
    follow_newest(state);
}

/// Selects the newest event, and follows unless the list is paused.
pub fn follow_newest(state: &mut State) {
    select(state, u64::MAX);
    state.follow = !state.buffer.is_paused();
}

/// Looks at the moment that an input has chosen.
pub fn input_handled(state: &mut State, before: &TimePlace) {
    if before.screen != state.screen {
        screen_changed(state, before.screen);
    }
    if state.screen != Screen::Call {
        return;
    }
    let is_opened = before.screen != Screen::Call || before.call != state.selected_call;
    if !is_opened && before.cursor != state.call_view.cursor {
        state.call_view.is_moment = state.call_view.cursor.is_some();
        follow_cursor(state);
    } else if is_opened || state.chosen_time().is_some_and(|time| before.time != Some(time)) {
        meet_moment(state);
    } else if before.time != state.chosen_time() {
        state.call_view.follow_newest();
    }
}

/// Looks at the moment of the selected event after the stream was left. In the stream, the
/// selection says which moment it is.
fn screen_changed(state: &mut State, before: Screen) {
    if before != Screen::Stream && state.screen != Screen::Stream {
        return;
    }
    let rows = state.rows();
    let is_newest = rows.place(state.selected) + 1 >= rows.len();
    let is_past = before == Screen::Stream && !state.follow && !is_newest;
    let last = rows.run(state.selected).map_or(state.selected, |run| run.last);
    state.look_at(is_past.then_some(Moment::After(last)));
}

/// Moves the cursor of a call to the moment that is looked at. In the present, looks at the moment
/// of the cursor.
fn meet_moment(state: &mut State) {
    let Some(time) = state.chosen_time() else { return follow_cursor(state) };
    if state.cursor_time() == Some(time) {
        return;
    }
    let Some((_, call)) = state.current_call() else { return };
    let cursor = call_cursor::at_time(&call.transcript, time);
    // Of a call that began later, the newest item is followed.
    let has_begun = call.began.is_some_and(|began| began <= time);
    state.call_view.follow_newest();
    if has_begun {
        (state.call_view.cursor, state.call_view.is_moment) = (cursor, true);
    }
}

/// Looks at the moment of the cursor of a call, unless there is no later event.
fn follow_cursor(state: &mut State) {
    let time = state.cursor_time().filter(|_| state.call_view.is_moment);
    let time = time.filter(|time| Some(*time) < state.present.last_event_time);
    if let Some(time) = time {
        look_at(state, Moment::At(time));
    } else if state.is_past() {
        state.look_at(None);
        follow_newest(state);
    }
}

/// Looks at a moment from a screen other than the stream, and selects its event in the stream.
pub fn look_at(state: &mut State, moment: Moment) {
    let number = match moment {
        Moment::After(number) => Some(number),
        Moment::At(time) => state.buffer.at_time(time),
    };
    state.look_at(Some(moment));
    reveal(state, number.unwrap_or_else(|| state.buffer.first()));
    state.follow = false;
}
