//! The line that is typed at the bottom: what is searched for, the filter, the name of a file, a command.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::complete::{candidates, common};
use super::edit::LineEditor;
use super::filter::FilterTask;
use super::search::SearchQuery;
use super::seek::{self, SeekTime};
use super::state::{Effect, Prompt, Purpose, State};
use crate::error::Error;
use crate::query::GrepFilter;

/// How many filters are remembered.
const REMEMBERED: usize = 100;

/// Opens the line with that text in it.
pub fn open(state: &mut State, purpose: Purpose, text: &str) {
    let recalled = state.history.len();
    let (candidates, tried) = (Vec::new(), None);
    state.prompt = Some(Prompt {
        purpose,
        line: LineEditor::new(text),
        draft: None,
        error: None,
        recalled,
        candidates,
        tried,
    });
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
            let to = if key.code == KeyCode::Up {
                prompt.recalled.saturating_sub(1)
            } else {
                prompt.recalled + 1
            };
            prompt.recalled = to.min(state.history.len());
            prompt.line =
                LineEditor::new(state.history.get(prompt.recalled).map_or("", String::as_str));
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
        Purpose::Search => prompt.error = GrepFilter::new(&text).err().map(|_| no_regex()),
        Purpose::Filter => match FilterTask::compile(&text, setup) {
            Ok(draft) => prompt.draft = Some(draft),
            Err(error) => prompt.error = Some(error),
        },
        Purpose::Save => {}
        Purpose::Command => prompt.error = command(&text).err(),
    }
}

/// The commands, and what is given to each.
pub(super) const COMMANDS: &[(&str, &str)] = &[
    ("at", "TIME"),
    ("call", "SID"),
    ("filter", "EXPR"),
    ("columns", "LIST"),
    ("save", "FILE"),
    ("quit", ""),
];

/// The commands in a line.
pub(super) fn commands() -> String {
    COMMANDS
        .iter()
        .map(|(name, given)| format!("{name} {given}").trim_end().to_owned())
        .collect::<Vec<_>>()
        .join(", ")
}

/// What can be commanded.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PromptCommand {
    Quit,
    At(SeekTime),
    Call(String),
    Filter(String),
    Columns(String),
    Save(String),
}

fn command(text: &str) -> Result<PromptCommand, Error> {
    let (word, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let rest = rest.trim();
    match word {
        "q" | "quit" => Ok(PromptCommand::Quit),
        "f" | "filter" => Ok(PromptCommand::Filter(rest.to_owned())),
        "columns" => Ok(PromptCommand::Columns(rest.to_owned())),
        "w" | "save" if !rest.is_empty() => Ok(PromptCommand::Save(rest.to_owned())),
        "at" => seek::moment(rest).map(PromptCommand::At).ok_or_else(|| {
            Error::usage(
                "cannot go there",
                "this is no time",
                "write it like 09:30, 09:30:15, 2026-05-05T09:30:00Z, +5m or -30s",
            )
        }),
        "call" if !rest.is_empty() => Ok(PromptCommand::Call(rest.to_owned())),
        _ => Err(Error::usage(
            "cannot do that",
            "there is no such command",
            format!("there are: {}", commands()),
        )),
    }
}

fn carry_out(state: &mut State, command: PromptCommand) {
    match command {
        PromptCommand::Quit => state.effects.push(Effect::Quit),
        PromptCommand::Filter(source) => filter_by(state, &source),
        PromptCommand::Columns(names) => columns(state, &names),
        PromptCommand::Save(name) => state.effects.push(Effect::Save(name.into())),
        PromptCommand::At(moment) => seek::go_to(state, moment),
        PromptCommand::Call(sid) if state.calls.get(&sid).is_some() => {
            (state.call, state.screen, state.places[2]) = (Some(sid), 2, 0);
        }
        PromptCommand::Call(_) => {
            state.tell("no such call was seen; Tab goes through those that were")
        }
    }
}

/// Lists these fields alone, or all where none is named.
fn columns(state: &mut State, names: &str) {
    state
        .list(names.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect());
}

fn no_regex() -> Error {
    Error::usage(
        "cannot search",
        "this is no regular expression",
        "put \\ before what is meant literally, such as \\(",
    )
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
            if let Ok(grep) = GrepFilter::new(&text)
                && !text.is_empty()
            {
                state.search = Some(SearchQuery { pattern: text, grep, hunt: None });
            }
            state.seek(true);
        }
        Purpose::Filter => {
            state.filter = draft;
            state.filtering = true;
            remember(state, text);
        }
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

/// Filters by an expression that was not seen while it was typed; by none where it is empty, as before where it is wrong.
pub fn filter_by(state: &mut State, source: &str) {
    if source.is_empty() {
        state.filter = None;
        return;
    }
    match FilterTask::compile(source, &state.setup) {
        Ok(filter) => {
            state.filter = Some(filter);
            state.filtering = true;
            remember(state, source.to_owned());
        }
        Err(error) => state.tell(error.to_string()),
    }
}
