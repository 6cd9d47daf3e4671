//! Tests that what a user looks at stays in place while events arrive.

use serde_json::{Value, json};

use super::{
    CALL, OTHER, at, draw, feed, press, press_key, screen, screen_with_events, stored, text,
};
use crate::tui::buffer::{BufferLimits, EventBuffer};
use crate::tui::message::ScreenMessage;
use crate::tui::screen::Screen;
use crate::tui::state::{Effect, State};
use crate::tui::update::{Msg, settle, update};
use crossterm::event::KeyCode;

fn tool(number: i64) -> Value {
    json!({"event_type": "tool_call_completed", "tool_name": format!("tool_{number}"), "call_id": "c", "succeeded": true})
}

#[test]
fn an_open_detail_stays_on_its_event() {
    let mut state = screen_with_events(20);
    press(&mut state, "\n\n");
    feed(&mut state, 30, tool(30));
    press(&mut state, "j");
    feed(&mut state, 31, tool(31));
    assert_eq!(state.selected, 19);
    press(&mut state, "+");
    let typed = state.prompt.as_ref().map(|prompt| prompt.line.text());
    assert_eq!(typed.as_deref(), Some(".tool_name == \"tool_19\""));
    press(&mut state, "\u{1b}m\u{1b}");
    assert_eq!(state.marks.first(), Some(&19));
    press(&mut state, "G");
    assert!(state.follow, "G follows even beside an open detail");
    press(&mut state, "\n");
    feed(&mut state, 32, tool(32));
    assert_eq!(state.selected, 21, "going into the detail stops following");
}

#[test]
fn an_open_detail_outlives_its_event_in_the_buffer() {
    let mut state = screen((80, 24));
    state.buffer = EventBuffer::new(BufferLimits { events: 10, bytes: usize::MAX });
    (0..10).for_each(|number| feed(&mut state, number, tool(number)));
    press(&mut state, "kk\n\n");
    assert_eq!(state.selected, 7);
    (10..60).for_each(|number| feed(&mut state, number, tool(number)));
    assert!(text(&state).contains("tool_name tool_7"), "{}", text(&state));
    press(&mut state, "gy");
    assert!(matches!(state.effects.as_slice(), [Effect::Copy(text)] if text.contains("tool_call")));
    press(&mut state, "\u{1b}j");
    assert_eq!(state.selected, 51, "the next event is one of those that are listed");
}

#[test]
fn a_pause_keeps_what_is_seen_and_counts_what_is_dropped() {
    let mut state = screen((80, 24));
    state.buffer = EventBuffer::new(BufferLimits { events: 50, bytes: usize::MAX });
    (0..50).for_each(|number| feed(&mut state, number, tool(number)));
    press(&mut state, "kkm ");
    let seen = text(&state).lines().skip(2).take(20).map(str::to_owned).collect::<Vec<_>>();
    (50..500).for_each(|number| feed(&mut state, number, tool(number)));
    assert_eq!((state.selected, state.marks.first()), (47, Some(&47)));
    let now = text(&state).lines().skip(2).take(20).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(seen, now);
    assert!(text(&state).contains("PAUSED, 450 new, 425 not kept"), "{}", text(&state));
    press(&mut state, "g");
    assert_eq!(state.selected, 25, "half of the buffer is kept");
    press(&mut state, "u ");
    assert_eq!((state.rows().len(), state.selected, state.follow), (50, 74, true));
    assert!(text(&state).contains("425 events of the pause not kept"), "{}", text(&state));
    assert!(text(&state).contains("tool_499"), "the newest event is kept");
    press(&mut state, "U");
    assert_eq!(state.selected, 47);
}

#[test]
fn the_call_screen_stays_on_its_call() {
    let mut state = screen((120, 30));
    let start = |sid| json!({"event_type": "call.started", "call_sid": sid});
    press(&mut state, "3");
    feed(&mut state, 0, start(CALL));
    feed(&mut state, 1, start(OTHER));
    settle(&mut state);
    assert!(text(&state).contains(CALL));
    let end =
        json!({"event_type": "call.ended", "call_sid": CALL, "completion_reason": "completed"});
    feed(&mut state, 2, end);
    assert_eq!(state.shown().calls.sorted().first().map(|(sid, _)| *sid), Some(OTHER));
    let seen = text(&state);
    assert!(seen.contains(CALL) && !seen.contains(OTHER), "{seen}");
    state.selected_call = Some("CA00000000000000000000000000000009".to_owned());
    assert!(text(&state).contains("this call is not kept any more"));
}

fn say(state: &mut State, second: i64, words: &str) {
    let event = json!({
        "event_type": "agent_transcript", "transcript": words, "action": "answer",
        "_tap": {"stream": "observer", "call_sid": CALL, "time": at(second).to_string()},
    });
    let mut policy = crate::redact::Policy::default();
    policy.reveal.add("all");
    let stored = super::stored_with(policy, &event);
    update(state, Msg::Pipeline(ScreenMessage::Event(stored)));
    settle(state);
}

#[test]
fn a_conversation_that_still_fits_stays_in_place_after_moving_up() {
    let mut state = screen((80, 24));
    say(&mut state, 0, "sentence 0");
    press(&mut state, "3kk");
    let seen = conversation(&state);
    (1..40).for_each(|second| say(&mut state, second, &format!("sentence {second}")));
    assert_eq!(seen[..1], conversation(&state)[..1]);
    press(&mut state, "G");
    assert!(text(&state).contains("sentence 39"));
}

/// Returns the first lines of the conversation at 80×24, which are below the lanes.
fn conversation(state: &State) -> Vec<String> {
    text(state).lines().skip(15).take(5).map(str::to_owned).collect()
}

#[test]
fn a_scrolled_conversation_stays_in_place() {
    let mut state = screen((80, 24));
    (0..40).for_each(|second| say(&mut state, second, &format!("sentence {second}")));
    press(&mut state, "3");
    assert!(text(&state).contains("sentence 39"));
    press(&mut state, "kkkk");
    let seen = conversation(&state);
    (40..60).for_each(|second| say(&mut state, second, &format!("sentence {second}")));
    assert_eq!(seen, conversation(&state));
    press_key(&mut state, KeyCode::End);
    assert!(text(&state).contains("sentence 59"), "the end follows again");
    say(&mut state, 61, "the last one");
    assert!(text(&state).contains("the last one"));
    press(&mut state, "g");
    assert!(text(&state).contains("sentence 0"));
    press(&mut state, "jjjj");
    let seen = conversation(&state);
    // Long sentences evict the first ones, whose lines come before the visible ones.
    let long = "word ".repeat(600);
    (70..75).for_each(|second| say(&mut state, second, &long));
    assert_eq!(seen, conversation(&state));
}

#[test]
fn words_of_a_transcript_are_not_split() {
    for columns in [40, 80, 120, 200] {
        let mut state = screen((columns, 60));
        let words = "pneumococcal vaccination appointment ".repeat(6);
        say(&mut state, 0, &words);
        press(&mut state, "3");
        let seen = text(&state);
        let whole = ["pneumococcal", "vaccination", "appointment"];
        let found: usize = whole.iter().map(|word| seen.matches(word).count()).sum();
        assert_eq!(found, 18, "{columns}: {seen}");
    }
}

#[test]
fn wrapped_rows_break_between_words_and_are_indented() {
    let mut state = screen((80, 24));
    let reason = "the caller asked for a person and would not wait for the next appointment";
    feed(
        &mut state,
        0,
        json!({"event_type": "call.escalated", "call_sid": CALL, "reason": reason}),
    );
    press(&mut state, "w");
    let lines: Vec<_> =
        text(&state).lines().skip(2).take(3).map(|line| line.replace('"', "")).collect();
    for word in reason.split(' ') {
        assert!(lines.iter().any(|line| line.contains(word)), "{word}: {lines:?}");
    }
    assert!(lines[1].starts_with("          ") && !lines[1].trim().is_empty(), "{lines:?}");
}

#[test]
fn all_dead_presses_are_gone_after_the_last_line() {
    for (columns, screen_key) in [(80, "4"), (120, "4"), (120, "5"), (200, "4")] {
        let mut state = screen((columns, 24));
        for number in 0..37 {
            let id = format!("{number:08x}-0000-4000-8000-000000000000");
            let event = json!({"event_type": "operator.status_changed", "operator_id": id, "status": "busy"});
            feed(&mut state, number, event);
            let event = json!({"event_type": format!("future.event_{}", char::from(b'a' + u8::try_from(number % 26).expect("a letter")))});
            feed(&mut state, number, event);
        }
        press(&mut state, screen_key);
        press(&mut state, "G");
        let end = draw(&state);
        press(&mut state, "k");
        assert_ne!(end, draw(&state), "{columns} {screen_key}");
    }
}

#[test]
fn a_failure_stays_on_the_screen_with_its_remedy() {
    for size in [(40, 10), (80, 24), (200, 60)] {
        let mut state = screen(size);
        let failure = "cannot watch the workspace: the API key was refused; check the key";
        update(&mut state, Msg::Failure(failure.to_owned()));
        update(&mut state, Msg::PipelineEnded);
        update(&mut state, Msg::Tick(at(100)));
        for key in super::screen_keys() {
            press(&mut state, &key);
            let seen = text(&state).replace(['"', '\n'], " ");
            let seen = seen.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(seen.contains("■ failed") && seen.contains(failure), "{size:?}: {seen}");
        }
    }
    let mut state = screen((80, 24));
    for number in 0..100 {
        update(&mut state, Msg::Failure(format!("cannot read file {number}")));
    }
    assert!(text(&state).contains("no events yet"), "failures leave room for the panel");
    let event = stored(&tool(0));
    update(&mut state, Msg::Pipeline(ScreenMessage::Event(event)));
    assert_eq!(state.screen, Screen::Stream);
}
