//! The list that columns are chosen from: those that are listed, the fields of the selected event, then all others.

use std::collections::HashSet;

use super::complete::fields;
use super::keys::KeyAction;
use super::state::State;
use super::view;
use crate::output::stored_event::StoredEventReader;

/// The list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnPicker {
    /// What can be ticked.
    pub names: Vec<String>,
    /// What is, in the order in which it was: the columns from left to right.
    pub ticked: Vec<String>,
    /// The place of the name that the keys are for.
    pub cursor: usize,
}

impl ColumnPicker {
    /// The list, with what is listed now ticked.
    #[must_use]
    pub fn open(state: &State) -> Self {
        let ticked =
            state.columns.as_ref().map(|columns| columns.names().to_vec()).unwrap_or_default();
        let own = state.chosen().map(|stored| {
            StoredEventReader::default().read(stored, |shown| {
                shown.fields().map(|field| field.name().into_owned()).collect::<Vec<_>>()
            })
        });
        let mut seen = HashSet::new();
        let names = ticked.iter().cloned().chain(own.into_iter().flatten()).chain(fields(state));
        Self { names: names.filter(|name| seen.insert(name.clone())).collect(), ticked, cursor: 0 }
    }

    /// Ticks the name at the cursor, or takes the tick away.
    pub fn toggle(&mut self) {
        let Some(name) = self.names.get(self.cursor) else { return };
        match self.ticked.iter().position(|ticked| ticked == name) {
            Some(place) => drop(self.ticked.remove(place)),
            None => self.ticked.push(name.clone()),
        }
    }
}

/// Takes a key while the list is open. Gives whether it was for the list.
pub fn act(state: &mut State, action: KeyAction) -> bool {
    let page = usize::from(view::column_picker::inner(state).height).max(1);
    let Some(ticks) = &mut state.ticks else { return false };
    let at = ticks.cursor;
    let to = match action {
        KeyAction::Quit | KeyAction::Suspend | KeyAction::Help => return false,
        KeyAction::Down => at + 1,
        KeyAction::Up => at.saturating_sub(1),
        KeyAction::PageDown => at + page,
        KeyAction::PageUp => at.saturating_sub(page),
        KeyAction::HalfDown => at + page.div_ceil(2),
        KeyAction::HalfUp => at.saturating_sub(page.div_ceil(2)),
        KeyAction::Top => 0,
        KeyAction::Bottom => usize::MAX,
        KeyAction::Pause => {
            ticks.toggle();
            at
        }
        KeyAction::Open => {
            let ticked = std::mem::take(&mut ticks.ticked);
            state.list(ticked);
            state.ticks = None;
            return true;
        }
        KeyAction::Back | KeyAction::Columns => {
            state.ticks = None;
            return true;
        }
        _ => at,
    };
    ticks.cursor = to.min(ticks.names.len().saturating_sub(1));
    true
}
