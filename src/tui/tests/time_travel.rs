//! Tests of looking at an earlier moment.

use std::sync::Arc;

use crossterm::event::KeyCode;
use serde_json::{Value, json};

use super::{CALL, draw, feed, press, press_key, screen, screen_keys, send_day, text};
use crate::pipeline::pacing::Pace;
use crate::tui::buffer::{BufferLimits, EventBuffer};
use crate::tui::layout::ScreenLayout;
use crate::tui::message::ScreenMessage;
use crate::tui::screen::Screen;
use crate::tui::state::State;
use crate::tui::update::{Msg, update};

/// Returns what the panel of a screen shows.
fn panel(state: &State) -> String {
    let body = ScreenLayout::new(state).body;
    let backend = draw(state);
    let lines = (body.top()..body.bottom()).map(|y| {
        let cells = (0..body.width).map(|x| backend.buffer()[(x, y)].symbol().to_owned());
        cells.collect::<String>() + "\n"
    });
    lines.collect()
}

/// Returns the number of calls that are listed.
fn calls(state: &State) -> usize {
    panel(state).matches(['●', '○']).count()
}

/// Returns what the screens other than the stream show, from their beginning.
fn panels(state: &mut State) -> [String; 3] {
    ["2", "4", "5"].map(|key| {
        state.lists = Default::default();
        state.selected_call = None;
        press(state, key);
        panel(state)
    })
}

/// Returns an event of a busy workspace with many calls.
fn busy_event(number: i64) -> Value {
    let sid = format!("CA{:032}", number / 7 % 40 + number / 2000 * 40);
    let observed = json!({"stream": "observer", "call_sid": sid});
    let id = |kind: i64, number: i64| format!("{number:08x}-0000-4000-8000-{kind:012x}");
    match number % 23 {
        0 => json!({"event_type": "call.started", "call_sid": sid, "direction": "inbound"}),
        1 => json!({"event_type": "call.escalated", "call_sid": sid, "trigger": "caller"}),
        2 => {
            json!({"event_type": "call.ended", "call_sid": sid, "completion_reason": "completed", "duration_seconds": number % 300})
        }
        3..7 => {
            json!({"event_type": "latency", "e2e_ttfb_ms": number % 977, "engine_ms": 100, "nav_ms": 40, "render_ms": 30, "audio_ttfb_ms": 90, "_tap": observed})
        }
        7 => {
            json!({"event_type": "tool_call_started", "tool_name": "find_slots", "call_id": sid, "_tap": observed})
        }
        8 => {
            json!({"event_type": "tool_call_completed", "tool_name": "find_slots", "call_id": sid, "duration_ms": number % 911, "succeeded": number % 2 == 0, "_tap": observed})
        }
        9 => json!({"event_type": "user_transcript", "transcript": "x", "_tap": observed}),
        10 => json!({"event_type": "agent_transcript_delta", "delta": "x", "_tap": observed}),
        11 => json!({"event_type": "agent_transcript", "transcript": "x", "_tap": observed}),
        12 => {
            json!({"event_type": "state_transition", "previous_state": "a", "next_state": format!("s{}", number % 5), "_tap": observed})
        }
        13 => {
            json!({"event_type": "operator.status_changed", "operator_id": id(1, number % 9), "status": "busy"})
        }
        14 => {
            json!({"event_type": "operator.joined_call", "operator_id": id(1, number % 9), "call_sid": sid, "mode": "takeover"})
        }
        15 => json!({"event_type": "surface.created", "surface_id": id(2, number / 100)}),
        16 => json!({"event_type": "surface.submitted", "surface_id": id(2, number / 200)}),
        17 => json!({"event_type": "trigger.fired", "trigger_name": "nightly recall"}),
        18 => {
            json!({"event_type": "pipeline.sync_completed", "data_source_id": id(3, number % 4), "event_count": 5, "duration_ms": 100})
        }
        19 => {
            json!({"event_type": "pipeline.error", "data_source_id": id(3, number % 4), "error": "locked"})
        }
        20 => json!({"event_type": "review.submitted", "action": "approve"}),
        21 => {
            json!({"event_type": "emotion", "valence": 0.1, "arousal": 0.2, "dominant": "calm", "_tap": observed})
        }
        _ => json!({"event_type": "future.event"}),
    }
}

#[test]
fn the_screens_show_the_moment_of_the_selected_event_until_end() {
    for end in ["End", "G"] {
        let mut state = screen((120, 40));
        send_day(&mut state);
        press(&mut state, "gjj2");
        assert!(text(&state).contains("◀ 16:53:23, 28s ago · End returns to the present"));
        assert_eq!(calls(&state), 1, "{}", panel(&state));
        assert!(text(&state).contains(" End present "), "{}", text(&state));
        press(&mut state, "4");
        assert!(!panel(&state).contains("nightly recall"), "{}", panel(&state));
        feed(&mut state, 60, json!({"event_type": "trigger.fired", "trigger_name": "later"}));
        assert!(!panel(&state).contains("later"), "the past does not change");
        press(&mut state, "1");
        assert!(state.selected == 2 && !text(&state).contains('◀'), "the stream shows all events");
        if end == "G" {
            press(&mut state, "G4");
        } else {
            press(&mut state, "4");
            assert!(text(&state).contains('◀'));
            press_key(&mut state, KeyCode::End);
        }
        assert!(panel(&state).contains("later") && !text(&state).contains('◀'));
        assert_eq!((state.screen, state.follow), (Screen::Board, true));
    }
}

#[test]
fn a_moment_looks_as_it_did_then() {
    let mut state = screen((180, 50));
    let mut then = screen((180, 50));
    let moments: &[i64] = &[0, 1, 700, 1023, 1024, 1025, 2600, 3100, 4300, 4700];
    let mut seen = Vec::new();
    let mut fed = 0;
    for moment in moments {
        for number in fed..=*moment {
            feed(&mut then, number, busy_event(number));
        }
        fed = moment + 1;
        seen.push(panels(&mut then));
        press(&mut then, "1");
    }
    (0..5000).for_each(|number| feed(&mut state, number, busy_event(number)));
    assert!(state.snapshot_bytes() > 0, "there are snapshots");
    // Both backwards, from snapshots, and forwards, from the moment that is shown.
    let order: Vec<_> = (0..moments.len()).rev().chain(0..moments.len()).collect();
    for at in order {
        press(&mut state, "1");
        state.selected = u64::try_from(moments[at]).expect("not negative");
        state.follow = false;
        let looked_at = panels(&mut state);
        for (screen, (looked_at, then)) in looked_at.iter().zip(&seen[at]).enumerate() {
            assert_eq!(looked_at, then, "panel {screen} after event {}", moments[at]);
        }
    }
}

#[test]
fn a_time_is_gone_to_from_any_screen() {
    let mut state = screen((120, 40));
    send_day(&mut state);
    press(&mut state, "2@16:53:30\n");
    assert_eq!(state.screen, Screen::Calls);
    assert!(text(&state).contains("◀ 16:53:30, 21s ago"), "{}", text(&state));
    assert_eq!(calls(&state), 1);
    press(&mut state, "@+10s\n");
    assert!(text(&state).contains("◀ 16:53:40, 11s ago") && calls(&state) == 2);
    press(&mut state, "@-15s\n4");
    assert!(text(&state).contains("◀ 16:53:25, 26s ago") && state.screen == Screen::Board);
    press(&mut state, "1");
    assert_eq!(state.selected, 3, "the stream is at that moment, too, in a folded row");
    press(&mut state, "2@2020-01-01T00:00:00Z\n");
    assert!(
        text(&state).contains("◀ 2020-01-01 00:00:00") && panel(&state).contains("no calls yet")
    );
    press(&mut state, "@2040-01-01T00:00:00Z\n");
    assert!(text(&state).contains("no event at or after that time"));
}

#[test]
fn a_replay_is_held_while_an_earlier_moment_is_looked_at() {
    let mut state = screen((120, 40));
    send_day(&mut state);
    let pace = Arc::new(Pace::new(vec![1000], 10.0));
    state.config.pace = Some(Arc::clone(&pace));
    pace.reach(0, 250);
    press(&mut state, "4@-5s\n");
    assert!(pace.is_held() && text(&state).contains("◀ 16:53:46, 5s ago"), "{}", text(&state));
    press_key(&mut state, KeyCode::End);
    assert!(!text(&state).contains('◀') && state.follow);
    press(&mut state, "@+1h\n");
    assert!(text(&state).contains("▶▶ seeking") && state.screen == Screen::Board);
}

#[test]
fn a_moment_that_is_not_kept_is_shown_as_the_nearest_one_that_is() {
    let mut state = screen((140, 40));
    state.buffer = EventBuffer::new(BufferLimits { events: 100, bytes: usize::MAX });
    (0..3000).for_each(|number| feed(&mut state, number, busy_event(number)));
    // Snapshots were taken after 1024 and 2048 events.
    press(&mut state, "5@-10m\n");
    let seen = text(&state);
    assert!(seen.contains("◀ 17:27:27, 15m52s ago, nearest kept"), "{seen}");
    press(&mut state, "@2026-05-05T16:54:00Z\n");
    assert!(text(&state).contains("◀ 17:10:23, 32m56s ago, nearest kept"), "{}", text(&state));
    press_key(&mut state, KeyCode::End);
    press(&mut state, "@-20s\n");
    let seen = text(&state);
    assert!(seen.contains("nearest kept"), "the events after the snapshot are gone: {seen}");
    press_key(&mut state, KeyCode::End);
    (3000..3120).for_each(|number| feed(&mut state, number, busy_event(number)));
    press(&mut state, "@-20s\n");
    assert!(text(&state).contains("20s ago · End returns"), "{}", text(&state));
}

#[test]
fn events_that_a_pause_has_dropped_make_a_moment_inexact() {
    let mut state = screen((120, 40));
    state.buffer = EventBuffer::new(BufferLimits { events: 10, bytes: usize::MAX });
    let started = || json!({"event_type": "call.started", "call_sid": CALL});
    (0..1020).for_each(|second| feed(&mut state, second, started()));
    press(&mut state, " ");
    (1020..1200).for_each(|second| feed(&mut state, second, started()));
    press(&mut state, " kk5");
    assert!(text(&state).contains("◀ 17:10:23, 2m56s ago, nearest kept"), "{}", text(&state));
}

#[test]
fn the_memory_of_earlier_moments_is_limited() {
    let mut state = screen((100, 40));
    state.config.limits = BufferLimits { events: 50_000, bytes: 16 << 20 };
    state = State::new(state.config, (100, 40), super::at(0));
    let call = |number: i64| format!("CA{number:032}");
    for number in 0..40_000 {
        // Every third call goes on, and the others end.
        let sid = call(number / 4);
        let tap = json!({"stream": "observer", "call_sid": sid});
        let event = match number % 4 {
            3 if number / 4 % 3 > 0 => {
                json!({"event_type": "session_end", "completion_reason": "completed", "_tap": tap})
            }
            _ => json!({"event_type": "user_transcript", "transcript": "x", "_tap": tap}),
        };
        let mut stored = super::stored(&event);
        stored.time = Some(super::at(number));
        update(&mut state, Msg::Pipeline(ScreenMessage::Event(stored)));
        assert!(state.snapshot_bytes() <= 4 << 20, "{}", state.snapshot_bytes());
    }
    assert!(state.snapshot_bytes() > 1 << 20, "{}", state.snapshot_bytes());
    press(&mut state, "kkk2");
    assert!(text(&state).contains('◀') && state.snapshot_bytes() <= 4 << 20);
}

#[test]
fn the_header_says_that_the_past_is_shown_at_every_size() {
    for (columns, expected) in [(20, "◀ 16:53"), (40, "◀ 16:53:23"), (80, "End returns")] {
        let mut state = screen((columns, 24));
        send_day(&mut state);
        press(&mut state, "gjj");
        for key in screen_keys().filter(|key| !["0", "1"].contains(&&**key)) {
            press(&mut state, &key);
            let seen = text(&state);
            assert!(seen.lines().next().is_some_and(|line| line.contains(expected)), "{seen}");
        }
    }
}
