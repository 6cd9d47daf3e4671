//! Nothing hidden gets onto the screen, into the clipboard or into a file.

use crossterm::event::KeyCode;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use super::{code, drawn, feed, held, press, screen};
use crate::emulator::samples::sample;
use crate::event::Kind;
use crate::tui::keys::bindings;
use crate::tui::state::Effect;

/// Short enough to stand in one line wherever it is wrapped, and in no word.
const CANARY: &str = "QZXQ";

/// Puts the canary where something hidden is.
fn planted(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(planted),
        Value::Object(members) => {
            let inside = std::mem::take(members);
            members.extend(inside.into_iter().map(|(key, _)| (format!("{CANARY}{key}"), json!(CANARY))));
        }
        _ => *value = json!(CANARY),
    }
}

fn events() -> Vec<Value> {
    let mut rng = StdRng::seed_from_u64(7);
    let mut events: Vec<_> = Kind::ALL
        .iter()
        .map(|kind| {
            let mut event = Map::from_iter([("event_type".to_owned(), json!(kind.spec().event_type))]);
            for (name, mut value) in sample(kind.spec(), &mut rng) {
                if kind.spec().field(&name).is_none_or(|field| field.class.is_hidden()) {
                    planted(&mut value);
                }
                event.insert(name, value);
            }
            event.insert("unheard_of".to_owned(), json!({"inside": [CANARY]}));
            event.insert("call_sid".to_owned(), json!(super::CALL));
            event.insert("_tap".to_owned(), json!({"stream": "observer", "call_sid": super::CALL}));
            Value::Object(event)
        })
        .collect();
    events.push(json!({"event_type": "unheard.of", "anything": CANARY}));
    events.push(json!({"event_type": format!("{CANARY} said she"), "anything": CANARY}));
    events
}

#[test]
fn no_cell_ever_holds_a_hidden_value() {
    for size in [(20, 5), (80, 24), (200, 60)] {
        let mut state = screen(size);
        for (second, event) in (1..).zip(events()) {
            feed(&mut state, second, event);
            for keys in ["", "\n", "w", "\u{1b}w", "3", "2", "4", "5", "1"] {
                press(&mut state, keys);
                let seen: String = drawn(&state).buffer().content().iter().map(ratatui::buffer::Cell::symbol).collect();
                assert!(!seen.contains(CANARY), "{size:?} {keys:?}: {seen}");
            }
        }
        assert!(state.effects.is_empty());
    }
}

#[test]
fn no_key_brings_up_what_is_hidden() {
    let mut state = screen((120, 30));
    for (second, event) in (1..).zip(events()) {
        feed(&mut state, second, event);
    }
    let keys = bindings().flat_map(|binding| binding.keys).filter(|(_, modifiers)| modifiers.is_empty());
    let keys: Vec<_> = keys.map(|(key, _)| *key).filter(|key| *key != KeyCode::Esc).collect();
    for before in ["1", "1\n\njj", "2", "3", "4", "5"] {
        for key in &keys {
            press(&mut state, before);
            code(&mut state, *key);
            code(&mut state, KeyCode::Tab);
            let seen: String = drawn(&state).buffer().content().iter().map(ratatui::buffer::Cell::symbol).collect();
            assert!(!seen.contains(CANARY), "{before:?} {key:?}: {seen}");
            press(&mut state, "\u{1b}\u{1b}\u{1b}\u{1b}");
            state.filter = None;
        }
    }
    assert!(state.effects.iter().any(|effect| matches!(effect, Effect::Copy(_))));
    assert!(!format!("{:?}", state.effects).contains(CANARY));
    let listed = state.listed();
    assert!(listed.len() == events().len() && listed.iter().all(|line| !line.contains(CANARY)), "nor is it saved");
}

#[test]
fn nothing_hidden_is_held_and_nothing_can_be_copied() {
    let mut state = screen((80, 24));
    for (second, event) in (1..).zip(events()) {
        let made = format!("{:?}", held(&event));
        assert!(!made.contains(CANARY), "{made}");
        feed(&mut state, second, event);
        press(&mut state, "y");
    }
    let copied = state.effects.iter().filter(|effect| matches!(effect, Effect::Copy(text) if !text.contains(CANARY))).count();
    assert_eq!(copied, events().len());
}

#[test]
fn the_canary_is_there_to_be_found() {
    let planted = events().iter().filter(|event| event.to_string().contains(CANARY)).count();
    assert_eq!(planted, events().len());
}
