//! Goes from one screen to another and back: from a row to what it is about, and to the row again.

use super::filter::FilterTask;
use super::filtering;
use super::list::OpenTarget;
use super::screen::Screen;
use super::selection::reveal;
use super::state::State;
use super::state::modes::{DetailPane, TrailStep};
use crate::output::stored_event::StoredEvent;

/// The maximum number of steps that can be gone back.
const MAX_STEPS: usize = 32;

/// Opens what a row is about. Esc returns to the row.
pub fn open(state: &mut State, target: &OpenTarget) {
    if let OpenTarget::Call(sid) = target
        && state.present.calls.get(sid).is_none()
    {
        return state.notify("this call is not kept any more");
    }
    let filter = match target {
        OpenTarget::Call(_) | OpenTarget::Event(_) => None,
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
        is_to_event: matches!(target, OpenTarget::Event(_)),
    };
    if state.trail.len() == MAX_STEPS {
        state.trail.remove(0);
    }
    state.trail.push(step);
    match target {
        OpenTarget::Call(sid) => {
            state.show_call(Some(sid.clone()));
            state.screen = Screen::Call;
        }
        OpenTarget::Events(source) => {
            state.screen = Screen::Stream;
            state.detail = None;
            state.history.add_from_event(source.clone());
            filtering::apply(state, filter, source.clone());
        }
        OpenTarget::Event(number) => {
            state.screen = Screen::Stream;
            // The filter may hide the event.
            state.filter_enabled = false;
            state.detail = Some(DetailPane { focused: true, ..DetailPane::default() });
            reveal(state, *number);
        }
    }
}

/// Returns whether a single event was opened from elsewhere.
#[must_use]
pub fn is_at_event(state: &State) -> bool {
    state.trail.last().is_some_and(|step| step.is_to_event)
}

/// Returns from the detail of an event that was opened from elsewhere. Returns whether it was.
pub fn leave_event(state: &mut State) -> bool {
    let is_left = is_at_event(state);
    if is_left {
        state.detail = None;
        back(state);
    }
    is_left
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

/// Opens the event of a call for which `is_match` returns true, in the stream. Esc returns.
pub fn open_event(state: &mut State, sid: &str, is_match: impl Fn(&StoredEvent) -> bool) {
    let (first, end) = (state.buffer.first(), state.buffer.end());
    let found = (first..end).rev().find(|number| {
        let stored = state.buffer.get(*number);
        stored.is_some_and(|it| it.call_sid.as_deref() == Some(sid) && is_match(it))
    });
    match found {
        Some(number) => open(state, &OpenTarget::Event(number)),
        None if state.buffer.is_paused() => {
            state.notify("this event is not in the stream, which is paused");
        }
        None => state.notify("this event is not kept any more; --buffer keeps more"),
    }
}

/// Opens the call of the selected event.
pub fn open_call_of_event(state: &mut State) {
    match state.selected_event().and_then(|stored| stored.call_sid.clone()) {
        Some(sid) => open(state, &OpenTarget::Call(sid.into())),
        None => state.notify("this event does not belong to a call"),
    }
}
