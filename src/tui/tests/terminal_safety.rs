//! Text in events cannot control the terminal on any screen.

use serde_json::{Map, Value, json};

use super::{CALL, at, draw, press, screen, screen_keys, stored_with};
use crate::model::Kind;
use crate::redact::Policy;
use crate::text::terminal;
use crate::tui::message::ScreenMessage;
use crate::tui::update::{Msg, update};

/// Escape sequences, control characters, direction marks and zero-width characters.
const HOSTILE: &str = "\u{1b}[31m\u{1b}]0;title\u{7}\u{9b}31m\r\n\t\u{8}\u{7f}\u{202e}\u{2066}\u{200b}\u{ad}x\u{fe0f}\u{200d}\u{1d173}";

/// Returns an event with hostile text in every field.
fn event(kind: Kind) -> Value {
    let fields = kind.spec().fields.iter().map(|field| (field.name.to_owned(), json!(HOSTILE)));
    let mut event: Map<_, _> = fields.collect();
    event.insert("event_type".to_owned(), kind.spec().event_type.into());
    event.insert("call_sid".to_owned(), CALL.into());
    event.insert(HOSTILE.to_owned(), json!([{HOSTILE: HOSTILE}]));
    event.insert("_tap".to_owned(), json!({"call_sid": CALL}));
    Value::Object(event)
}

#[test]
fn no_cell_holds_a_character_that_could_control_the_terminal() {
    for wrap in [false, true] {
        let mut state = screen((160, 50));
        state.wrap = wrap;
        state.config.title = HOSTILE.to_owned();
        update(&mut state, Msg::Tick(at(1)));
        for kind in Kind::ALL {
            let mut policy = Policy::default();
            policy.reveal.add("all");
            let stored = stored_with(policy, &event(*kind));
            update(&mut state, Msg::Pipeline(ScreenMessage::Event(stored)));
        }
        let mut unknown = event(Kind::ALL[0]);
        unknown["event_type"] = format!("call.{HOSTILE}").into();
        let unknown = stored_with(Policy::default(), &unknown);
        update(&mut state, Msg::Pipeline(ScreenMessage::Event(unknown)));
        let keys = ["", "\n\n", "\u{1b}\u{1b}x", "\u{1b}/", "\u{1b}f."].map(str::to_owned);
        for keys in keys.into_iter().chain(["\u{1b}".to_owned()]).chain(screen_keys()) {
            press(&mut state, &keys);
            for cell in draw(&state).buffer().content() {
                assert!(!terminal::has_hostile(cell.symbol()), "{keys:?}: {cell:?}");
            }
        }
    }
}
