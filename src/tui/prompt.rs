//! The line that is typed at the bottom: what is searched for, the filter, the name of a file, columns, a command.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};

use super::complete::{candidates, common};
use super::edit::Line;
use super::matching::Matching;
use super::state::{Effect, Link, Prompt, Purpose, Search, State};
use crate::error::Error;
use crate::select::Grep;
use crate::sink::columns::Columns;

/// How many filters are remembered.
const REMEMBERED: usize = 100;

/// Opens the line with that text in it.
pub fn open(state: &mut State, purpose: Purpose, text: &str) {
    let recalled = state.history.len();
    let (candidates, tried) = (Vec::new(), None);
    state.prompt = Some(Prompt { purpose, line: Line::new(text), draft: None, error: None, recalled, candidates, tried });
    preview(state);
    suggest(state);
}

/// Takes pasted text.
pub fn paste(state: &mut State, text: &str) {
    if let Some(prompt) = &mut state.prompt {
        prompt.line.insert(text);
        preview(state);
        suggest(state);
    }
}

/// Takes a key.
pub fn press(state: &mut State, key: &KeyEvent) {
    let Some(prompt) = &mut state.prompt else { return };
    match key.code {
        KeyCode::Esc => state.prompt = None,
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => state.prompt = None,
        KeyCode::Enter => enter(state),
        KeyCode::Tab | KeyCode::BackTab => complete(state, key.code == KeyCode::Tab),
        KeyCode::Up | KeyCode::Down if prompt.purpose == Purpose::Filter => {
            let to = if key.code == KeyCode::Up { prompt.recalled.saturating_sub(1) } else { prompt.recalled + 1 };
            prompt.recalled = to.min(state.history.len());
            prompt.line = Line::new(state.history.get(prompt.recalled).map_or("", String::as_str));
            preview(state);
            suggest(state);
        }
        _ => {
            prompt.line.key(key);
            preview(state);
            suggest(state);
        }
    }
}

/// Finds out what the word before the cursor may become.
fn suggest(state: &mut State) {
    let Some(prompt) = &state.prompt else { return };
    let (_, found) = candidates(state, prompt.purpose, &prompt.line.before());
    if let Some(prompt) = &mut state.prompt {
        (prompt.candidates, prompt.tried) = (found, None);
    }
}

/// Completes the word as far as there is no doubt; beyond that, goes through what it may become.
fn complete(state: &mut State, forward: bool) {
    let Some(prompt) = &state.prompt else { return };
    let (length, _) = candidates(state, prompt.purpose, &prompt.line.before());
    let Some(prompt) = &mut state.prompt else { return };
    let number = prompt.candidates.len();
    if number == 0 {
        return;
    }
    let shared = common(&prompt.candidates).to_owned();
    if prompt.tried.is_none() && shared.chars().count() > length {
        prompt.line.replace(length, &shared);
        if number > 1 {
            preview(state);
            return suggest(state);
        }
        prompt.candidates.clear();
        return preview(state);
    }
    let (replaced, next) = match prompt.tried {
        None => (length, if forward { 0 } else { number - 1 }),
        Some(tried) => {
            let next = if forward { tried + 1 } else { tried + number - 1 };
            (prompt.candidates[tried].chars().count(), next % number)
        }
    };
    let word = prompt.candidates[next].clone();
    prompt.line.replace(replaced, &word);
    prompt.tried = Some(next);
    preview(state);
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

/// The commands, and what is given to each.
pub(super) const COMMANDS: &[(&str, &str)] =
    &[("at", "TIME"), ("call", "SID"), ("filter", "EXPR"), ("columns", "LIST"), ("save", "FILE"), ("quit", "")];

/// The commands in a line.
pub(super) fn commands() -> String {
    COMMANDS.iter().map(|(name, given)| format!("{name} {given}").trim_end().to_owned()).collect::<Vec<_>>().join(", ")
}

/// What can be commanded.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Command {
    Quit,
    At(Moment),
    Call(String),
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
    /// So much after the selected event, or before it.
    Apart(SignedDuration),
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
            Error::usage("cannot go there", "this is no time", "write it like 09:30, 09:30:15, 2026-05-05T09:30:00Z, +5m or -30s")
        }),
        "call" if !rest.is_empty() => Ok(Command::Call(rest.to_owned())),
        _ => Err(Error::usage("cannot do that", "there is no such command", format!("there are: {}", commands()))),
    }
}

fn moment(text: &str) -> Option<Moment> {
    if let Some(ahead) = text.strip_prefix('+') {
        return ahead.parse().ok().map(Moment::Apart);
    }
    if let Some(back) = text.strip_prefix('-') {
        return back.parse().ok().map(|back: SignedDuration| Moment::Apart(-back));
    }
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
        Command::Call(sid) if state.calls.get(&sid).is_some() => {
            (state.call, state.screen, state.places[2]) = (Some(sid), 2, 0);
        }
        Command::Call(_) => state.tell("no such call was seen; Tab goes through those that were"),
    }
}

/// Selects the first event at that time or after it. A replay that has not come so far is let run to it.
fn go_to(state: &mut State, moment: Moment) {
    let from = state.chosen().and_then(|held| held.time).unwrap_or(state.now);
    let day = from.to_zoned(state.setup.zone.clone());
    let wanted = match moment {
        Moment::Instant(instant) => Some(instant),
        Moment::OfDay(time) => {
            day.date().to_datetime(time).to_zoned(state.setup.zone.clone()).ok().map(|zoned| zoned.timestamp())
        }
        Moment::Apart(apart) => from.checked_add(apart).ok(),
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
        None => match (wanted, &state.setup.pace) {
            (Some(wanted), Some(pace)) if state.link != Link::Ended => {
                pace.run_to(wanted);
                (state.screen, state.paused, state.follow) = (0, None, true);
            }
            _ => state.tell("no event at that time or after it"),
        },
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
