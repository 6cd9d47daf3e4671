//! Tests of looking at an earlier moment.

use std::sync::Arc;

use crossterm::event::KeyCode;
use serde_json::{Value, json};

use super::attention::{item, send_attention};
use super::{CALL, draw, feed, press, press_key, screen, screen_keys, send_day, text};
use crate::analysis::alerts::{AlertSubject, AttentionChange};
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

/// Returns what the screens other than the stream and the call show, from their beginning.
fn panels(state: &mut State) -> [String; 4] {
    ["0", "2", "4", "5"].map(|key| {
        state.lists = Default::default();
        state.selected_call = None;
        press(state, key);
        // Only these words differ, and how much they leave of the line.
        let shown = panel(state).replace("needed attention then", "needs attention");
        let shown = shown.replace("then", "now");
        let words = shown.split([' ', '─']).filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join(" ")
    })
}

/// Feeds an event of a busy workspace, and what begins or ceases to need attention after it.
fn feed_busy(state: &mut State, number: i64) {
    feed(state, number, busy_event(number));
    let sid = format!("CA{:032}", number / 7 % 40 + number / 2000 * 40);
    let change = match number % 100 {
        20 => AttentionChange::Begins(item("nobody-joined", AlertSubject::Call, &sid, number)),
        24 => AttentionChange::Begins(item("gap", AlertSubject::Workspace, "", number)),
        70 => AttentionChange::Ends(item("gap", AlertSubject::Workspace, "", number)),
        _ => return,
    };
    update(state, Msg::Pipeline(ScreenMessage::Attention(change)));
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
    let moments: &[i64] = &[0, 1, 23, 24, 69, 700, 1023, 1024, 1025, 2600, 3100, 4300, 4700];
    let mut seen = Vec::new();
    let mut fed = 0;
    for moment in moments {
        for number in fed..=*moment {
            feed_busy(&mut then, number);
        }
        fed = moment + 1;
        seen.push(panels(&mut then));
        press(&mut then, "1");
    }
    (0..5000).for_each(|number| feed_busy(&mut state, number));
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
fn now_and_the_badge_show_what_needed_attention_then() {
    let mut state = screen((140, 50));
    send_day(&mut state);
    send_attention(&mut state);
    press(&mut state, "0");
    let header = |state: &State| text(state).lines().next().unwrap_or_default().to_owned();
    assert!(header(&state).contains("▲ 8 need attention"));
    for (time, expected) in [
        ("16:53:20", "nothing needed attention then"),
        ("16:53:35", "nothing needed attention then"),
        ("17:00:00", "nobody joined"),
    ] {
        feed(&mut state, 1000, json!({"event_type": "later"}));
        press(&mut state, &format!("@{time}\n"));
        assert!(header(&state).contains('◀'), "{}", header(&state));
        assert_eq!(header(&state).contains('▲'), time == "17:00:00", "{}", header(&state));
        assert!(panel(&state).contains(expected), "{time}: {}", panel(&state));
        assert!(panel(&state).contains("on then"), "{}", panel(&state));
    }
    press(&mut state, "@16:53:20\n!");
    assert!(text(&state).contains("nothing needed attention then"), "{}", text(&state));
    press_key(&mut state, KeyCode::End);
    assert!(header(&state).contains("▲ 8 need attention") && panel(&state).contains("on now"));
}

#[test]
fn what_began_between_two_events_is_shown_from_its_own_time_on() {
    let mut state = screen((120, 40));
    feed(&mut state, 0, json!({"event_type": "call.started", "call_sid": CALL}));
    for (second, rule) in [(60, "call-silent"), (120, "nobody-joined")] {
        let item = item(rule, AlertSubject::Call, CALL, second);
        let change = AttentionChange::Begins(item);
        update(&mut state, Msg::Pipeline(ScreenMessage::Attention(change)));
    }
    feed(&mut state, 200, json!({"event_type": "call.ended", "call_sid": CALL}));
    press(&mut state, "0");
    // Forwards and backwards.
    for second in [59, 60, 119, 120, 60, 59, 0] {
        let time = super::at(second).strftime("%H:%M:%S").to_string();
        press(&mut state, &format!("@{time}\n"));
        let seen = panel(&state);
        assert_eq!(seen.contains("silent"), second >= 60, "{second}: {seen}");
        assert_eq!(seen.contains("nobody joined"), second >= 120, "{second}: {seen}");
    }
}

#[test]
fn what_is_acknowledged_is_acknowledged_at_every_moment() {
    let mut state = screen((120, 40));
    let started = |second| json!({"event_type": "call.started", "call_sid": format!("CA{second}")});
    for second in 0..4 {
        feed(&mut state, second * 10, started(second));
        let sid = format!("CA{second}");
        let change =
            AttentionChange::Begins(item("nobody-joined", AlertSubject::Call, &sid, second * 10));
        update(&mut state, Msg::Pipeline(ScreenMessage::Attention(change)));
    }
    feed(&mut state, 100, started(9));
    let open = |state: &State| state.shown().attention.open_count();
    press(&mut state, "0a");
    assert_eq!(open(&state), 3, "{}", text(&state));
    press(&mut state, "@16:53:30\n");
    assert_eq!((open(&state), panel(&state).matches('✓').count()), (1, 1), "{}", text(&state));
    press(&mut state, "a");
    assert_eq!((open(&state), panel(&state).matches('✓').count()), (0, 2), "{}", text(&state));
    press_key(&mut state, KeyCode::End);
    assert_eq!((open(&state), panel(&state).matches('✓').count()), (2, 2), "{}", text(&state));
    let ended = AttentionChange::Ends(item("nobody-joined", AlertSubject::Call, "CA0", 0));
    update(&mut state, Msg::Pipeline(ScreenMessage::Attention(ended)));
    press(&mut state, "@16:53:20\n");
    assert_eq!((open(&state), panel(&state).matches('✓').count()), (0, 1), "{}", text(&state));
}

#[test]
fn the_cursor_of_a_call_moves_the_other_screens() {
    for is_replay in [false, true] {
        let mut state = screen((120, 40));
        send_day(&mut state);
        if is_replay {
            state.config.pace = Some(Arc::new(Pace::new(vec![1000], 10.0)));
        }
        press(&mut state, &format!(":call {CALL}\n"));
        assert!(!text(&state).contains('◀'), "the newest item is followed");
        press(&mut state, "g");
        let header = |state: &State| text(state).lines().next().unwrap_or_default().to_owned();
        assert!(header(&state).contains("◀ 16:53:21"), "{}", header(&state));
        press(&mut state, "2");
        assert_eq!((calls(&state), state.moment()), (1, Some(super::at(1))), "{}", text(&state));
        press(&mut state, "4");
        assert!(!panel(&state).contains("nightly recall"), "{}", panel(&state));
        press(&mut state, "3jjj");
        let moved = header(&state);
        assert!(moved.contains('◀') && !moved.contains("16:53:21"), "{moved}");
        let time = state.cursor_time();
        press(&mut state, "0");
        assert_eq!((state.moment(), state.chosen_time()), (time, time));
        press(&mut state, "1");
        assert!(!state.follow && !text(&state).contains('◀'));
        assert_eq!(state.selected_event().and_then(|stored| stored.time), time);
        press(&mut state, "3");
        assert_eq!((state.cursor_time(), header(&state)), (time, moved));
        // A moment that was chosen elsewhere moves the cursor.
        press(&mut state, "5@16:53:30\n3");
        assert_eq!(state.cursor_time(), Some(super::at(10)));
        press(&mut state, "5");
        press_key(&mut state, KeyCode::End);
        assert!(state.follow && !state.is_past() && state.cursor_time().is_none());
        press(&mut state, "3gG");
        assert!(!state.is_past() && state.follow, "the newest item of a call is the present");
        press(&mut state, "g");
        press_key(&mut state, KeyCode::End);
        assert!(!state.is_past() && state.cursor_time().is_none() && state.screen == Screen::Call);
    }
}

#[test]
fn the_cursor_of_a_call_and_the_moment_go_together() {
    let mut state = screen((120, 40));
    send_day(&mut state);
    press(&mut state, &format!("2:call {CALL}\n@16:53:30\n"));
    assert_eq!((state.screen, state.cursor_time()), (Screen::Call, Some(super::at(10))));
    press(&mut state, "@+5s\n");
    assert_eq!(
        (state.chosen_time(), state.cursor_time()),
        (Some(super::at(15)), Some(super::at(15)))
    );
    state.config.pace = Some(Arc::new(Pace::new(vec![1000], 10.0)));
    press(&mut state, "@+1h\n");
    assert!(!state.is_past() && state.cursor_time().is_none(), "a replay runs ahead");
    state.config.pace = None;
    press(&mut state, "gj2\n\u{1b}");
    assert_eq!(state.screen, Screen::Calls, "{}", text(&state));
    let time = state.moment();
    assert!(time.is_some() && time == state.cursor_time(), "{}", text(&state));
    press(&mut state, "1");
    assert_eq!(state.selected_event().and_then(|stored| stored.time), time);
    assert!(!state.follow, "the way back does not lead to the present");
}

#[test]
fn a_look_at_the_event_of_the_newest_line_is_no_journey() {
    let mut state = screen((120, 40));
    send_day(&mut state);
    press(&mut state, &format!("0:call {CALL}\n\n\u{1b}"));
    assert_eq!(state.screen, Screen::Call);
    assert!(state.cursor_time().is_some() && !state.is_past(), "{}", text(&state));
    press(&mut state, "k");
    assert!(state.is_past(), "now the cursor was moved");
    press(&mut state, "\n\u{1b}");
    assert!(state.screen == Screen::Call && state.is_past(), "{}", text(&state));
}

#[test]
fn the_cursor_on_the_newest_event_is_in_the_present() {
    let mut state = screen((120, 40));
    feed(&mut state, 0, json!({"event_type": "call.started", "call_sid": CALL}));
    feed(&mut state, 1, json!({"event_type": "call.ended", "call_sid": CALL}));
    press(&mut state, "3gj");
    assert!(state.cursor_time().is_some() && !state.is_past(), "{}", text(&state));
    feed(&mut state, 2, json!({"event_type": "call.started", "call_sid": super::OTHER}));
    press(&mut state, "kj");
    assert!(state.is_past(), "there is a later event: {}", text(&state));
    press(&mut state, &format!(":call {}\n", super::OTHER));
    assert!(state.is_past() && state.cursor_time().is_none(), "this call began later");
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
            let header = seen.lines().next().unwrap_or_default();
            assert!(header.contains(expected), "{seen}");
            assert_eq!(header.contains("● live"), columns >= 40, "{seen}");
        }
    }
}
