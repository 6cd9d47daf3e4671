//! Goes from one screen to another and back: from a row to what it is about, and to the row again.

use super::attention::ListedAlert;
use super::filter::FilterTask;
use super::filtering;
use super::list::{ATTENTION, OpenTarget, RowId};
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
        OpenTarget::Call(_) | OpenTarget::Event(_) | OpenTarget::Row(..) => None,
        OpenTarget::Events(source) => match FilterTask::compile(source, &state.config) {
            Ok(filter) => Some(filter),
            Err(error) => return state.notify(error.to_string()),
        },
    };
    push_step(state, matches!(target, OpenTarget::Event(_)));
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
        OpenTarget::Row(screen, row) => {
            let list = &mut state.lists[screen.index()];
            (list.selected, list.place) = (Some(row.clone()), 0);
            list.filter.clear();
            state.screen = *screen;
        }
    }
}

/// Remembers where the user is, so that [`back`] returns there.
fn push_step(state: &mut State, is_to_event: bool) {
    let step = TrailStep {
        screen: state.screen,
        filter: state.filter.as_ref().map(|filter| filter.source.clone()),
        is_filter_enabled: state.filter_enabled,
        selected: state.selected,
        follow: state.follow,
        search: state.search.take(),
        is_to_event,
    };
    if state.trail.len() == MAX_STEPS {
        state.trail.remove(0);
    }
    state.trail.push(step);
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
    if state.is_past() && step.screen != Screen::Stream {
        // The stream stays at the moment that is looked at.
    } else if step.follow {
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

/// Opens the list of marks at the one that is closest to the selected event.
pub fn list_marks(state: &mut State) {
    let marks = state.bookmarks.present().count() + state.bookmarks.absent().len();
    let Some(last) = marks.checked_sub(1) else {
        return state.advise("no event is marked; press {mark} to mark one");
    };
    let before = state.bookmarks.present().take_while(|(number, _)| *number < state.selected);
    state.mark_list = Some(before.count().min(last));
    state.mark_filter.clear();
}

/// Opens the call of the selected event.
pub fn open_call_of_event(state: &mut State) {
    match state.selected_event().and_then(|stored| stored.call_sid.clone()) {
        Some(sid) => open(state, &OpenTarget::Call(sid.into())),
        None => state.notify("this event does not belong to a call"),
    }
}

/// Goes to the next item that needs attention: to the first one from another screen, and to the one
/// after the selected item from there or from what was opened there. Esc returns.
pub fn go_to_attention(state: &mut State) {
    let mut is_next = state.screen == Screen::Now;
    if !is_next && state.trail.last().is_some_and(|step| step.screen == Screen::Now) {
        is_next = back(state);
    }
    let ids: Vec<_> = state.shown().attention.open().map(ListedAlert::id).collect();
    let list = &state.lists[Screen::Now.index()];
    let selected = list.selected.as_ref().filter(|row| is_next && row.section == ATTENTION);
    let place = selected.and_then(|row| ids.iter().position(|id| *id == row.id));
    let next = place.map_or(0, |place| place + 1);
    let Some(id) = ids.get(if next < ids.len() { next } else { 0 }) else {
        let verb = if state.is_past() { "needed attention then" } else { "needs attention" };
        return state.notify(format!("nothing {verb}"));
    };
    if next > 0 && next == ids.len() {
        state.notify("the first item again");
    }
    if state.screen != Screen::Now {
        push_step(state, false);
        state.screen = Screen::Now;
    }
    select_item(state, id.clone());
}

fn select_item(state: &mut State, id: String) {
    let list = &mut state.lists[Screen::Now.index()];
    list.filter.clear();
    list.selected = Some(RowId { section: ATTENTION, id });
}

/// Acknowledges the selected item, or the items of the selected call, or takes that back.
pub fn acknowledge(state: &mut State) {
    match state.screen {
        Screen::Now => acknowledge_item(state),
        Screen::Calls | Screen::Call => {
            let Some(sid) = state.current_call().map(|(sid, _)| sid.to_owned()) else { return };
            if !state.acknowledge(|listed| listed.call() == Some(&sid)) {
                state.notify("this call does not need attention");
            }
        }
        _ => state.advise("press {next_attention} to go to what needs attention first"),
    }
}

/// Acknowledges the selected item and selects the next one.
fn acknowledge_item(state: &mut State) {
    let list = &state.lists[Screen::Now.index()];
    let selected = list.selected.clone().filter(|row| row.section == ATTENTION);
    let Some(row) = selected else {
        return state.advise("press {next_attention} to go to what needs attention first");
    };
    let place = state.shown().attention.open().position(|listed| listed.id() == row.id);
    if !state.acknowledge(|listed| listed.id() == row.id) {
        return state.notify("this item has ended");
    }
    let Some(place) = place else { return };
    let ids: Vec<_> = state.shown().attention.open().map(ListedAlert::id).collect();
    if let Some(id) = ids.get(place).or(ids.last()) {
        select_item(state, id.clone());
    }
}
