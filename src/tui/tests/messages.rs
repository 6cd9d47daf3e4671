//! What the head and the foot of the screen tell.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{at, day, feed, filled, press, screen, screen_keys, text};
use crate::model::Origin;
use crate::transport::{ConnectionEvent, ConnectionState};
use crate::tui::frame_pacer::FramePacer;
use crate::tui::message::{FilteredCounts, ScreenMessage};
use crate::tui::state::State;
use crate::tui::state::connections::ConnectionStatus;
use crate::tui::update::{Msg, update};

#[test]
fn what_was_not_selected_is_counted() {
    let mut state = filled(3);
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
    assert_eq!(state.stats.filtered_out.events, 7);
    state.size.0 = 140;
    assert!(text(&state).contains("filtered out 7"));
}

#[test]
fn of_several_streams_the_one_that_is_lost_is_told_and_one_that_ends_ends_not_all() {
    let mut state = screen((120, 24));
    let stream = |call: &str| {
        std::sync::Arc::new(Origin { call_sid: Some(call.to_owned()), ..Origin::default() })
    };
    let mut hear = |call: &str, change| {
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
    assert!(hear("a", ConnectionState::Connected).contains("● live "));
    assert!(hear("b", ConnectionState::Connected).contains("● live 2 streams"));
    assert!(hear("a", lost()).contains("reconnecting 1 of 2"));
    assert!(hear("a", ConnectionState::Connected).contains("● live 2 streams"));
    assert!(
        hear("b", ConnectionState::Ended { why: "the call is over".into() }).contains("● live ")
    );
    assert!(hear("a", ConnectionState::Ended { why: "the call is over".into() }).contains("ended"));
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
    let news = |change| {
        Msg::Pipeline(ScreenMessage::Connection(ConnectionEvent {
            origin: Origin::default().into(),
            state: change,
        }))
    };
    update(&mut state, news(ConnectionState::Connected));
    assert_eq!(state.connections.status, ConnectionStatus::Live);
    let lost = ConnectionState::Reconnecting {
        delay: Duration::from_secs(3),
        attempt: 2,
        why: "the server closed".into(),
    };
    update(&mut state, news(lost));
    assert!(text(&state).contains("reconnecting"));
    update(&mut state, Msg::PipelineEnded);
    assert!(text(&state).contains("ended"));
    update(&mut state, Msg::Notice("evtap: something was told".into()));
    assert!(text(&state).contains("something was told"));
    update(&mut state, Msg::Tick(at(30)));
    assert!(!text(&state).contains("something was told"));
}

#[test]
fn the_head_tells_that_nothing_is_wrong_where_there_is_room_and_first_what_is() {
    let mut state = screen((80, 24));
    day(&mut state);
    let head = |state: &State| text(state).lines().next().expect("a header").to_owned();
    assert!(head(&state).contains("gaps 0  malformed 0"), "{}", head(&state));
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
    assert!(!head(&state).contains("gaps"), "{}", head(&state));
    state.size.0 = 130;
    assert!(
        head(&state).contains("malformed 1  drift 1  filtered out 9,000,000"),
        "{}",
        head(&state)
    );
}

#[test]
fn the_foot_tells_whole_keys_or_none() {
    for columns in 20..200 {
        let mut state = screen((columns, 24));
        day(&mut state);
        let keys = ["", "\n", "\n"].map(str::to_owned).into_iter().chain(screen_keys());
        for keys in keys.chain(["1x".to_owned()]) {
            press(&mut state, &keys);
            let foot = text(&state).lines().last().expect("a footer").to_owned();
            assert!(foot.contains("? help") && !foot.contains('…'), "{foot}");
        }
    }
}

#[test]
fn a_frame_is_drawn_when_something_has_changed_and_thirty_times_a_second_at_most() {
    let mut state = screen((80, 24));
    let began = Instant::now();
    let mut frames = FramePacer::default();
    // Ten seconds, a thousand turns of the loop in each.
    let mut drawn = |state: &mut State, happens: &dyn Fn(&mut State, i64)| {
        (0..10_000)
            .filter(|turn| {
                update(state, Msg::Tick(at(turn / 1000)));
                happens(state, *turn);
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
    let much = drawn(&mut state, &|state, _| {
        update(state, Msg::Pipeline(ScreenMessage::Event(event.clone())));
    });
    assert!((250..=300).contains(&much), "{much}");
    let mut frames = FramePacer::default();
    let mut idle = 0;
    for turn in 0..10_000_u64 {
        update(&mut state, Msg::Tick(at(10 + i64::try_from(turn).expect("a time") / 1000)));
        let is_due = frames.is_due(state.changed, began + Duration::from_millis(turn));
        state.changed &= !is_due;
        idle += u64::from(is_due);
    }
    assert_eq!(idle, 10, "only the ages in the head grow, once a second");
}
