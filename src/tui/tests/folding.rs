//! Tests of rows that stand for several events, and of rows of several workspaces.

use serde_json::json;

use super::{CALL, OTHER, feed, press, screen, text};
use crate::tui::buffer::{BufferLimits, EventBuffer};
use crate::tui::state::{Effect, State};

fn delta(state: &mut State, second: i64, call: &str) {
    let tap = json!({"stream": "observer", "call_sid": call});
    feed(state, second, json!({"event_type": "agent_transcript_delta", "delta": "x", "_tap": tap}));
}

/// Returns a screen with a run of 14 deltas between other events.
fn screen_with_run() -> State {
    let mut state = screen((120, 24));
    for number in 0..5 {
        feed(&mut state, number, json!({"event_type": "call.started", "call_sid": CALL}));
    }
    (5..19).for_each(|second| delta(&mut state, second, CALL));
    feed(&mut state, 19, json!({"event_type": "call.started", "call_sid": OTHER}));
    state
}

#[test]
fn a_run_of_deltas_is_one_row_with_a_count() {
    let mut state = screen_with_run();
    assert_eq!(state.rows().len(), 7);
    let seen = text(&state);
    assert_eq!(seen.matches("agent_transcript_delta").count(), 1);
    assert!(seen.contains("agent_transcript_delta ×14"), "{seen}");
    press(&mut state, "k");
    assert_eq!(state.selected, 5);
    press(&mut state, "z");
    assert_eq!((state.rows().len(), state.selected), (20, 5));
    assert!(!text(&state).contains("×14"));
    press(&mut state, "jjjmz");
    assert_eq!(state.selected, 5, "the row of the delta is selected");
    assert!(text(&state).lines().any(|line| line.contains("◆") && line.contains("×14")));
    press(&mut state, "gu");
    assert_eq!(state.selected, 5, "a mark within the run is found");
    press(&mut state, "g/delta=\n");
    assert_eq!(state.selected, 5);
    assert!(text(&state).contains("/delta= 1/1"), "{}", text(&state));
}

#[test]
fn folded_events_are_filtered_and_saved() {
    let mut state = screen_with_run();
    assert_eq!(state.listed_lines().len(), 20);
    press(&mut state, "fdelta\n");
    assert_eq!((state.rows().len(), state.listed_lines().len()), (1, 14));
    assert!(text(&state).contains(" 14 of 20 ") && text(&state).contains("×14"));
    press(&mut state, ":save kept.ndjson\n");
    assert!(matches!(state.effects.as_slice(), [Effect::Save(_)]));
}

#[test]
fn a_run_goes_on_while_its_first_events_are_dropped() {
    let mut state = screen((120, 24));
    state.buffer = EventBuffer::new(BufferLimits { events: 10, bytes: usize::MAX });
    press(&mut state, "f_delta\nF");
    for second in 0..30 {
        delta(&mut state, second, CALL);
        super::finish(&mut state);
    }
    for _ in 0..2 {
        assert_eq!((state.rows().len(), state.rows().get(0)), (1, Some(20)));
        assert!(text(&state).contains("agent_transcript_delta ×10"), "{}", text(&state));
        press(&mut state, "F");
    }
    (30..35).for_each(|second| delta(&mut state, second, OTHER));
    super::finish(&mut state);
    assert_eq!(state.rows().len(), 2);
    assert!(text(&state).contains("×5"), "{}", text(&state));
}

#[test]
fn rows_of_several_workspaces_name_theirs() {
    let mut state = screen((120, 24));
    let event = |workspace: &str| {
        let tap = json!({"stream": "workspace", "workspace_id": workspace});
        json!({"event_type": "call.started", "call_sid": CALL, "_tap": tap})
    };
    feed(&mut state, 0, event("1b4e28ba-2fa1-11d2-883f-0016d3cca427"));
    assert!(!text(&state).contains("1b4e28ba"));
    feed(&mut state, 1, event("9f1c7a54-2fa1-11d2-883f-0016d3cca427"));
    let seen = text(&state);
    assert!(
        seen.contains("1b4e28ba call.started") && seen.contains("9f1c7a54 call.started"),
        "{seen}"
    );
    press(&mut state, ":columns call_sid\n");
    let seen = text(&state);
    let (heading, row) = (seen.lines().nth(2).expect("names"), seen.lines().nth(3).expect("a row"));
    assert_eq!(heading.find("call_sid"), row.find("CA0000"), "{seen}");
}
