//! What the live screen remembers until the next time: the layout, the columns, the filter, what was
//! typed, and the marks.
//!
//! It contains no event data but ids. Typed lines are kept only if they pass
//! [`may_be_kept`](super::vocabulary::may_be_kept) and no value in them was taken from an event; notes
//! are kept without identifiers; and neither is kept by a session that shows more than the default.
//! What is read is checked in the same way, since another program may have written it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bookmarks::{Bookmark, MAX_ABSENT};
use super::completion::known_fields;
use super::config::ScreenConfig;
use super::filtering;
use super::list::SortOrder;
use super::screen::Screen;
use super::state::State;
use super::state::modes::TimeMode;
use super::style::ThemeName;
use super::vocabulary::may_be_kept;
use crate::redact::{Mode, ScrubMode};

/// The version of the format.
pub const VERSION: u32 = 1;

/// The maximum number of typed lines of each kind.
const MAX_LINES: usize = 200;

/// The maximum number of columns.
const MAX_COLUMNS: usize = 64;

/// The settings that are remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SavedState {
    /// The version of the format.
    pub version: u32,
    /// The share of the body that the detail takes, in percent.
    detail_percent: Option<u16>,
    /// How times are shown.
    times: TimeMode,
    /// Whether long lines are wrapped.
    wrap: bool,
    /// Whether runs of deltas are unfolded.
    unfolded: bool,
    /// The theme, if it was chosen on the screen.
    theme: Option<String>,
    /// The order of each list, by the title of the screen and the name of the section.
    orders: BTreeMap<String, BTreeMap<String, SortOrder>>,
    /// The fields that are shown as columns.
    columns: Vec<String>,
    /// The filter.
    filter: Option<String>,
    /// Whether the filter is off.
    is_filter_off: bool,
    /// The filters that were applied, the newest last.
    filters: Vec<String>,
    /// The patterns that were searched for.
    searches: Vec<String>,
    /// The commands that were run.
    commands: Vec<String>,
    /// The marks, the newest last.
    pub marks: Vec<Bookmark>,
}

impl SavedState {
    /// Returns what is to be remembered of a session. `before` is what was remembered when it began,
    /// of which a session that shows more than the default keeps the typed lines and the notes.
    #[must_use]
    pub fn of(state: &State, before: &Self) -> Self {
        let config = &state.config;
        let is_kept =
            |line: &str| may_be_kept(line, &config.named) && !state.history.is_from_event(line);
        let lines = |typed: &[String], before: &[String]| {
            if reveals(config) {
                return before.to_vec();
            }
            let kept = typed.iter().filter(|line| is_kept(line)).cloned();
            newest(kept.collect(), MAX_LINES)
        };
        let filter = state.filter.as_ref().map(|filter| filter.source.clone());
        let columns = state.columns.as_ref().map_or(&[][..], |columns| columns.names());
        let known = known_fields();
        let mut marks = state.bookmarks.kept();
        if reveals(config) {
            for mark in &mut marks {
                let is_known = |other: &&Bookmark| other.is_same(mark);
                mark.note = before
                    .marks
                    .iter()
                    .find(is_known)
                    .map_or_else(String::new, |known| known.note.clone());
            }
        }
        Self {
            version: VERSION,
            detail_percent: Some(state.detail_percent),
            times: state.time_mode,
            wrap: state.wrap,
            unfolded: !state.fold,
            theme: (config.configured_theme == ThemeName::Auto)
                .then(|| config.theme.name.name().to_owned()),
            orders: orders(state),
            columns: columns
                .iter()
                .filter(|name| known.contains(&***name))
                .take(MAX_COLUMNS)
                .cloned()
                .collect(),
            filter: if reveals(config) {
                before.filter.clone()
            } else {
                filter.filter(|source| is_kept(source))
            },
            is_filter_off: !state.filter_enabled,
            filters: lines(&state.history.filters, &before.filters),
            searches: lines(&state.history.searches, &before.searches),
            commands: lines(&state.history.commands, &before.commands),
            marks: newest(marks, MAX_ABSENT),
        }
    }

    /// Adds the marks and the typed lines that another session has remembered meanwhile. `before` is
    /// what was remembered when this session began.
    pub fn merge(&mut self, other: &Self, before: &Self) {
        let new = |mark: &&Bookmark| {
            let is_same = |known: &Bookmark| known.is_same(mark);
            !before.marks.iter().any(is_same) && !self.marks.iter().any(is_same)
        };
        let mut marks: Vec<_> = other.marks.iter().filter(new).cloned().collect();
        marks.append(&mut self.marks);
        self.marks = newest(marks, MAX_ABSENT);
        for (own, theirs) in [
            (&mut self.filters, &other.filters),
            (&mut self.searches, &other.searches),
            (&mut self.commands, &other.commands),
        ] {
            let mut lines: Vec<_> =
                theirs.iter().filter(|line| !own.contains(line)).cloned().collect();
            lines.append(own);
            *own = newest(lines, MAX_LINES);
        }
    }

    /// Drops the oldest half of everything that grows. Returns whether there was anything to drop.
    pub fn halve(&mut self) -> bool {
        let lines = [&mut self.filters, &mut self.searches, &mut self.commands];
        let mut is_smaller = false;
        for lines in lines {
            is_smaller |= !lines.is_empty();
            lines.drain(..lines.len().div_ceil(2));
        }
        is_smaller |= !self.marks.is_empty();
        self.marks.drain(..self.marks.len().div_ceil(2));
        is_smaller
    }

    /// Gives a new screen what was remembered.
    pub fn restore(self, state: &mut State) {
        let named = state.config.named.clone();
        let is_kept = |line: &String| may_be_kept(line, &named);
        let lines =
            |lines: Vec<String>| newest(lines.into_iter().filter(is_kept).collect(), MAX_LINES);
        state.detail_percent = self.detail_percent.unwrap_or(state.detail_percent).clamp(20, 80);
        state.time_mode = self.times;
        state.wrap |= self.wrap;
        state.fold = !self.unfolded;
        let theme = self.theme.as_deref().and_then(ThemeName::find);
        if let Some(theme) =
            theme.filter(|theme| state.config.theme.names().any(|name| name == *theme))
            && state.config.configured_theme == ThemeName::Auto
        {
            state.config.theme.name = theme;
        }
        for (title, orders) in self.orders {
            let screen = Screen::ALL.iter().find(|screen| screen.title() == title);
            if let Some(screen) = screen {
                state.lists[screen.index()].orders = orders;
            }
        }
        let known = known_fields();
        let columns = self.columns.into_iter().filter(|name| known.contains(&**name));
        state.set_columns(columns.take(MAX_COLUMNS).collect());
        (state.history.filters, state.history.searches, state.history.commands) =
            (lines(self.filters), lines(self.searches), lines(self.commands));
        state.bookmarks.restore(self.marks);
        if let Some(source) = self.filter.filter(is_kept) {
            filtering::filter_by(state, &source);
            // The configuration may have changed, so that the filter is not valid any more.
            state.notice = None;
            state.filter_enabled = !self.is_filter_off;
            if state.applied_filter().is_some() {
                state.advise("the filter of the last session is on; {toggle_filter} turns it off");
            }
        }
    }
}

/// Returns whether a session shows more than the default, so that what is typed in it may be, too.
fn reveals(config: &ScreenConfig) -> bool {
    !config.revealed.is_empty()
        || matches!(config.policy.mode, Mode::Partial)
        || matches!(config.policy.scrub, ScrubMode::None)
}

fn orders(state: &State) -> BTreeMap<String, BTreeMap<String, SortOrder>> {
    let of = |screen: &Screen| {
        let orders = state.lists[screen.index()].orders.clone();
        (!orders.is_empty()).then(|| (screen.title().to_owned(), orders))
    };
    Screen::ALL.iter().filter_map(of).collect()
}

fn newest<T>(mut items: Vec<T>, limit: usize) -> Vec<T> {
    items.drain(..items.len().saturating_sub(limit));
    items
}
