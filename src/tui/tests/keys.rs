//! What each key does.

use crossterm::event::KeyCode;
use serde_json::json;

use super::{CALL, code, control, day, feed, filled, press, screen, text};
use crate::tui::buffer::{BufferLimits, EventBuffer};
use crate::tui::screen::Screen;
use crate::tui::state::Effect;
use crate::tui::state::modes::{CallPart, TimeMode};

#[test]
fn the_newest_is_followed_until_somebody_moves_up_and_again_at_the_bottom() {
    let mut state = filled(100);
    assert!(state.follow && state.selected == 99);
    press(&mut state, "k");
    assert!(!state.follow && state.selected == 98);
    let top = state.top;
    feed(&mut state, 200, json!({"event_type": "call.started"}));
    assert_eq!((state.selected, state.top), (98, top), "the row is held");
    press(&mut state, "jj");
    assert!(state.follow && state.selected == 100, "reaching the bottom follows");
    code(&mut state, KeyCode::Up);
    code(&mut state, KeyCode::End);
    assert!(state.follow);
    press(&mut state, "g");
    assert!(!state.follow && state.selected == 0 && state.top == 0);
    press(&mut state, "G");
    assert!(state.follow && state.selected == 100);
}

#[test]
fn pages_and_half_pages() {
    let mut state = filled(200);
    let page = 21;
    code(&mut state, KeyCode::PageUp);
    assert_eq!(state.selected, 199 - page);
    code(&mut state, KeyCode::PageDown);
    assert_eq!(state.selected, 199);
    control(&mut state, 'u');
    assert_eq!(state.selected, 199 - 11);
    control(&mut state, 'd');
    control(&mut state, 'b');
    control(&mut state, 'f');
    assert_eq!(state.selected, 199);
}

#[test]
fn the_selection_stays_on_its_event_when_older_ones_go() {
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
    assert_eq!(state.selected, 11, "its event is gone: the oldest is next");
    assert!(state.marks.is_empty(), "and so is its mark");
}

#[test]
fn paused_nothing_moves_and_the_new_are_counted() {
    let mut state = filled(5);
    press(&mut state, " ");
    feed(&mut state, 10, json!({"event_type": "call.started"}));
    feed(&mut state, 11, json!({"event_type": "call.started"}));
    assert_eq!((state.rows().len(), state.selected), (5, 4));
    assert!(text(&state).contains("PAUSED, 2 new"));
    press(&mut state, " ");
    assert_eq!((state.rows().len(), state.selected), (7, 6));
}

#[test]
fn errors_marks_and_matches_are_gone_to() {
    let mut state = filled(40);
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
    press(&mut state, "g/tool_3.\n");
    assert_eq!(state.selected, 30);
    press(&mut state, "n");
    assert_eq!(state.selected, 31);
    press(&mut state, "NN");
    assert_eq!(state.selected, 39, "it goes round");
    press(&mut state, "/nowhere\n");
    assert!(text(&state).contains("nothing matches"));
    press(&mut state, "/(\n");
    assert!(text(&state).contains("this is no regular expression"));
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
fn time_is_told_in_five_ways() {
    let mut state = filled(3);
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
fn what_the_loop_is_to_do() {
    let mut state = filled(3);
    press(&mut state, "y");
    assert!(matches!(state.effects.pop(), Some(Effect::Copy(line)) if line.contains("\"tool_2\"")));
    press(&mut state, "s");
    control(&mut state, 'u');
    press(&mut state, "kept.ndjson\n");
    assert_eq!(state.effects.pop(), Some(Effect::Save("kept.ndjson".into())));
    control(&mut state, 'z');
    assert_eq!(state.effects.pop(), Some(Effect::Suspend));
    press(&mut state, "q");
    assert_eq!(state.effects.pop(), Some(Effect::Quit));
    control(&mut state, 'c');
    assert_eq!(state.effects.pop(), Some(Effect::Quit));
}

#[test]
fn escape_closes_one_thing_after_the_other_and_never_the_screen() {
    let mut state = filled(3);
    press(&mut state, "/tool\n\n?");
    press(&mut state, "\u{1b}");
    assert!(state.help.is_none() && state.detail.is_some());
    press(&mut state, "\u{1b}");
    assert!(state.detail.is_none() && state.search.is_some());
    press(&mut state, "\u{1b}\u{1b}\u{1b}");
    assert!(state.search.is_none() && state.effects.is_empty());
}

#[test]
fn screens_are_chosen_and_a_call_stays_chosen_while_the_board_moves() {
    let mut state = screen((120, 40));
    day(&mut state);
    press(&mut state, "2j");
    let chosen = state.selected_call.clone().expect("a call is chosen");
    feed(
        &mut state,
        60,
        json!({"event_type": "call.started", "call_sid": "CA00000000000000000000000000000003"}),
    );
    press(&mut state, "\n");
    assert_eq!(
        (state.screen, state.selected_call.as_deref()),
        (Screen::Call, Some(chosen.as_str()))
    );
    assert!(text(&state).contains(&chosen));
    press(&mut state, "o");
    assert!(
        state.screen == Screen::Stream
            && state.filter.as_ref().is_some_and(|filter| filter.source.contains(&chosen))
    );
    press(&mut state, "\t");
    assert_eq!(state.screen, Screen::Calls);
    code(&mut state, KeyCode::BackTab);
    code(&mut state, KeyCode::BackTab);
    assert_eq!(Some(&state.screen), Screen::ALL.last());
    press(&mut state, "\u{1b}");
    assert_eq!(state.screen, Screen::Stream);
}

#[test]
fn everything_is_in_the_help_at_every_size() {
    for (columns, rows) in [(40, 10), (80, 24), (200, 50)] {
        let mut state = screen((columns, rows));
        press(&mut state, "?");
        let mut seen = String::new();
        for _ in 0..20 {
            seen += &text(&state).replace(['"', '│'], "");
            code(&mut state, KeyCode::PageDown);
        }
        let words: std::collections::HashSet<_> = seen.split_whitespace().collect();
        for binding in crate::tui::keys::bindings() {
            assert!(
                binding.help.split_whitespace().all(|word| words.contains(word)),
                "{}",
                binding.help
            );
            assert!(
                words.contains(binding.name.split(' ').next().expect("a name")),
                "{}",
                binding.name
            );
        }
        for (command, _) in crate::tui::commands::COMMANDS {
            assert!(words.contains(command), "{command}");
        }
    }
    let mut state = screen((200, 50));
    press(&mut state, "?");
    assert!(!text(&state).contains("more lines"), "it fits");
}

#[test]
fn a_call_is_gone_to_and_its_parts_are_gone_through() {
    let mut state = screen((80, 24));
    day(&mut state);
    press(&mut state, ":call nobody\n");
    assert!(state.screen == Screen::Stream && text(&state).contains("no such call"));
    press(&mut state, ":call CA\t\t\t\n");
    assert_eq!((state.screen, state.selected_call.as_deref()), (Screen::Call, Some(super::OTHER)));
    press(&mut state, &format!(":call {CALL}\n"));
    let parts = [
        CallPart::All,
        CallPart::Conversation,
        CallPart::Emotion,
        CallPart::Latency,
        CallPart::All,
    ];
    for part in parts {
        assert_eq!(state.call_part, part);
        let seen = text(&state);
        assert_eq!(
            seen.contains("valence -0.40"),
            matches!(part, CallPart::All | CallPart::Emotion),
            "{seen}"
        );
        assert_eq!(
            seen.contains("latency by turn"),
            matches!(part, CallPart::All | CallPart::Latency),
            "{seen}"
        );
        assert_eq!(
            seen.contains("navigation          137    176    176"),
            part == CallPart::Latency,
            "{seen}"
        );
        press(&mut state, "\n");
    }
    press(&mut state, "\n\u{1b}");
    assert_eq!((state.screen, state.call_part), (Screen::Call, CallPart::Latency.next()));
    press(&mut state, "y");
    assert_eq!(state.effects, [Effect::Copy(CALL.to_owned())]);
}
