//! What each message does to the state. Nothing here touches the terminal.

use crossterm::event::{Event as Input, KeyEvent, KeyEventKind};
use jiff::Timestamp;

use super::column_picker::{self, ColumnPicker};
use super::event_sink::ScreenMessage;
use super::keys::{self, KeyAction};
use super::state::{ConnectionStatus, DetailPane, Effect, Panel, Purpose, State, TimeMode};
use super::view::{self, detail};
use super::{mouse, prompt};

/// How long something is told, in seconds.
const TOLD: i64 = 6;

/// What can happen.
#[derive(Debug)]
pub enum Msg {
    /// Something at the terminal.
    Input(Input),
    /// Something from the walk.
    Fed(ScreenMessage),
    /// Something for the reader.
    Told(String),
    /// The walk is over.
    Over,
    /// What time it is.
    Tick(Timestamp),
}

/// Takes a message.
pub fn update(state: &mut State, msg: Msg) {
    match msg {
        Msg::Fed(ScreenMessage::Event(stored)) => return state.take(stored),
        Msg::Fed(ScreenMessage::News(news)) => return state.hear(&news),
        Msg::Fed(ScreenMessage::PassedOver(passed)) => state.numbers.pass(passed, state.now),
        Msg::Told(text) => return state.tell(text.trim_start_matches("evtap: ")),
        Msg::Over => state.link = ConnectionStatus::Ended,
        Msg::Tick(now) => {
            // Ages are told in seconds, so a second is what makes a difference.
            if now.as_second() == state.now.as_second() {
                return;
            }
            state.now = now;
            state.numbers.advance(now);
            if state
                .notice
                .as_ref()
                .is_some_and(|(_, since)| now.as_second() - since.as_second() > TOLD)
            {
                state.notice = None;
            }
        }
        Msg::Input(Input::Resize(columns, rows)) => state.size = (columns, rows),
        Msg::Input(Input::Key(key)) if key.kind != KeyEventKind::Release => press(state, &key),
        Msg::Input(Input::Mouse(mouse)) => {
            if !mouse::point(state, mouse) {
                return;
            }
        }
        Msg::Input(Input::Paste(text)) => prompt::paste(state, &text),
        Msg::Input(_) => return,
    }
    state.settle();
    state.changed = true;
}

fn press(state: &mut State, key: &KeyEvent) {
    if state.prompt.is_some() {
        return prompt::press(state, key);
    }
    if let Some(action) = keys::action(key) {
        act(state, action);
    }
}

/// Does what a key is for.
pub(super) fn act(state: &mut State, action: KeyAction) {
    state.notice = None;
    if state.help.is_some() && scroll_help(state, action)
        || state.ticks.is_some() && column_picker::act(state, action)
    {
        return;
    }
    match action {
        KeyAction::Quit => state.effects.push(Effect::Quit),
        KeyAction::Suspend => state.effects.push(Effect::Suspend),
        KeyAction::Help => state.help = Some(0),
        KeyAction::Screen(screen) => state.screen = screen.min(view::SCREENS.len() - 1),
        KeyAction::NextScreen => state.screen = (state.screen + 1) % view::SCREENS.len(),
        KeyAction::PreviousScreen => {
            state.screen = (state.screen + view::SCREENS.len() - 1) % view::SCREENS.len()
        }
        KeyAction::Pause => {
            state.paused = if state.paused.is_some() { None } else { Some(state.buffer.end()) };
        }
        KeyAction::Hold | KeyAction::Step | KeyAction::Faster | KeyAction::Slower => {
            match &state.setup.pace {
                None => state.tell("only a replay has a pace"),
                Some(pace) => match action {
                    KeyAction::Hold => pace.hold(),
                    KeyAction::Step => pace.step(),
                    _ => pace.change(action == KeyAction::Faster),
                },
            }
        }
        KeyAction::Command => prompt::open(state, Purpose::Command, ""),
        KeyAction::GoTo => prompt::open(state, Purpose::Command, "at "),
        KeyAction::Time => {
            state.time = match state.time {
                TimeMode::Local => TimeMode::Utc,
                TimeMode::Utc => TimeMode::Age,
                TimeMode::Age => TimeMode::Delta,
                TimeMode::Delta => TimeMode::None,
                TimeMode::None => TimeMode::Local,
            };
        }
        _ if state.screen == 0 => stream(state, action),
        _ => elsewhere(state, action),
    }
}

/// Takes a key while the help is open. Gives whether it was for the help.
pub(super) fn scroll_help(state: &mut State, action: KeyAction) -> bool {
    let at = state.help.unwrap_or(0);
    let inner = view::help::inner(state);
    let page = usize::from(inner.height).max(1);
    let most = view::help::lines(state, usize::from(inner.width)).len().saturating_sub(page);
    state.help = match action {
        KeyAction::Quit | KeyAction::Suspend => return false,
        KeyAction::Down => Some(at + 1),
        KeyAction::Up => Some(at.saturating_sub(1)),
        KeyAction::PageDown | KeyAction::HalfDown | KeyAction::Pause => Some(at + page),
        KeyAction::PageUp | KeyAction::HalfUp => Some(at.saturating_sub(page)),
        KeyAction::Top => Some(0),
        KeyAction::Bottom => Some(most),
        _ => None,
    }
    .map(|at| at.min(most));
    true
}

fn stream(state: &mut State, action: KeyAction) {
    if state.detail.as_ref().is_some_and(|detail| detail.focused) && detail(state, action) {
        return;
    }
    let page = usize::from(view::areas(state).list.height).max(1);
    match action {
        KeyAction::Down => step(state, 1, true),
        KeyAction::Up => step(state, 1, false),
        KeyAction::PageDown => step(state, page, true),
        KeyAction::PageUp => step(state, page, false),
        KeyAction::HalfDown => step(state, page.div_ceil(2), true),
        KeyAction::HalfUp => step(state, page.div_ceil(2), false),
        KeyAction::Top => {
            state.select(0);
            state.follow = false;
        }
        KeyAction::Bottom => {
            state.select(u64::MAX);
            state.follow = state.paused.is_none();
        }
        KeyAction::Open | KeyAction::Into => match &mut state.detail {
            Some(detail) => detail.focused = true,
            None => state.detail = Some(DetailPane::default()),
        },
        KeyAction::Back => back(state),
        KeyAction::Out => state.detail = None,
        KeyAction::Grow => state.share = (state.share + 5).min(80),
        KeyAction::Shrink => state.share = state.share.saturating_sub(5).max(20),
        KeyAction::Search => prompt::open(state, Purpose::Search, ""),
        KeyAction::Next => state.seek(true),
        KeyAction::Previous => state.seek(false),
        KeyAction::Filter => {
            let source =
                state.filter.as_ref().map(|filter| filter.source.clone()).unwrap_or_default();
            prompt::open(state, Purpose::Filter, &source);
        }
        KeyAction::ToggleFilter => {
            if state.filter.is_none() {
                return state.tell("there is no filter: f edits one");
            }
            state.filtering = !state.filtering;
        }
        KeyAction::OnlyCall => only_call(state),
        KeyAction::NextError => jump(state, true, "error", is_error),
        KeyAction::PreviousError => jump(state, false, "error", is_error),
        KeyAction::NextMark => {
            jump(state, true, "mark", |state, number| state.marks.contains(&number))
        }
        KeyAction::PreviousMark => {
            jump(state, false, "mark", |state, number| state.marks.contains(&number))
        }
        KeyAction::Mark => {
            let selected = state.selected;
            if state.chosen().is_some() && !state.marks.remove(&selected) {
                state.marks.insert(selected);
            }
        }
        KeyAction::Columns => state.ticks = Some(ColumnPicker::open(state)),
        KeyAction::Wrap => state.wrap = !state.wrap,
        KeyAction::Copy => {
            if let Some(stored) = state.chosen() {
                let line = stored.line.to_string();
                state.effects.push(Effect::Copy(line));
            }
        }
        KeyAction::Save => {
            let name = format!("evtap-{}.ndjson", state.now.strftime("%Y%m%dT%H%M%SZ"));
            prompt::open(state, Purpose::Save, &name);
        }
        KeyAction::AddToFilter => {
            state.tell("step into the detail (Enter, Enter) and choose a field first")
        }
        _ => {}
    }
}

/// Closes the one thing that was opened last.
fn back(state: &mut State) {
    let closed = state.detail.take().is_some()
        || state.search.take().is_some()
        || state.paused.take().is_some();
    if !closed {
        state.tell("q quits");
    }
}

fn is_error(state: &State, number: u64) -> bool {
    state.buffer.get(number).is_some_and(|stored| stored.is_error)
}

/// Takes a key on a screen other than the stream.
pub(super) fn elsewhere(state: &mut State, action: KeyAction) {
    let page = usize::from(view::areas(state).body.height).max(1);
    let length = view::length(state);
    // A conversation is scrolled from its end, all else from its beginning.
    let (at, most) = match state.screen {
        1 => (view::calls::place(state), length.saturating_sub(1)),
        screen => (state.places[screen], length.saturating_sub(page)),
    };
    let forward = |by: usize| if state.screen == 2 { at.saturating_sub(by) } else { at + by };
    let backward = |by: usize| if state.screen == 2 { at + by } else { at.saturating_sub(by) };
    let to = match action {
        KeyAction::Down => forward(1),
        KeyAction::Up => backward(1),
        KeyAction::PageDown => forward(page),
        KeyAction::PageUp => backward(page),
        KeyAction::HalfDown => forward(page.div_ceil(2)),
        KeyAction::HalfUp => backward(page.div_ceil(2)),
        KeyAction::Top => backward(usize::MAX / 2),
        KeyAction::Bottom => forward(usize::MAX / 2),
        KeyAction::Open | KeyAction::Into if state.screen == 1 => {
            choose(state, at);
            (state.screen, state.panel) = (2, Panel::All);
            return;
        }
        KeyAction::Open if state.screen == 2 => {
            (state.panel, state.places[2]) = (state.panel.next(), 0);
            return;
        }
        KeyAction::OnlyCall if matches!(state.screen, 1 | 2) => {
            choose(state, view::calls::place(state));
            if let Some(sid) = state.call.clone() {
                state.screen = 0;
                only_events_of(state, &sid);
            }
            return;
        }
        KeyAction::Copy if matches!(state.screen, 1 | 2) => {
            choose(state, view::calls::place(state));
            state.effects.extend(state.call.clone().map(Effect::Copy));
            return;
        }
        KeyAction::Back | KeyAction::Out if state.screen == 2 && state.panel != Panel::All => {
            state.panel = Panel::All;
            return;
        }
        KeyAction::Back | KeyAction::Out => {
            state.screen = usize::from(state.screen == 2);
            return;
        }
        KeyAction::Filter | KeyAction::Search | KeyAction::Save | KeyAction::Columns => {
            state.screen = 0;
            return stream(state, action);
        }
        _ => return,
    }
    .min(most);
    if state.screen == 1 {
        choose(state, to);
    } else {
        state.places[state.screen] = to;
    }
}

/// Selects the call in that place of the board. It stays selected wherever it moves.
pub(super) fn choose(state: &mut State, place: usize) {
    let sid = state.calls.sorted().get(place).map(|(sid, _)| (*sid).to_owned());
    if sid != state.call {
        state.places[2] = 0;
    }
    state.call = sid;
}

pub(super) fn step(state: &mut State, by: usize, down: bool) {
    let rows = state.rows();
    let place = rows.place(state.selected);
    let place = if down {
        (place + by).min(rows.len().saturating_sub(1))
    } else {
        place.saturating_sub(by)
    };
    let Some(number) = rows.get(place) else { return };
    let stays = number == state.selected;
    state.select(number);
    // At the top already, there is nothing to hold.
    state.follow &= down || stays;
}

fn jump(state: &mut State, forward: bool, what: &str, is_it: impl Fn(&State, u64) -> bool) {
    let rows = state.rows();
    let place = rows.place(state.selected);
    let found = if forward {
        (place + 1..rows.len())
            .filter_map(|place| rows.get(place))
            .find(|number| is_it(state, *number))
    } else {
        (0..place).rev().filter_map(|place| rows.get(place)).find(|number| is_it(state, *number))
    };
    match found {
        Some(number) => state.select(number),
        None => {
            state.tell(format!("no {what} {} this one", if forward { "after" } else { "before" }))
        }
    }
}

fn only_call(state: &mut State) {
    if state.filter.as_ref().is_some_and(|filter| filter.source.starts_with(ONLY))
        && state.filtering
    {
        let source = state.before_only.take().unwrap_or_default();
        return prompt::filter_by(state, &source);
    }
    let Some(sid) = state.chosen().and_then(|stored| stored.call_sid.clone()) else {
        return state.tell("this event is about no call");
    };
    only_events_of(state, &sid);
}

fn only_events_of(state: &mut State, sid: &str) {
    state.before_only = state.filter.as_ref().map(|filter| filter.source.clone());
    prompt::filter_by(state, &format!("{ONLY} == {}", serde_json::Value::from(sid)));
}

/// How the filter begins that keeps the events of one call.
const ONLY: &str = "(.call_sid // ._tap.call_sid)";

/// Takes a key for the detail. Gives whether it was for it.
pub(super) fn detail(state: &mut State, action: KeyAction) -> bool {
    let lines = detail::lines(state);
    let Some(detail) = &mut state.detail else { return false };
    let last = lines.len().saturating_sub(1);
    let at = detail.cursor.min(last);
    let line = lines.get(at);
    let page = usize::from(state.size.1 / 2).max(1);
    match action {
        KeyAction::Down => detail.cursor = (at + 1).min(last),
        KeyAction::Up => detail.cursor = at.saturating_sub(1),
        KeyAction::PageDown | KeyAction::HalfDown => detail.cursor = (at + page).min(last),
        KeyAction::PageUp | KeyAction::HalfUp => detail.cursor = at.saturating_sub(page),
        KeyAction::Top => detail.cursor = 0,
        KeyAction::Bottom => detail.cursor = last,
        KeyAction::Back => detail.focused = false,
        KeyAction::Open | KeyAction::Into | KeyAction::Out => {
            let Some(line) = line.filter(|line| line.is_container) else {
                detail.focused &= action != KeyAction::Out;
                return true;
            };
            let is_folded = detail.folded.contains(&line.path);
            if is_folded && action != KeyAction::Out {
                detail.folded.remove(&line.path);
            } else if !is_folded && action != KeyAction::Into {
                detail.folded.insert(line.path.clone());
            }
        }
        KeyAction::Copy => {
            if let Some(line) = line {
                state.effects.push(Effect::Copy(line.json.clone()));
            }
        }
        KeyAction::AddToFilter => match line.and_then(detail::DetailLine::condition) {
            Some(condition) => {
                let source = match state.filter.as_ref().filter(|_| state.filtering) {
                    Some(filter) => format!("({}) and {condition}", filter.expression),
                    None => condition,
                };
                prompt::open(state, Purpose::Filter, &source);
            }
            None => {
                state.tell("a filter can't tell by that: choose a field with a value that is seen")
            }
        },
        _ => return false,
    }
    true
}
