//! What each key does.

use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEventKind};
use serde_json::json;

use super::{CALL, at, code, control, day, feed, mouse, press, screen, text};
use crate::pace::Pace;
use crate::source::{Change, News, Origin};
use crate::tui::buffer::Buffer;
use crate::tui::buffer::Limits;
use crate::tui::feed::{Fed, PassedOver};
use crate::tui::matching::Slice;
use crate::tui::state::{Effect, Link, Panel, State, TimeMode};
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
fn the_mouse_chooses_and_opens_calls_and_events() {
    let mut state = screen((120, 40));
    day(&mut state);
    press(&mut state, "2");
    let click = MouseEventKind::Down(MouseButton::Left);
    mouse(&mut state, click, 30, 4);
    assert_eq!((state.screen, state.call.as_deref()), (1, Some(super::OTHER)));
    mouse(&mut state, click, 30, 30);
    mouse(&mut state, MouseEventKind::ScrollUp, 30, 4);
    assert_eq!(state.call.as_deref(), Some(CALL));
    mouse(&mut state, click, 30, 3);
    assert_eq!(state.screen, 2);
    press(&mut state, "1");
    mouse(&mut state, click, 30, 10);
    assert!(state.detail.is_none() && state.selected == 8);
    mouse(&mut state, click, 30, 10);
    assert!(state.detail.is_some());
    let area = crate::tui::view::areas(&state).detail.expect("it is open");
    mouse(&mut state, click, area.x + 2, area.y + 1);
    assert!(state.detail.as_ref().is_some_and(|detail| detail.focused && detail.cursor == 1));
    mouse(&mut state, MouseEventKind::ScrollDown, area.x + 2, area.y + 1);
    assert!(state.detail.as_ref().is_some_and(|detail| detail.cursor == 4));
    mouse(&mut state, click, 30, 3);
    assert!(state.detail.as_ref().is_some_and(|detail| !detail.focused));
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
            assert!(binding.help.split_whitespace().all(|word| words.contains(word)), "{}", binding.help);
            assert!(words.contains(binding.name.split(' ').next().expect("a name")), "{}", binding.name);
        }
        for (command, _) in crate::tui::prompt::COMMANDS {
            assert!(words.contains(command), "{command}");
        }
    }
    let mut state = screen((200, 50));
    press(&mut state, "?");
    assert!(!text(&state).contains("more lines"), "it fits");
}

#[test]
fn a_filter_looks_at_so_many_events_and_no_more_before_the_keys_have_their_turn() {
    let mut state = screen((80, 24));
    let event = super::held(&json!({"event_type": "call.started", "direction": "inbound"}));
    for _ in 0..10_000 {
        state.take(event.clone());
    }
    state.settle();
    let key = |state: &mut State, key| update(state, Msg::Input(Input::Key(KeyEvent::new(key, KeyModifiers::NONE))));
    key(&mut state, KeyCode::Char('f'));
    for character in r#".direction == "inbound""#.chars() {
        key(&mut state, KeyCode::Char(character));
    }
    let matched = |state: &State| state.filter.as_ref().map_or(0, |filter| filter.numbers().len());
    key(&mut state, KeyCode::Enter);
    for go in 1..=25 {
        assert!(state.is_busy());
        state.work(Slice::of(400));
        assert_eq!(matched(&state), go * 400);
        let before = state.selected;
        key(&mut state, KeyCode::Up);
        assert_ne!(state.selected, before, "keys go on meanwhile");
    }
    assert!(!state.is_busy());
    key(&mut state, KeyCode::Char('/'));
    key(&mut state, KeyCode::Char('x'));
    key(&mut state, KeyCode::Enter);
    for _ in 0..25 {
        assert!(state.is_busy());
        state.work(Slice::of(400));
    }
    assert!(!state.is_busy(), "so does a search");
    let past = std::time::Instant::now();
    press(&mut state, "F");
    state.filter = None;
    key(&mut state, KeyCode::Char('n'));
    state.work(Slice::of(400).until(past));
    assert!(state.search.as_ref().is_some_and(|search| search.hunt.is_some()), "and nothing is begun once time is up");
}

#[test]
fn words_are_completed() {
    let mut state = filled(3);
    let typed = |state: &State| state.prompt.as_ref().map(|prompt| prompt.line.text()).expect("a prompt");
    press(&mut state, "xtool_n\t");
    assert_eq!(typed(&state), "tool_name");
    press(&mut state, ",_tap.i\t\n");
    assert_eq!(state.columns.as_ref().map(|columns| columns.names().to_vec()), Some(vec!["tool_name".into(), "_tap.id".into()]));
    press(&mut state, "f.completion_r\t == \"x\" and .event_type == \"call.esc\t");
    assert_eq!(typed(&state), ".completion_reason == \"x\" and .event_type == \"call.escalated");
    press(&mut state, "\"\t");
    assert_eq!(typed(&state), ".completion_reason == \"x\" and .event_type == \"call.escalated\"", "behind a text is none");
    press(&mut state, "\u{1b}:fi\t .dire\t");
    assert_eq!(typed(&state), "filter .direction");
    press(&mut state, "\u{1b}:\t");
    assert_eq!(typed(&state), "at");
    press(&mut state, "\t");
    assert_eq!(typed(&state), "call", "Tab goes on");
    code(&mut state, KeyCode::BackTab);
    code(&mut state, KeyCode::BackTab);
    assert_eq!(typed(&state), "quit", "and round, both ways");
    press(&mut state, "\u{1b}/tool\t");
    assert_eq!(typed(&state), "tool", "a pattern is nobody's name");
}

#[test]
fn a_call_is_gone_to_and_its_parts_are_gone_through() {
    let mut state = screen((80, 24));
    day(&mut state);
    press(&mut state, ":call nobody\n");
    assert!(state.screen == 0 && text(&state).contains("no such call"));
    press(&mut state, ":call CA\t\t\t\n");
    assert_eq!((state.screen, state.call.as_deref()), (2, Some(super::OTHER)));
    press(&mut state, &format!(":call {CALL}\n"));
    let parts = [Panel::All, Panel::Conversation, Panel::Emotion, Panel::Latency, Panel::All];
    for part in parts {
        assert_eq!(state.panel, part);
        let seen = text(&state);
        assert_eq!(seen.contains("valence -0.40"), matches!(part, Panel::All | Panel::Emotion), "{seen}");
        assert_eq!(seen.contains("latency by turn"), matches!(part, Panel::All | Panel::Latency), "{seen}");
        assert_eq!(seen.contains("navigation          137    176    176"), part == Panel::Latency, "{seen}");
        press(&mut state, "\n");
    }
    press(&mut state, "\n\u{1b}");
    assert_eq!((state.screen, state.panel), (2, Panel::Latency.next()));
    press(&mut state, "y");
    assert_eq!(state.effects, [Effect::Copy(CALL.to_owned())]);
}

#[test]
fn what_was_not_selected_is_counted() {
    let mut state = filled(3);
    update(&mut state, Msg::Fed(Fed::PassedOver(PassedOver { events: 7, malformed: 1, drifted: 2, gaps: 3 })));
    let seen = text(&state);
    assert!(seen.contains("10 events  gaps 3  malformed 1  drift 2"), "{seen}");
    assert_eq!(state.numbers.passed.events, 7);
    state.size.0 = 140;
    assert!(text(&state).contains("filtered out 7"));
}

#[test]
fn of_several_streams_the_one_that_is_lost_is_told_and_one_that_ends_ends_not_all() {
    let mut state = screen((120, 24));
    let stream = |call: &str| std::sync::Arc::new(Origin { call_sid: Some(call.to_owned()), ..Origin::default() });
    let mut hear = |call: &str, change| {
        update(&mut state, Msg::Fed(Fed::News(News { origin: stream(call), change })));
        text(&state).lines().next().expect("a header").to_owned()
    };
    let lost = || Change::Reconnecting { delay: std::time::Duration::from_secs(3), attempt: 1, why: "it was cut".into() };
    assert!(hear("a", Change::Connected).contains("● live "));
    assert!(hear("b", Change::Connected).contains("● live 2 streams"));
    assert!(hear("a", lost()).contains("reconnecting 1 of 2"));
    assert!(hear("a", Change::Connected).contains("● live 2 streams"));
    assert!(hear("b", Change::Ended { why: "the call is over".into() }).contains("● live "));
    assert!(hear("a", Change::Ended { why: "the call is over".into() }).contains("ended"));
}

#[test]
fn where_there_is_no_line_for_it_the_footer_tells_of_a_pause() {
    let mut state = screen((20, 5));
    day(&mut state);
    press(&mut state, " ");
    feed(&mut state, 70, json!({"event_type": "call.started"}));
    let seen = text(&state);
    assert!(seen.contains("‖ 1 new"), "{seen}");
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
    let seen = text(&state);
    assert!(seen.contains("  succeeded tool_name"), "{seen}");
    assert!(seen.contains("tool_call_completed        true      tool_2"), "{seen}");
    assert!(!seen.contains("call_id"));
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
fn a_replay_shows_how_far_it_has_come_and_runs_to_a_time() {
    let mut state = filled(40);
    let pace = std::sync::Arc::new(Pace::new(vec![1000], 10.0));
    state.setup.pace = Some(std::sync::Arc::clone(&pace));
    pace.reach(250);
    let seen = text(&state);
    assert!(seen.contains("2026-05-05 16:53:59 ━━━") && seen.contains("─   25%  ▶ 10×"), "{seen}");
    press(&mut state, "@16:53:30\n");
    assert_eq!(state.selected, 10, "it is at hand");
    press(&mut state, "@+5s\n");
    assert_eq!(state.selected, 15);
    press(&mut state, "@-3s\n");
    assert_eq!(state.selected, 12);
    press(&mut state, "@16:59\n");
    assert!(state.follow && text(&state).contains("▶▶ going there"), "it is not at hand yet");
    update(&mut state, Msg::Over);
    assert!(text(&state).contains("100%  all of it"));
    press(&mut state, "@16:59\n");
    assert!(text(&state).contains("no event at that time or after it"));
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
