//! The list that columns are chosen from.

use std::collections::HashSet;

/// Names that can be chosen as columns, and those that are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnPicker {
    /// All names.
    pub names: Vec<String>,
    /// The chosen names, in the order in which they were chosen: the columns from left to right.
    pub chosen: Vec<String>,
    /// The place of the name that the keys act on.
    pub cursor: usize,
}

impl ColumnPicker {
    /// Lists the chosen names, then the others, each once.
    #[must_use]
    pub fn new(chosen: Vec<String>, others: impl Iterator<Item = String>) -> Self {
        let mut seen = HashSet::new();
        let names = chosen.iter().cloned().chain(others);
        Self { names: names.filter(|name| seen.insert(name.clone())).collect(), chosen, cursor: 0 }
    }

    /// Chooses the name at the cursor, or no longer chooses it.
    pub fn toggle(&mut self) {
        let Some(name) = self.names.get(self.cursor) else { return };
        match self.chosen.iter().position(|chosen| chosen == name) {
            Some(place) => drop(self.chosen.remove(place)),
            None => self.chosen.push(name.clone()),
        }
    }
}
