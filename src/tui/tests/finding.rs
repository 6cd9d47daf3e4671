//! Tests of filters, searches, columns, commands and completion.

use std::collections::BTreeMap;

use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use serde_json::json;

use super::{
    CALL, feed, finish, press, press_control, press_key, screen, screen_with_events, send_day,
    stored, text,
};
use crate::tui::incremental::advance;
use crate::tui::selection::keep_visible;
use crate::tui::state::{Effect, State};
use crate::tui::time_slice::TimeSlice;
use crate::tui::update::{Msg, update};

#[test]
fn a_filter_is_previewed_and_checked_while_it_is_typed() {
    let mut state = screen_with_events(40);
    press(&mut state, "f.succeeded == false");
    assert!(text(&state).contains("4 of 40 match"));
    assert_eq!(state.rows().len(), 40, "the filter is not applied yet");
    press(&mut state, "\n");
    assert_eq!(state.rows().len(), 4);
    feed(
        &mut state,
        50,
        json!({"event_type": "tool_call_completed", "tool_name": "x", "call_id": "c", "succeeded": false}),
    );
    finish(&mut state);
    assert_eq!((state.rows().len(), state.selected), (5, 40), "new events are filtered too");
    press(&mut state, "F");
    assert_eq!(state.rows().len(), 41);
    press(&mut state, "F");
    assert_eq!(state.rows().len(), 5);
    press(&mut state, "f");
    press_control(&mut state, 'u');
    press(&mut state, ".durations");
    assert!(text(&state).contains("did you mean"));
    press(&mut state, "\n");
    assert!(state.prompt.is_some(), "an invalid filter is not applied");
    press_key(&mut state, KeyCode::Up);
    assert_eq!(
        state.prompt.as_ref().map(|prompt| prompt.line.text()),
        Some(".succeeded == false".to_owned())
    );
    press_control(&mut state, 'u');
    press(&mut state, "\n");
    assert!(state.filter.is_none() && state.rows().len() == 41);
}

#[test]
fn the_call_filter_is_toggled_and_restores_the_previous_filter() {
    let mut state = screen((120, 40));
    send_day(&mut state);
    let all = state.rows().len();
    press(&mut state, "f.event_type != \"emotion\"\ngo");
    let rows = state.rows();
    let kept =
        (0..rows.len()).filter_map(|place| state.buffer.get(rows.get(place)?)).collect::<Vec<_>>();
    assert!(kept.len() > 10 && kept.iter().all(|stored| stored.call_sid.as_deref() == Some(CALL)));
    press(&mut state, "o");
    assert_eq!(state.rows().len(), all - 2, "the previous filter is back");
}

#[test]
fn the_value_of_a_field_is_added_to_the_filter_unless_it_is_hidden() {
    let mut state = screen_with_events(20);
    press(&mut state, "\n\nj+");
    assert_eq!(
        state.prompt.as_ref().map(|prompt| prompt.line.text()),
        Some(".tool_name == \"tool_19\"".to_owned())
    );
    press(&mut state, "\n");
    assert_eq!(state.rows().len(), 1);

    let mut state = screen((80, 24));
    feed(&mut state, 0, json!({"event_type": "call.started", "caller_id": "+1"}));
    press(&mut state, "\n\nj+");
    assert!(state.prompt.is_none());
}

#[test]
fn filters_and_searches_stay_within_their_time_slice() {
    let mut state = screen((80, 24));
    let event = stored(&json!({"event_type": "call.started", "direction": "inbound"}));
    for _ in 0..10_000 {
        state.add_event(event.clone());
    }
    keep_visible(&mut state);
    let key = |state: &mut State, key| {
        update(state, Msg::Input(Input::Key(KeyEvent::new(key, KeyModifiers::NONE))));
    };
    key(&mut state, KeyCode::Char('f'));
    for character in r#".direction == "inbound""#.chars() {
        key(&mut state, KeyCode::Char(character));
    }
    let matched = |state: &State| state.filter.as_ref().map_or(0, |filter| filter.numbers().len());
    key(&mut state, KeyCode::Enter);
    for turn in 1..=25 {
        assert!(state.is_busy());
        advance(&mut state, TimeSlice::with_events(400));
        assert_eq!(matched(&state), turn * 400);
        let before = state.selected;
        key(&mut state, KeyCode::Up);
        assert_ne!(state.selected, before, "keys are handled meanwhile");
    }
    assert!(!state.is_busy());
    key(&mut state, KeyCode::Char('/'));
    key(&mut state, KeyCode::Char('x'));
    key(&mut state, KeyCode::Enter);
    for _ in 0..25 {
        assert!(state.is_busy());
        advance(&mut state, TimeSlice::with_events(400));
    }
    assert!(!state.is_busy(), "a search stays within its slice too");
    let expired = std::time::Instant::now();
    press(&mut state, "F");
    state.filter = None;
    key(&mut state, KeyCode::Char('n'));
    advance(&mut state, TimeSlice::with_events(400).until(expired));
    assert!(
        state.search.as_ref().is_some_and(|search| search.pending.is_some()),
        "no event is tested after the deadline"
    );
}

#[test]
fn tab_completes_words() {
    let mut state = screen_with_events(3);
    let typed =
        |state: &State| state.prompt.as_ref().map(|prompt| prompt.line.text()).expect("a prompt");
    press(&mut state, ":columns tool_n\t");
    assert_eq!(typed(&state), "columns tool_name");
    press(&mut state, ",_tap.i\t\n");
    assert_eq!(
        state.columns.as_ref().map(|columns| columns.names().to_vec()),
        Some(vec!["tool_name".into(), "_tap.id".into()])
    );
    press(&mut state, "f.completion_r\t == \"x\" and .event_type == \"call.esc\t");
    assert_eq!(typed(&state), ".completion_reason == \"x\" and .event_type == \"call.escalated");
    press(&mut state, "\"\t");
    assert_eq!(
        typed(&state),
        ".completion_reason == \"x\" and .event_type == \"call.escalated\"",
        "nothing is completed after a string"
    );
    press(&mut state, "\u{1b}:fi\t .dire\t");
    assert_eq!(typed(&state), "filter .direction");
    press(&mut state, "\u{1b}:\t");
    assert_eq!(typed(&state), "at");
    press(&mut state, "\t");
    assert_eq!(typed(&state), "call", "Tab cycles");
    press_key(&mut state, KeyCode::BackTab);
    press_key(&mut state, KeyCode::BackTab);
    assert_eq!(typed(&state), "quit", "cycling wraps around in both directions");
    press(&mut state, "\u{1b}/tool\t");
    assert_eq!(typed(&state), "tool", "search patterns are not completed");
}

#[test]
fn columns_are_shown_in_the_order_in_which_they_were_chosen() {
    let mut state = screen_with_events(3);
    press(&mut state, "x");
    let seen = text(&state);
    assert!(
        seen.contains("[ ] tool_name") && seen.contains("Space toggle  Enter apply  Esc cancel"),
        "{seen}"
    );
    // The fields of the selected event come first: tool_name, call_id, succeeded.
    press(&mut state, "jj ");
    assert!(text(&state).contains("[1] succeeded"), "{}", text(&state));
    press(&mut state, "gG");
    assert!(text(&state).contains("_tap.call_sid"));
    press(&mut state, "g \n");
    let seen = text(&state);
    assert!(seen.contains("  succeeded tool_name"), "{seen}");
    assert!(seen.contains("tool_call_completed        true      tool_2"), "{seen}");
    assert!(!seen.contains("call_id"));
    press(&mut state, "xj \u{1b}");
    assert!(
        state.column_picker.is_none() && text(&state).contains("  succeeded tool_name"),
        "cancelled without a change"
    );
    press(&mut state, "x j x");
    assert!(
        state.column_picker.is_none() && state.columns.is_some(),
        "the key that opened the picker cancels too"
    );
    press(&mut state, "x j \n");
    assert!(text(&state).contains("call_id"), "no chosen column shows all fields");
}

#[test]
fn commands_are_executed_and_invalid_ones_are_explained() {
    let mut state = screen_with_events(40);
    press(&mut state, ":at 16:53:30\n");
    assert_eq!(state.selected, 10);
    press(&mut state, ":at 2026-05-05T16:53:25Z\n");
    assert_eq!(state.selected, 5);
    press(&mut state, ":at 23:00\n");
    assert!(text(&state).contains("no event at or after that time"));
    press(&mut state, ":filter .succeeded == false\n");
    assert_eq!(state.rows().len(), 4);
    press(&mut state, ":save kept.ndjson\n:q\n");
    assert_eq!(state.effects, [Effect::Save("kept.ndjson".into()), Effect::Quit]);
    press(&mut state, ":nonsense");
    assert!(text(&state).contains("no such command"));
    press(&mut state, "\n");
    assert!(state.prompt.is_some());
}

#[test]
fn a_named_filter_is_applied_by_its_name() {
    let mut state = screen_with_events(40);
    let named = [
        ("failed", ".succeeded == false"),
        ("slow", ".duration_ms > 100"),
        ("wrong", ".durations > 1"),
    ];
    state.config.named = named
        .iter()
        .map(|(name, filter)| ((*name).to_owned(), (*filter).to_owned()))
        .collect::<BTreeMap<_, _>>();
    press(&mut state, "f@");
    assert!(text(&state).contains(" failed  slow  wrong"), "{}", text(&state));
    press(&mut state, "fai\t");
    assert!(
        text(&state).contains("filter @failed") && text(&state).contains("4 of 40 match"),
        "{}",
        text(&state)
    );
    press(&mut state, "\n");
    assert_eq!(
        (state.rows().len(), state.history.filters.last().map(String::as_str)),
        (4, Some("@failed"))
    );
    press(&mut state, "\n\nj+");
    let typed = state.prompt.as_ref().map(|prompt| prompt.line.text());
    assert_eq!(typed.as_deref(), Some("(.succeeded == false) and .tool_name == \"tool_39\""));
    press(&mut state, "\n\u{1b}\u{1b}");
    assert_eq!(state.rows().len(), 1);
    press(&mut state, "f");
    press_control(&mut state, 'u');
    press(&mut state, "@failing");
    assert!(text(&state).contains("the configuration has no such filter"), "{}", text(&state));
    press_control(&mut state, 'u');
    press(&mut state, "@wrong");
    assert!(text(&state).contains("did you mean"), "{}", text(&state));
    press(&mut state, "\u{1b}:filter @slow\n");
    assert_eq!(state.rows().len(), 0);
    press(&mut state, ":filter @none\n");
    assert!(
        state.filter.is_some() && text(&state).contains("no such filter"),
        "an invalid filter changes nothing"
    );
}

#[test]
fn a_filter_that_takes_too_long_is_rejected() {
    let mut state = screen_with_events(3);
    press(&mut state, "f[range(1000)] | length > 0");
    assert!(text(&state).contains("3 of 3 match"), "{}", text(&state));
    press(&mut state, "0");
    press_control(&mut state, 'u');
    press(&mut state, "[range(100000)] | length > 0");
    let seen = text(&state);
    assert!(
        seen.contains("cannot use this filter here") && seen.contains("--filter on the"),
        "{seen}"
    );
    press(&mut state, "\n");
    assert!(state.prompt.is_some() && state.filter.is_none());
}

#[test]
fn events_on_which_a_filter_takes_too_long_do_not_pass_and_one_message_says_so() {
    let mut state = screen_with_events(3);
    press(&mut state, "fif .succeeded then [range(100000)] | length > 0 else true end");
    let seen = text(&state);
    assert!(seen.contains("0 of 3 match"), "{seen}");
    assert!(seen.contains("the filter fails on tool_call_completed: it needs"), "{seen}");
    press(&mut state, "\n");
    assert!(state.filter.is_some());
}

#[test]
fn a_filter_may_be_words_or_types() {
    let mut state = screen((120, 40));
    send_day(&mut state);
    for (typed, expected) in [
        ("call.*", "4 of 31 match"),
        ("call.{started,ended}", "3 of 31 match"),
        ("emotion", "2 of 31 match"),
        ("arousal calm", "1 of 31 match"),
        ("false", "6 of 31 match"),
        ("\"482\"", "1 of 31 match"),
        ("zzz", "0 of 31 match"),
        ("ANXIETY", "0 of 31 match"),
        (".event_type == \"emotion\"", "2 of 31 match"),
    ] {
        press(&mut state, "f");
        press_control(&mut state, 'u');
        press(&mut state, typed);
        assert!(text(&state).contains(expected), "{typed}: {}", text(&state));
        press(&mut state, "\n");
        assert!(state.prompt.is_none());
    }
    press(&mut state, "f");
    press_control(&mut state, 'u');
    press(&mut state, "calls.*");
    assert!(text(&state).contains("no event type of the model matches"), "{}", text(&state));
    press_control(&mut state, 'u');
    press(&mut state, "call.*\n\n\nj+");
    let typed = state.prompt.as_ref().map(|prompt| prompt.line.text()).expect("a prompt");
    assert!(typed.starts_with("(.event_type | test(\"^call\\\\..*$\")) and ."), "{typed}");
    assert!(text(&state).contains(" of 31 match"), "{}", text(&state));
}

#[test]
fn a_search_finds_whatever_the_list_shows() {
    let mut state = screen((120, 40));
    send_day(&mut state);
    for (pattern, number) in
        [("false", "6"), ("direction", "4"), (r"674\.0", "1"), ("call.esc", "1"), ("=calm", "1")]
    {
        press(&mut state, &format!("G/{pattern}\n"));
        let expected = format!("/{number} ");
        let status = text(&state).lines().nth(1).expect("a status").to_owned();
        assert!(status.contains(&format!("/{pattern} ")) && status.contains(&expected), "{status}");
        let number: usize = number.parse().expect("a number");
        let start = state.selected;
        for _ in 0..number {
            press(&mut state, "n");
        }
        assert_eq!(state.selected, start, "{pattern}: {number} steps lead around");
    }
    press(&mut state, "f.event_type != \"emotion\"\n/arousal\n");
    assert!(text(&state).contains("–/0"), "only listed events are found: {}", text(&state));
}

#[test]
fn the_current_match_looks_different_from_the_others() {
    use ratatui::style::Modifier;
    let mut state = screen_with_events(10);
    press(&mut state, "g/succeeded\n");
    let backend = super::draw(&state);
    let found = |row: u16| {
        let cells = (0..80).filter_map(|column| backend.buffer().cell((column, row)));
        let style = |cell: &ratatui::buffer::Cell| cell.modifier;
        let cells: Vec<_> = cells.map(style).collect();
        let count = |wanted: Modifier| cells.iter().filter(|style| style.contains(wanted)).count();
        (count(Modifier::UNDERLINED), count(Modifier::REVERSED))
    };
    assert_eq!(state.selected, 1);
    assert_eq!(found(3), (9, 80 - 9), "the selected row is reversed but for the match");
    assert_eq!(found(4), (0, 9), "in other rows, only the match is reversed");
}

#[test]
fn prompts_open_without_an_error() {
    let mut state = screen_with_events(3);
    for typed in ["@", ":at ", ":save ", ":call ", ":save", ":w", ":filter ", ":columns "] {
        press(&mut state, typed);
        assert!(state.prompt.as_ref().is_some_and(|prompt| prompt.error.is_none()), "{typed}");
        press(&mut state, "\u{1b}");
    }
    press(&mut state, "@");
    assert!(text(&state).contains(" a time such as 09:30"), "{}", text(&state));
    press(&mut state, "\n");
    let seen = text(&state);
    assert!(seen.contains("at lacks TIME; write it like at TIME"), "{seen}");
    press(&mut state, "nonsense");
    assert!(text(&state).contains("invalid time"), "{}", text(&state));
}

#[test]
fn the_help_and_the_names_of_columns_can_be_filtered() {
    let mut state = screen((120, 40));
    send_day(&mut state);
    press(&mut state, "?/mark");
    let seen = text(&state);
    assert!(seen.contains("rows with mark") && seen.contains("set or remove a mark"), "{seen}");
    assert!(!seen.contains("suspend"), "{seen}");
    press(&mut state, "\n\u{1b}");
    assert!(state.help.is_some() && text(&state).contains("suspend"));
    press(&mut state, "\u{1b}x/_source");
    let seen = text(&state);
    assert!(seen.contains("data_source_id") && !seen.contains("call_sid"), "{seen}");
    press(&mut state, "\n \n");
    let names = state.columns.as_ref().map(|columns| columns.names().to_vec());
    assert_eq!(names, Some(vec!["data_source_id".to_owned()]));
}

#[test]
fn a_jump_leaves_context_before_and_after_its_event() {
    let mut state = screen_with_events(200);
    for keys in ["gee", "G@16:53:40\n", "G/tool_77\n", "GEE"] {
        press(&mut state, keys);
        let rows = state.rows();
        let row = rows.place(state.selected) - rows.place(state.top);
        assert!((3..=18).contains(&row), "{keys}: {row}");
    }
}
