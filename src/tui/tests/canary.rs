//! Hidden values never reach the screen, the clipboard or a file. The events contain every hidden
//! field of every event type with a value of each JSON type, as in the tests of the binary's
//! output.

use std::sync::LazyLock;

use crossterm::event::KeyCode;
use serde_json::{Value, json};

use super::canaries::{SECRETS, events_with_canaries};
use super::traces::Traces;
use super::{CALL, draw, feed, press, press_key, screen, screen_keys, stored};
use crate::model::Stream;
use crate::tui::background_tasks::BackgroundTasks;
use crate::tui::keys::bindings;
use crate::tui::state::{Effect, State};

/// Returns every event of both streams with every canary, all of one call.
fn events() -> impl Iterator<Item = Value> {
    [Stream::Workspace, Stream::Observer].into_iter().flat_map(|stream| {
        events_with_canaries(stream).into_iter().map(move |(event_type, mut payload)| {
            payload.insert("event_type".to_owned(), event_type.into());
            payload.insert("call_sid".to_owned(), CALL.into());
            payload.insert("_tap".to_owned(), json!({"stream": stream.name(), "call_sid": CALL}));
            Value::Object(payload)
        })
    })
}

/// Returns a screen that received all these events.
fn screen_with_canaries(size: (u16, u16)) -> State {
    let mut state = screen(size);
    for (second, event) in (1..).zip(events()) {
        feed(&mut state, second, event);
    }
    state
}

#[track_caller]
fn has_no_trace(text: &str, how: &str) {
    static TRACES: LazyLock<Traces> = LazyLock::new(|| Traces::new(SECRETS));
    assert_eq!(TRACES.find(text), None, "{how}");
}

#[track_caller]
fn shows_no_trace(state: &State, how: &str) {
    let seen: String =
        draw(state).buffer().content().iter().map(ratatui::buffer::Cell::symbol).collect();
    has_no_trace(&seen, how);
}

#[test]
fn no_cell_ever_holds_a_hidden_value() {
    let mut states = [(20, 5), (80, 24), (200, 60)].map(screen);
    press(&mut states[1], "w");
    for (second, event) in (1..).zip(events()) {
        for state in &mut states {
            feed(state, second, event.clone());
        }
        // The sizes take turns. Each event occurs seven times, so each size shows it more than
        // once.
        let state = &mut states[usize::try_from(second).expect("few") % 3];
        let keys = ["", "\n", "\u{1b}"].map(str::to_owned);
        for keys in keys.into_iter().chain(screen_keys().rev()) {
            press(state, &keys);
            shows_no_trace(state, &format!("{:?} {keys:?} {}", state.size, event["event_type"]));
        }
    }
    assert!(states.iter().all(|state| state.effects.is_empty()));
}

#[test]
fn no_key_reveals_a_hidden_value() {
    let mut state = screen_with_canaries((120, 30));
    let keys =
        bindings().flat_map(|binding| binding.keys).filter(|(_, modifiers)| modifiers.is_empty());
    let keys: Vec<_> = keys.map(|(key, _)| *key).filter(|key| *key != KeyCode::Esc).collect();
    for before in screen_keys().chain(["1\n\njj".to_owned()]) {
        for key in &keys {
            press(&mut state, &before);
            press_key(&mut state, *key);
            press_key(&mut state, KeyCode::Tab);
            shows_no_trace(&state, &format!("{before:?} {key:?}"));
            press(&mut state, "\u{1b}\u{1b}\u{1b}\u{1b}");
            state.filter = None;
        }
    }
    has_no_trace(&format!("{:?}", state.effects), "effects");
}

#[test]
fn no_earlier_moment_holds_a_hidden_value() {
    let mut state = screen_with_canaries((160, 60));
    for place in (0..events().count()).step_by(7) {
        state.selected = place as u64;
        state.follow = false;
        for key in screen_keys() {
            press(&mut state, &key);
            shows_no_trace(&state, &format!("screen {key} after event {place}"));
        }
        has_no_trace(&format!("{:?}", state.shown()), "the past");
        press(&mut state, "1");
    }
}

/// Completions come from names and shown values, and filters and searches only find shown values.
#[test]
fn no_command_reveals_a_hidden_value() {
    let mut state = screen_with_canaries((160, 40));
    for typed in [
        "f.\t",
        "f.caller_id | length > 3\n",
        "f[.. | strings] | any(length > 12)\n",
        "f.event_type == \"\t",
        "x.\t",
        "xcaller_id,transcript,undeclared,input,_tap.redacted\n",
        "/.\n",
        "/redacted\nnnnN",
        ":columns transcript,delta,undeclared\n",
        ":filter .undeclared\n",
        ":call \t\n",
        ":call CA\t\n",
        ":at 1\n",
        ":\t\t",
        "+\n",
        "o",
        "mu",
    ] {
        for place in ["1G", "1gjjj", "1G\nljj"] {
            press(&mut state, place);
            press(&mut state, typed);
            shows_no_trace(&state, &format!("{place:?} {typed:?}"));
            press(&mut state, "\u{1b}\u{1b}\u{1b}\u{1b}");
            state.filter = None;
        }
    }
    has_no_trace(&format!("{:?}", state.effects), "effects");
}

#[test]
fn hidden_values_are_neither_stored_nor_copied() {
    let mut state = screen((80, 24));
    for (second, event) in (1..).zip(events()) {
        has_no_trace(&format!("{:?}", stored(&event)), "stored");
        feed(&mut state, second, event);
        // Copy the event, then each line of its detail.
        press(&mut state, "Gy\nl");
        for _ in 0..24 {
            press(&mut state, "yj");
        }
        press(&mut state, "\u{1b}\u{1b}");
        let copied: Vec<_> = state.effects.drain(..).collect();
        assert!(
            copied.len() > 3 && copied.iter().all(|effect| matches!(effect, Effect::Copy(_))),
            "{copied:?}"
        );
        has_no_trace(&format!("{copied:?}"), "copied");
    }
}

#[test]
fn hidden_values_are_not_saved() {
    let mut state = screen_with_canaries((80, 24));
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("saved");
    press(&mut state, &format!(":save {}\n", path.display()));
    let Some(Effect::Save(asked)) = state.effects.pop() else { panic!("the list is to be saved") };
    let mut tasks = BackgroundTasks::default();
    tasks.save(asked, state.listed_lines());
    drop(tasks);
    let saved = std::fs::read_to_string(path).expect("the list is saved");
    assert_eq!(saved.lines().count(), events().count());
    has_no_trace(&saved, "saved");
}

#[test]
fn the_canaries_can_be_found() {
    static TRACES: LazyLock<Traces> = LazyLock::new(|| Traces::new(SECRETS));
    let event_with_canary =
        events().filter(|event| TRACES.find(&event.to_string()).is_some()).count();
    assert_eq!(event_with_canary, events().count());
    let mut shown = screen((120, 30));
    shown.notify(SECRETS[0]);
    let seen: String =
        draw(&shown).buffer().content().iter().map(ratatui::buffer::Cell::symbol).collect();
    assert!(TRACES.find(&seen).is_some(), "a canary on the screen is found");
}
