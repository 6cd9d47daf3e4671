//! Each view at four sizes, as people see it.

use crossterm::event::KeyCode;

use super::{code, day, drawn, press, screen, screen_keys, text};
use crate::text::MASK;
use crate::tui::layout::ScreenLayout;
use crate::tui::screen::Screen;
use crate::tui::state::State;

const SIZES: [(u16, u16); 4] = [(20, 5), (80, 24), (120, 40), (200, 60)];

/// Compares the screen with a snapshot, which has blanks for the tabs: so a new screen changes no
/// snapshot but those of the header and the help.
fn assert_snapshot(name: &str, state: &State) {
    let (columns, rows) = state.size;
    let mut seen = text(state);
    for (place, screen) in Screen::ALL.iter().enumerate() {
        let tab = format!(" {} {} ", place + 1, screen.title());
        seen = seen.replace(&tab, &" ".repeat(tab.len()));
    }
    insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), seen);
}

fn at_each_size(name: &str, keys: &str) {
    for size in SIZES {
        let mut state = screen(size);
        day(&mut state);
        press(&mut state, keys);
        assert_snapshot(name, &state);
    }
}

#[test]
fn each_screen() {
    for (screen, key) in Screen::ALL.iter().zip(screen_keys()) {
        at_each_size(&screen.title().to_lowercase(), &key);
    }
}

#[test]
fn the_header_of_each_screen() {
    for size in SIZES {
        let mut state = screen(size);
        day(&mut state);
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
    at_each_size("detail", "kkkkkkkkkkkkkkkkk\n\n");
}

#[test]
fn the_help() {
    at_each_size("help", "?");
}

#[test]
fn the_columns_to_choose_from() {
    at_each_size("columns", "kx  jj ");
}

#[test]
fn the_position_of_a_replay() {
    for size in SIZES {
        let mut state = screen(size);
        day(&mut state);
        let pace = std::sync::Arc::new(crate::pipeline::pacing::Pace::new(vec![600, 400], 5.0));
        pace.reach(1, 150);
        state.config.pace = Some(pace);
        assert_snapshot("position", &state);
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
            let keys = ["", "\n\n", "?", "f.x", "w"].map(str::to_owned);
            for keys in keys.into_iter().chain(screen_keys()) {
                press(&mut state, &keys);
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
    let keys = ["", "\n\n", "?"].map(str::to_owned);
    for keys in keys.into_iter().chain(screen_keys()) {
        press(&mut state, &keys);
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
