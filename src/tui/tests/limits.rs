//! Tests of what the screen keeps: every store has a limit in bytes, and says what it left out.

use serde_json::json;

use super::{CALL, at, press, screen, screen_keys, stored_with, text};
use crate::redact::Policy;
use crate::tui::filter::FilterTask;
use crate::tui::filtering::filter_by;
use crate::tui::message::ScreenMessage;
use crate::tui::state::State;
use crate::tui::update::{Msg, update};

/// Sends an event of a call's observer, with all values revealed.
fn reveal(state: &mut State, call: &str, mut event: serde_json::Value) {
    let mut policy = Policy::default();
    policy.reveal.add("all");
    event["_tap"] = json!({"stream": "observer", "call_sid": call, "time": at(0).to_string()});
    update(state, Msg::Pipeline(ScreenMessage::Event(stored_with(policy, &event))));
}

fn delta(length: usize) -> serde_json::Value {
    json!({"event_type": "agent_transcript_delta", "delta": "word ".repeat(length / 5)})
}

#[test]
fn an_utterance_that_never_ends_is_cut_and_says_so() {
    let mut state = screen((100, 40));
    for _ in 0..100 {
        reveal(&mut state, CALL, delta(100_000));
    }
    let call = state.shown().calls.get(CALL).expect("the call is tracked");
    assert!(call.transcript.bytes() < 10_000, "{}", call.transcript.bytes());
    press(&mut state, "3g");
    let seen = text(&state);
    assert!(seen.contains("cut … 100 chunks"), "{seen}");
    let long = "x".repeat(100_000);
    reveal(&mut state, CALL, json!({"event_type": "agent_transcript", "transcript": long}));
    let call = state.shown().calls.get(CALL).expect("the call is tracked");
    assert!(call.last_said().is_some_and(|(_, words)| words.len() < 5000 && words.ends_with('…')));
}

#[test]
fn old_lines_of_a_conversation_are_evicted_and_counted() {
    let mut state = screen((100, 40));
    for number in 0..1000 {
        let words = format!("{number} {}", "x".repeat(3000));
        reveal(&mut state, CALL, json!({"event_type": "user_transcript", "transcript": words}));
    }
    let transcript = &state.shown().calls.get(CALL).expect("the call is tracked").transcript;
    assert!(transcript.bytes() <= 1 << 20, "{}", transcript.bytes());
    assert_eq!(transcript.missing() + transcript.items.len() as u64, 1000);
    assert_eq!(transcript.turn_count, 1000);
    press(&mut state, "3g");
    let expected = format!("{} earlier lines not kept", transcript_missing(&state));
    assert!(text(&state).contains(&expected), "{expected}: {}", text(&state));
}

fn transcript_missing(state: &State) -> u64 {
    state.shown().calls.get(CALL).map_or(0, |call| call.transcript.missing())
}

#[test]
fn the_input_and_output_of_tools_are_counted_and_cut() {
    let mut state = screen((100, 40));
    let long = "x".repeat(10_000);
    for number in 0..150 {
        let id = number.to_string();
        let event = json!({"event_type": "tool_call_started", "tool_name": "find", "call_id": id, "input": {"name": long}});
        reveal(&mut state, CALL, event);
        let event = json!({"event_type": "tool_call_completed", "tool_name": "find", "call_id": id, "output": long, "succeeded": true});
        reveal(&mut state, CALL, event);
        let event = json!({"event_type": "state_transition", "previous_state": "one", "next_state": format!("{number} {long}")});
        reveal(&mut state, CALL, event);
    }
    let transcript = &state.shown().calls.get(CALL).expect("the call is tracked").transcript;
    assert!(transcript.missing() > 0 && transcript.bytes() <= 5 << 18, "{}", transcript.bytes());
    press(&mut state, "3gj");
    let seen = text(&state);
    assert!(seen.contains("input   {\"name\":\"xxx") && seen.contains("… more"), "{seen}");
}

#[test]
fn calls_take_at_most_half_as_much_as_the_events_and_those_that_ended_go_first() {
    let mut state = screen((100, 40));
    state.config.limits.bytes = 1 << 20;
    state = State::new(state.config, (100, 40), at(0));
    let sid = |number: usize| format!("CA{number:032}");
    for number in 0..500 {
        let words = "x".repeat(3000);
        let event = json!({"event_type": "user_transcript", "transcript": words});
        reveal(&mut state, &sid(number), event);
        if number % 2 > 0 {
            let event = json!({"event_type": "session_end", "completion_reason": "completed"});
            reveal(&mut state, &sid(number), event);
        }
    }
    let kept = state.shown().calls.sorted().len();
    assert!(kept * 3000 < 1 << 19, "{kept}");
    assert_eq!(kept as u64 + state.shown().calls.missing(), 500);
    let ongoing =
        state.shown().calls.sorted().iter().filter(|(_, call)| call.ended.is_none()).count();
    assert!(ongoing > kept / 2, "{ongoing} of {kept}");
    assert!(state.shown().calls.get(&sid(499)).is_some(), "the newest call is kept");
    press(&mut state, "2");
    let expected = format!("{} earlier not kept", state.shown().calls.missing());
    assert!(text(&state).contains(&expected), "{expected}: {}", text(&state));
}

#[test]
fn the_board_says_that_there_are_more_entries_than_it_keeps() {
    let mut state = screen((140, 60));
    for number in 0..3000 {
        // Letters alone, because digits could be an identifier.
        let name: String = format!("{number:04}")
            .bytes()
            .map(|digit| char::from(b'a' + digit - b'0'))
            .chain("x".repeat(10_000).chars())
            .collect();
        reveal(&mut state, CALL, json!({"event_type": "trigger.fired", "trigger_name": name}));
    }
    let triggers = &state.shown().workspace.triggers;
    assert!(triggers.len() < 3000 && triggers.named().all(|(name, _)| name.len() <= 200));
    let all: u64 = triggers.sorted(|_| 0).iter().map(|(_, trigger)| trigger.counts[0]).sum();
    assert_eq!(all, 3000);
    press(&mut state, "4G");
    assert!(text(&state).contains("and more, which are not kept"), "{}", text(&state));
}

#[test]
fn operators_of_a_call_are_limited() {
    let mut state = screen((240, 20));
    for number in 0..1000 {
        let id = format!("{number:08x}-0000-4000-8000-000000000000");
        let mode = "m".repeat(10_000);
        let event = json!({"event_type": "operator.joined_call", "call_sid": CALL, "operator_id": id, "mode": mode});
        reveal(&mut state, CALL, event);
    }
    let call = state.shown().calls.get(CALL).expect("the call is tracked");
    assert!(call.operators.len() <= 50 && call.operators.other().is_some());
    let bytes: usize = call.operators.named().map(|(id, mode)| id.len() + mode.len()).sum();
    assert!(bytes < 20_000, "{bytes}");
}

#[test]
fn the_detail_of_a_deep_event_is_limited() {
    let mut state = screen((100, 40));
    let key = "k".repeat(200_000);
    let mut value = json!(vec![1; 20_000]);
    for _ in 0..10 {
        value = json!({key.clone(): value});
    }
    reveal(&mut state, CALL, json!({"event_type": "tool_call_started", "input": value}));
    press(&mut state, "\n");
    let lines = crate::tui::event_detail::lines(&state);
    let bytes: usize = lines.iter().map(|line| line.json.len() + line.path.len()).sum();
    assert!(bytes < 32 << 20, "{bytes}");
    assert!(lines.iter().any(|line| line.name == "The rest is not shown"));
    screen_keys().for_each(|key| press(&mut state, &key));
}

#[test]
fn a_revealed_field_is_not_called_hidden() {
    let mut state = screen((120, 40));
    let event = json!({"event_type": "call.started", "undeclared": "seen", "direction": "inbound"});
    reveal(&mut state, CALL, event.clone());
    press(&mut state, "\n");
    let seen = text(&state);
    assert!(seen.contains("undeclared seen  not in the model"), "{seen}");
    assert!(!seen.contains("hidden"), "{seen}");
    super::feed(&mut state, 1, event);
    press(&mut state, "G");
    assert!(text(&state).contains("not in the model, so it is hidden"), "{}", text(&state));
}

#[test]
fn filters_and_their_history_are_limited() {
    let mut state = screen((100, 40));
    let filter = |length: usize| format!(".reason == \"{}\"", "x".repeat(length));
    for number in 0..200 {
        filter_by(&mut state, &filter(3000 + number));
    }
    let bytes: usize = state.history.filters.iter().map(String::len).sum();
    assert!(bytes <= 64 << 10 && state.history.filters.len() > 10, "{bytes}");
    filter_by(&mut state, &filter(100_000));
    let applied = state.filter.as_ref().map_or(0, |filter: &FilterTask| filter.source.len());
    assert!(applied < 4000, "{applied}");
    let notice = state.notice.as_ref().map(|(notice, _)| notice.as_str()).unwrap_or_default();
    assert!(notice.contains("longer than 4096 characters"), "{notice}");
}
