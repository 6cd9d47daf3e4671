//! What each key does.

use crossterm::event::{KeyCode, MouseButton, MouseEventKind};
use serde_json::json;

use super::{CALL, at, code, control, day, feed, mouse, press, screen, text};
use crate::source::{Change, News, Origin};
use crate::tui::buffer::Buffer;
use crate::tui::buffer::Limits;
use crate::tui::feed::Fed;
use crate::tui::state::{Effect, Link, State, TimeMode};
use crate::tui::update::{Msg, update};

/// A screen of 80×24 with so many events, of which each tenth is an error.
fn filled(events: i64) -> State {
    let mut state = screen((80, 24));
    for number in 0..events {
        let succeeded = number % 10 != 9;
        let name = format!("tool_{number}");
        feed(
            &mut state,
            number,
            json!({"event_type": "tool_call_completed", "tool_name": name, "call_id": "c", "succeeded": succeeded}),
        );
    }
    state
}

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
    state.buffer = Buffer::new(Limits { events: 50, bytes: usize::MAX });
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
fn a_filter_counts_while_it_is_typed_and_says_what_is_wrong() {
    let mut state = filled(40);
    press(&mut state, "f.succeeded == false");
    assert!(text(&state).contains("4 of 40 match"));
    assert_eq!(state.rows().len(), 40, "it is not taken yet");
    press(&mut state, "\n");
    assert_eq!(state.rows().len(), 4);
    feed(&mut state, 50, json!({"event_type": "tool_call_completed", "tool_name": "x", "call_id": "c", "succeeded": false}));
    super::finish(&mut state);
    assert_eq!((state.rows().len(), state.selected), (5, 40), "what comes is filtered too");
    press(&mut state, "F");
    assert_eq!(state.rows().len(), 41);
    press(&mut state, "F");
    assert_eq!(state.rows().len(), 5);
    press(&mut state, "f");
    control(&mut state, 'u');
    press(&mut state, ".durations");
    assert!(text(&state).contains("did you mean"));
    press(&mut state, "\n");
    assert!(state.prompt.is_some(), "what is wrong is not taken");
    code(&mut state, KeyCode::Up);
    assert_eq!(state.prompt.as_ref().map(|prompt| prompt.line.text()), Some(".succeeded == false".to_owned()));
    control(&mut state, 'u');
    press(&mut state, "\n");
    assert!(state.filter.is_none() && state.rows().len() == 41);
}

#[test]
fn only_the_call_of_an_event_and_all_again() {
    let mut state = screen((120, 40));
    day(&mut state);
    let all = state.rows().len();
    press(&mut state, "f.event_type != \"emotion\"\ngo");
    let rows = state.rows();
    let kept = (0..rows.len()).filter_map(|place| state.buffer.get(rows.get(place)?)).collect::<Vec<_>>();
    assert!(kept.len() > 10 && kept.iter().all(|held| held.call_sid.as_deref() == Some(CALL)));
    press(&mut state, "o");
    assert_eq!(state.rows().len(), all - 2, "the filter from before is back");
}

#[test]
fn the_value_of_a_field_is_added_to_the_filter_but_no_mask() {
    let mut state = filled(20);
    press(&mut state, "\n\nj+");
    assert_eq!(state.prompt.as_ref().map(|prompt| prompt.line.text()), Some(".tool_name == \"tool_19\"".to_owned()));
    press(&mut state, "\n");
    assert_eq!(state.rows().len(), 1);

    let mut state = screen((80, 24));
    feed(&mut state, 0, json!({"event_type": "call.started", "caller_id": "+1"}));
    press(&mut state, "\n\nj+");
    assert!(state.prompt.is_none());
}

#[test]
fn nested_values_are_folded_and_unfolded() {
    let mut state = screen((80, 24));
    feed(&mut state, 0, json!({"event_type": "surface.submitted", "fields_submitted": ["one", "two"]}));
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
        assert_eq!(state.time, mode);
        assert!(text(&state).contains(seen), "{mode:?} {}", text(&state));
        press(&mut state, "t");
    }
    assert_eq!(state.time, TimeMode::Local);
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
    let chosen = state.call.clone().expect("a call is chosen");
    feed(&mut state, 60, json!({"event_type": "call.started", "call_sid": "CA00000000000000000000000000000003"}));
    press(&mut state, "\n");
    assert_eq!((state.screen, state.call.as_deref()), (2, Some(chosen.as_str())));
    assert!(text(&state).contains(&chosen));
    press(&mut state, "o");
    assert!(state.screen == 0 && state.filter.as_ref().is_some_and(|filter| filter.source.contains(&chosen)));
    press(&mut state, "\t");
    assert_eq!(state.screen, 1);
    code(&mut state, KeyCode::BackTab);
    code(&mut state, KeyCode::BackTab);
    assert_eq!(state.screen, 4);
    press(&mut state, "\u{1b}");
    assert_eq!(state.screen, 0);
}

#[test]
fn the_mouse_selects_scrolls_and_drags() {
    let mut state = filled(60);
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), 30, 4);
    assert_eq!(state.selected, state.top + 2);
    let selected = state.selected;
    mouse(&mut state, MouseEventKind::ScrollUp, 30, 4);
    assert_eq!(state.selected, selected - 3);
    press(&mut state, "\n");
    let edge = crate::tui::view::areas(&state).divider.expect("an edge").y;
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), 30, edge);
    mouse(&mut state, MouseEventKind::Drag(MouseButton::Left), 30, edge + 4);
    mouse(&mut state, MouseEventKind::Up(MouseButton::Left), 30, edge + 4);
    let dragged = crate::tui::view::areas(&state).divider.expect("an edge").y;
    assert!(dragged.abs_diff(edge + 4) <= 1, "{edge} {dragged}");
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), 13, 1);
    assert_eq!(state.screen, 1);
}

#[test]
fn the_help_has_every_key_of_the_table() {
    let mut state = screen((120, 80));
    press(&mut state, "?");
    let seen = text(&state);
    for binding in crate::tui::keys::bindings() {
        assert!(seen.contains(binding.help), "{}", binding.name);
    }
}

#[test]
fn the_link_is_told() {
    let mut state = screen((120, 24));
    let news = |change| Msg::Fed(Fed::News(News { origin: Origin::default().into(), change }));
    update(&mut state, news(Change::Connected));
    assert_eq!(state.link, Link::Live);
    let lost = Change::Reconnecting { delay: std::time::Duration::from_secs(3), attempt: 2, why: "the server closed".into() };
    update(&mut state, news(lost));
    assert!(text(&state).contains("reconnecting"));
    update(&mut state, Msg::Over);
    assert!(text(&state).contains("ended"));
    update(&mut state, Msg::Told("evtap: something was told".into()));
    assert!(text(&state).contains("something was told"));
    update(&mut state, Msg::Tick(at(30)));
    assert!(!text(&state).contains("something was told"));
}

#[test]
fn columns_are_chosen() {
    let mut state = filled(3);
    press(&mut state, "xsucceeded,tool_name\n");
    assert!(text(&state).contains("succeeded=true tool_name=tool_2"));
    assert!(!text(&state).contains("call_id"));
    press(&mut state, "x");
    control(&mut state, 'u');
    press(&mut state, "\n");
    assert!(text(&state).contains("call_id"));
}

#[test]
fn commands_are_carried_out_and_wrong_ones_are_explained() {
    let mut state = filled(40);
    press(&mut state, ":at 16:53:30\n");
    assert_eq!(state.selected, 10);
    press(&mut state, ":at 2026-05-05T16:53:25Z\n");
    assert_eq!(state.selected, 5);
    press(&mut state, ":at 23:00\n");
    assert!(text(&state).contains("no event at that time or after it"));
    press(&mut state, ":filter .succeeded == false\n");
    assert_eq!(state.rows().len(), 4);
    press(&mut state, ":save kept.ndjson\n:q\n");
    assert_eq!(state.effects, [Effect::Save("kept.ndjson".into()), Effect::Quit]);
    press(&mut state, ":nonsense");
    assert!(text(&state).contains("there is no such command"));
    press(&mut state, "\n");
    assert!(state.prompt.is_some());
}

#[test]
fn a_replay_has_a_pace_and_nothing_else_has() {
    let mut state = filled(3);
    press(&mut state, "p");
    assert!(text(&state).contains("only a replay has a pace"));
    state.setup.pace = Some(std::sync::Arc::default());
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
fn calls_of_a_recording_take_as_long_as_they_took_then() {
    let mut state = screen((120, 24));
    state.setup.pace = Some(std::sync::Arc::default());
    feed(&mut state, 0, json!({"event_type": "call.started", "call_sid": CALL}));
    feed(&mut state, 75, json!({"event_type": "call.started"}));
    update(&mut state, Msg::Tick(at(5000)));
    press(&mut state, "2");
    assert!(text(&state).contains(" 1m15s "));
}
