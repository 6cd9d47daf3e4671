//! Goes to an earlier moment and back to the present.
//!
//! The selected event of the stream is a point in time: the other screens show what was known
//! then. Following the newest event means the present.

use super::past::Moment;
use super::screen::Screen;
use super::selection::{reveal, select};
use super::state::State;

/// Returns to the present, on every screen.
pub fn return_to_present(state: &mut State) {
    state.look_at(None);
    follow_newest(state);
}

/// Selects the newest event, and follows unless the list is paused.
pub fn follow_newest(state: &mut State) {
    select(state, u64::MAX);
    state.follow = !state.buffer.is_paused();
}

/// Looks at the moment of the selected event after the stream was left. In the stream, the
/// selection says which moment it is.
pub fn screen_changed(state: &mut State, before: Screen) {
    if (before == Screen::Stream) == (state.screen == Screen::Stream) {
        return;
    }
    let rows = state.rows();
    let is_newest = rows.place(state.selected) + 1 >= rows.len();
    let is_past = before == Screen::Stream && !state.follow && !is_newest;
    let last = rows.run(state.selected).map_or(state.selected, |run| run.last);
    state.look_at(is_past.then_some(Moment::After(last)));
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
