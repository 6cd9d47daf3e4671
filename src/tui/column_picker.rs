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
    /// The text that the listed names must contain.
    pub filter: String,
    /// The index, among the listed names, of the one that the keys act on.
    pub cursor: usize,
}

impl ColumnPicker {
    /// Creates a picker that lists the chosen names, then the others, without duplicates.
    #[must_use]
    pub fn new(chosen: Vec<String>, others: impl Iterator<Item = String>) -> Self {
        let mut seen = HashSet::new();
        let names = chosen.iter().cloned().chain(others);
        Self {
            names: names.filter(|name| seen.insert(name.clone())).collect(),
            chosen,
            filter: String::new(),
            cursor: 0,
        }
    }

    /// Iterates over the names that contain the filter.
    pub fn listed(&self) -> impl Iterator<Item = &String> {
        self.names.iter().filter(|name| name.contains(&*self.filter))
    }

    /// Lists only the names that contain a text.
    pub fn set_filter(&mut self, filter: &str) {
        (self.filter, self.cursor) = (filter.to_lowercase(), 0);
    }

    /// Adds the name at the cursor to the chosen ones, or removes it.
    pub fn toggle(&mut self) {
        let Some(name) = self.listed().nth(self.cursor).cloned() else { return };
        match self.chosen.iter().position(|chosen| *chosen == name) {
            Some(place) => drop(self.chosen.remove(place)),
            None => self.chosen.push(name),
        }
    }
}
