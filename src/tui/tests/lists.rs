//! Tests of the lists: the same keys and the mouse work in each of them.

use crossterm::event::{KeyCode, MouseButton, MouseEventKind};
use serde_json::json;

use super::{CALL, OTHER, feed, mouse, press, press_key, screen, send_day, text};
use crate::tui::list::RowId;
use crate::tui::screen::Screen;
use crate::tui::state::State;

fn selected(state: &State) -> RowId {
    state.lists[state.screen.index()].selected.clone().expect("a row is selected")
}

fn filter(state: &State) -> &str {
    state.filter.as_ref().map_or("", |filter| &filter.source)
}

/// Returns a screen with 40 operators, of whom every fourth is in a call.
fn screen_with_operators(size: (u16, u16)) -> State {
    let mut state = screen(size);
    for number in 0..40_i64 {
        let id = format!("{number:08x}-0000-4000-8000-000000000000");
        let status = if number % 2 == 0 { "busy" } else { "online" };
        feed(
            &mut state,
            number,
            json!({"event_type": "operator.status_changed", "operator_id": id, "status": status}),
        );
        if number % 4 == 0 {
            feed(
                &mut state,
                number,
                json!({"event_type": "operator.joined_call", "operator_id": id, "call_sid": CALL, "mode": "takeover"}),
            );
        }
    }
    state
}

#[test]
fn every_row_of_every_list_can_be_selected_and_opened_and_left() {
    for size in [(80, 24), (120, 40)] {
        for key in ["0", "2", "4", "5"] {
            let mut state = screen(size);
            send_day(&mut state);
            press(&mut state, key);
            press(&mut state, "g");
            let mut seen = Vec::new();
            loop {
                let row = selected(&state);
                if seen.contains(&row) {
                    break;
                }
                let shown = text(&state);
                press(&mut state, "\n");
                if state.screen != Screen::Stream && state.screen != Screen::Call {
                    assert!(text(&state).contains("this row has no events of its own"), "{row:?}");
                } else {
                    // A step that a later one implies has no event of its own.
                    let is_empty = state.screen == Screen::Stream && state.rows().is_empty();
                    let has_events = !is_empty || row.section == "surfaces";
                    assert!(has_events, "{row:?}: {}", filter(&state));
                    assert!(!text(&state).contains("cannot"), "{}", text(&state));
                    press(&mut state, "\u{1b}");
                }
                assert_eq!((selected(&state), filter(&state)), (row.clone(), ""));
                assert_eq!(
                    text(&state).lines().nth(4),
                    shown.lines().nth(4),
                    "the position is kept"
                );
                seen.push(row);
                press(&mut state, "j");
            }
            assert!(seen.len() >= 2, "{key}: {seen:?}");
        }
    }
}

#[test]
fn the_selected_row_is_visible_with_its_context() {
    let mut state = screen_with_operators((80, 24));
    press(&mut state, "4");
    for keys in ["jjjjjjjjjjjjjjjjjjjjjjjjj", "kkkkkkkkkkkk", "G", "g"] {
        press(&mut state, keys);
        let id = selected(&state).id[..8].to_owned();
        let seen = text(&state);
        let line = seen.lines().position(|line| line.contains(&id));
        assert!(line.is_some() || keys == "G", "{keys} {id}: {seen}");
    }
    press(&mut state, "jjjjjjjjjjjjjjjjjjjjjjjjjjjj");
    let seen = text(&state);
    let first = seen.lines().nth(2).expect("a line of the list");
    assert!(first.contains("Operators  40"), "the heading stays: {seen}");
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), 4, 2);
    assert!(text(&state).contains("Operators  40▼"), "it can be clicked: {}", text(&state));
    press(&mut state, "<");
    let id = selected(&state).id[..8].to_owned();
    let line = text(&state).lines().position(|line| line.contains(&id)).expect("it is visible");
    assert!((5..=19).contains(&line), "{line}");
}

#[test]
fn rows_are_filtered_in_place() {
    let mut state = screen_with_operators((80, 60));
    press(&mut state, "4/busy");
    let seen = text(&state);
    assert!(seen.contains("rows with busy") && !seen.contains("online"), "{seen}");
    press(&mut state, "\n");
    assert!(state.screen == Screen::Board && text(&state).contains("/busy 20 of 40"));
    press(&mut state, "jj/");
    press_key(&mut state, KeyCode::Backspace);
    press(&mut state, "xyz\u{1b}");
    assert!(text(&state).contains("/busy 20 of 40"), "a cancelled prompt restores the filter");
    press(&mut state, "\u{1b}");
    assert!(state.screen == Screen::Board && text(&state).contains("online"));
    press(&mut state, "\u{1b}");
    assert_eq!(state.screen, Screen::Stream);
    press(&mut state, "2/nothing like this\n");
    assert!(
        text(&state).contains("no calls yet") || text(&state).contains("0 of"),
        "{}",
        text(&state)
    );
}

#[test]
fn rows_are_sorted_by_keys_and_by_a_click_on_the_heading() {
    let mut state = screen_with_operators((80, 60));
    press(&mut state, "4");
    let first = |state: &State| {
        let seen = text(state);
        let heading = seen.lines().position(|line| line.contains("Operators")).expect("a heading");
        seen.lines().nth(heading + 1).expect("a row").trim_matches(['"', ' ']).to_owned()
    };
    assert!(first(&state).starts_with("00000000") && first(&state).contains("takeover"));
    press(&mut state, ">");
    assert!(text(&state).contains("Operators  40▼"), "{}", text(&state));
    press(&mut state, "r");
    assert!(first(&state).starts_with("00000027"), "{}", first(&state));
    press(&mut state, "<");
    assert!(first(&state).contains("takeover"), "the usual order is back");
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), 35, 2);
    assert!(first(&state).starts_with("00000027"), "the last event comes first: {}", first(&state));
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), 35, 2);
    assert!(first(&state).starts_with("00000000"), "a second click reverses: {}", first(&state));
}

#[test]
fn every_shown_column_can_be_sorted_by_and_says_so() {
    for size in [(80, 24), (160, 45)] {
        for key in ["0", "2", "4", "5"] {
            let mut state = screen(size);
            send_day(&mut state);
            press(&mut state, key);
            press(&mut state, "g>");
            let mut columns = 0;
            while !state.lists[state.screen.index()].orders.is_empty() {
                assert!(text(&state).contains('▼'), "{key} {columns}: {}", text(&state));
                press(&mut state, "r");
                assert!(text(&state).contains('▲'), "{key} {columns}: {}", text(&state));
                press(&mut state, ">");
                columns += 1;
            }
            assert!(columns >= 3, "{key}: {columns}");
        }
    }
}

#[test]
fn the_selection_stays_on_its_row_when_the_order_changes() {
    let mut state = screen_with_operators((80, 60));
    press(&mut state, "4jj");
    let row = selected(&state);
    let id = "000000ff-0000-4000-8000-000000000000";
    feed(
        &mut state,
        50,
        json!({"event_type": "operator.joined_call", "operator_id": id, "call_sid": CALL, "mode": "barge"}),
    );
    assert_eq!(selected(&state), row);
    press(&mut state, "\n");
    assert_eq!(filter(&state), format!(".operator_id == \"{}\"", row.id));
}

#[test]
fn keys_go_to_the_list_beside_and_back() {
    let mut state = screen((120, 40));
    send_day(&mut state);
    press(&mut state, "4");
    assert_eq!(selected(&state).section, "operators");
    press(&mut state, "l");
    assert_eq!(selected(&state).section, "triggers");
    press(&mut state, "h");
    assert_eq!(selected(&state).section, "operators");
    press(&mut state, "h");
    assert_eq!(state.screen, Screen::Stream);
}

#[test]
fn what_was_opened_leads_back_step_by_step() {
    let mut state = screen((120, 40));
    send_day(&mut state);
    press(&mut state, "f.event_type != \"emotion\"\n/started\ngjj");
    let (event, rows) = (state.selected, state.rows().len());
    press(&mut state, "c");
    assert_eq!((state.screen, state.selected_call.as_deref()), (Screen::Call, Some(CALL)));
    press(&mut state, "o");
    assert!(state.screen == Screen::Stream && filter(&state).contains(CALL));
    press(&mut state, "\u{1b}");
    assert_eq!(state.screen, Screen::Call);
    press(&mut state, "\u{1b}");
    assert_eq!((state.screen, state.selected, state.rows().len()), (Screen::Stream, event, rows));
    assert!(state.search.is_some(), "the search is back");
    press(&mut state, "\u{1b}\u{1b}");
    assert!(text(&state).contains("press q to quit"), "there is nothing to go back to");
    press(&mut state, "G2j\n2");
    assert!(state.trail.is_empty(), "a screen that was chosen directly is not left by Esc");
    assert_eq!(state.selected_call.as_deref(), Some(OTHER));
    let mut state = screen((80, 24));
    feed(&mut state, 0, json!({"event_type": "review.submitted", "action": "approve"}));
    press(&mut state, "c");
    assert!(text(&state).contains("this event does not belong to a call"));
}
