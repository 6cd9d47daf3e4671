//! The behaviour of the prompt, in which a search, a filter, a file name or a command is typed.
//!
//! While a line is typed, it is compiled after every change, so that the prompt shows how many
//! events match or why the line is invalid. Nothing else changes until Enter is pressed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::call_cursor;
use super::commands::{self, PromptCommand};
use super::completion::{candidates, common_prefix};
use super::filter::FilterTask;
use super::filtering;
use super::incremental::start_search;
use super::line_editor::LineEditor;
use super::navigation;
use super::screen::Screen;
use super::search::SearchQuery;
use super::seek;
use super::state::prompt::{Prompt, Purpose};
use super::state::{Effect, State};
use super::theme_contrast::faint_notice;
use crate::error::Error;
use crate::query::GrepFilter;

/// Opens the prompt with that text in it.
pub fn open(state: &mut State, purpose: Purpose, text: &str) {
    state.prompt = Some(Prompt::new(purpose, text, state.history.lines(purpose).len()));
    text_changed(state);
}

/// Inserts pasted text.
pub fn paste(state: &mut State, text: &str) {
    if let Some(prompt) = &mut state.prompt {
        prompt.line.insert(text);
        text_changed(state);
    }
}

/// Handles a key press while the prompt is open.
pub fn handle_key(state: &mut State, key: &KeyEvent) {
    let Some(prompt) = &mut state.prompt else { return };
    match key.code {
        KeyCode::Esc => cancel(state),
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => cancel(state),
        KeyCode::Enter => submit(state),
        KeyCode::Tab | KeyCode::BackTab => complete(state, key.code == KeyCode::Tab),
        KeyCode::Up | KeyCode::Down => {
            let lines = state.history.lines(prompt.purpose);
            if lines.is_empty() {
                return;
            }
            let place = if key.code == KeyCode::Up {
                prompt.history_place.saturating_sub(1)
            } else {
                prompt.history_place + 1
            };
            prompt.history_place = place.min(lines.len());
            let recalled = lines.get(prompt.history_place);
            prompt.is_from_event |= recalled.is_some_and(|line| state.history.is_from_event(line));
            prompt.line = LineEditor::new(recalled.map_or("", String::as_str));
            text_changed(state);
        }
        _ => {
            prompt.line.handle_key(key);
            text_changed(state);
        }
    }
}

/// Closes the prompt. Nothing has changed but the rows of a list, which are restored.
fn cancel(state: &mut State) {
    if let Some(prompt) = state.prompt.take().filter(|prompt| prompt.purpose == Purpose::Rows) {
        set_row_filter(state, prompt.initial);
    }
}

/// Filters what is in front: the help, the names of columns, the marks, or the rows of a list.
fn set_row_filter(state: &mut State, text: String) {
    if state.help.is_some() {
        (state.help, state.help_filter) = (Some(0), text);
    } else if let Some(picker) = &mut state.column_picker {
        picker.set_filter(&text);
    } else if state.mark_list.is_some() {
        (state.mark_list, state.mark_filter) = (Some(0), text);
    } else {
        state.lists[state.screen.index()].filter = text;
    }
}

fn text_changed(state: &mut State) {
    update_preview(state);
    update_candidates(state);
}

/// Updates the completions of the word before the cursor.
fn update_candidates(state: &mut State) {
    let Some(prompt) = &state.prompt else { return };
    let (_, found) = candidates(state, prompt.purpose, &prompt.line.before());
    if let Some(prompt) = &mut state.prompt {
        (prompt.candidates, prompt.candidate) = (found, None);
    }
}

/// Completes the word to the prefix that all candidates share. If the word is that prefix already,
/// cycles through the candidates.
fn complete(state: &mut State, forward: bool) {
    let Some(prompt) = &state.prompt else { return };
    let (length, _) = candidates(state, prompt.purpose, &prompt.line.before());
    let Some(prompt) = &mut state.prompt else { return };
    let number = prompt.candidates.len();
    if number == 0 {
        return;
    }
    let shared = common_prefix(&prompt.candidates).to_owned();
    if prompt.candidate.is_none() && shared.chars().count() > length {
        prompt.line.replace(length, &shared);
        if number > 1 {
            return text_changed(state);
        }
        prompt.candidates.clear();
        return update_preview(state);
    }
    let (replaced, next) = match prompt.candidate {
        None => (length, if forward { 0 } else { number - 1 }),
        Some(current) => {
            let next = if forward { current + 1 } else { current + number - 1 };
            (prompt.candidates[current].chars().count(), next % number)
        }
    };
    let word = prompt.candidates[next].clone();
    prompt.line.replace(replaced, &word);
    prompt.candidate = Some(next);
    update_preview(state);
}

/// Compiles the typed line, so that its matches or its error can be shown.
fn update_preview(state: &mut State) {
    let State { prompt: Some(prompt), config, .. } = state else { return };
    let text = prompt.line.text();
    if prompt.purpose == Purpose::Rows {
        return set_row_filter(state, text);
    }
    if prompt.draft.as_ref().is_some_and(|draft| draft.source == text) {
        return;
    }
    (prompt.draft, prompt.error) = (None, None);
    if text.trim().is_empty() {
        return;
    }
    match prompt.purpose {
        Purpose::Search => prompt.error = GrepFilter::new(&text).err().map(|_| invalid_pattern()),
        Purpose::Filter => match FilterTask::compile(&text, config) {
            Ok(draft) => prompt.draft = Some(draft),
            Err(error) => prompt.error = Some(error),
        },
        Purpose::Save | Purpose::Rows => {}
        // An argument that has not been typed yet is no mistake.
        Purpose::Command if commands::missing_argument(&text).is_some() => {}
        Purpose::Command => prompt.error = commands::parse(&text).err(),
    }
}

fn invalid_pattern() -> Error {
    Error::usage(
        "cannot search",
        "invalid regular expression",
        "escape special characters with \\, such as \\(",
    )
}

fn submit(state: &mut State) {
    let Some(prompt) = &mut state.prompt else { return };
    if prompt.error.is_some() {
        return;
    }
    let text = prompt.line.text();
    if prompt.purpose == Purpose::Command && commands::missing_argument(&text).is_some() {
        prompt.error = commands::parse(&text).err();
        return;
    }
    let (purpose, draft) = (prompt.purpose, prompt.draft.take());
    let is_from_event = prompt.is_from_event || state.history.is_from_event(&prompt.initial);
    state.prompt = None;
    match purpose {
        Purpose::Search if state.screen == Screen::Call => {
            if let Ok(grep) = GrepFilter::new(&text) {
                call_cursor::search(state, text, grep);
            }
        }
        Purpose::Search => {
            // An empty pattern repeats the last search, as in less.
            if let Ok(grep) = GrepFilter::new(&text)
                && !text.is_empty()
            {
                state.history.add(Purpose::Search, text.clone());
                state.search = Some(SearchQuery::new(text, grep));
            }
            start_search(state, true);
        }
        Purpose::Filter => {
            if is_from_event {
                state.history.add_from_event(text.clone());
            }
            filtering::apply(state, draft, text);
        }
        // The rows were filtered while the text was typed.
        Purpose::Rows => {}
        Purpose::Command => {
            if let Ok(command) = commands::parse(&text) {
                state.history.add(Purpose::Command, text);
                execute(state, command);
            }
        }
        Purpose::Save if text.trim().is_empty() => {
            state.notify("not saved: no file name was given");
        }
        Purpose::Save => state.effects.push(Effect::Save(text.trim().into())),
    }
}

fn execute(state: &mut State, command: PromptCommand) {
    match command {
        PromptCommand::Quit => state.effects.push(Effect::Quit),
        PromptCommand::Filter(source) => filtering::filter_by(state, &source),
        PromptCommand::Columns(names) => {
            let names = names.split([',', ' ']).filter(|name| !name.is_empty());
            state.set_columns(names.map(str::to_owned).collect());
        }
        PromptCommand::Theme(name) if state.config.theme.names().any(|known| known == name) => {
            state.config.theme.name = name;
            if let Some(notice) = faint_notice(state.config.theme) {
                state.notify(notice);
            }
        }
        PromptCommand::Theme(_) => {
            state.notify("the configuration has no theme; write one below [tui.theme]");
        }
        PromptCommand::Mark(note) => state.mark(&note),
        PromptCommand::Marks => navigation::list_marks(state),
        PromptCommand::SaveMarks(_) if state.marks.is_empty() => {
            state.advise("no event is marked; press {mark} to mark one");
        }
        PromptCommand::SaveMarks(name) => state.effects.push(Effect::SaveMarks(name.into())),
        PromptCommand::Notify(is_on) => {
            state.notifies = is_on;
            state.notify(if is_on {
                "the bell rings when something newly needs attention"
            } else {
                "notifications are off"
            });
        }
        PromptCommand::Save(name) => state.effects.push(Effect::Save(name.into())),
        PromptCommand::At(time) => seek::go_to(state, time),
        PromptCommand::Call(sid) if state.present.calls.get(&sid).is_some() => {
            state.show_call(Some(sid));
            state.screen = Screen::Call;
        }
        PromptCommand::Call(_) => {
            state.notify("no such call; press Tab to complete the SID of a known call");
        }
    }
}
