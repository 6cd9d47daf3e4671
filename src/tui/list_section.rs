//! The sections of a list: tables with a heading, whose rows are filtered and sorted.
//!
//! A frame shows few of the rows, so a cell is built only when it is needed: to be drawn, to be
//! searched for the text of the filter, or for the key of the column that the rows are sorted by.

use std::borrow::Cow;
use std::cmp::Ordering;

use ratatui::style::Style;
use ratatui::text::Span;

use super::list::{ListState, OpenTarget, RowId};

/// A column of a table.
#[derive(Debug, Clone)]
pub struct ListColumn {
    /// The heading.
    pub title: String,
    /// The width in cells. The last column takes all cells that are left; another column without a
    /// width is not shown.
    pub width: usize,
    /// Whether the values are numbers, which are aligned to the right and sorted from the largest.
    pub is_number: bool,
    /// Whether the values are pictures, which the filter ignores.
    is_graph: bool,
}

impl ListColumn {
    /// Creates a column of text.
    #[must_use]
    pub fn text(title: impl Into<String>, width: usize) -> Self {
        Self { title: title.into(), width, is_number: false, is_graph: false }
    }

    /// Creates a column of numbers.
    #[must_use]
    pub fn number(title: impl Into<String>, width: usize) -> Self {
        Self { is_number: true, ..Self::text(title, width) }
    }

    /// Creates a column of bars or sparklines.
    #[must_use]
    pub fn graph(title: impl Into<String>, width: usize) -> Self {
        Self { is_graph: true, ..Self::text(title, width) }
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

/// Returns something of a row from its id and its value.
type RowFn<'a, T, R> = Box<dyn Fn(&str, &T) -> R + 'a>;

/// The rows of a section, whose values have one type, and what is shown of them.
struct SectionRows<'a, T> {
    rows: Vec<(Cow<'a, str>, T)>,
    cells: Vec<RowFn<'a, T, ListCell>>,
    target: RowFn<'a, T, Option<OpenTarget>>,
    style: RowFn<'a, T, Style>,
}

/// The rows of a section, whatever they are about.
trait RowSource {
    fn id(&self, row: usize) -> &str;
    fn cell(&self, row: usize, column: usize) -> ListCell;
    fn target(&self, row: usize) -> Option<OpenTarget>;
    fn style(&self, row: usize) -> Style;
}

impl<T> RowSource for SectionRows<'_, T> {
    fn id(&self, row: usize) -> &str {
        &self.rows[row].0
    }

    fn cell(&self, row: usize, column: usize) -> ListCell {
        #[cfg(test)]
        BUILT_CELLS.set(BUILT_CELLS.get() + 1);
        let (id, value) = &self.rows[row];
        (self.cells[column])(id, value)
    }

    fn target(&self, row: usize) -> Option<OpenTarget> {
        let (id, value) = &self.rows[row];
        (self.target)(id, value)
    }

    fn style(&self, row: usize) -> Style {
        let (id, value) = &self.rows[row];
        (self.style)(id, value)
    }
}

#[cfg(test)]
thread_local! {
    /// The number of cells that were built on this thread.
    pub static BUILT_CELLS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// A section that is being made.
pub struct SectionBuilder<'a, T> {
    name: &'static str,
    columns: Vec<ListColumn>,
    source: SectionRows<'a, T>,
    note: Option<&'static str>,
}

impl<'a, T: 'a> SectionBuilder<'a, T> {
    /// Adds a column, and what it shows of a row with that id and that value.
    #[must_use]
    pub fn column(mut self, column: ListColumn, cell: impl Fn(&str, &T) -> ListCell + 'a) -> Self {
        self.columns.push(column);
        self.source.cells.push(Box::new(cell));
        self
    }

    /// Sets what Enter opens. By default, it opens nothing.
    #[must_use]
    pub fn target(mut self, target: impl Fn(&str, &T) -> Option<OpenTarget> + 'a) -> Self {
        self.source.target = Box::new(target);
        self
    }

    /// Sets the style of whole rows.
    #[must_use]
    pub fn style(mut self, style: impl Fn(&str, &T) -> Style + 'a) -> Self {
        self.source.style = Box::new(style);
        self
    }

    /// Sets a warning below the rows, such as that there are more.
    #[must_use]
    pub const fn note(mut self, note: Option<&'static str>) -> Self {
        self.note = note;
        self
    }

    /// Makes the section. `empty` is shown if there are no rows.
    #[must_use]
    pub fn build(self, empty: &'static str) -> ListSection<'a> {
        let Self { name, columns, source, note } = self;
        let shown = (0..source.rows.len()).collect();
        ListSection { name, columns, note, empty, source: Box::new(source), shown }
    }
}

/// A table with a heading.
pub struct ListSection<'a> {
    /// The name, which is unique in the list.
    pub name: &'static str,
    /// The columns. The heading of the first one names the section.
    pub columns: Vec<ListColumn>,
    /// A warning below the rows.
    pub note: Option<&'static str>,
    /// The text that is shown if there are no rows.
    pub empty: &'static str,
    source: Box<dyn RowSource + 'a>,
    /// The rows that are shown, in their order, as indices of `source`.
    shown: Vec<usize>,
}

impl<'a> ListSection<'a> {
    /// Begins a section of rows in their usual order. The id of a row does not change while the row
    /// moves.
    #[must_use]
    pub fn builder<T: 'a>(
        name: &'static str,
        rows: impl IntoIterator<Item = (impl Into<Cow<'a, str>>, T)>,
    ) -> SectionBuilder<'a, T> {
        let rows = rows.into_iter().map(|(id, value)| (id.into(), value)).collect();
        let source = SectionRows {
            rows,
            cells: Vec::new(),
            target: Box::new(|_, _| None),
            style: Box::new(|_, _| Style::new()),
        };
        SectionBuilder { name, columns: Vec::new(), source, note: None }
    }

    /// Filters and sorts the rows. Returns how many there were before.
    pub fn arrange(&mut self, list: &ListState) -> usize {
        let all = self.shown.len();
        let Self { columns, source, shown, .. } = self;
        if !list.filter.is_empty() {
            shown.retain(|row| contains(&**source, *row, columns, &list.filter));
        }
        let order = list.orders.get(self.name).filter(|order| order.column < columns.len());
        if let Some(order) = order {
            let key = |row: &usize| (source.cell(*row, order.column).key, *row);
            let mut keys: Vec<_> = shown.iter().map(key).collect();
            keys.sort_by(|(one, _), (other, _)| {
                let compared = one.compare(other);
                if order.is_reversed { compared.reverse() } else { compared }
            });
            *shown = keys.into_iter().map(|(_, row)| row).collect();
        }
        all
    }

    /// Returns the number of rows.
    #[must_use]
    pub const fn row_count(&self) -> usize {
        self.shown.len()
    }

    /// Iterates over the rows.
    pub fn rows(&self) -> impl Iterator<Item = ListRow<'_>> {
        self.shown.iter().map(|row| ListRow { section: self, row: *row })
    }
}

/// A row of a section.
#[derive(Clone, Copy)]
pub struct ListRow<'s> {
    /// The section.
    pub section: &'s ListSection<'s>,
    /// The index in the source of the section.
    row: usize,
}

impl ListRow<'_> {
    /// Returns the position of the row.
    #[must_use]
    pub fn id(&self) -> RowId {
        RowId { section: self.section.name, id: self.section.source.id(self.row).to_owned() }
    }

    /// Returns whether the row has that position.
    #[must_use]
    pub fn has_id(&self, id: &RowId) -> bool {
        self.section.name == id.section && self.section.source.id(self.row) == id.id
    }

    /// Builds the cell in a column.
    #[must_use]
    pub fn cell(&self, column: usize) -> ListCell {
        self.section.source.cell(self.row, column)
    }

    /// Returns what Enter opens.
    #[must_use]
    pub fn target(&self) -> Option<OpenTarget> {
        self.section.source.target(self.row)
    }

    /// Returns the style of the whole row.
    #[must_use]
    pub fn style(&self) -> Style {
        self.section.source.style(self.row)
    }
}

/// Two rows are equal if they are the same row.
impl PartialEq for ListRow<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.row == other.row && self.section.name == other.section.name
    }
}

/// Returns the columns that are shown, with their indices.
pub fn shown_columns(columns: &[ListColumn]) -> impl Iterator<Item = (usize, &ListColumn)> {
    let last = columns.len().saturating_sub(1);
    columns.iter().enumerate().filter(move |(at, column)| column.width > 0 || *at == last)
}

/// Returns whether a text contains a filter. The case matters only if the filter has an upper-case
/// letter.
pub fn matches(text: &str, filter: &str) -> bool {
    if filter.chars().any(char::is_uppercase) {
        text.contains(filter)
    } else {
        text.to_lowercase().contains(filter)
    }
}

/// Returns whether the id or a shown cell of a row contains a filter.
fn contains(source: &dyn RowSource, row: usize, columns: &[ListColumn], filter: &str) -> bool {
    let mut shown = shown_columns(columns).filter(|(_, column)| !column.is_graph);
    matches(source.id(row), filter)
        || shown.any(|(at, _)| {
            let spans = source.cell(row, at).spans;
            let text: String = spans.iter().map(|span| &*span.content).collect();
            matches(&text, filter)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section() -> ListSection<'static> {
        ListSection::builder("tools", [("find", 9), ("Book", 10), ("ask", 2)])
            .column(ListColumn::text("tool", 8), |id, _| ListCell::text(id, Style::new()))
            .column(ListColumn::number("calls", 5), |_, number| {
                ListCell::count(*number, Style::new())
            })
            .column(ListColumn::text("hidden", 0), |_, _| ListCell::text("hidden", Style::new()))
            .column(ListColumn::graph("", 0), |_, _| ListCell::text("▁▂", Style::new()))
            .build("none yet")
    }

    fn arranged(list: &ListState) -> Vec<String> {
        let mut section = section();
        assert_eq!(section.arrange(list), 3);
        section.rows().map(|row| row.id().id).collect()
    }

    #[test]
    fn rows_are_sorted_by_each_column_in_turn() {
        let mut list = ListState::default();
        let mut orders = Vec::new();
        for _ in 0..4 {
            orders.push(arranged(&list).join(" "));
            list.sort_by_neighbour("tools", &[0, 1], true);
        }
        let usual = "find Book ask";
        assert_eq!(orders, [usual, "Book ask find", "Book find ask", usual]);
        list.sort_by_neighbour("tools", &[0, 1], false);
        list.sort_by_neighbour("tools", &[0, 1], false);
        assert_eq!(arranged(&list).join(" "), "Book find ask", "the last column");
        list.sort_by("tools", 0);
        list.sort_by("tools", 1);
        list.sort_by("tools", 1);
        assert_eq!(arranged(&list).join(" "), "ask find Book", "a second time reverses the order");
        assert!(list.reverse("tools") && !list.reverse("other"));
    }

    #[test]
    fn rows_are_filtered_by_the_text_that_is_shown() {
        let list = |filter: &str| ListState { filter: filter.to_owned(), ..ListState::default() };
        assert_eq!(arranged(&list("o")), ["Book"]);
        assert_eq!(arranged(&list("10")), ["Book"]);
        assert_eq!(arranged(&list("B")), ["Book"]);
        for nothing in ["K", "hidden", "▁"] {
            assert!(arranged(&list(nothing)).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn only_the_cells_that_are_needed_are_built() {
        let built = |filter: &str, column: Option<usize>| {
            let mut list = ListState { filter: filter.to_owned(), ..ListState::default() };
            if let Some(column) = column {
                list.sort_by("tools", column);
            }
            BUILT_CELLS.set(0);
            section().arrange(&list);
            BUILT_CELLS.get()
        };
        assert_eq!(built("", None), 0);
        assert_eq!(built("", Some(1)), 3, "the keys of one column");
        assert_eq!(built("book", None), 4, "the text of two columns, unless the id matches");
    }
}
