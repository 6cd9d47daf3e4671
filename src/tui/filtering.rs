//! Sets and replaces the filter, and adds it to what can be recalled.

use super::filter::FilterTask;
use super::state::State;
use super::state::prompt::Purpose;

/// The start of every filter that keeps the events of one call.
const CALL_FILTER_PREFIX: &str = "(.call_sid // ._tap.call_sid)";

/// Applies a filter and adds its source to the history.
pub fn apply(state: &mut State, filter: Option<FilterTask>, source: String) {
    state.filter = filter;
    state.filter_enabled = true;
    state.history.add(Purpose::Filter, source);
}

/// Compiles and applies a filter. An empty source removes the filter; an invalid one changes
/// nothing.
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

/// Shows only the call of the selected event, or restores the previous filter.
pub fn toggle_call_filter(state: &mut State) {
    if state.applied_filter().is_some_and(|filter| filter.source.starts_with(CALL_FILTER_PREFIX)) {
        let source = state.filter_before_call.take().unwrap_or_default();
        return filter_by(state, &source);
    }
    let Some(sid) = state.selected_event().and_then(|stored| stored.call_sid.clone()) else {
        return state.notify("this event does not belong to a call");
    };
    show_only_call(state, &sid);
}

/// Shows only the events of that call.
fn show_only_call(state: &mut State, sid: &str) {
    state.filter_before_call = state.filter.as_ref().map(|filter| filter.source.clone());
    filter_by(state, &call_filter(sid));
}

/// Returns the filter that keeps the events of a call.
#[must_use]
pub fn call_filter(sid: &str) -> String {
    format!("{CALL_FILTER_PREFIX} == {}", serde_json::Value::from(sid))
}

/// Returns the filter that keeps events with a text in a field.
#[must_use]
pub fn equals(field: &str, text: &str) -> String {
    format!(".{field} == {}", serde_json::Value::from(text))
}
