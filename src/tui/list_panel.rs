//! Panels that consist of lists: keys and the mouse, the same in each of them.
//!
//! A panel says which sections it has; everything else is here. Rows are selected, filtered, sorted
//! and opened, and Esc returns to the row.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Span;

use super::keys::{KeyAction, KeyHint};
use super::layout::ScreenLayout;
use super::list::{MAX_GROUPS, RowId};
use super::list_section::{ListRow, ListSection, shown_columns};
use super::list_view::{ListHit, ListView, RowSelection};
use super::navigation;
use super::panel::Panel;
use super::prompt;
use super::screen::Screen;
use super::scrolling::scroll_target;
use super::state::State;
use super::state::prompt::Purpose;
use super::text::count;
use crate::text::terminal;

/// A panel that consists of lists.
pub trait ListPanel {
    /// Returns the screen of the panel.
    fn screen(&self) -> Screen;

    /// Returns the sections for an area, in groups that are side by side.
    fn groups<'a>(&self, state: &'a State, area: Rect) -> Vec<Vec<ListSection<'a>>>;

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
        view(self, state, area).render(buffer);
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
            let view = body_view(self, state);
            let (shown, all) = (view.row_count() as u64, view.all as u64);
            let text = format!(" /{} ", terminal::visible(filter));
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
        let screen = self.screen().index();
        match action {
            KeyAction::Back if !state.lists[screen].filter.is_empty() => {
                state.lists[screen].filter.clear();
            }
            KeyAction::Back => leave(state),
            KeyAction::Out | KeyAction::Into => {
                let is_next = action == KeyAction::Into;
                let beside = body_view(self, state).selection_beside(is_next);
                match beside {
                    Some(beside) => select(self, state, beside),
                    None if is_next => open(self, state),
                    None => leave(state),
                }
            }
            KeyAction::Open => open(self, state),
            KeyAction::Search => {
                let text = state.lists[screen].filter.clone();
                prompt::open(state, Purpose::Rows, &text);
            }
            KeyAction::Grow | KeyAction::Shrink => {
                let columns = |row: ListRow<'_>| {
                    let shown = shown_columns(&row.section.columns).map(|(at, _)| at);
                    (row.section.name, shown.collect::<Vec<_>>())
                };
                let section = body_view(self, state).current().map(columns);
                if let Some((section, shown)) = section {
                    let is_next = action == KeyAction::Grow;
                    state.lists[screen].sort_by_neighbour(section, &shown, is_next);
                }
            }
            KeyAction::Reverse => {
                let section = body_view(self, state).current().map(|row| row.section.name);
                if !section.is_some_and(|section| state.lists[screen].reverse(section)) {
                    state.advise("press {grow} to choose a column to sort by first");
                }
            }
            _ => {
                let page = usize::from(ScreenLayout::new(state).body.height).max(1);
                let view = body_view(self, state);
                let last = view.row_count().saturating_sub(1);
                let Some(target) = scroll_target(action, view.cursor, page, last) else {
                    return false;
                };
                let selection = view.selection(target);
                drop(view);
                if let Some(selection) = selection {
                    select(self, state, selection);
                }
            }
        }
        true
    }

    fn handle_click(&self, state: &mut State, at: Position) {
        let view = body_view(self, state);
        let (hit, cursor) = (view.at(at), view.cursor);
        drop(view);
        let list = &mut state.lists[self.screen().index()];
        match hit {
            Some(ListHit::Heading(section, column)) => list.sort_by(section, column),
            Some(ListHit::Row(place)) => {
                let selection = body_view(self, state).selection(place);
                let Some(selection) = selection else { return };
                let list = &state.lists[self.screen().index()];
                if place == cursor && list.selected.as_ref() == Some(&selection.row) {
                    state.notice = None;
                    open(self, state);
                } else {
                    select(self, state, selection);
                }
            }
            None => {}
        }
    }

    fn settle(&self, state: &mut State) {
        if state.lists[self.screen().index()].selected.is_some() {
            return;
        }
        // Another row would take the place of the first one when their order changes.
        let first = body_view(self, state).selection(0);
        if let Some(first) = first.filter(|first| self.may_be_first(&first.row)) {
            select(self, state, first);
        }
    }
}

/// Returns the lists of a panel in an area.
fn view<'a>(panel: &impl ListPanel, state: &'a State, area: Rect) -> ListView<'a> {
    let list = &state.lists[panel.screen().index()];
    let charts = panel.chart_height(state, area).min(area.height);
    let area = Rect { y: area.y + charts, height: area.height - charts, ..area };
    let groups = panel.groups(state, area);
    let areas = panel.areas(state, area, groups.len().min(MAX_GROUPS));
    ListView::new(list, state.config.theme, areas, groups)
}

/// Returns the lists of a panel in the body of the screen.
fn body_view<'a>(panel: &impl ListPanel, state: &'a State) -> ListView<'a> {
    view(panel, state, ScreenLayout::new(state).body)
}

/// Selects a row.
fn select(panel: &impl ListPanel, state: &mut State, selection: RowSelection) {
    let row = selection.apply(&mut state.lists[panel.screen().index()]);
    panel.selected(state, &row);
}

/// Opens what the selected row is about.
fn open(panel: &impl ListPanel, state: &mut State) {
    let view = body_view(panel, state);
    let target = view.current().map(|row| row.target());
    let selection = view.selection(view.cursor);
    drop(view);
    let Some((selection, target)) = selection.zip(target) else { return };
    select(panel, state, selection);
    match target {
        Some(target) => navigation::open(state, &target),
        None => state.notify("this row has no events of its own"),
    }
}

/// Returns to where the list was opened from, or to the stream.
fn leave(state: &mut State) {
    if !navigation::back(state) {
        state.screen = Screen::Stream;
    }
}
