//! Applies messages to the state: input, messages from the pipeline, and the time. Nothing here
//! uses the terminal.

use crossterm::event::{Event as Input, KeyEvent, KeyEventKind};
use jiff::Timestamp;

use super::keys::KeyAction;
use super::message::ScreenMessage;
use super::overlays::{column_picker, help, marks};
use super::panels::panel;
use super::screen::Screen;
use super::selection::keep_visible;
use super::state::connections::ConnectionStatus;
use super::state::prompt::Purpose;
use super::state::{Effect, State};
use super::time_travel::{self, TimePlace};
use super::{mouse, navigation, prompt};

/// How long a notice is shown, in seconds.
const NOTICE_SECONDS: i64 = 6;

/// A message to the state.
#[derive(Debug)]
pub enum Msg {
    /// A terminal event: a key, the mouse, a paste, or a resize.
    Input(Input),
    /// A message from the pipeline.
    Pipeline(ScreenMessage),
    /// A message to the user.
    Notice(String),
    /// A failure that ended a source or the run.
    Failure(String),
    /// The pipeline has ended.
    PipelineEnded,
    /// The current time.
    Tick(Timestamp),
}

/// Applies a message to the state.
pub fn update(state: &mut State, msg: Msg) {
    match msg {
        Msg::Pipeline(ScreenMessage::Event(stored)) => return state.add_event(stored),
        Msg::Pipeline(ScreenMessage::Connection(event)) => return state.set_connection(&event),
        Msg::Pipeline(ScreenMessage::FilteredOut(counts)) => {
            state.present.stats.add_filtered(counts, state.now);
        }
        Msg::Pipeline(ScreenMessage::Attention(change)) => state.change_attention(change),
        Msg::Notice(text) => return state.notify(text.trim_start_matches("evtap: ")),
        Msg::Failure(text) => state.add_failure(text),
        Msg::PipelineEnded => state.connections.status = ConnectionStatus::Ended,
        Msg::Tick(now) => {
            // Ages are shown in seconds, so nothing changes within one.
            if now.as_second() == state.now.as_second() {
                return;
            }
            tick(state, now);
        }
        Msg::Input(Input::Resize(columns, rows)) => state.size = (columns, rows),
        Msg::Input(Input::Key(key)) if key.kind != KeyEventKind::Release => {
            let place = TimePlace::new(state);
            press(state, &key);
            time_travel::input_handled(state, &place);
        }
        Msg::Input(Input::Mouse(mouse)) => {
            let place = TimePlace::new(state);
            if !mouse::handle(state, mouse) {
                return;
            }
            time_travel::input_handled(state, &place);
        }
        Msg::Input(Input::Paste(text)) => prompt::paste(state, &text),
        Msg::Input(_) => return,
    }
    settle(state);
    state.changed = true;
}

/// Adjusts what depends on the events and on the layout: the visible rows and the selection.
pub fn settle(state: &mut State) {
    keep_visible(state);
    panel(state.screen).settle(state);
}

fn tick(state: &mut State, now: Timestamp) {
    state.now = now;
    // The rates of a replay go by the times of its events.
    if state.config.pace.is_none() {
        state.present.stats.advance(now);
        state.present.trends.advance(now);
    }
    // Once a second at most, however much happens.
    if let Some(news) = state.take_news()
        && state.notifies
    {
        state.effects.push(Effect::Notify(news));
    }
    let age = |since: Timestamp| now.as_second() - since.as_second();
    if state.notice.as_ref().is_some_and(|(_, since)| age(*since) > NOTICE_SECONDS) {
        state.notice = None;
    }
}

fn press(state: &mut State, key: &KeyEvent) {
    if state.prompt.is_some() {
        return prompt::handle_key(state, key);
    }
    if let Some(action) = state.config.keys.action(key) {
        handle_action(state, action);
    }
}

fn handle_action(state: &mut State, action: KeyAction) {
    state.notice = None;
    if state.help.is_some() && help::handle_key(state, action)
        || state.column_picker.is_some() && column_picker::handle_key(state, action)
        || state.mark_list.is_some() && marks::handle_key(state, action)
        || handle_everywhere(state, action)
        || panel(state.screen).handle_key(state, action)
    {
        return;
    }
    if action == KeyAction::Present {
        panel(state.screen).handle_key(state, KeyAction::Bottom);
        return;
    }
    if action == KeyAction::Pause {
        return state.advise("only the stream can be paused; press {screen_stream}");
    }
    // These actions are only possible in the stream, so other screens switch to it.
    if matches!(
        action,
        KeyAction::Filter | KeyAction::Search | KeyAction::Save | KeyAction::Columns
    ) {
        state.screen = Screen::Stream;
        panel(state.screen).handle_key(state, action);
    }
}

/// Handles the keys that have the same meaning on every screen. Returns whether the key is one.
fn handle_everywhere(state: &mut State, action: KeyAction) -> bool {
    match action {
        KeyAction::Quit => state.effects.push(Effect::Quit),
        KeyAction::Suspend => state.effects.push(Effect::Suspend),
        KeyAction::Help => state.help = Some(0),
        KeyAction::Present if state.is_past() => time_travel::return_to_present(state),
        KeyAction::Screen(screen) => state.switch_to(screen),
        KeyAction::NextScreen => state.switch_to(state.screen.next()),
        KeyAction::PreviousScreen => state.switch_to(state.screen.previous()),
        // In a call, these keys go from one failure to the next.
        KeyAction::Faster | KeyAction::Slower if state.screen == Screen::Call => return false,
        KeyAction::Hold | KeyAction::Step | KeyAction::Faster | KeyAction::Slower => {
            change_pace(state, action);
        }
        KeyAction::Marks => navigation::list_marks(state),
        KeyAction::NextAttention => navigation::go_to_attention(state),
        KeyAction::Acknowledge => navigation::acknowledge(state),
        KeyAction::Command => prompt::open(state, Purpose::Command, ""),
        KeyAction::GoTo => prompt::open(state, Purpose::Command, "at "),
        KeyAction::Time => state.time_mode = state.time_mode.next(),
        _ => return false,
    }
    true
}

fn change_pace(state: &mut State, action: KeyAction) {
    let Some(pace) = &state.config.pace else {
        return state.notify("only a replay can be held or change its speed");
    };
    if state.connections.is_ended() {
        return state.notify("the replay is complete; g goes to its first event");
    }
    match action {
        KeyAction::Hold => pace.toggle_hold(),
        KeyAction::Step => pace.step(),
        _ => pace.change_speed(action == KeyAction::Faster),
    }
}
