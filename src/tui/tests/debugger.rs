//! Tests of the view of a call: the cursor, turns, failures, the search, tools and comparisons.

use std::sync::Arc;

use crossterm::event::{MouseButton, MouseEventKind};
use serde_json::{Value, json};

use super::{
    CALL, OTHER, at, draw, feed, mouse, press, screen, screen_keys, send_day, stored_with, text,
};
use crate::pipeline::pacing::Pace;
use crate::redact::Policy;
use crate::tui::message::ScreenMessage;
use crate::tui::screen::Screen;
use crate::tui::state::State;
use crate::tui::update::{Msg, settle, update};

/// Sends an event of a call's observer, with all values revealed.
fn observe(state: &mut State, call: &str, second: i64, mut event: Value) {
    event["_tap"] = json!({"stream": "observer", "call_sid": call, "time": at(second).to_string()});
    let mut policy = Policy::default();
    policy.reveal.add("all");
    update(state, Msg::Tick(at(second)));
    update(state, Msg::Pipeline(ScreenMessage::Event(stored_with(policy, &event))));
    settle(state);
}

fn say(state: &mut State, call: &str, second: i64, speaker: &str, words: &str) {
    let event_type = if speaker == "agent" { "agent_transcript" } else { "user_transcript" };
    let event = json!({"event_type": event_type, "speaker_role": speaker, "transcript": words});
    observe(state, call, second, event);
}

fn measure(state: &mut State, call: &str, second: i64, engine: f64) {
    let event = json!({"event_type": "latency", "engine_ms": engine, "nav_ms": 20.0, "render_ms": 30.0, "audio_ttfb_ms": 100.0, "e2e_ttfb_ms": engine + 100.0});
    observe(state, call, second, event);
}

fn use_tool(state: &mut State, call: &str, second: i64, name: &str, is_successful: bool) {
    observe(
        state,
        call,
        second,
        json!({"event_type": "tool_call_started", "tool_name": name, "call_id": name, "input": {"date": "2026-05-07", "slots": [9, 10]}}),
    );
    observe(
        state,
        call,
        second + 2,
        json!({"event_type": "tool_call_completed", "tool_name": name, "call_id": name, "duration_ms": 2000.0, "succeeded": is_successful, "output": "free at nine", "error_message": if is_successful { None } else { Some("did not answer in time") }}),
    );
}

/// Returns a screen with a call of 100 seconds: six turns, ten seconds apart from 10 s on, and two
/// tools that fail in the second and the fifth turn.
fn conversation(size: (u16, u16)) -> State {
    let mut state = screen(size);
    fill(&mut state, CALL, 300.0);
    press(&mut state, &format!(":call {CALL}\n"));
    state
}

fn fill(state: &mut State, call: &str, engine: f64) {
    feed(state, 0, json!({"event_type": "call.started", "call_sid": call, "direction": "inbound"}));
    let transition = json!({"event_type": "state_transition", "previous_state": "greeting", "next_state": "booking"});
    for turn in 0..6_i32 {
        let second = i64::from(turn) * 15 + 10;
        say(state, call, second, "caller", &format!("question {turn} about the appointment"));
        if turn == 3 {
            observe(state, call, second + 1, transition.clone());
        }
        if matches!(turn, 1 | 2 | 4) {
            use_tool(state, call, second + 2, &format!("find_{turn}"), turn == 2);
        }
        measure(state, call, second + 6, engine + f64::from(turn));
        say(state, call, second + 6, "agent", &format!("answer {turn} about the appointment"));
    }
    let end = json!({"event_type": "call.ended", "call_sid": call, "completion_reason": "completed", "duration_seconds": 100.0});
    feed(state, 100, end);
}

/// Returns the line of the conversation under the cursor.
fn current_line(state: &State) -> String {
    let seen = text(state);
    let mut lines = seen.lines().filter(|line| line.contains("▶ "));
    let line = lines.find(|line| !line.contains("▶  ") || line.contains(':'));
    line.unwrap_or_else(|| panic!("a cursor: {seen}")).to_owned()
}

#[test]
fn the_cursor_goes_by_turn_and_by_failure() {
    let mut state = conversation((80, 24));
    assert_eq!(state.cursor_time(), None, "the newest item is followed");
    press(&mut state, "g");
    let mut times = Vec::new();
    for _ in 0..6 {
        press(&mut state, "l");
        times.push(state.cursor_time());
    }
    assert_eq!(times, [16, 31, 46, 61, 76, 91].map(|second| Some(at(second))));
    press(&mut state, "l");
    assert!(text(&state).contains("no turn after this one"), "{}", text(&state));
    press(&mut state, "hh");
    assert_eq!(state.cursor_time(), Some(at(61)));
    assert!(text(&state).contains("turn 4 403 ms"), "{}", text(&state));
    press(&mut state, "[");
    assert_eq!(state.cursor_time(), Some(at(29)), "the moment at which the tool failed");
    press(&mut state, "[");
    assert!(text(&state).contains("no failed tool before this one"));
    press(&mut state, "]");
    assert_eq!(state.cursor_time(), Some(at(74)));
    press(&mut state, "gee");
    assert_eq!(state.cursor_time(), Some(at(74)), "e goes to errors on every screen");
}

#[test]
fn the_conversation_and_the_axis_have_one_cursor() {
    let mut state = conversation((80, 24));
    press(&mut state, "gjj");
    assert_eq!(state.cursor_time(), Some(at(16)));
    assert!(current_line(&state).contains("0:16 "), "{}", text(&state));
    assert!(text(&state).contains("cursor 0:16 (16:53:36)"), "{}", text(&state));
    // The lanes begin below the title; their first column is that of the start of the call.
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), 13 + 33, 5);
    let time = state.cursor_time().expect("a cursor");
    assert!(time >= at(48) && time <= at(53), "{time}");
    assert!(current_line(&state).contains("0:46 "), "{}", current_line(&state));
    mouse(&mut state, MouseEventKind::Drag(MouseButton::Left), 13, 5);
    assert!(current_line(&state).contains("0:00 "), "{}", current_line(&state));
    mouse(&mut state, MouseEventKind::Up(MouseButton::Left), 13, 5);
    press(&mut state, "G");
    assert_eq!(state.cursor_time(), None);
}

#[test]
fn brackets_change_the_speed_of_a_replay_except_in_a_call() {
    let mut state = conversation((120, 40));
    let pace = Arc::new(Pace::new(vec![1000], 10.0));
    state.config.pace = Some(Arc::clone(&pace));
    let before = pace.label();
    press(&mut state, "g]");
    assert_eq!((pace.label(), state.cursor_time()), (before.clone(), Some(at(29))));
    assert!(text(&state).contains(" ] next failure"), "{}", text(&state));
    press(&mut state, "1]");
    assert_ne!(pace.label(), before);
}

#[test]
fn enter_opens_the_event_and_escape_returns_to_the_same_place() {
    let mut state = conversation((120, 40));
    press(&mut state, "f.call_sid == \"nothing\"\n3g]");
    let before = draw(&state);
    press(&mut state, "\n");
    let seen = text(&state);
    assert_eq!(state.screen, Screen::Stream);
    assert!(seen.contains("error_message did not answer in time"), "{seen}");
    press(&mut state, "jj\u{1b}");
    assert_eq!((state.screen, state.filter_enabled), (Screen::Call, true));
    assert_eq!(draw(&state), before);
    for (keys, field) in [
        ("g", "direction inbound"),
        ("gj", "transcript question 0 about the appointment"),
        ("gjj", "transcript answer 0 about the appointment"),
        ("g]jk", "input"),
    ] {
        press(&mut state, keys);
        let cursor = state.cursor_time();
        press(&mut state, "\n");
        assert!(text(&state).contains(field), "{keys}: {}", text(&state));
        press(&mut state, "\u{1b}");
        assert_eq!(state.cursor_time(), cursor);
    }
}

#[test]
fn the_conversation_can_be_searched() {
    let mut state = conversation((80, 24));
    press(&mut state, "g/ANSWER|answer [1-3]\n");
    assert_eq!(state.cursor_time(), Some(at(31)));
    assert!(text(&state).contains("/ANSWER|answer [1-3] 1/3"), "{}", text(&state));
    let theme = state.config.theme;
    let marked = |state: &State| {
        let backend = draw(state);
        let found = theme.found();
        let cells = backend.buffer().content().iter().filter(|cell| cell.style().fg == found.fg);
        cells.map(ratatui::buffer::Cell::symbol).collect::<String>()
    };
    assert!(marked(&state).contains("answer 1"), "{}", marked(&state));
    press(&mut state, "nn");
    assert_eq!(state.cursor_time(), Some(at(61)));
    press(&mut state, "n");
    assert_eq!(state.cursor_time(), Some(at(31)), "the search starts over");
    assert!(text(&state).contains("the search continues at the first line"));
    press(&mut state, "N");
    assert_eq!(state.cursor_time(), Some(at(61)));
    press(&mut state, "/find_4\n");
    assert!(current_line(&state).contains("find_4"), "{}", current_line(&state));
    press(&mut state, "/nowhere\n");
    assert!(text(&state).contains("no match"));
    press(&mut state, "\u{1b}");
    assert!(state.screen == Screen::Call && state.call_view.search.is_none());
    assert!(state.search.is_none(), "the search of the stream is another one");
}

#[test]
fn a_pane_shows_the_input_and_output_of_a_tool() {
    for size in [(80, 24), (80, 50), (120, 40), (200, 60)] {
        let mut state = conversation(size);
        press(&mut state, "g]");
        let seen = text(&state);
        for part in ["✗ find_1 2000 ms", "did not answer in time", "date 2026-05-07"] {
            assert!(seen.contains(part), "{size:?} {part}: {seen}");
        }
        // By default both are hidden.
        let mut state = screen(size);
        send_day(&mut state);
        press(&mut state, &format!(":call {CALL}\ng]"));
        let seen = text(&state);
        assert!(seen.contains("input   [redacted]"), "{size:?} {seen}");
        assert!(!seen.contains("Wrenna"), "{size:?} {seen}");
    }
}

#[test]
fn two_calls_are_compared_with_the_same_scale() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let mut state = conversation(size);
        fill(&mut state, OTHER, 500.0);
        press(&mut state, "v");
        assert_eq!(state.screen, Screen::Calls, "no other call was shown yet");
        state.show_call(Some(OTHER.to_owned()));
        press(&mut state, "v");
        let seen = text(&state);
        assert!(seen.contains("first audio p50, ms") && seen.contains("+200"), "{size:?}: {seen}");
        assert!(seen.contains(CALL) && seen.contains(OTHER), "{size:?}: {seen}");
        press(&mut state, "gll");
        assert!(text(&state).matches(" 0:31 ").count() >= 2, "{size:?}: {}", text(&state));
        press(&mut state, "v");
        assert!(!text(&state).contains("difference"));
        // The call that was shown before is the one to compare with.
        press(&mut state, &format!(":call {OTHER}\nv"));
        let seen = text(&state);
        assert!(seen.contains("difference") && seen.contains("-200"), "{seen}");
        press(&mut state, "\u{1b}");
        assert!(state.screen == Screen::Call && !text(&state).contains("difference"));
    }
}

#[test]
fn time_is_enlarged_around_the_cursor() {
    let mut state = conversation((120, 40));
    press(&mut state, "gll");
    assert!(!text(&state).contains("2× "));
    press(&mut state, "+++");
    let seen = text(&state);
    assert!(seen.contains("8× ") && seen.contains("╷0:30"), "{seen}");
    assert!(!seen.contains("╷1:00"), "{seen}");
    press(&mut state, "---");
    assert!(text(&state).contains("╷1:00"));
    press(&mut state, "+\u{1b}");
    assert!(state.call_view.zoom == 0 && state.screen == Screen::Call);
}

#[test]
fn the_first_event_of_each_kind_does_not_move_the_conversation() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let mut state = screen(size);
        for second in 0..30 {
            say(&mut state, CALL, second, "agent", &format!("sentence {second}"));
        }
        press(&mut state, "3kkkk");
        let place = |state: &State| {
            let seen = text(state);
            let lines = seen.lines().map(str::to_owned).enumerate();
            let lines = lines.filter(|(_, line)| line.contains("sentence "));
            lines
                .map(|(at, line)| (at, line.trim_matches('"')[..40].to_owned()))
                .collect::<Vec<_>>()
        };
        let before = place(&state);
        use_tool(&mut state, CALL, 40, "find", false);
        measure(&mut state, CALL, 43, 300.0);
        observe(
            &mut state,
            CALL,
            44,
            json!({"event_type": "emotion", "valence": -0.5, "arousal": 0.5, "dominant": "anger"}),
        );
        say(&mut state, CALL, 45, "operator", "a person");
        assert_eq!(before, place(&state), "{size:?}");
    }
}

#[test]
fn the_picture_marks_interruptions_failures_and_nested_tools() {
    let mut state = screen((120, 40));
    send_day(&mut state);
    press(&mut state, "3");
    let delta = json!({"event_type": "agent_transcript_delta", "delta": "Let me"});
    observe(&mut state, CALL, 50, delta);
    let interrupted = json!({"event_type": "agent_transcript", "transcript": "Let me", "interrupted": true, "action": "answer"});
    observe(&mut state, CALL, 55, interrupted);
    let seen = text(&state);
    let lane = |name: &str| {
        let lines = seen.lines().skip_while(|line| !line.contains(&format!(" {name} ")));
        lines.take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(lane("agent")[0].contains('✂'), "{seen}");
    let tools = lane("tools");
    assert!(tools[0].contains("✓") && tools[0].contains("find_patient"), "{seen}");
    assert!(tools[1].contains("✗") && tools[1].contains("records_search"), "{seen}");
    assert!(seen.contains("▏refill"), "{seen}");
}

#[test]
fn the_position_in_a_call_survives_a_look_at_other_screens() {
    let mut state = conversation((120, 40));
    press(&mut state, "gll");
    let before = draw(&state);
    for key in screen_keys() {
        press(&mut state, &key);
    }
    press(&mut state, "3");
    assert_eq!(draw(&state), before);
}
