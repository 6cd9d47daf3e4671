//! Tests of the screen without a terminal: they send events and keys, and inspect what is drawn.

mod attention;
#[path = "../../tests/it/canaries.rs"]
mod canaries;
mod canary;
mod debugger;
mod finding;
mod folding;
mod keys;
mod limits;
mod lists;
mod messages;
mod mouse;
mod numbers;
mod remembering;
mod replaying;
mod stability;
mod terminal_safety;
mod time_travel;
#[path = "../../tests/it/traces.rs"]
mod traces;
mod views;
mod workload;

use crossterm::event::{
    Event as Input, KeyCode, KeyEvent, KeyModifiers, MouseEvent, MouseEventKind,
};
use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::{Value, json};

use super::config::ScreenConfig;
use super::incremental::advance;
use super::message::ScreenMessage;
use super::screen::Screen;
use super::selection::keep_visible;
use super::state::State;
use super::style::{Depth, Theme};
use super::time_slice::TimeSlice;
use super::update::{Msg, update};
use super::view;
use crate::model::decode::Decoder;
use crate::model::{Frame, FrameFormat, Origin};
use crate::output::stored_event::StoredEvent;
use crate::redact::{Policy, Redactor};

const CALL: &str = "CA00000000000000000000000000000001";
const OTHER: &str = "CA00000000000000000000000000000002";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_778_000_000 + seconds).expect("a time")
}

fn screen(size: (u16, u16)) -> State {
    let config = ScreenConfig {
        title: "demo".to_owned(),
        theme: Theme::new(Depth::Sixteen, None),
        ..ScreenConfig::default()
    };
    State::new(config, size, at(0))
}

/// Returns a screen of 80×24 with that many events, every tenth of which is an error.
fn screen_with_events(events: i64) -> State {
    let mut state = screen((80, 24));
    for number in 0..events {
        let succeeded = number % 10 != 9;
        let name = format!("tool_{number}");
        feed(
            &mut state,
            number,
            json!({"event_type": "tool_call_completed", "tool_name": name, "call_id": "c", "succeeded": succeeded}),
        );
    }
    state
}

/// Returns the key of each screen.
fn screen_keys() -> impl DoubleEndedIterator<Item = String> {
    (0..Screen::COUNT).map(|number| number.to_string())
}

/// Returns an event as the pipeline sends it.
fn stored(event: &Value) -> StoredEvent {
    stored_with(Policy::default(), event)
}

/// Returns an event as the pipeline sends it under that policy.
fn stored_with(policy: Policy, event: &Value) -> StoredEvent {
    let origin = Origin::default();
    let data = event.to_string();
    let frame = Frame {
        origin: &origin,
        format: FrameFormat::Record,
        event: None,
        id: None,
        data: data.as_bytes(),
        text: None,
        received_at: None,
        fault: None,
        offset: 0,
        flags: crate::model::FrameFlags::default(),
    };
    StoredEvent::new(&Redactor::new(policy).redact(&Decoder::default().decode(frame)))
}

/// Sends an event that happens `second` seconds after the start.
fn feed(state: &mut State, second: i64, mut event: Value) {
    event["_tap"]["time"] = json!(at(second).to_string());
    update(state, Msg::Tick(at(second)));
    update(state, Msg::Pipeline(ScreenMessage::Event(stored(&event))));
    keep_visible(state);
}

fn press(state: &mut State, keys: &str) {
    for character in keys.chars() {
        let (code, modifiers) = match character {
            '\n' => (KeyCode::Enter, KeyModifiers::NONE),
            '\u{1b}' => (KeyCode::Esc, KeyModifiers::NONE),
            '\t' => (KeyCode::Tab, KeyModifiers::NONE),
            _ => (KeyCode::Char(character), KeyModifiers::NONE),
        };
        press_with(state, code, modifiers);
    }
}

fn press_key(state: &mut State, code: KeyCode) {
    press_with(state, code, KeyModifiers::NONE);
}

fn press_control(state: &mut State, character: char) {
    press_with(state, KeyCode::Char(character), KeyModifiers::CONTROL);
}

fn press_with(state: &mut State, code: KeyCode, modifiers: KeyModifiers) {
    update(state, Msg::Input(Input::Key(KeyEvent::new(code, modifiers))));
    finish(state);
}

fn mouse(state: &mut State, kind: MouseEventKind, column: u16, row: u16) {
    let event = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
    update(state, Msg::Input(Input::Mouse(event)));
    finish(state);
}

/// Runs filtering and searching to their end.
fn finish(state: &mut State) {
    while state.is_busy() {
        advance(state, TimeSlice::with_events(1000));
    }
}

/// Draws a frame.
fn draw(state: &State) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(state.size.0, state.size.1))
        .expect("the test backend can be created");
    terminal.draw(|frame| view::draw(state, frame)).expect("the test backend can be drawn on");
    terminal.backend().clone()
}

/// Draws a frame and returns it as text.
fn text(state: &State) -> String {
    draw(state).to_string()
}

/// Sends the events of a short day in the clinic, from both streams.
fn send_day(state: &mut State) {
    let service = "f66d22c1-8495-453b-812a-4de2c53d7454";
    let operator = "88611d6b-0000-4000-8000-000000000001";
    let surface = "ac2476fb-0000-4000-8000-000000000002";
    let of_call = |event_type: &str, rest: Value| {
        let mut event = json!({"event_type": event_type});
        for (key, value) in rest.as_object().expect("an object") {
            event[key] = value.clone();
        }
        event["_tap"] = json!({"stream": "observer", "call_sid": CALL});
        event
    };
    let events = [
        json!({"event_type": "call.started", "call_sid": CALL, "caller_id": "+13035550161", "direction": "inbound", "service_id": service}),
        of_call(
            "session_info",
            json!({"call_sid": CALL, "caller_id": "+13035550161", "current_state": "greeting", "direction": "inbound", "service_id": service}),
        ),
        of_call(
            "latency",
            json!({"audio_ttfb_ms": 181.5, "continuation": false, "e2e_ttfb_ms": 674.0, "engine_ms": 492.5, "is_greeting": true, "nav_ms": 136.7, "render_ms": 83.2}),
        ),
        of_call("agent_transcript_delta", json!({"delta": "Good "})),
        of_call("agent_transcript_delta", json!({"delta": "morning."})),
        of_call(
            "agent_transcript",
            json!({"transcript": "Good morning.", "interrupted": false, "speaker_role": "agent", "action": "answer"}),
        ),
        of_call(
            "user_transcript",
            json!({"transcript": "I need a refill.", "speaker_role": "caller", "state": "greeting", "is_barge_in": true}),
        ),
        of_call("emotion", json!({"arousal": 0.3, "valence": 0.1, "dominant": "calm"})),
        of_call(
            "state_transition",
            json!({"previous_state": "greeting", "next_state": "refill", "annotation": null}),
        ),
        of_call(
            "tool_call_started",
            json!({"tool_name": "find_patient", "call_id": "t1", "input": {"name": "Wrenna"}, "parent_call_id": null}),
        ),
        of_call(
            "tool_call_started",
            json!({"tool_name": "records_search", "call_id": "t2", "input": {"q": "Wrenna"}, "parent_call_id": "t1"}),
        ),
        of_call(
            "tool_call_completed",
            json!({"tool_name": "records_search", "call_id": "t2", "duration_ms": 775.5, "succeeded": false, "error_message": "no answer in time", "parent_call_id": "t1"}),
        ),
        of_call(
            "tool_call_completed",
            json!({"tool_name": "find_patient", "call_id": "t1", "duration_ms": 2326.5, "succeeded": true, "output": "found"}),
        ),
        of_call(
            "emotion",
            json!({"arousal": 0.7, "valence": -0.4, "dominant": "anxiety", "scores": [{"name": "anxiety", "score": 0.8}]}),
        ),
        of_call("barge_in", json!({"interrupting_speaker_id": "caller-1", "total_barge_ins": 1})),
        of_call(
            "latency",
            json!({"audio_ttfb_ms": 180.1, "continuation": false, "e2e_ttfb_ms": 507.2, "engine_ms": 327.0, "nav_ms": 175.5, "render_ms": 111.4}),
        ),
        of_call("agent_transcript_delta", json!({"delta": "One moment"})),
        json!({"event_type": "call.started", "call_sid": OTHER, "caller_id": "+13035550162", "direction": "outbound", "service_id": service}),
        json!({"event_type": "operator.status_changed", "operator_id": operator, "status": "busy"}),
        json!({"event_type": "call.escalated", "call_sid": CALL, "escalation_id": "e1", "reason": "asked for a person", "trigger": "caller"}),
        json!({"event_type": "operator.joined_call", "call_sid": CALL, "mode": "takeover", "operator_id": operator}),
        json!({"event_type": "surface.created", "surface_id": surface, "entity_id": service, "channel": "sms", "fields_count": 6}),
        json!({"event_type": "surface.delivered", "surface_id": surface, "entity_id": service, "channel": "sms", "channel_address": "+13035550163"}),
        json!({"event_type": "trigger.fired", "trigger_id": service, "trigger_name": "nightly recall", "manual": false}),
        json!({"event_type": "trigger.failed", "trigger_id": service, "trigger_name": "nightly recall", "status": "failed"}),
        json!({"event_type": "pipeline.sync_completed", "data_source_id": service, "duration_ms": 2460, "event_count": 482}),
        json!({"event_type": "pipeline.error", "data_source_id": service, "error": "the source is locked"}),
        json!({"event_type": "review.submitted", "action": "approve", "count": 1}),
        json!({"event_type": "call.ended", "call_sid": OTHER, "completion_reason": "error", "direction": "outbound", "duration_seconds": 9.5, "escalated": false}),
        json!({"event_type": "future.event", "secret": "Wrenna", "_tap": {"drift": [{"kind": "unknown_event"}]}}),
        json!({"event_type": "surface.submitted", "surface_id": surface, "entity_id": service, "fields_submitted": ["氏名", "שם", "🙂"]}),
    ];
    for (second, event) in (1..).zip(events) {
        feed(state, second, event);
    }
}
