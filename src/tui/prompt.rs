//! The line that is typed at the bottom: what is searched for, the filter, the name of a file, columns, a command.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use jiff::Timestamp;
use jiff::civil::Time;

use super::edit::Line;
use super::matching::Matching;
use super::state::{Effect, Prompt, Purpose, Search, State};
use crate::error::Error;
use crate::select::Grep;
use crate::sink::columns::Columns;

/// How many filters are remembered.
const REMEMBERED: usize = 100;

/// Opens the line with that text in it.
pub fn open(state: &mut State, purpose: Purpose, text: &str) {
    let recalled = state.history.len();
    state.prompt = Some(Prompt { purpose, line: Line::new(text), draft: None, error: None, recalled });
    preview(state);
}

/// Takes pasted text.
pub fn paste(state: &mut State, text: &str) {
    if let Some(prompt) = &mut state.prompt {
        prompt.line.insert(text);
        preview(state);
    }
}

/// Takes a key.
pub fn press(state: &mut State, key: &KeyEvent) {
    let Some(prompt) = &mut state.prompt else { return };
    match key.code {
        KeyCode::Esc => state.prompt = None,
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => state.prompt = None,
        KeyCode::Enter => enter(state),
        KeyCode::Up | KeyCode::Down if prompt.purpose == Purpose::Filter => {
            let to = if key.code == KeyCode::Up { prompt.recalled.saturating_sub(1) } else { prompt.recalled + 1 };
            prompt.recalled = to.min(state.history.len());
            prompt.line = Line::new(state.history.get(prompt.recalled).map_or("", String::as_str));
            preview(state);
        }
        _ => {
            prompt.line.key(key);
            preview(state);
        }
    }
}

/// Says at once what comes of the line so far.
fn preview(state: &mut State) {
    let State { prompt: Some(prompt), setup, .. } = state else { return };
    let text = prompt.line.text();
    if prompt.draft.as_ref().is_some_and(|draft| draft.source == text) {
        return;
    }
    (prompt.draft, prompt.error) = (None, None);
    if text.trim().is_empty() {
        return;
    }
    match prompt.purpose {
        Purpose::Search => prompt.error = Grep::new(&text).err().map(|_| no_regex()),
        Purpose::Filter => match Matching::compile(&text, &setup.variables, &setup.policy) {
            Ok(draft) => prompt.draft = Some(draft),
            Err(error) => prompt.error = Some(error),
        },
        Purpose::Save | Purpose::Columns => {}
        Purpose::Command => prompt.error = command(&text).err(),
    }
}

/// What can be commanded.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Command {
    Quit,
    At(Moment),
    Filter(String),
    Columns(String),
    Save(String),
}

/// A time to go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Instant(Timestamp),
    /// On the day of the selected event.
    OfDay(Time),
}

fn command(text: &str) -> Result<Command, Error> {
    let (word, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let rest = rest.trim();
    match word {
        "q" | "quit" => Ok(Command::Quit),
        "f" | "filter" => Ok(Command::Filter(rest.to_owned())),
        "columns" => Ok(Command::Columns(rest.to_owned())),
        "w" | "save" if !rest.is_empty() => Ok(Command::Save(rest.to_owned())),
        "at" => moment(rest).map(Command::At).ok_or_else(|| {
            Error::usage("cannot go there", "this is no time", "write it like 09:30, 09:30:15 or 2026-05-05T09:30:00Z")
        }),
        _ => Err(Error::usage(
            "cannot do that",
            "there is no such command",
            "there are: at TIME, filter EXPR, columns LIST, save FILE, q",
        )),
    }
}

fn moment(text: &str) -> Option<Moment> {
    let instant = text.parse().ok().map(Moment::Instant);
    instant.or_else(|| text.parse().ok().map(Moment::OfDay))
}

fn carry_out(state: &mut State, command: Command) {
    match command {
        Command::Quit => state.effects.push(Effect::Quit),
        Command::Filter(source) => filter_by(state, &source),
        Command::Columns(names) => columns(state, &names),
        Command::Save(name) => state.effects.push(Effect::Save(name.into())),
        Command::At(moment) => go_to(state, moment),
    }
}

/// Selects the first event at that time or after it.
fn go_to(state: &mut State, moment: Moment) {
    let day = state.chosen().and_then(|held| held.time).unwrap_or(state.now).to_zoned(state.setup.zone.clone());
    let wanted = match moment {
        Moment::Instant(instant) => Some(instant),
        Moment::OfDay(time) => {
            day.date().to_datetime(time).to_zoned(state.setup.zone.clone()).ok().map(|zoned| zoned.timestamp())
        }
    };
    let rows = state.rows();
    let found = (0..rows.len())
        .filter_map(|place| rows.get(place))
        .find(|number| state.buffer.get(*number).and_then(|held| held.time) >= wanted && wanted.is_some());
    match found {
        Some(number) => {
            state.screen = 0;
            state.select(number);
        }
        None => state.tell("no event at that time or after it"),
    }
}

/// Lists these fields alone, or all where none is named.
fn columns(state: &mut State, names: &str) {
    let names: Vec<_> = names.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    state.columns = (!names.is_empty()).then(|| Columns::new(names));
}

fn no_regex() -> Error {
    Error::usage("cannot search", "this is no regular expression", "put \\ before what is meant literally, such as \\(")
}

fn enter(state: &mut State) {
    let Some(prompt) = &mut state.prompt else { return };
    if prompt.error.is_some() {
        return;
    }
    let text = prompt.line.text();
    let (purpose, draft) = (prompt.purpose, prompt.draft.take());
    state.prompt = None;
    match purpose {
        Purpose::Search => {
            // As in less, nothing typed means the same again.
            if let Ok(grep) = Grep::new(&text)
                && !text.is_empty()
            {
                state.search = Some(Search { pattern: text, grep, hunt: None });
            }
            state.seek(true);
        }
        Purpose::Filter => {
            state.filter = draft;
            state.filtering = true;
            remember(state, text);
        }
        Purpose::Columns => columns(state, &text),
        Purpose::Command => {
            if let Ok(command) = command(&text) {
                carry_out(state, command);
            }
        }
        Purpose::Save if text.trim().is_empty() => state.tell("nothing was saved"),
        Purpose::Save => state.effects.push(Effect::Save(text.trim().into())),
    }
}

fn remember(state: &mut State, source: String) {
    if source.trim().is_empty() {
        return;
    }
    state.history.retain(|known| *known != source);
    state.history.push(source);
    if state.history.len() > REMEMBERED {
        state.history.remove(0);
    }
}

/// Filters by an expression that was made, not typed; by none where it is empty.
pub fn filter_by(state: &mut State, source: &str) {
    state.filter = None;
    if source.is_empty() {
        return;
    }
    match Matching::compile(source, &state.setup.variables, &state.setup.policy) {
        Ok(filter) => {
            state.filter = Some(filter);
            state.filtering = true;
            remember(state, source.to_owned());
        }
        Err(error) => state.tell(error.to_string()),
    }
}
