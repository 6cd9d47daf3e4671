//! Setting, replacing and remembering the filter.

use super::filter::FilterTask;
use super::state::State;

/// How many filters the history keeps.
const HISTORY: usize = 100;

/// The start of a filter that keeps the events of one call.
const CALL_SID: &str = "(.call_sid // ._tap.call_sid)";

/// Applies a filter, and adds its source to the history.
pub fn apply(state: &mut State, filter: Option<FilterTask>, source: String) {
    state.filter = filter;
    state.filter_enabled = true;
    remember(state, source);
}

/// Compiles and applies a filter. An empty one removes the filter; a wrong one changes nothing.
pub fn filter_by(state: &mut State, source: &str) {
    if source.is_empty() {
        state.filter = None;
        return;
    }
    match FilterTask::compile(source, &state.config) {
        Ok(filter) => apply(state, Some(filter), source.to_owned()),
        Err(error) => state.notify(error.to_string()),
    }
}

/// Keeps only the call of the selected event, or restores the filter from before.
pub fn toggle_call_filter(state: &mut State) {
    if state.applied_filter().is_some_and(|filter| filter.source.starts_with(CALL_SID)) {
        let source = state.filter_before_call.take().unwrap_or_default();
        return filter_by(state, &source);
    }
    let Some(sid) = state.selected_event().and_then(|stored| stored.call_sid.clone()) else {
        return state.notify("this event is about no call");
    };
    keep_call(state, &sid);
}

/// Keeps only the events of that call.
pub fn keep_call(state: &mut State, sid: &str) {
    state.filter_before_call = state.filter.as_ref().map(|filter| filter.source.clone());
    filter_by(state, &format!("{CALL_SID} == {}", serde_json::Value::from(sid)));
}

fn remember(state: &mut State, source: String) {
    if source.trim().is_empty() {
        return;
    }
    state.history.retain(|known| *known != source);
    state.history.push(source);
    if state.history.len() > HISTORY {
        state.history.remove(0);
    }
}
