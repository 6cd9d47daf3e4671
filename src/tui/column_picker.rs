//! The data of the column picker: the field names that can be shown as columns.

use std::collections::HashSet;

/// The names that can be chosen as columns, and the chosen ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnPicker {
    /// All names.
    pub names: Vec<String>,
    /// The chosen names in the order of choice, which is the order of the columns from left to
    /// right.
    pub chosen: Vec<String>,
    /// The index of the name that the keys act on.
    pub cursor: usize,
}

impl ColumnPicker {
    /// Creates a picker that lists the chosen names, then the others, without duplicates.
    #[must_use]
    pub fn new(chosen: Vec<String>, others: impl Iterator<Item = String>) -> Self {
        let mut seen = HashSet::new();
        let names = chosen.iter().cloned().chain(others);
        Self { names: names.filter(|name| seen.insert(name.clone())).collect(), chosen, cursor: 0 }
    }

    /// Adds the name at the cursor to the chosen ones, or removes it.
    pub fn toggle(&mut self) {
        let Some(name) = self.names.get(self.cursor) else { return };
        match self.chosen.iter().position(|chosen| chosen == name) {
            Some(place) => drop(self.chosen.remove(place)),
            None => self.chosen.push(name.clone()),
        }
    }
}
