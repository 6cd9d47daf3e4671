//! Lists of rows, from which every panel with a list is made: columns, sorting and filtering.
//!
//! A list consists of sections, each of which is a table. Drawing, keys and the mouse are in
//! [`list_panel`](super::list_panel); what the user chose is in [`ListState`].

use std::cmp::Ordering;
use std::collections::BTreeMap;

use ratatui::style::Style;
use ratatui::text::Span;
use serde::{Deserialize, Serialize};

use super::screen::Screen;

/// A column of a table.
#[derive(Debug, Clone)]
pub struct ListColumn {
    /// The heading.
    pub title: String,
    /// The width in cells. The last column takes all cells that are left.
    pub width: usize,
    /// Whether the values are numbers, which are aligned to the right and sorted from the largest.
    pub is_number: bool,
}

impl ListColumn {
    /// Creates a column of text.
    #[must_use]
    pub fn text(title: impl Into<String>, width: usize) -> Self {
        Self { title: title.into(), width, is_number: false }
    }

    /// Creates a column of numbers.
    #[must_use]
    pub fn number(title: impl Into<String>, width: usize) -> Self {
        Self { title: title.into(), width, is_number: true }
    }
}

/// The value that a column is sorted by.
#[derive(Debug, Clone, PartialEq)]
pub enum SortKey {
    Text(String),
    Number(f64),
}

impl SortKey {
    /// Compares texts in their order, and numbers from the largest to the smallest.
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (Self::Number(one), Self::Number(other)) => other.total_cmp(one),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        }
    }
}

/// A cell of a row.
#[derive(Debug, Clone)]
pub struct ListCell {
    /// The text.
    pub spans: Vec<Span<'static>>,
    /// The value that the column is sorted by.
    pub key: SortKey,
}

impl ListCell {
    /// Creates a cell that is sorted by its text.
    #[must_use]
    pub fn text(text: impl Into<String>, style: Style) -> Self {
        let text = text.into();
        Self { key: SortKey::Text(text.clone()), spans: vec![Span::styled(text, style)] }
    }

    /// Creates a cell that is sorted by a number.
    #[must_use]
    pub fn number(text: impl Into<String>, number: f64, style: Style) -> Self {
        Self { key: SortKey::Number(number), spans: vec![Span::styled(text.into(), style)] }
    }

    /// Creates a cell that shows a count.
    #[must_use]
    pub fn count(number: u64, style: Style) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "it is only compared")]
        let key = number as f64;
        Self::number(super::text::count(number), key, style)
    }
}

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

/// A row of a list.
#[derive(Debug, Clone)]
pub struct ListRow {
    /// The id, which does not change while the row moves.
    pub id: String,
    /// A cell for each column.
    pub cells: Vec<ListCell>,
    /// What Enter opens.
    pub target: Option<OpenTarget>,
    /// A style for the whole row.
    pub style: Style,
}

/// A table with a heading.
#[derive(Debug, Clone)]
pub struct ListSection {
    /// The name, which is unique in the list.
    pub name: &'static str,
    /// The columns. The heading of the first one names the section.
    pub columns: Vec<ListColumn>,
    /// The rows in their usual order.
    pub rows: Vec<ListRow>,
    /// A warning below the rows, such as that there are more.
    pub note: Option<&'static str>,
    /// What is shown if there are no rows.
    pub empty: &'static str,
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
    /// Filters and sorts the rows of a section. Returns how many rows there were before.
    pub fn arrange(&self, section: &mut ListSection) -> usize {
        let all = section.rows.len();
        if !self.filter.is_empty() {
            section.rows.retain(|row| contains(row, &self.filter));
        }
        if let Some(order) = self.orders.get(section.name) {
            section.rows.sort_by(|one, other| {
                let key = |row: &ListRow| row.cells.get(order.column).map(|cell| cell.key.clone());
                let compared = match (key(one), key(other)) {
                    (Some(one), Some(other)) => one.compare(&other),
                    _ => Ordering::Equal,
                };
                if order.is_reversed { compared.reverse() } else { compared }
            });
        }
        all
    }

    /// Sorts a section by the next column or the previous one. After the last column, rows have
    /// their usual order again.
    pub fn sort_by_neighbour(&mut self, section: &ListSection, is_next: bool) {
        let columns = section.columns.len();
        // The place before the first column stands for the usual order.
        let place = self.orders.get(section.name).map_or(0, |order| order.column + 1);
        let place = (place + if is_next { 1 } else { columns }) % (columns + 1);
        match place.checked_sub(1) {
            Some(column) => {
                let order = SortOrder { column, is_reversed: false };
                self.orders.insert(section.name.to_owned(), order);
            }
            None => drop(self.orders.remove(section.name)),
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

/// Returns whether a row contains a text. The case matters only if the text has an upper-case
/// letter.
fn contains(row: &ListRow, text: &str) -> bool {
    let mut own: String = row.cells.iter().fold(row.id.clone(), |mut own, cell| {
        own.push(' ');
        own.extend(cell.spans.iter().map(|span| &*span.content));
        own
    });
    if !text.chars().any(char::is_uppercase) {
        own = own.to_lowercase();
    }
    own.contains(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section() -> ListSection {
        let row = |id: &str, number: u64| ListRow {
            id: id.to_owned(),
            cells: vec![ListCell::text(id, Style::new()), ListCell::count(number, Style::new())],
            target: None,
            style: Style::new(),
        };
        ListSection {
            name: "tools",
            columns: vec![ListColumn::text("tool", 8), ListColumn::number("calls", 5)],
            rows: vec![row("find", 9), row("Book", 10), row("ask", 2)],
            note: None,
            empty: "none yet",
        }
    }

    fn arranged(list: &ListState) -> Vec<String> {
        let mut section = section();
        list.arrange(&mut section);
        section.rows.into_iter().map(|row| row.id).collect()
    }

    #[test]
    fn rows_are_sorted_by_each_column_in_turn() {
        let mut list = ListState::default();
        let mut orders = Vec::new();
        for _ in 0..4 {
            orders.push(arranged(&list).join(" "));
            list.sort_by_neighbour(&section(), true);
        }
        let usual = "find Book ask";
        assert_eq!(orders, [usual, "Book ask find", "Book find ask", usual]);
        list.sort_by_neighbour(&section(), false);
        list.sort_by_neighbour(&section(), false);
        assert_eq!(arranged(&list).join(" "), "Book find ask", "the last column");
        list.sort_by("tools", 0);
        list.sort_by("tools", 1);
        list.sort_by("tools", 1);
        assert_eq!(arranged(&list).join(" "), "ask find Book", "a second time reverses the order");
        assert!(list.reverse("tools") && !list.reverse("other"));
    }

    #[test]
    fn rows_are_filtered_by_text() {
        let list = |filter: &str| ListState { filter: filter.to_owned(), ..ListState::default() };
        assert_eq!(arranged(&list("o")), ["Book"]);
        assert_eq!(arranged(&list("10")), ["Book"]);
        assert_eq!(arranged(&list("B")), ["Book"]);
        assert!(arranged(&list("K")).is_empty());
    }
}
