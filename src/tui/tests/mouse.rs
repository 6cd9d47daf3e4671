//! Tests of the mouse.

use std::sync::Arc;

use crossterm::event::{MouseButton, MouseEventKind};
use serde_json::json;

use super::{CALL, OTHER, at, mouse, press, screen, screen_with_events, send_day, stored, text};
use crate::pipeline::pacing::Pace;
use crate::tui::layout::StreamLayout;
use crate::tui::message::ScreenMessage;
use crate::tui::screen::Screen;
use crate::tui::selection::keep_visible;
use crate::tui::state::State;
use crate::tui::update::{Msg, update};

#[test]
fn the_mouse_selects_scrolls_and_drags() {
    let mut state = screen_with_events(60);
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), 30, 4);
    assert_eq!(state.selected, state.top + 2);
    let selected = state.selected;
    mouse(&mut state, MouseEventKind::ScrollUp, 30, 4);
    assert_eq!(state.selected, selected - 3);
    press(&mut state, "\n");
    let edge = StreamLayout::new(&state).divider.expect("an edge").y;
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), 30, edge);
    mouse(&mut state, MouseEventKind::Drag(MouseButton::Left), 30, edge + 4);
    mouse(&mut state, MouseEventKind::Up(MouseButton::Left), 30, edge + 4);
    let dragged = StreamLayout::new(&state).divider.expect("an edge").y;
    assert!(dragged.abs_diff(edge + 4) <= 1, "{edge} {dragged}");
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), 17, 1);
    assert_eq!(state.screen, Screen::Calls);
}

#[test]
fn the_mouse_selects_and_opens_calls_and_events() {
    let mut state = screen((120, 40));
    send_day(&mut state);
    press(&mut state, "2");
    let click = MouseEventKind::Down(MouseButton::Left);
    // The charts take seven lines.
    mouse(&mut state, click, 30, 11);
    assert_eq!((state.screen, state.selected_call.as_deref()), (Screen::Calls, Some(OTHER)));
    mouse(&mut state, click, 30, 30);
    mouse(&mut state, MouseEventKind::ScrollUp, 30, 11);
    assert_eq!(state.selected_call.as_deref(), Some(CALL));
    mouse(&mut state, click, 30, 10);
    assert_eq!(state.screen, Screen::Call);
    press(&mut state, "1");
    mouse(&mut state, click, 30, 10);
    assert!(state.detail.is_none() && state.selected == 9, "one row stands for two deltas");
    mouse(&mut state, click, 30, 10);
    assert!(state.detail.is_some());
    let area = StreamLayout::new(&state).detail.expect("it is open");
    mouse(&mut state, click, area.x + 2, area.y + 1);
    assert!(state.detail.as_ref().is_some_and(|detail| detail.focused && detail.cursor == 1));
    mouse(&mut state, MouseEventKind::ScrollDown, area.x + 2, area.y + 1);
    assert!(state.detail.as_ref().is_some_and(|detail| detail.cursor == 4));
    mouse(&mut state, click, 30, 3);
    assert!(state.detail.as_ref().is_some_and(|detail| !detail.focused));
}

/// Returns the screen of a replay of 40 events of 25 bytes each, after `events` of them, with its
/// pace and the columns of its bar, which are about 21 to 61.
fn replayed(events: u64) -> (State, Arc<Pace>, std::ops::Range<u16>) {
    let mut state = screen((80, 24));
    let pace = Arc::new(Pace::new(vec![500, 500], 10.0));
    state.config.pace = Some(Arc::clone(&pace));
    for number in 0..events {
        let mut event = stored(&json!({"event_type": "call.started"}));
        event.time = Some(at(i64::try_from(number).expect("a time")));
        let (recording, offset) =
            if number < 20 { (0, number * 25) } else { (1, number * 25 - 500) };
        event.place = pace.reach(recording, offset);
        update(&mut state, Msg::Pipeline(ScreenMessage::Event(event)));
    }
    keep_visible(&mut state);
    let line = text(&state).lines().nth(2).expect("a position").replace('"', "");
    let cells: Vec<_> = line
        .chars()
        .enumerate()
        .filter(|(_, cell)| "━─▁▂▃▄▅▆▇".contains(*cell))
        .map(|(at, _)| at)
        .collect();
    let (first, last) = (cells.first().expect("a bar"), cells.last().expect("a bar"));
    (
        state,
        pace,
        u16::try_from(*first).expect("a column")..u16::try_from(last + 1).expect("a column"),
    )
}

#[test]
fn a_click_on_the_replay_bar_selects_a_buffered_event() {
    let (mut state, pace, bar) = replayed(40);
    let half = u16::midpoint(bar.start, bar.end);
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), half, 2);
    assert_eq!(
        (state.selected, state.follow, pace.label().as_str()),
        (20, false, "‖ held, 10×"),
        "the replay does not run on meanwhile"
    );
    assert!(text(&state).contains("▇◆▇"), "{}", text(&state));
    mouse(&mut state, MouseEventKind::Drag(MouseButton::Left), bar.start, 9);
    assert_eq!(state.selected, 0, "a drag is followed even beside the bar");
    mouse(&mut state, MouseEventKind::Drag(MouseButton::Left), 0, 9);
    assert_eq!(state.selected, 0);
    mouse(&mut state, MouseEventKind::Up(MouseButton::Left), 0, 9);
    mouse(&mut state, MouseEventKind::Drag(MouseButton::Left), half, 2);
    assert_eq!(state.selected, 0, "a drag ends when the button is released");
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), 3, 2);
    assert_eq!(state.selected, 0, "a click beside the bar does nothing");
    update(&mut state, Msg::PipelineEnded);
    mouse(&mut state, MouseEventKind::Drag(MouseButton::Left), 79, 2);
    assert!(state.follow && state.selected == 39, "the end of the bar selects the last event");
}

#[test]
fn a_click_on_the_replay_bar_runs_ahead_to_a_later_place() {
    let (mut state, pace, bar) = replayed(10);
    press(&mut state, " 4");
    mouse(
        &mut state,
        MouseEventKind::Down(MouseButton::Left),
        u16::midpoint(bar.start, bar.end),
        2,
    );
    assert_eq!(
        (state.screen, state.buffer.is_paused(), state.follow),
        (Screen::Board, false, true)
    );
    assert_eq!(pace.label(), "▶▶ seeking");
    pace.reach(0, 475);
    assert_eq!(pace.label(), "▶▶ seeking");
    pace.reach(1, 0);
    assert_eq!(pace.label(), "‖ held, 10×", "the replay is held there");
}

#[test]
fn a_click_on_a_dropped_place_selects_the_oldest_event_and_says_so() {
    let (mut state, _, bar) = replayed(0);
    state.buffer = crate::tui::buffer::EventBuffer::new(crate::tui::buffer::BufferLimits {
        events: 5,
        bytes: usize::MAX,
    });
    for number in 0..20_u64 {
        let mut event = stored(&json!({"event_type": "call.started"}));
        event.place = number * 25;
        update(&mut state, Msg::Pipeline(ScreenMessage::Event(event)));
    }
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), bar.start, 2);
    assert_eq!(state.selected, 15);
    assert!(text(&state).contains("--buffer keeps more"));
}

#[test]
fn the_mouse_toggles_columns() {
    let mut state = screen_with_events(3);
    press(&mut state, "x");
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), 8, 5);
    assert!(text(&state).contains("[1] succeeded"), "{}", text(&state));
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), 8, 5);
    assert!(text(&state).contains("[ ] succeeded"));
    mouse(&mut state, MouseEventKind::ScrollDown, 8, 5);
    assert_eq!(state.column_picker.as_ref().map(|picker| picker.cursor), Some(5));
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), 8, 23);
    assert!(
        state.column_picker.is_some_and(|picker| picker.chosen.is_empty()),
        "a click below the list does nothing"
    );
}
