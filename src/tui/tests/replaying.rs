//! Tests of the pace and the position of a replay.

use std::sync::Arc;

use serde_json::json;

use super::{CALL, at, feed, press, screen, screen_with_events, text};
use crate::pipeline::pacing::Pace;
use crate::tui::message::ScreenMessage;
use crate::tui::update::{Msg, update};

#[test]
fn only_a_replay_can_be_held_or_change_its_speed() {
    let mut state = screen_with_events(3);
    press(&mut state, "p");
    assert!(text(&state).contains("only a replay can be held"));
    state.config.pace = Some(Arc::default());
    assert!(text(&state).contains("▶ full speed"));
    press(&mut state, "[");
    assert!(text(&state).contains("▶ 1000×"));
    press(&mut state, "]p");
    assert!(text(&state).contains("‖ held"));
    press(&mut state, "p");
    assert!(text(&state).contains("▶ full speed"));
    press(&mut state, ".");
    assert!(text(&state).contains("‖ held"));
}

#[test]
fn a_replay_shows_its_position_and_runs_ahead_to_a_time() {
    let mut state = screen_with_events(40);
    let pace = Arc::new(Pace::new(vec![1000], 10.0));
    state.config.pace = Some(Arc::clone(&pace));
    pace.reach(0, 250);
    let seen = text(&state);
    assert!(seen.contains("2026-05-05 16:53:59 ━━━") && seen.contains("─   25%  ▶ 10×"), "{seen}");
    press(&mut state, "@16:53:30\n");
    assert_eq!(state.selected, 10, "the event is buffered");
    assert!(text(&state).contains("‖ held, 10×") && text(&state).contains(" p resume "));
    press(&mut state, "@+5s\n");
    assert_eq!(state.selected, 15);
    press(&mut state, "@-3s\n");
    assert_eq!(state.selected, 12);
    press(&mut state, "@16:59\n");
    assert!(
        state.follow && text(&state).contains("▶▶ seeking"),
        "the event has not been replayed yet"
    );
    update(&mut state, Msg::PipelineEnded);
    assert!(text(&state).contains("100%  complete"));
    press(&mut state, "@16:59\n");
    assert!(text(&state).contains("no event at or after that time"));
    press(&mut state, "p");
    assert!(text(&state).contains("the replay is complete; g goes to its first event"));
}

#[test]
fn a_complete_replay_does_not_follow_the_clock() {
    let mut state = screen_with_events(4);
    assert!(state.follows_clock(), "a live stream shows ages");
    state.config.pace = Some(Arc::default());
    assert!(state.follows_clock());
    update(&mut state, Msg::PipelineEnded);
    assert!(!state.follows_clock());
    press(&mut state, "p");
    assert!(state.follows_clock(), "the notice disappears after a while");
    update(&mut state, Msg::Tick(at(60)));
    assert!(!state.follows_clock());
}

#[test]
fn ages_in_a_replay_are_measured_from_its_last_event() {
    let mut state = screen_with_events(4);
    state.config.pace = Some(Arc::default());
    update(&mut state, Msg::Tick(at(5000)));
    press(&mut state, "tt");
    assert!(text(&state).contains("     3s tool_call"), "{}", text(&state));
}

#[test]
fn rates_in_a_replay_go_by_the_times_of_its_events() {
    let mut state = screen((120, 24));
    state.config.pace = Some(Arc::default());
    for second in [0, 1, 1, 2, 9, 8, 9, -500] {
        let mut event = super::stored(&json!({"event_type": "call.started"}));
        event.time = Some(at(second));
        update(&mut state, Msg::Pipeline(ScreenMessage::Event(event)));
    }
    update(&mut state, Msg::Tick(at(5000)));
    let rates = state.shown().stats.rates.get("call").expect("a family");
    let rates: Vec<_> = rates.iter().skip_while(|events| **events == 0).copied().collect();
    assert_eq!(rates, [1, 2, 1, 0, 0, 0, 0, 0, 1, 2], "not one spike at the time of arrival");
}

#[test]
fn calls_in_a_replay_have_their_recorded_duration() {
    let mut state = screen((120, 24));
    state.config.pace = Some(Arc::default());
    feed(&mut state, 0, json!({"event_type": "call.started", "call_sid": CALL}));
    feed(&mut state, 75, json!({"event_type": "call.started"}));
    update(&mut state, Msg::Tick(at(5000)));
    press(&mut state, "2");
    assert!(text(&state).contains(" 1m15s "));
}
