//! Panels that consist of lists: drawing, keys and the mouse, the same in each of them.
//!
//! A panel says which sections it has; everything else is here. Rows are selected, filtered, sorted
//! and opened, and Esc returns to the row.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::keys::{KeyAction, KeyHint};
use super::layout::ScreenLayout;
use super::list::{ListColumn, ListRow, ListSection, MAX_GROUPS, RowId};
use super::navigation;
use super::panel::Panel;
use super::prompt;
use super::screen::Screen;
use super::scrolling::{render_lines, scroll_target};
use super::state::State;
use super::state::prompt::Purpose;
use super::text::{cell, count, cut, width};

/// How many lines are visible before and after the selected row, if there are more.
const CONTEXT: usize = 3;

/// A panel that consists of lists.
pub trait ListPanel {
    /// Returns the screen of the panel.
    fn screen(&self) -> Screen;

    /// Returns the sections for an area, in groups that are side by side.
    fn groups(&self, state: &State, area: Rect) -> Vec<Vec<ListSection>>;

    /// Returns how many lines at the top of an area show charts.
    fn chart_height(&self, _state: &State, _area: Rect) -> u16 {
        0
    }

    /// Draws the charts above the lists.
    fn render_charts(&self, _state: &State, _area: Rect, _buffer: &mut Buffer) {}

    /// Returns the area of each of the groups. They are side by side, unless a panel arranges them
    /// otherwise.
    fn areas(&self, _state: &State, area: Rect, groups: usize) -> Vec<Rect> {
        super::layout::columns(area, groups)
    }

    /// Draws what the panel has besides its lists.
    fn render_around(&self, _state: &State, _area: Rect, _buffer: &mut Buffer) {}

    /// Returns the text beside the tabs.
    fn summary(&self, _state: &State) -> Vec<Span<'static>> {
        Vec::new()
    }

    /// Handles a key that only this panel has. Returns whether it is one.
    fn handle_own_key(&self, _state: &mut State, _action: KeyAction) -> bool {
        false
    }

    /// Returns the hints for keys that only this panel has.
    fn own_hints(&self) -> Vec<KeyHint> {
        Vec::new()
    }

    /// Returns whether a row may be selected before the user selects one.
    fn may_be_first(&self, _row: &RowId) -> bool {
        true
    }

    /// Records that a row was selected.
    fn selected(&self, _state: &mut State, _row: &RowId) {}
}

impl<T: ListPanel> Panel for T {
    fn render(&self, state: &State, area: Rect, buffer: &mut Buffer) {
        let height = self.chart_height(state, area).min(area.height);
        if height > 0 {
            self.render_charts(state, Rect { height, ..area }, buffer);
        }
        self.render_around(state, area, buffer);
        let lists = Lists::new(self, state, area);
        let cursor = lists.cursor(state);
        let selected = lists.rows().nth(cursor).map(|(id, _)| id);
        for (group, (area, lines)) in lists.lines(state).into_iter().enumerate() {
            let top = top(state, group, &lines, selected.as_ref(), area.height);
            let theme = state.config.theme;
            let drawn = lines.into_iter().map(|line| {
                if line.row.is_some() && line.row == selected {
                    let text = cell(&line.text.to_string(), area.width.into());
                    Line::styled(text, theme.selected())
                } else {
                    line.text
                }
            });
            render_lines(drawn.collect(), top, area, buffer);
        }
    }

    fn hints(&self, state: &State) -> Vec<KeyHint> {
        let mut hints = vec![(KeyAction::Down, "next"), (KeyAction::Open, "open")];
        hints.extend(self.own_hints());
        hints.extend([(KeyAction::Search, "filter"), (KeyAction::Grow, "sort")]);
        if !state.lists[self.screen().index()].orders.is_empty() {
            hints.push((KeyAction::Reverse, "reverse"));
        }
        let is_filtered = !state.lists[self.screen().index()].filter.is_empty();
        hints.push((KeyAction::Back, if is_filtered { "all rows" } else { "back" }));
        hints
    }

    fn status(&self, state: &State) -> Vec<Span<'static>> {
        let mut spans = self.summary(state);
        let filter = &state.lists[self.screen().index()].filter;
        if !filter.is_empty() {
            let body = ScreenLayout::new(state).body;
            let lists = Lists::new(self, state, body);
            let (shown, all) = (lists.rows().count() as u64, lists.all as u64);
            let text = format!(" /{} ", crate::text::terminal::visible(filter));
            spans.push(Span::styled(text, state.config.theme.key()));
            let text = format!("{} of {} ", count(shown), count(all));
            spans.push(Span::styled(text, state.config.theme.heading()));
        }
        spans
    }

    fn handle_key(&self, state: &mut State, action: KeyAction) -> bool {
        if self.handle_own_key(state, action) {
            return true;
        }
        let lists = Lists::new(self, state, ScreenLayout::new(state).body);
        let cursor = lists.cursor(state);
        let current = lists.rows().nth(cursor);
        let list = &mut state.lists[self.screen().index()];
        match action {
            KeyAction::Back if !list.filter.is_empty() => list.filter.clear(),
            KeyAction::Back => leave(state),
            KeyAction::Out | KeyAction::Into => {
                if !lists.move_sideways(self, state, cursor, action == KeyAction::Into) {
                    match current.and_then(|(_, row)| row.target.clone()) {
                        _ if action == KeyAction::Out => leave(state),
                        Some(target) => navigation::open(state, &target),
                        None => {}
                    }
                }
            }
            KeyAction::Open => {
                let Some((id, row)) = current else { return true };
                let target = row.target.clone();
                lists.select(self, state, &id);
                match target {
                    Some(target) => navigation::open(state, &target),
                    None => state.notify("this row has no events of its own"),
                }
            }
            KeyAction::Search => {
                let text = list.filter.clone();
                prompt::open(state, Purpose::Rows, &text);
            }
            KeyAction::Grow | KeyAction::Shrink => {
                let Some(section) = current.and_then(|(id, _)| lists.section(id.section)) else {
                    return true;
                };
                list.sort_by_neighbour(section, action == KeyAction::Grow);
            }
            KeyAction::Reverse => {
                if !current.is_some_and(|(id, _)| list.reverse(id.section)) {
                    state.advise("press {grow} to choose a column to sort by first");
                }
            }
            _ => {
                let page = usize::from(ScreenLayout::new(state).body.height).max(1);
                let end = lists.rows().count().saturating_sub(1);
                let Some(target) = scroll_target(action, cursor, page, end) else {
                    return false;
                };
                if let Some((id, _)) = lists.rows().nth(target) {
                    lists.select(self, state, &id);
                }
            }
        }
        true
    }

    fn handle_click(&self, state: &mut State, at: Position) {
        let body = ScreenLayout::new(state).body;
        let lists = Lists::new(self, state, body);
        let selected = lists.rows().nth(lists.cursor(state)).map(|(id, _)| id);
        for (group, (area, lines)) in lists.lines(state).into_iter().enumerate() {
            if !area.contains(at) {
                continue;
            }
            let top = top(state, group, &lines, selected.as_ref(), area.height);
            let Some(line) = lines.get(top + usize::from(at.y - area.y)) else { return };
            if let Some(section) = line.heading.and_then(|name| lists.section(name)) {
                let column = column_at(&section.columns, usize::from(at.x - area.x));
                state.lists[self.screen().index()].sort_by(section.name, column);
            } else if let Some(row) = &line.row {
                let list = &state.lists[self.screen().index()];
                if list.selected.as_ref() == Some(row) && selected.as_ref() == Some(row) {
                    state.notice = None;
                    self.handle_key(state, KeyAction::Open);
                } else {
                    lists.select(self, state, row);
                }
            }
            return;
        }
    }

    fn settle(&self, state: &mut State) {
        if state.lists[self.screen().index()].selected.is_some() {
            return;
        }
        // Another row would take the place of the first one when their order changes.
        let lists = Lists::new(self, state, ScreenLayout::new(state).body);
        if let Some((id, _)) = lists.rows().next().filter(|(id, _)| self.may_be_first(id)) {
            lists.select(self, state, &id);
        }
    }
}

/// Returns to where the list was opened from, or to the stream.
fn leave(state: &mut State) {
    if !navigation::back(state) {
        state.screen = Screen::Stream;
    }
}

/// A line of a list as drawn.
struct ListLine {
    text: Line<'static>,
    /// The row that the line shows.
    row: Option<RowId>,
    /// The section whose columns the line names.
    heading: Option<&'static str>,
}

/// The sections of a panel as they are shown.
struct Lists {
    groups: Vec<(Rect, Vec<ListSection>)>,
    /// The number of rows without the filter.
    all: usize,
    screen: Screen,
}

impl Lists {
    fn new(panel: &impl ListPanel, state: &State, area: Rect) -> Self {
        let list = &state.lists[panel.screen().index()];
        let charts = panel.chart_height(state, area).min(area.height);
        let area = Rect { y: area.y + charts, height: area.height - charts, ..area };
        let mut groups = panel.groups(state, area);
        groups.truncate(MAX_GROUPS);
        let mut all = 0;
        for section in groups.iter_mut().flatten() {
            all += list.arrange(section);
        }
        let areas = panel.areas(state, area, groups.len());
        Self { groups: areas.into_iter().zip(groups).collect(), all, screen: panel.screen() }
    }

    fn section(&self, name: &str) -> Option<&ListSection> {
        self.groups.iter().flat_map(|(_, sections)| sections).find(|section| section.name == name)
    }

    /// Iterates over all rows, from the first group to the last one.
    fn rows(&self) -> impl Iterator<Item = (RowId, &ListRow)> {
        let sections = self.groups.iter().flat_map(|(_, sections)| sections);
        sections.flat_map(|section| {
            let id = |row: &ListRow| RowId { section: section.name, id: row.id.clone() };
            section.rows.iter().map(move |row| (id(row), row))
        })
    }

    /// Returns the index of the selected row, or where it was if it has gone.
    fn cursor(&self, state: &State) -> usize {
        let list = &state.lists[self.screen.index()];
        let place = list
            .selected
            .as_ref()
            .and_then(|selected| self.rows().position(|(id, _)| id == *selected));
        place.unwrap_or_else(|| list.place.min(self.rows().count().saturating_sub(1)))
    }

    /// Selects a row and scrolls its group so that it is visible.
    fn select(&self, panel: &impl ListPanel, state: &mut State, id: &RowId) {
        let place = self.rows().position(|(row, _)| row == *id).unwrap_or(0);
        let tops = self
            .lines(state)
            .into_iter()
            .enumerate()
            .map(|(group, (area, lines))| top(state, group, &lines, Some(id), area.height));
        let tops: Vec<_> = tops.collect();
        let list = &mut state.lists[self.screen.index()];
        for (kept, top) in list.tops.iter_mut().zip(tops) {
            *kept = top;
        }
        (list.selected, list.place) = (Some(id.clone()), place);
        panel.selected(state, id);
    }

    /// Selects the row beside the selected one in the next group. Returns whether there is one.
    fn move_sideways(
        &self,
        panel: &impl ListPanel,
        state: &mut State,
        cursor: usize,
        forward: bool,
    ) -> bool {
        let Some((current, _)) = self.rows().nth(cursor) else { return false };
        let lines = self.lines(state);
        let line_of =
            |lines: &[ListLine]| lines.iter().position(|line| line.row.as_ref() == Some(&current));
        let found = lines.iter().enumerate().find_map(|(group, (area, lines))| {
            Some((
                group,
                line_of(lines)?.saturating_sub(top(
                    state,
                    group,
                    lines,
                    Some(&current),
                    area.height,
                )),
            ))
        });
        let Some((group, line)) = found else { return false };
        let next = if forward { Some(group + 1) } else { group.checked_sub(1) };
        let Some((area, beside)) = next.and_then(|next| lines.get(next)) else { return false };
        let line = line + top(state, next.unwrap_or(0), beside, None, area.height);
        let rows =
            beside.iter().enumerate().filter_map(|(at, line)| Some((at, line.row.as_ref()?)));
        let Some((_, row)) = rows.min_by_key(|(at, _)| at.abs_diff(line)) else { return false };
        self.select(panel, state, row);
        true
    }

    /// Returns the lines of each group, with its area.
    fn lines(&self, state: &State) -> Vec<(Rect, Vec<ListLine>)> {
        let group = |(area, sections): &(Rect, Vec<ListSection>)| {
            let mut lines = Vec::new();
            for (at, section) in sections.iter().enumerate() {
                if at > 0 {
                    lines.push(plain(Line::default()));
                }
                section_lines(state, self.screen, section, usize::from(area.width), &mut lines);
            }
            (*area, lines)
        };
        self.groups.iter().map(group).collect()
    }
}

const fn plain(text: Line<'static>) -> ListLine {
    ListLine { text, row: None, heading: None }
}

fn section_lines(
    state: &State,
    screen: Screen,
    section: &ListSection,
    width: usize,
    lines: &mut Vec<ListLine>,
) {
    let theme = state.config.theme;
    let order = state.lists[screen.index()].orders.get(section.name);
    let titles = section.columns.iter().enumerate().map(|(at, column)| {
        let sign = match order.filter(|order| order.column == at) {
            Some(order) if order.is_reversed => "▲",
            Some(_) => "▼",
            None => "",
        };
        let style = if at == 0 { theme.heading() } else { theme.quiet() };
        vec![Span::styled(format!("{}{sign}", column.title), style)]
    });
    let text = cut(table_line(&section.columns, titles), width);
    lines.push(ListLine { text, row: None, heading: Some(section.name) });
    for row in &section.rows {
        let cells = row.cells.iter().map(|cell| cell.spans.clone());
        let text = cut(table_line(&section.columns, cells), width).patch_style(row.style);
        let id = RowId { section: section.name, id: row.id.clone() };
        lines.push(ListLine { text, row: Some(id), heading: None });
    }
    if let Some(note) = section.note {
        lines.push(plain(Line::styled(format!("   {note}"), theme.warning())));
    }
    if section.rows.is_empty() {
        lines.push(plain(Line::styled(format!("   {}", section.empty), theme.quiet())));
    }
}

/// Returns the cells of a row, aligned to its columns. A cell that is too wide ends in `…`.
fn table_line(
    columns: &[ListColumn],
    cells: impl Iterator<Item = Vec<Span<'static>>>,
) -> Vec<Span<'static>> {
    let last = columns.len().saturating_sub(1);
    let mut line = vec![Span::raw(" ")];
    for (at, (column, cells)) in columns.iter().zip(cells).enumerate() {
        if column.width == 0 && at != last {
            continue;
        }
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

/// Returns the first visible line of a group, so that the selected row is visible with its context.
fn top(
    state: &State,
    group: usize,
    lines: &[ListLine],
    selected: Option<&RowId>,
    height: u16,
) -> usize {
    let height = usize::from(height).max(1);
    let last = lines.len().saturating_sub(height);
    let top = state.lists[state.screen.index()].tops.get(group).copied().unwrap_or(0);
    let line = lines.iter().position(|line| line.row.is_some() && line.row.as_ref() == selected);
    let Some(line) = line else { return top.min(last) };
    let context = CONTEXT.min((height - 1) / 2);
    let latest = line.saturating_sub(context);
    let earliest = (line + context + 1).saturating_sub(height);
    top.clamp(earliest.min(latest), latest).min(last)
}
