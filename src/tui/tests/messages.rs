//! Tests of the header, the footer and the frame rate.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{at, feed, press, screen, screen_keys, screen_with_events, send_day, text};
use crate::model::Origin;
use crate::model::catalog::value::EndReason;
use crate::transport::{ConnectionEvent, ConnectionState};
use crate::tui::frame_pacer::FramePacer;
use crate::tui::message::{FilteredCounts, ScreenMessage};
use crate::tui::state::State;
use crate::tui::state::connections::ConnectionStatus;
use crate::tui::update::{Msg, update};

#[test]
fn filtered_events_are_counted() {
    let mut state = screen_with_events(3);
    update(
        &mut state,
        Msg::Pipeline(ScreenMessage::FilteredOut(FilteredCounts {
            events: 7,
            malformed: 1,
            drifted: 2,
            gaps: 3,
        })),
    );
    let seen = text(&state);
    assert!(seen.contains("10 events  gaps 3  malformed 1  drift 2"), "{seen}");
    assert_eq!(state.shown().stats.filtered_out.events, 7);
    state.size.0 = 140;
    assert!(text(&state).contains("filtered out 7"));
}

#[test]
fn a_lost_stream_takes_precedence_and_the_screen_ends_with_the_last_one() {
    let mut state = screen((120, 24));
    let stream = |call: &str| {
        std::sync::Arc::new(Origin { call_sid: Some(call.to_owned()), ..Origin::default() })
    };
    let mut report = |call: &str, change| {
        update(
            &mut state,
            Msg::Pipeline(ScreenMessage::Connection(ConnectionEvent {
                origin: stream(call),
                state: change,
            })),
        );
        text(&state).lines().next().expect("a header").to_owned()
    };
    let lost = || ConnectionState::Reconnecting {
        delay: Duration::from_secs(3),
        attempt: 1,
        why: "it was cut".into(),
    };
    assert!(report("a", ConnectionState::Connected).contains("● live "));
    assert!(report("b", ConnectionState::Connected).contains("● live 2 streams"));
    assert!(report("a", lost()).contains("reconnecting 1 of 2"));
    assert!(report("a", ConnectionState::Connected).contains("● live 2 streams"));
    let ended = || ConnectionState::ended(EndReason::CallEnded);
    assert!(report("b", ended()).contains("● live "));
    assert!(report("a", ended()).contains("ended"));
}

#[test]
fn the_footer_shows_the_pause_if_there_is_no_line_for_tabs() {
    let mut state = screen((20, 5));
    send_day(&mut state);
    press(&mut state, " ");
    feed(&mut state, 70, json!({"event_type": "call.started"}));
    let seen = text(&state);
    assert!(seen.contains("‖ 1 new"), "{seen}");
}

#[test]
fn the_header_shows_the_connection_and_notices_expire() {
    let mut state = screen((120, 24));
    let report = |change| {
        Msg::Pipeline(ScreenMessage::Connection(ConnectionEvent {
            origin: Origin::default().into(),
            state: change,
        }))
    };
    update(&mut state, report(ConnectionState::Connected));
    assert_eq!(state.connections.status, ConnectionStatus::Live);
    let lost = ConnectionState::Reconnecting {
        delay: Duration::from_secs(3),
        attempt: 2,
        why: "the server closed".into(),
    };
    update(&mut state, report(lost));
    assert!(text(&state).contains("reconnecting"));
    update(&mut state, Msg::PipelineEnded);
    assert!(text(&state).contains("ended"));
    update(&mut state, Msg::Notice("evtap: a notice".into()));
    assert!(text(&state).contains("a notice"));
    update(&mut state, Msg::Tick(at(30)));
    assert!(!text(&state).contains("a notice"));
}

#[test]
fn the_header_shows_problems_first_and_zeros_if_there_is_room() {
    let mut state = screen((80, 24));
    send_day(&mut state);
    let header = |state: &State| text(state).lines().next().expect("a header").to_owned();
    assert!(header(&state).contains("gaps 0  malformed 0"), "{}", header(&state));
    update(
        &mut state,
        Msg::Pipeline(ScreenMessage::FilteredOut(FilteredCounts {
            events: 9_000_000,
            malformed: 1,
            drifted: 0,
            gaps: 0,
        })),
    );
    state.config.title = "1b4e28ba-2fa1-11d2-883f-0016d3cca427".to_owned();
    assert!(!header(&state).contains("gaps"), "{}", header(&state));
    state.size.0 = 130;
    assert!(
        header(&state).contains("malformed 1  drift 1  filtered out 9,000,000"),
        "{}",
        header(&state)
    );
}

#[test]
fn a_long_filter_is_only_in_the_stream_and_never_cuts_the_tabs() {
    let mut state = screen((80, 24));
    send_day(&mut state);
    press(
        &mut state,
        "f.event_type == \"call.started\" and .direction == \"inbound\"\n/inbound\n ",
    );
    for columns in 50..200 {
        state.size.0 = columns;
        for key in screen_keys() {
            press(&mut state, &key);
            let line = text(&state).lines().nth(1).expect("tabs").to_owned();
            assert!(line.contains("5 Stats"), "{line}");
            let has_badge =
                ["inbound", " of 31", "PAUSED"].iter().any(|badge| line.contains(badge));
            assert!(!has_badge || key == "1", "{key}: {line}");
            assert!(columns < 80 || key != "1" || line.contains("PAUSED"), "{line}");
        }
    }
}

#[test]
fn the_footer_never_cuts_a_key_hint() {
    for columns in 20..200 {
        let mut state = screen((columns, 24));
        send_day(&mut state);
        let keys = ["", "\n", "\n"].map(str::to_owned).into_iter().chain(screen_keys());
        for keys in keys.chain(["1x".to_owned()]) {
            press(&mut state, &keys);
            let footer = text(&state).lines().last().expect("a footer").to_owned();
            assert!(footer.contains("? help") && !footer.contains('…'), "{footer}");
        }
    }
}

#[test]
fn frames_are_drawn_after_changes_and_at_most_thirty_times_a_second() {
    let mut state = screen((80, 24));
    let began = Instant::now();
    let mut frames = FramePacer::default();
    // Simulates ten seconds with a thousand turns of the loop each.
    let mut count_frames = |state: &mut State, act: &dyn Fn(&mut State, i64)| {
        (0..10_000)
            .filter(|turn| {
                update(state, Msg::Tick(at(turn / 1000)));
                act(state, *turn);
                let is_due = frames.is_due(
                    state.changed,
                    began + Duration::from_millis(u64::try_from(*turn).expect("a time")),
                );
                state.changed &= !is_due;
                is_due
            })
            .count()
    };
    let event = super::stored(&json!({"event_type": "call.started"}));
    let busy = count_frames(&mut state, &|state, _| {
        update(state, Msg::Pipeline(ScreenMessage::Event(event.clone())));
    });
    assert!((250..=300).contains(&busy), "{busy}");
    let mut frames = FramePacer::default();
    let mut idle = 0;
    for turn in 0..10_000_u64 {
        update(&mut state, Msg::Tick(at(10 + i64::try_from(turn).expect("a time") / 1000)));
        let is_due = frames.is_due(state.changed, began + Duration::from_millis(turn));
        state.changed &= !is_due;
        idle += u64::from(is_due);
    }
    assert_eq!(idle, 10, "only the ages in the header change, once a second");
}
