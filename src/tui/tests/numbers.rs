//! Tests that numbers on the screen are whole, or are seen to be cut.

use std::collections::HashSet;

use regex::Regex;
use serde_json::json;

use super::attention::send_attention;
use super::{CALL, feed, press, screen, screen_keys, send_day, text};
use crate::tui::message::{FilteredCounts, ScreenMessage};
use crate::tui::state::State;
use crate::tui::update::{Msg, update};

/// Returns a busy screen: its counts have several digits, and every list has many rows.
fn busy_screen() -> State {
    let mut state = screen((80, 50));
    send_day(&mut state);
    send_attention(&mut state);
    for number in 0..1234_i64 {
        let id = format!("{:08x}-0000-4000-8000-000000000000", number % 37);
        let sid = format!("CA{:032}", number % 20);
        let name = ["annual-check-up", "appointment-reminder", "lab-results-ready"]
            [usize::try_from(number % 3).expect("a place")];
        let events = [
            json!({"event_type": "operator.status_changed", "operator_id": id, "status": "online"}),
            json!({"event_type": "trigger.fired", "trigger_name": name, "trigger_id": id}),
            json!({"event_type": "trigger.failed", "trigger_name": name, "trigger_id": id}),
            json!({"event_type": "call.started", "call_sid": sid, "direction": "inbound"}),
            json!({"event_type": "pipeline.sync_completed", "data_source_id": id, "duration_ms": 12_345 + number, "event_count": 48_213}),
            json!({"event_type": "call.ended", "call_sid": sid, "completion_reason": "completed", "duration_seconds": 754.16, "escalated": false}),
        ];
        let event = events.into_iter().nth(usize::try_from(number % 6).expect("a place"));
        feed(&mut state, 100 + number, event.expect("an event"));
    }
    let counts = FilteredCounts { events: 116_943, malformed: 3, drifted: 1234, gaps: 27 };
    update(&mut state, Msg::Pipeline(ScreenMessage::FilteredOut(counts)));
    let call = CALL.to_owned();
    state.selected_call = Some(call);
    state
}

/// Returns the numbers of a text that do not end in an ellipsis.
fn numbers(text: &str) -> HashSet<String> {
    // Times have milliseconds only if there is room, and the axis of a chart depends on which lists
    // it is above.
    let other = Regex::new(r"\d\d:\d\d:\d\d(\.\d+)?|[\d.,]+(/s|/min)? ┤").expect("it is valid");
    let number = Regex::new(r"\d[\d.,]*").expect("it is valid");
    let text = other.replace_all(text, " ");
    let words = text.split_whitespace().filter(|word| !word.contains('…'));
    let found = words.flat_map(|word| number.find_iter(word));
    found.map(|found| found.as_str().trim_end_matches(['.', ',']).to_owned()).collect()
}

#[test]
fn no_number_is_cut_without_an_ellipsis_at_any_width() {
    let mut state = busy_screen();
    for key in screen_keys() {
        press(&mut state, &key);
        state.size.0 = 500;
        let whole = numbers(&text(&state));
        for columns in 80..=220 {
            state.size.0 = columns;
            let seen = text(&state);
            let cut: Vec<_> = numbers(&seen).into_iter().filter(|it| !whole.contains(it)).collect();
            assert!(cut.is_empty(), "screen {key}, {columns} columns: {cut:?}\n{seen}");
        }
    }
}

#[test]
fn counts_are_still_seen_when_the_screen_is_narrow() {
    let mut state = busy_screen();
    // High enough for all sections in one column.
    state.size.1 = 100;
    for columns in 80..=220 {
        state.size.0 = columns;
        press(&mut state, "5");
        assert!(text(&state).contains("completed"), "{columns}");
        let seen = text(&state);
        let line = seen
            .lines()
            .find(|line| line.contains("   pipeline s") && line.contains(" s "))
            .unwrap_or_else(|| panic!("a row at {columns}: {seen}"));
        assert!(line.contains("   206 "), "{columns}: {line}");
        press(&mut state, "4");
        let seen = text(&state);
        let line = seen.lines().find(|line| line.contains("lab-results-"));
        let line = line.unwrap_or_else(|| panic!("a row at {columns}: {seen}"));
        assert!(line.contains(" 206 "), "{columns}: {line}");
    }
}

#[test]
fn gaps_are_in_the_header_at_every_width() {
    let ids = "1b4e28ba-2fa1-11d2-883f-0016d3cca427, 9f1c7a54-2fa1-11d2-883f-0016d3cca427";
    for title in [&ids[..36], ids, "a-recording-with-a-long-name.ndjson.gz"] {
        let mut state = busy_screen();
        state.config.title = title.to_owned();
        for columns in 20..=220 {
            state.size.0 = columns;
            let seen = text(&state);
            let header = seen.lines().next().expect("a header");
            assert!(header.contains("gaps 27"), "{columns}: {header}");
            assert!(columns < 80 || header.contains("malformed 3"), "{columns}: {header}");
        }
        assert!(text(&state).contains("1b4e28ba") || !title.contains("1b4e28ba"));
    }
}

#[test]
fn the_parts_of_a_latency_add_up_to_the_whole() {
    let number = Regex::new(r"\d+").expect("it is valid");
    for columns in [80, 120, 200] {
        let mut state = screen((columns, 40));
        send_day(&mut state);
        press(&mut state, "3");
        for turn in ["turn 2 507 ms", "turn 1 674 ms"] {
            let seen = text(&state);
            let line = seen.lines().find(|line| line.contains(turn));
            let line = line.unwrap_or_else(|| panic!("{turn}: {seen}"));
            let parts = line.split(" ms ").nth(1).expect("the parts");
            let parts = number.find_iter(parts).map(|part| part.as_str().parse::<u64>());
            let sum: u64 = parts.map(|part| part.expect("a number")).sum();
            assert!(turn.contains(&format!(" {sum} ms")), "{sum}: {line}");
            press(&mut state, "hh");
        }
    }
}
