//! Snapshots of each screen and overlay at four sizes.

use crossterm::event::KeyCode;
use serde_json::json;

use super::attention::send_attention;
use super::{draw, press, press_key, screen, screen_keys, send_day, text};
use crate::output::stored_event::StoredEvent;
use crate::text::MASK;
use crate::tui::layout::ScreenLayout;
use crate::tui::screen::Screen;
use crate::tui::state::State;

const SIZES: [(u16, u16); 4] = [(20, 5), (80, 24), (120, 40), (200, 60)];

/// Compares the screen with a snapshot. The tabs are blanked, so that a new screen only changes the
/// snapshots of the header and the help.
fn assert_snapshot(name: &str, state: &State) {
    let (columns, rows) = state.size;
    let mut seen = text(state);
    for (place, screen) in Screen::ALL.iter().enumerate() {
        let tab = format!(" {place} {} ", screen.title());
        seen = seen.replace(&tab, &" ".repeat(tab.len()));
    }
    insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), seen);
}

fn assert_snapshots(name: &str, keys: &str) {
    for size in SIZES {
        let mut state = screen(size);
        send_day(&mut state);
        press(&mut state, keys);
        assert_snapshot(name, &state);
    }
}

#[test]
fn each_screen() {
    for (screen, key) in Screen::ALL.iter().zip(screen_keys()) {
        assert_snapshots(&screen.title().to_lowercase(), &key);
    }
}

#[test]
fn what_needs_attention() {
    for size in SIZES.into_iter().chain([(200, 50)]) {
        let mut state = screen(size);
        send_day(&mut state);
        send_attention(&mut state);
        press(&mut state, "0!a");
        assert_snapshot("attention", &state);
    }
}

#[test]
fn the_header_of_each_screen() {
    for size in SIZES {
        let mut state = screen(size);
        send_day(&mut state);
        let mut seen = String::new();
        for key in screen_keys() {
            press(&mut state, &key);
            let layout = ScreenLayout::new(&state);
            let height = usize::from(layout.header.height + layout.tabs.height);
            for line in text(&state).lines().take(height) {
                seen.push_str(line);
                seen.push('\n');
            }
        }
        insta::assert_snapshot!(format!("header_{}x{}", size.0, size.1), seen);
    }
}

#[test]
fn the_detail_of_an_event() {
    assert_snapshots("detail", "kkkkkkkkkkkkkkkkk\n\n");
}

#[test]
fn the_help() {
    assert_snapshots("help", "?");
}

#[test]
fn the_column_picker() {
    assert_snapshots("columns", "kx  jj ");
}

#[test]
fn the_position_of_a_replay() {
    for size in SIZES {
        let mut state = screen(size);
        send_day(&mut state);
        let pace = std::sync::Arc::new(crate::pipeline::pacing::Pace::new(vec![600, 400], 5.0));
        pace.reach(1, 150);
        state.config.pace = Some(pace);
        // Ten events a second at first, and then one in ten seconds with errors and a gap.
        for number in 0_u32..60 {
            let event_type = if number == 50 { "tap.gap" } else { "tool_call_completed" };
            let succeeded = !(40..45).contains(&number);
            let event = json!({"event_type": event_type, "succeeded": succeeded});
            let second = if number < 20 { number } else { 20 + (number - 20) * 100 };
            let time = super::at(0) + jiff::SignedDuration::from_millis(i64::from(second) * 100);
            let event = StoredEvent { time: Some(time), ..super::stored(&event) };
            state.profile.add(f64::from(number) / 80.0, &event);
        }
        assert_snapshot("position", &state);
    }
}

#[test]
fn an_invalid_filter() {
    assert_snapshots("filter", "f.event_type == \"call.endd\"");
}

#[test]
fn draws_at_every_size_without_panicking() {
    for columns in [1, 2, 3, 5, 8, 13, 20, 33, 59, 61, 99, 101, 109, 111] {
        for rows in [1, 2, 3, 4, 5, 7, 8, 9, 15, 17, 30] {
            let mut state = screen((columns, rows));
            send_day(&mut state);
            let keys = ["", "\n\n", "?", "f.x", "w"].map(str::to_owned);
            for keys in keys.into_iter().chain(screen_keys()) {
                press(&mut state, &keys);
                draw(&state);
                press(&mut state, "\u{1b}\u{1b}\u{1b}1");
            }
        }
    }
}

#[test]
fn the_header_names_revealed_fields_at_every_size() {
    for size in SIZES {
        let mut state = screen(size);
        assert!(text(&state).contains("REDACTED"), "{size:?}");
        state.config.revealed = vec!["caller_id".to_owned()];
        let seen = text(&state);
        assert!(!seen.contains("REDACTED") && seen.contains("REVEALED"), "{size:?}: {seen}");
    }
}

#[test]
fn no_cell_has_a_colour_if_colours_are_disabled() {
    let mut state = screen((120, 40));
    state.config.theme.depth = crate::tui::style::Depth::None;
    send_day(&mut state);
    let keys = ["", "\n\n", "?"].map(str::to_owned);
    for keys in keys.into_iter().chain(screen_keys()) {
        press(&mut state, &keys);
        let backend = draw(&state);
        for cell in backend.buffer().content() {
            assert_eq!(
                (cell.fg, cell.bg),
                (ratatui::style::Color::Reset, ratatui::style::Color::Reset)
            );
        }
        press(&mut state, "\u{1b}\u{1b}1");
    }
    assert!(text(&state).contains(MASK));
}

#[test]
fn chunks_are_combined_and_replaced_by_the_final_transcript() {
    let mut state = screen((120, 40));
    let mut delta = |text: &str| {
        super::feed(
            &mut state,
            1,
            serde_json::json!({
                "event_type": "agent_transcript_delta", "delta": text, "_tap": {"stream": "observer", "call_sid": super::CALL}
            }),
        );
    };
    delta("One ");
    delta("moment");
    press(&mut state, "3");
    assert!(text(&state).contains("… 2 chunks"));
    super::feed(
        &mut state,
        2,
        serde_json::json!({
            "event_type": "agent_transcript", "transcript": "One moment.", "interrupted": true,
            "_tap": {"stream": "observer", "call_sid": super::CALL}
        }),
    );
    let seen = text(&state);
    assert!(seen.contains("interrupted") && !seen.contains("chunks"), "{seen}");
    assert_eq!(seen.matches(MASK).count(), 1);
    press_key(&mut state, KeyCode::Esc);
    assert_eq!(state.screen, Screen::Calls);
}
