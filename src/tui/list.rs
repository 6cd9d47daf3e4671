//! What the user chose in a list: the selected row, the order and the filter.
//!
//! A list consists of [sections](super::list_section), each of which is a table. Drawing is in
//! [`list_view`](super::list_view), and keys and the mouse are in [`list_panel`](super::list_panel).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::screen::Screen;

/// What Enter opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenTarget {
    /// The call with that SID.
    Call(String),
    /// The events that a filter keeps.
    Events(String),
    /// The event with that number, and its detail.
    Event(u64),
    /// A row on another screen, or its first row if that one is not there.
    Row(Screen, RowId),
}

/// The position of a row: its section and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowId {
    /// The name of the section.
    pub section: &'static str,
    /// The id of the row.
    pub id: String,
}

/// The column that a section is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SortOrder {
    /// The index of the column.
    pub column: usize,
    /// Whether the order is reversed.
    pub is_reversed: bool,
}

/// What the user chose in a list.
#[derive(Debug, Clone, Default)]
pub struct ListState {
    /// The selected row.
    pub selected: Option<RowId>,
    /// The index of the selected row when it was last seen, for the time after it has gone.
    pub place: usize,
    /// The first visible line of each group of sections.
    pub tops: [usize; MAX_GROUPS],
    /// The order of each section; without one, rows have their usual order.
    pub orders: BTreeMap<String, SortOrder>,
    /// The text that rows must contain.
    pub filter: String,
}

/// The name of the section of what needs attention.
pub const ATTENTION: &str = "attention";

/// The name of the section of the pipelines.
pub const PIPELINES: &str = "pipelines";

/// The name of the section of the calls.
pub const CALLS: &str = "calls";

/// The maximum number of groups of sections, which are side by side.
pub const MAX_GROUPS: usize = 3;

impl ListState {
    /// Sorts a section by the next of its shown columns or the previous one. After the last column,
    /// rows have their usual order again.
    pub fn sort_by_neighbour(&mut self, section: &'static str, shown: &[usize], is_next: bool) {
        // The place before the first column stands for the usual order.
        let order = self.orders.get(section);
        let place = order.and_then(|order| shown.iter().position(|column| *column == order.column));
        let place = place.map_or(0, |place| place + 1);
        let place = (place + if is_next { 1 } else { shown.len() }) % (shown.len() + 1);
        match place.checked_sub(1).and_then(|place| shown.get(place)) {
            Some(column) => {
                let order = SortOrder { column: *column, is_reversed: false };
                self.orders.insert(section.to_owned(), order);
            }
            None => drop(self.orders.remove(section)),
        }
    }

    /// Sorts a section by a column, or reverses the order if it is sorted by that column already.
    pub fn sort_by(&mut self, section: &'static str, column: usize) {
        let is_same = self.orders.get(section).filter(|order| order.column == column);
        let is_reversed = is_same.is_some_and(|order| !order.is_reversed);
        self.orders.insert(section.to_owned(), SortOrder { column, is_reversed });
    }

    /// Reverses the order of a section. Returns whether it is sorted by a column.
    pub fn reverse(&mut self, section: &'static str) -> bool {
        let order = self.orders.get_mut(section);
        order.map(|order| order.is_reversed = !order.is_reversed).is_some()
    }
}
