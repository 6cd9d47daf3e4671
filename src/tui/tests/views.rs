//! Each view at four sizes, as people see it.

use crossterm::event::KeyCode;

use super::{code, day, drawn, press, screen, text};
use crate::text::MASK;
use crate::tui::screen::Screen;

const SIZES: [(u16, u16); 4] = [(20, 5), (80, 24), (120, 40), (200, 60)];

fn at_each_size(name: &str, keys: &str) {
    for size in SIZES {
        let mut state = screen(size);
        day(&mut state);
        press(&mut state, keys);
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), drawn(&state));
    }
}

#[test]
fn the_stream() {
    at_each_size("stream", "");
}

#[test]
fn the_detail_of_an_event() {
    at_each_size("detail", "kkkkkkkkkkkkkkkkk\n\n");
}

#[test]
fn the_calls() {
    at_each_size("calls", "2");
}

#[test]
fn one_call() {
    at_each_size("call", "3");
}

#[test]
fn the_board() {
    at_each_size("board", "4");
}

#[test]
fn the_numbers() {
    at_each_size("stats", "5");
}

#[test]
fn the_help() {
    at_each_size("help", "?");
}

#[test]
fn the_columns_to_choose_from() {
    at_each_size("ticks", "kx  jj ");
}

#[test]
fn the_position_of_a_replay() {
    for size in SIZES {
        let mut state = screen(size);
        day(&mut state);
        let pace = std::sync::Arc::new(crate::pipeline::pacing::Pace::new(vec![600, 400], 5.0));
        pace.reach(1, 150);
        state.config.pace = Some(pace);
        insta::assert_snapshot!(format!("position_{}x{}", size.0, size.1), drawn(&state));
    }
}

#[test]
fn a_filter_that_is_wrong() {
    at_each_size("filter", "f.event_type == \"call.endd\"");
}

#[test]
fn no_size_is_too_small_and_none_breaks_it() {
    for columns in [1, 2, 3, 5, 8, 13, 20, 33, 59, 61, 99, 101, 109, 111] {
        for rows in [1, 2, 3, 4, 5, 7, 8, 9, 15, 17, 30] {
            let mut state = screen((columns, rows));
            day(&mut state);
            for keys in ["", "\n\n", "2", "3", "4", "5", "?", "f.x", "w"] {
                press(&mut state, keys);
                drawn(&state);
                press(&mut state, "\u{1b}\u{1b}\u{1b}1");
            }
        }
    }
}

#[test]
fn what_is_revealed_stands_in_the_header_at_every_size() {
    for size in SIZES {
        let mut state = screen(size);
        assert!(text(&state).contains("REDACTED"), "{size:?}");
        state.config.revealed = vec!["caller_id".to_owned()];
        let seen = text(&state);
        assert!(!seen.contains("REDACTED") && seen.contains("REVEALED"), "{size:?}: {seen}");
    }
}

#[test]
fn without_colours_no_cell_has_one() {
    let mut state = screen((120, 40));
    state.config.theme.depth = crate::tui::style::Depth::None;
    day(&mut state);
    for keys in ["", "\n\n", "2", "3", "4", "5", "?"] {
        press(&mut state, keys);
        let backend = drawn(&state);
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
fn pieces_grow_in_one_bubble_and_the_whole_takes_their_place() {
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
    assert!(text(&state).contains("… 2 pieces"));
    super::feed(
        &mut state,
        2,
        serde_json::json!({
            "event_type": "agent_transcript", "transcript": "One moment.", "interrupted": true,
            "_tap": {"stream": "observer", "call_sid": super::CALL}
        }),
    );
    let seen = text(&state);
    assert!(seen.contains("interrupted") && !seen.contains("pieces"), "{seen}");
    assert_eq!(seen.matches(MASK).count(), 1);
    code(&mut state, KeyCode::Esc);
    assert_eq!(state.screen, Screen::Calls);
}
