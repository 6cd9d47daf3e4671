//! The sections of a panel as they are shown: their lines, the visible part of them, and the row
//! at a cell.
//!
//! All rows have a place on a line, but only the lines that are visible get a text.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::list::{ListState, MAX_GROUPS, RowId, SortOrder};
use super::list_section::{ListColumn, ListRow, ListSection, shown_columns};
use super::scrolling::render_lines;
use super::style::Theme;
use super::text::{cell, cut, width};

/// How many lines are visible before and after the selected row, if there are more.
const CONTEXT: usize = 3;

/// Sections that are below one another.
struct ListGroup<'a> {
    area: Rect,
    sections: Vec<ListSection<'a>>,
}

/// A line of a group.
#[derive(Clone, Copy)]
enum ListLine<'s> {
    Space,
    Heading(&'s ListSection<'s>),
    Row(ListRow<'s>),
    /// The warning of a section, or what it shows without rows.
    Note(&'static str, Style),
}

/// The part of a list at a cell.
pub enum ListHit {
    /// The heading of a column: the name of the section and the index of the column.
    Heading(&'static str, usize),
    /// The row at that place.
    Row(usize),
}

/// A row that is about to be selected, and what is visible then.
pub struct RowSelection {
    /// The row.
    pub row: RowId,
    place: usize,
    tops: [usize; MAX_GROUPS],
}

impl RowSelection {
    /// Selects the row. Returns its position.
    pub fn apply(self, list: &mut ListState) -> RowId {
        (list.place, list.tops) = (self.place, self.tops);
        list.selected = Some(self.row.clone());
        self.row
    }
}

/// The lists of a panel. A row has a *place*, its index among the rows from the first group to the
/// last one.
pub struct ListView<'a> {
    list: &'a ListState,
    theme: Theme,
    groups: Vec<ListGroup<'a>>,
    /// The number of rows without the filter.
    pub all: usize,
    /// The place of the selected row, or where it was if it has gone.
    pub cursor: usize,
}

impl<'a> ListView<'a> {
    /// Filters and sorts groups of sections, which are shown in these areas.
    #[must_use]
    pub fn new(
        list: &'a ListState,
        theme: Theme,
        areas: Vec<Rect>,
        mut groups: Vec<Vec<ListSection<'a>>>,
    ) -> Self {
        groups.truncate(MAX_GROUPS);
        let all = groups.iter_mut().flatten().map(|section| section.arrange(list)).sum();
        let groups = areas.into_iter().zip(groups);
        let groups = groups.map(|(area, sections)| ListGroup { area, sections }).collect();
        let mut view = Self { list, theme, groups, all, cursor: 0 };
        let selected = list.selected.as_ref();
        let place = selected.and_then(|id| view.rows().position(|row| row.has_id(id)));
        view.cursor = place.unwrap_or_else(|| list.place.min(view.row_count().saturating_sub(1)));
        view
    }

    fn rows(&self) -> impl Iterator<Item = ListRow<'_>> {
        let sections = self.groups.iter().flat_map(|group| &group.sections);
        sections.flat_map(ListSection::rows)
    }

    /// Returns the number of rows.
    #[must_use]
    pub fn row_count(&self) -> usize {
        let sections = self.groups.iter().flat_map(|group| &group.sections);
        sections.map(ListSection::row_count).sum()
    }

    /// Returns the row at a place.
    #[must_use]
    pub fn row(&self, place: usize) -> Option<ListRow<'_>> {
        self.rows().nth(place)
    }

    /// Returns the selected row.
    #[must_use]
    pub fn current(&self) -> Option<ListRow<'_>> {
        self.row(self.cursor)
    }

    /// Prepares to select the row at a place. Each group is scrolled so that the row is visible.
    #[must_use]
    pub fn selection(&self, place: usize) -> Option<RowSelection> {
        let row = self.row(place)?;
        let mut tops = self.list.tops;
        for (at, group) in self.groups.iter().enumerate() {
            tops[at] = self.top(at, &group.lines(self.theme), Some(row));
        }
        Some(RowSelection { row: row.id(), place, tops })
    }

    /// Prepares to select the row beside the selected one in the next group or the previous one.
    #[must_use]
    pub fn selection_beside(&self, is_next: bool) -> Option<RowSelection> {
        let current = self.current()?;
        let is_here = |group: &ListGroup<'_>| {
            group.sections.iter().any(|section| section.name == current.section.name)
        };
        let from = self.groups.iter().position(is_here)?;
        let to = if is_next { from + 1 } else { from.checked_sub(1)? };
        let lines = self.groups[from].lines(self.theme);
        let beside = self.groups.get(to)?.lines(self.theme);
        let line = lines.iter().position(|line| line.is_row(current))?;
        let line = line.saturating_sub(self.top(from, &lines, Some(current)));
        let line = line + self.top(to, &beside, None);
        let rows = beside.iter().enumerate().filter_map(|(at, line)| Some((at, line.row()?)));
        let (_, nearest) = rows.min_by_key(|(at, _)| at.abs_diff(line))?;
        self.selection(self.rows().position(|row| row == nearest)?)
    }

    /// Returns what is at a cell.
    #[must_use]
    pub fn at(&self, at: Position) -> Option<ListHit> {
        let index = self.groups.iter().position(|group| group.area.contains(at))?;
        let area = self.groups[index].area;
        match *self.visible(index).get(usize::from(at.y - area.y))? {
            ListLine::Heading(section) => {
                let column = column_at(&section.columns, usize::from(at.x - area.x));
                Some(ListHit::Heading(section.name, column))
            }
            ListLine::Row(found) => self.rows().position(|row| row == found).map(ListHit::Row),
            ListLine::Space | ListLine::Note(..) => None,
        }
    }

    /// Draws the visible lines.
    pub fn render(&self, buffer: &mut Buffer) {
        let selected = self.current();
        for (index, group) in self.groups.iter().enumerate() {
            let room = usize::from(group.area.width);
            let drawn = self.visible(index).into_iter().map(|line| {
                let text = self.text(line, room);
                if selected.is_some_and(|row| line.is_row(row)) {
                    return Line::styled(cell(&text.to_string(), room), self.theme.selected());
                }
                text
            });
            render_lines(drawn.collect(), 0, group.area, buffer);
        }
    }

    /// Returns the visible lines of a group. The heading of a section stays visible while its rows
    /// are scrolled, unless there is little room. The selected row is never on that line.
    fn visible(&self, index: usize) -> Vec<ListLine<'_>> {
        let group = &self.groups[index];
        let height = usize::from(group.area.height);
        let lines = group.lines(self.theme);
        let top = self.top(index, &lines, self.current());
        let mut visible: Vec<_> = lines.into_iter().skip(top).take(height).collect();
        if context(height) == CONTEXT
            && let Some(first) = visible.first_mut()
            && let ListLine::Row(row) = *first
        {
            *first = ListLine::Heading(row.section);
        }
        visible
    }

    /// Returns the text of a line in at most `room` cells.
    fn text(&self, line: ListLine<'_>, room: usize) -> Line<'static> {
        match line {
            ListLine::Space => Line::default(),
            ListLine::Heading(section) => {
                let order = self.list.orders.get(section.name);
                let title = |at: usize| {
                    let order = order.filter(|order| order.column == at);
                    let title = title(&section.columns[at], order);
                    let style = if at == 0 { self.theme.heading() } else { self.theme.quiet() };
                    vec![Span::styled(title, style)]
                };
                cut(table_line(&section.columns, title), room)
            }
            ListLine::Row(row) => {
                let cells = |at| row.cell(at).spans;
                cut(table_line(&row.section.columns, cells), room).patch_style(row.style())
            }
            ListLine::Note(text, style) => Line::styled(format!("   {text}"), style),
        }
    }

    /// Returns the first visible line of a group, so that the selected row is visible with its
    /// context.
    fn top(&self, group: usize, lines: &[ListLine<'_>], selected: Option<ListRow<'_>>) -> usize {
        let height = usize::from(self.groups[group].area.height).max(1);
        let last = lines.len().saturating_sub(height);
        let top = self.list.tops[group];
        let line = selected.and_then(|row| lines.iter().position(|line| line.is_row(row)));
        let Some(line) = line else { return top.min(last) };
        let context = context(height);
        let latest = line.saturating_sub(context);
        let earliest = (line + context + 1).saturating_sub(height);
        top.clamp(earliest.min(latest), latest).min(last)
    }
}

/// Returns how many lines are visible before and after the selected row in that many lines.
fn context(height: usize) -> usize {
    CONTEXT.min(height.saturating_sub(1) / 2)
}

impl ListGroup<'_> {
    fn lines(&self, theme: Theme) -> Vec<ListLine<'_>> {
        let mut lines = Vec::new();
        for section in &self.sections {
            if !lines.is_empty() {
                lines.push(ListLine::Space);
            }
            lines.push(ListLine::Heading(section));
            lines.extend(section.rows().map(ListLine::Row));
            lines.extend(section.note.map(|note| ListLine::Note(note, theme.warning())));
            if section.row_count() == 0 {
                lines.push(ListLine::Note(section.empty, theme.quiet()));
            }
        }
        lines
    }
}

impl<'s> ListLine<'s> {
    const fn row(self) -> Option<ListRow<'s>> {
        match self {
            Self::Row(row) => Some(row),
            _ => None,
        }
    }

    fn is_row(self, row: ListRow<'_>) -> bool {
        self.row().is_some_and(|own| own == row)
    }
}

/// Returns the heading of a column, which says whether the rows are sorted by it. The sign is worth
/// more than the end of the heading.
fn title(column: &ListColumn, order: Option<&SortOrder>) -> String {
    let Some(order) = order else { return column.title.clone() };
    let room = if column.width > 0 { column.width - 1 } else { usize::MAX };
    let title = cut(vec![Span::raw(column.title.clone())], room);
    format!("{title}{}", if order.is_reversed { "▲" } else { "▼" })
}

/// Returns the cells of a row, aligned to its columns. A cell that is too wide ends in `…`.
fn table_line(
    columns: &[ListColumn],
    cells: impl Fn(usize) -> Vec<Span<'static>>,
) -> Vec<Span<'static>> {
    let last = columns.len().saturating_sub(1);
    let mut line = vec![Span::raw(" ")];
    for (at, column) in shown_columns(columns) {
        let cells = cells(at);
        if at == last && !column.is_number {
            line.extend(cells);
            continue;
        }
        let style = cells.last().map_or_else(Style::new, |span| span.style);
        let cells = cut(cells, column.width).spans;
        let space = " ".repeat(column.width.saturating_sub(width(&cells)));
        if column.is_number {
            line.push(Span::raw(space));
            line.extend(cells);
        } else {
            line.extend(cells);
            line.push(Span::styled(space, style));
        }
        line.push(Span::raw(" "));
    }
    line
}

/// Returns the index of the column at a cell of a line.
fn column_at(columns: &[ListColumn], cell: usize) -> usize {
    let mut end = 1;
    for (at, column) in columns.iter().enumerate() {
        end += if column.width > 0 { column.width + 1 } else { 0 };
        if cell < end {
            return at;
        }
    }
    columns.len().saturating_sub(1)
}
