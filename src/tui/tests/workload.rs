//! Tests of how much work a frame and a key are: it depends on what is visible, not on how much
//! there is.

use serde_json::json;

use super::{at, feed, press, screen, text};
use crate::tui::buffer::BufferLimits;
use crate::tui::list_section::BUILT_CELLS;
use crate::tui::state::State;

/// The number of calls.
const CALLS: usize = 5000;

/// The height of the terminal.
const HEIGHT: u16 = 60;

/// The most columns of the lists that are side by side, the hidden ones included.
const COLUMNS: usize = 16;

/// Returns a screen with many calls, operators, triggers and pipelines.
fn busy_screen() -> State {
    let mut state = screen((200, HEIGHT));
    state.config.limits = BufferLimits { bytes: 256 << 20, ..state.config.limits };
    state = State::new(state.config, state.size, at(0));
    for number in 0..CALLS {
        let sid = format!("CA{number:032}");
        let id = format!("{number:08x}-0000-4000-8000-000000000000");
        let name = format!("trigger {}", number % 200);
        let events = [
            json!({"event_type": "call.started", "call_sid": sid, "direction": "inbound"}),
            json!({"event_type": "operator.status_changed", "operator_id": id, "status": "online"}),
            json!({"event_type": "trigger.fired", "trigger_name": name, "trigger_id": id}),
            json!({"event_type": "pipeline.sync_completed", "data_source_id": id, "duration_ms": 12, "event_count": 3}),
            json!({"event_type": "tool_call_completed", "tool_name": name, "call_id": "c", "succeeded": true}),
        ];
        for event in events {
            feed(&mut state, 0, event);
        }
    }
    state
}

/// Returns the number of cells that are built meanwhile.
fn built(work: impl FnOnce()) -> usize {
    BUILT_CELLS.set(0);
    work();
    BUILT_CELLS.get()
}

#[test]
fn only_the_cells_of_visible_rows_are_built() {
    let mut state = busy_screen();
    let kept = [
        state.shown().calls.count(),
        state.shown().workspace.operators.len(),
        state.shown().workspace.triggers.len(),
        state.shown().stats.totals.tools.len(),
    ];
    assert_eq!(kept, [CALLS, 2000, 200, 100]);
    for key in ["0", "2", "4", "5"] {
        let cells = built(|| press(&mut state, key));
        assert_eq!(cells, 0, "{key}: the order of the rows needs no cells");
        let cells = built(|| drop(text(&state)));
        assert!((1..=COLUMNS * usize::from(HEIGHT)).contains(&cells), "{key}: {cells}");
        let cells = built(|| press(&mut state, "jjkG"));
        assert_eq!(cells, 0, "{key}: a key moves without cells");
    }
    // Every id contains the text, so that no cell is searched.
    press(&mut state, "2g/ca0\n");
    let cells = built(|| drop(text(&state)));
    assert!((1..=COLUMNS * usize::from(HEIGHT)).contains(&cells), "filtered: {cells}");
    press(&mut state, "\u{1b}>");
    let cells = built(|| drop(text(&state)));
    assert!(cells <= CALLS + COLUMNS * usize::from(HEIGHT), "a key for each row: {cells}");
    assert!(text(&state).contains("call▼"), "{}", text(&state));
}
