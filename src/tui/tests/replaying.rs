//! A recording that is replayed: its pace, and how far it has come.

use std::sync::Arc;

use serde_json::json;

use super::{CALL, at, feed, filled, press, screen, text};
use crate::pipeline::pacing::Pace;
use crate::tui::update::{Msg, update};

#[test]
fn a_replay_has_a_pace_and_nothing_else_has() {
    let mut state = filled(3);
    press(&mut state, "p");
    assert!(text(&state).contains("only a replay has a pace"));
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
fn a_replay_shows_how_far_it_has_come_and_runs_to_a_time() {
    let mut state = filled(40);
    let pace = Arc::new(Pace::new(vec![1000], 10.0));
    state.config.pace = Some(Arc::clone(&pace));
    pace.reach(0, 250);
    let seen = text(&state);
    assert!(seen.contains("2026-05-05 16:53:59 ━━━") && seen.contains("─   25%  ▶ 10×"), "{seen}");
    press(&mut state, "@16:53:30\n");
    assert_eq!(state.selected, 10, "it is at hand");
    press(&mut state, "@+5s\n");
    assert_eq!(state.selected, 15);
    press(&mut state, "@-3s\n");
    assert_eq!(state.selected, 12);
    press(&mut state, "@16:59\n");
    assert!(state.follow && text(&state).contains("▶▶ seeking"), "it is not at hand yet");
    update(&mut state, Msg::PipelineEnded);
    assert!(text(&state).contains("100%  all of it"));
    press(&mut state, "@16:59\n");
    assert!(text(&state).contains("no event at that time or after it"));
}

#[test]
fn calls_of_a_recording_take_as_long_as_they_took_then() {
    let mut state = screen((120, 24));
    state.config.pace = Some(Arc::default());
    feed(&mut state, 0, json!({"event_type": "call.started", "call_sid": CALL}));
    feed(&mut state, 75, json!({"event_type": "call.started"}));
    update(&mut state, Msg::Tick(at(5000)));
    press(&mut state, "2");
    assert!(text(&state).contains(" 1m15s "));
}
