//! Tests of the keys.

use crossterm::event::KeyCode;
use serde_json::json;

use super::{
    CALL, feed, press, press_control, press_key, screen, screen_with_events, send_day, text,
};
use crate::tui::buffer::{BufferLimits, EventBuffer};
use crate::tui::screen::Screen;
use crate::tui::state::Effect;
use crate::tui::state::modes::TimeMode;

#[test]
fn following_stops_when_moving_up_and_resumes_at_the_bottom() {
    let mut state = screen_with_events(100);
    assert!(state.follow && state.selected == 99);
    press(&mut state, "k");
    assert!(!state.follow && state.selected == 98);
    let top = state.top;
    feed(&mut state, 200, json!({"event_type": "call.started"}));
    assert_eq!((state.selected, state.top), (98, top), "the row does not move");
    press(&mut state, "jj");
    assert!(state.follow && state.selected == 100, "reaching the bottom follows");
    press_key(&mut state, KeyCode::Up);
    press_key(&mut state, KeyCode::End);
    assert!(state.follow);
    press(&mut state, "g");
    assert!(!state.follow && state.selected == 0 && state.top == 0);
    press(&mut state, "G");
    assert!(state.follow && state.selected == 100);
}

#[test]
fn page_keys_move_by_a_page_or_half_a_page() {
    let mut state = screen_with_events(200);
    let page = 21;
    press_key(&mut state, KeyCode::PageUp);
    assert_eq!(state.selected, 199 - page);
    press_key(&mut state, KeyCode::PageDown);
    assert_eq!(state.selected, 199);
    press_control(&mut state, 'u');
    assert_eq!(state.selected, 199 - 11);
    press_control(&mut state, 'd');
    press_control(&mut state, 'b');
    press_control(&mut state, 'f');
    assert_eq!(state.selected, 199);
}

#[test]
fn the_selection_stays_on_its_event_when_older_events_are_dropped() {
    let mut state = screen((80, 24));
    state.buffer = EventBuffer::new(BufferLimits { events: 50, bytes: usize::MAX });
    for number in 0..50 {
        feed(&mut state, number, json!({"event_type": "call.started"}));
    }
    press(&mut state, "gjjjjjjjjjjm");
    assert_eq!(state.selected, 10);
    for number in 50..60 {
        feed(&mut state, number, json!({"event_type": "call.started"}));
    }
    assert_eq!((state.selected, state.buffer.first()), (10, 10));
    feed(&mut state, 60, json!({"event_type": "call.started"}));
    assert_eq!(state.selected, 11, "its event was dropped, so the oldest is selected");
    assert!(state.marks.is_empty(), "the mark is dropped with its event");
}

#[test]
fn a_paused_list_does_not_move_and_counts_new_events() {
    let mut state = screen_with_events(5);
    press(&mut state, "2 ");
    assert!(!state.buffer.is_paused() && text(&state).contains("only the stream can be paused"));
    press(&mut state, "1 ");
    feed(&mut state, 10, json!({"event_type": "call.started"}));
    feed(&mut state, 11, json!({"event_type": "call.started"}));
    assert_eq!((state.rows().len(), state.selected), (5, 4));
    assert!(text(&state).contains("PAUSED, 2 new"));
    for key in ["2", "3", "4", "5"] {
        press(&mut state, key);
        assert!(!text(&state).contains("PAUSED"), "a badge describes the screen it is on");
    }
    press(&mut state, "1");
    press(&mut state, " ");
    assert_eq!((state.rows().len(), state.selected), (7, 6));
}

#[test]
fn keys_go_to_errors_marks_and_matches() {
    let mut state = screen_with_events(40);
    press(&mut state, "gee");
    assert_eq!(state.selected, 19);
    press(&mut state, "E");
    assert_eq!(state.selected, 9);
    press(&mut state, "mjjjmggu");
    assert_eq!(state.selected, 9);
    press(&mut state, "u");
    assert_eq!(state.selected, 12);
    press(&mut state, "U");
    assert_eq!(state.selected, 9);
    press(&mut state, "mU");
    assert_eq!((state.marks.len(), state.selected), (1, 9));
    assert!(text(&state).contains("no mark before this one"));
    press(&mut state, "g/tool_3\\d\n");
    assert_eq!(state.selected, 30);
    press(&mut state, "n");
    assert_eq!(state.selected, 31);
    press(&mut state, "NN");
    assert_eq!(state.selected, 39, "the search wraps around");
    let seen = text(&state);
    assert!(seen.contains("the search continues at the newest event"), "{seen}");
    assert!(seen.contains("/tool_3\\d 10/10"), "{seen}");
    press(&mut state, "/nowhere\n");
    assert!(text(&state).contains("no match"));
    press(&mut state, "/(\n");
    assert!(text(&state).contains("invalid regular expression"));
}

#[test]
fn nested_values_are_folded_and_unfolded() {
    let mut state = screen((80, 24));
    feed(
        &mut state,
        0,
        json!({"event_type": "surface.submitted", "fields_submitted": ["one", "two"]}),
    );
    press(&mut state, "\n\nj");
    assert!(text(&state).contains("[1] two"));
    press(&mut state, "\n");
    assert!(!text(&state).contains("[1] two"));
    press(&mut state, "l");
    assert!(text(&state).contains("[1] two"));
    press(&mut state, "h");
    assert!(!text(&state).contains("[1] two"));
    press(&mut state, "\u{1b}\u{1b}");
    assert!(state.detail.is_none());
}

#[test]
fn times_are_shown_in_five_modes() {
    let mut state = screen_with_events(3);
    for (mode, seen) in [
        (TimeMode::Local, "16:53:22 tool"),
        (TimeMode::Utc, "16:53:22Z tool"),
        (TimeMode::Age, "    0s tool"),
        (TimeMode::Delta, "+1.000 tool"),
        (TimeMode::None, "  tool_call"),
    ] {
        assert_eq!(state.time_mode, mode);
        assert!(text(&state).contains(seen), "{mode:?} {}", text(&state));
        press(&mut state, "t");
    }
    assert_eq!(state.time_mode, TimeMode::Local);
}

#[test]
fn keys_request_effects_from_the_event_loop() {
    let mut state = screen_with_events(3);
    press(&mut state, "y");
    assert!(matches!(state.effects.pop(), Some(Effect::Copy(line)) if line.contains("\"tool_2\"")));
    press(&mut state, "s");
    press_control(&mut state, 'u');
    press(&mut state, "kept.ndjson\n");
    assert_eq!(state.effects.pop(), Some(Effect::Save("kept.ndjson".into())));
    press_control(&mut state, 'z');
    assert_eq!(state.effects.pop(), Some(Effect::Suspend));
    press(&mut state, "q");
    assert_eq!(state.effects.pop(), Some(Effect::Quit));
    press_control(&mut state, 'c');
    assert_eq!(state.effects.pop(), Some(Effect::Quit));
}

#[test]
fn escape_closes_one_thing_at_a_time_and_never_quits() {
    let mut state = screen_with_events(3);
    press(&mut state, "/tool\n\n?");
    press(&mut state, "\u{1b}");
    assert!(state.help.is_none() && state.detail.is_some());
    press(&mut state, "\u{1b}");
    assert!(state.detail.is_none() && state.search.is_some());
    press(&mut state, "\u{1b}\u{1b}\u{1b}");
    assert!(state.search.is_none() && state.effects.is_empty());
    for overlay in ["?", "x"] {
        press(&mut state, overlay);
        press(&mut state, "q");
        assert!(state.help.is_none() && state.column_picker.is_none(), "q closes {overlay}");
        press(&mut state, overlay);
        press_control(&mut state, 'c');
        assert!(state.help.is_none() && state.column_picker.is_none(), "^C closes {overlay}");
    }
    assert!(state.effects.is_empty(), "q in an overlay does not end the session");
}

#[test]
fn a_selected_call_stays_selected_when_the_order_of_calls_changes() {
    let mut state = screen((120, 40));
    send_day(&mut state);
    press(&mut state, "2j");
    let selected = state.selected_call.clone().expect("a call is selected");
    feed(
        &mut state,
        60,
        json!({"event_type": "call.started", "call_sid": "CA00000000000000000000000000000003"}),
    );
    press(&mut state, "\n");
    assert_eq!(
        (state.screen, state.selected_call.as_deref()),
        (Screen::Call, Some(selected.as_str()))
    );
    assert!(text(&state).contains(&selected));
    press(&mut state, "o");
    assert!(
        state.screen == Screen::Stream
            && state.filter.as_ref().is_some_and(|filter| filter.source.contains(&selected))
    );
    press(&mut state, "\t");
    assert_eq!(state.screen, Screen::Calls);
    for _ in 0..3 {
        press_key(&mut state, KeyCode::BackTab);
    }
    assert_eq!(Some(&state.screen), Screen::ALL.last());
    press(&mut state, "\u{1b}");
    assert_eq!(state.screen, Screen::Stream);
}

#[test]
fn the_help_lists_every_key_and_command_at_every_size() {
    for (columns, rows) in [(40, 10), (80, 24), (200, 50)] {
        let mut state = screen((columns, rows));
        press(&mut state, "?");
        let mut seen = String::new();
        for _ in 0..40 {
            seen += &text(&state).replace(['"', '│'], "");
            press_key(&mut state, KeyCode::PageDown);
        }
        let words: std::collections::HashSet<_> = seen.split_whitespace().collect();
        for binding in crate::tui::keys::bindings() {
            let keys = &state.config.keys;
            let help = keys.expand(binding.help);
            assert!(help.split_whitespace().all(|word| words.contains(word)), "{help}");
            let name = keys.first(binding.action).expect("a key");
            assert!(words.contains(name.as_str()), "{name}");
        }
        for (command, _) in crate::tui::commands::COMMANDS {
            assert!(command.split(' ').all(|word| words.contains(word)), "{command}");
        }
    }
    let mut state = screen((200, 50));
    press(&mut state, "?");
    assert!(!text(&state).contains("more lines"), "the whole help fits");
}

#[test]
fn a_command_opens_a_call() {
    let mut state = screen((80, 24));
    send_day(&mut state);
    press(&mut state, ":call nobody\n");
    assert!(state.screen == Screen::Stream && text(&state).contains("no such call"));
    press(&mut state, ":call CA\t\t\t\n");
    assert_eq!((state.screen, state.selected_call.as_deref()), (Screen::Call, Some(super::OTHER)));
    press(&mut state, &format!(":call {CALL}\n"));
    assert_eq!((state.screen, state.selected_call.as_deref()), (Screen::Call, Some(CALL)));
    press(&mut state, "y");
    assert_eq!(state.effects, [Effect::Copy(CALL.to_owned())]);
}
