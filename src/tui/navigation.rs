//! Goes from one screen to another and back: from a row to what it is about, and to the row again.

use super::filter::FilterTask;
use super::filtering;
use super::list::OpenTarget;
use super::screen::Screen;
use super::selection::reveal;
use super::state::State;
use super::state::modes::{CallPart, TrailStep};

/// The maximum number of steps that can be gone back.
const MAX_STEPS: usize = 32;

/// Opens what a row is about. Esc returns to the row.
pub fn open(state: &mut State, target: &OpenTarget) {
    if let OpenTarget::Call(sid) = target
        && state.calls.get(sid).is_none()
    {
        return state.notify("this call is not kept any more");
    }
    let filter = match target {
        OpenTarget::Call(_) => None,
        OpenTarget::Events(source) => match FilterTask::compile(source, &state.config) {
            Ok(filter) => Some(filter),
            Err(error) => return state.notify(error.to_string()),
        },
    };
    let step = TrailStep {
        screen: state.screen,
        filter: state.filter.as_ref().map(|filter| filter.source.clone()),
        is_filter_enabled: state.filter_enabled,
        selected: state.selected,
        follow: state.follow,
        search: state.search.take(),
    };
    if state.trail.len() == MAX_STEPS {
        state.trail.remove(0);
    }
    state.trail.push(step);
    match target {
        OpenTarget::Call(sid) => {
            state.show_call(Some(sid.clone()));
            (state.screen, state.call_part) = (Screen::Call, CallPart::All);
        }
        OpenTarget::Events(source) => {
            state.screen = Screen::Stream;
            state.detail = None;
            state.history.add_from_event(source.clone());
            filtering::apply(state, filter, source.clone());
        }
    }
}

/// Returns to where the user was before something was opened. Returns whether anything was.
pub fn back(state: &mut State) -> bool {
    let Some(step) = state.trail.pop() else { return false };
    let filter = state.filter.as_ref().map(|filter| filter.source.clone());
    if filter != step.filter {
        filtering::filter_by(state, step.filter.as_deref().unwrap_or_default());
    }
    state.filter_enabled = step.is_filter_enabled;
    (state.screen, state.search) = (step.screen, step.search);
    if step.follow {
        state.follow = state.detail.is_none() && !state.buffer.is_paused();
    } else {
        reveal(state, step.selected);
        state.follow = false;
    }
    true
}

/// Opens the call of the selected event.
pub fn open_call_of_event(state: &mut State) {
    match state.selected_event().and_then(|stored| stored.call_sid.clone()) {
        Some(sid) => open(state, &OpenTarget::Call(sid.into())),
        None => state.notify("this event does not belong to a call"),
    }
}
