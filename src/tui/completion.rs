//! Completion of the word before the cursor: names of commands, fields, event types, named filters
//! and calls.

use std::collections::HashSet;

use super::commands::COMMANDS;
use super::state::State;
use super::state::prompt::Purpose;
use crate::model::Kind;
use crate::query::is_filter_name;

/// The members of `_tap` that can be used as columns and in filters.
const TAP_MEMBERS: &[&str] = &[
    "_tap.id",
    "_tap.time",
    "_tap.received_at",
    "_tap.stream",
    "_tap.workspace_id",
    "_tap.call_sid",
];

/// Returns the length in characters of the word at the end of `before`, and its completions.
#[must_use]
pub fn candidates(state: &State, purpose: Purpose, before: &str) -> (usize, Vec<String>) {
    match purpose {
        Purpose::Search | Purpose::Rows | Purpose::Save => (0, Vec::new()),
        Purpose::Command => match before.split_once(' ') {
            None => starting_with(before, COMMANDS.iter().map(|(name, ..)| (*name).to_owned())),
            Some(("filter" | "f", rest)) => candidates(state, Purpose::Filter, rest),
            Some(("columns", rest)) => {
                let names = std::iter::once("event_type".to_owned()).chain(field_names(state));
                starting_with(&rest[rest.rfind([',', ' ']).map_or(0, |at| at + 1)..], names)
            }
            Some(("call", rest)) => starting_with(
                rest,
                state.present.calls.sorted().into_iter().map(|(sid, _)| sid.to_owned()),
            ),
            Some(("theme", rest)) => {
                starting_with(rest, state.config.theme.names().map(|name| name.name().to_owned()))
            }
            Some(_) => (0, Vec::new()),
        },
        Purpose::Filter => {
            // A named filter is used alone, so it can only be completed at the start.
            if let Some(typed) = before.trim_start().strip_prefix('@')
                && (typed.is_empty() || is_filter_name(typed))
            {
                return starting_with(typed, state.config.named.keys().cloned());
            }
            let is_part = |character: char| {
                character.is_ascii_alphanumeric() || matches!(character, '_' | '.')
            };
            let start = before.rfind(|character| !is_part(character)).map_or(0, |at| at + 1);
            let typed = &before[start..];
            // An odd number of quotes means that the word is inside a string, not after it.
            let is_text =
                before[..start].ends_with('"') && before[..start].matches('"').count() % 2 == 1;
            if is_text && before[..start].trim_end_matches('"').contains("event_type") {
                return starting_with(
                    typed,
                    Kind::ALL.iter().map(|kind| kind.spec().event_type.to_owned()),
                );
            }
            if is_text || !typed.starts_with('.') {
                return (0, Vec::new());
            }
            starting_with(
                typed,
                std::iter::once("event_type".to_owned())
                    .chain(field_names(state))
                    .map(|name| format!(".{name}")),
            )
        }
    }
}

fn starting_with(word: &str, names: impl Iterator<Item = String>) -> (usize, Vec<String>) {
    let length = word.chars().count();
    let mut known = HashSet::new();
    (
        length,
        names
            .filter(|name| name.starts_with(word) && *name != word && known.insert(name.clone()))
            .collect(),
    )
}

/// Returns the names of fields: first those of the selected event, then those of all event types,
/// then the members of `_tap`. Names may repeat.
pub fn field_names(state: &State) -> Vec<String> {
    let selected = state.selected_event().and_then(|stored| stored.kind);
    let kinds = selected.into_iter().chain(Kind::ALL.iter().copied());
    let names = kinds.flat_map(|kind| kind.spec().fields.iter().map(|field| field.name.to_owned()));
    names.chain(TAP_MEMBERS.iter().map(|name| (*name).to_owned())).collect()
}

/// Returns the names of all fields of the model, and of the members of `_tap`.
#[must_use]
pub fn known_fields() -> HashSet<&'static str> {
    let kinds = Kind::ALL.iter();
    let names = kinds.flat_map(|kind| kind.spec().fields.iter().map(|field| field.name));
    names.chain(TAP_MEMBERS.iter().copied()).chain(["event_type"]).collect()
}

/// Returns the longest prefix that all candidates share.
#[must_use]
pub fn common_prefix(candidates: &[String]) -> &str {
    let Some((first, rest)) = candidates.split_first() else { return "" };
    let shared =
        |other: &String| first.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let length = rest.iter().map(shared).min().unwrap_or(first.len());
    first.get(..length).unwrap_or_default()
}
