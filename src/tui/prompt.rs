//! The line that is typed at the bottom: what is searched for, the filter, the name of a file.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::edit::Line;
use super::matching::Matching;
use super::state::{Effect, Prompt, Purpose, Search, State};
use crate::error::Error;
use crate::select::Grep;

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
        Purpose::Save => {}
    }
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
