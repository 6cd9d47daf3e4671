//! The state of the live screen. Drawing reads it; [`update`](mod@super::update) changes it.
//!
//! The state depends neither on the terminal nor on the panels. Fields that depend on how lines are
//! drawn, such as the first visible line, are maintained by [`selection`](super::selection).

pub mod connections;
pub mod modes;
pub mod moment;
pub mod prompt;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::attention_log::AttentionLog;
use super::bookmarks::{self, Bookmarks, EventId};
use super::buffer::EventBuffer;
use super::call_view::CallView;
use super::column_picker::ColumnPicker;
use super::config::ScreenConfig;
use super::filter::FilterTask;
use super::history::PromptHistory;
use super::list::{CALLS, ListState, RowId};
use super::past::Past;
use super::projection::{EventReceipt, Projection};
use super::replay_profile::ReplayProfile;
use super::row_index::RowIndex;
use super::rows::Rows;
use super::screen::Screen;
use super::search::{Listed, SearchQuery};
use super::snapshots::Snapshots;
use super::text::counted;
use super::workspace_names::WorkspaceNames;
use crate::analysis::call::Call;
use crate::output::columns::Columns;
use crate::output::stored_event::{StoredEvent, StoredEventReader};
use crate::transport::ConnectionEvent;
use connections::{ConnectionStatus, Connections};
use modes::{DetailPane, DragTarget, TimeMode, TrailStep};
use prompt::Prompt;

/// The maximum memory of the calls, in bytes. They take at most half as much as the events.
const MAX_CALL_BYTES: usize = 24 << 20;

/// The maximum memory of the snapshots, in bytes. They take at most a quarter as much as the events.
const MAX_SNAPSHOT_BYTES: usize = 16 << 20;

/// The maximum number of failures that are kept.
const MAX_FAILURES: usize = 8;

/// A side effect that the event loop performs on behalf of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Close the screen.
    Quit,
    /// Stop the process until it is continued.
    Suspend,
    /// Copy text to the clipboard.
    Copy(String),
    /// Save the listed events to a new file.
    Save(PathBuf),
    /// Save the marked events to a new file.
    SaveMarks(PathBuf),
    /// Ring the bell of the terminal, and let it show a text.
    Notify(String),
}

/// The state of the screen.
#[expect(clippy::struct_excessive_bools, reason = "each is toggled independently by a key")]
pub struct State {
    /// The configuration.
    pub config: ScreenConfig,
    /// The size of the terminal: columns and rows.
    pub size: (u16, u16),
    /// The current time.
    pub now: Timestamp,
    /// The buffered events.
    pub buffer: EventBuffer,
    /// The rows of all buffered events.
    index: RowIndex,
    /// The number of the first event that is not in `index`.
    indexed: u64,
    /// Whether runs of transcript deltas are folded into one row.
    pub fold: bool,
    /// The workspaces of which events arrived.
    pub workspaces: WorkspaceNames,
    /// The filter.
    pub filter: Option<FilterTask>,
    /// Whether the filter is applied.
    pub filter_enabled: bool,
    /// The filter that was replaced by one that keeps a single call.
    pub filter_before_call: Option<String>,
    /// The lines that were entered in the prompt.
    pub history: PromptHistory,
    /// The current screen.
    pub screen: Screen,
    /// The number of the selected event.
    pub selected: u64,
    /// The number of the event in the first visible row.
    pub top: u64,
    /// Whether the newest event is selected as it arrives.
    pub follow: bool,
    /// The detail of the selected event, while it is open.
    pub detail: Option<DetailPane>,
    /// The share of the body that the detail takes, in percent: 20 to 80.
    pub detail_percent: u16,
    /// The part of the screen that is being dragged.
    pub dragging: Option<DragTarget>,
    /// The text that the lines of the help must contain.
    pub help_filter: String,
    /// The prompt, while it is open.
    pub prompt: Option<Prompt>,
    /// The column picker, while it is open.
    pub column_picker: Option<ColumnPicker>,
    /// The first visible line of the help, while it is open.
    pub help: Option<usize>,
    /// What the user chose in the lists of each screen, indexed by [`Screen::index`].
    pub lists: [ListState; Screen::COUNT],
    /// The steps that led to the current screen, for going back.
    pub trail: Vec<TrailStep>,
    /// The numbers of the marked events.
    pub marks: BTreeSet<u64>,
    /// The marks of all sessions, with their notes.
    pub bookmarks: Bookmarks,
    /// The index of the mark at the cursor, while the list of marks is open.
    pub mark_list: Option<usize>,
    /// The text that the listed marks must contain.
    pub mark_filter: String,
    /// How times are shown.
    pub time_mode: TimeMode,
    /// The fields that are shown as columns; `None` shows all fields.
    pub columns: Option<Columns>,
    /// Whether long lines are wrapped.
    pub wrap: bool,
    /// The failures that ended a source or the run, the first one first.
    pub failures: Vec<String>,
    /// A message to the user, and when it was posted.
    pub notice: Option<(String, Timestamp)>,
    /// The search, once a pattern was entered.
    pub search: Option<SearchQuery>,
    /// The connections.
    pub connections: Connections,
    /// Whether what newly needs attention is notified.
    pub notifies: bool,
    /// What a replay has read, by the place in the recordings.
    pub profile: ReplayProfile,
    /// What the events add up to, all of them.
    pub present: Projection,
    /// How what needs attention came about.
    attention_log: AttentionLog,
    /// The present as it was earlier.
    snapshots: Snapshots,
    /// The moment that is looked at, unless it is the present.
    past: Option<Past>,
    /// The moment that will be looked at as soon as it is complete.
    next_past: Option<Past>,
    /// The SID of the selected call.
    pub selected_call: Option<String>,
    /// What the user chose in the view of the selected call.
    pub call_view: CallView,
    /// The effects that the event loop has yet to perform.
    pub effects: Vec<Effect>,
    /// Whether anything changed since the last frame.
    pub changed: bool,
    /// The reader of stored events, kept to reuse its tables.
    pub reader: StoredEventReader,
}

impl State {
    /// Creates the state of a screen of that size, without events.
    #[must_use]
    pub fn new(config: ScreenConfig, size: (u16, u16), now: Timestamp) -> Self {
        let call_bytes = config.limits.bytes / 2;
        let present = Projection::new(call_bytes.min(MAX_CALL_BYTES));
        let snapshot_bytes = (config.limits.bytes / 4).min(MAX_SNAPSHOT_BYTES);
        Self {
            buffer: EventBuffer::new(config.limits),
            wrap: config.wrap,
            notifies: config.notifies,
            screen: config.first_screen,
            config,
            size,
            now,
            index: RowIndex::default(),
            indexed: 0,
            fold: true,
            workspaces: WorkspaceNames::default(),
            filter: None,
            filter_enabled: true,
            filter_before_call: None,
            history: PromptHistory::default(),
            selected: 0,
            top: 0,
            follow: true,
            detail: None,
            detail_percent: 50,
            dragging: None,
            help_filter: String::new(),
            prompt: None,
            column_picker: None,
            help: None,
            lists: Default::default(),
            trail: Vec::new(),
            marks: BTreeSet::new(),
            bookmarks: Bookmarks::default(),
            mark_list: None,
            mark_filter: String::new(),
            time_mode: TimeMode::Local,
            columns: None,
            failures: Vec::new(),
            notice: None,
            search: None,
            connections: Connections::default(),
            profile: ReplayProfile::default(),
            attention_log: AttentionLog::default(),
            snapshots: Snapshots::new(snapshot_bytes, &present),
            present,
            past: None,
            next_past: None,
            selected_call: None,
            call_view: CallView::default(),
            effects: Vec::new(),
            changed: true,
            reader: StoredEventReader::default(),
        }
    }

    /// Returns the time that ages are measured against: the moment that is looked at, in a replay
    /// the time of the last event, or else the current time.
    #[must_use]
    pub fn reference_time(&self) -> Timestamp {
        self.moment().unwrap_or_else(|| self.present_time())
    }

    /// Returns the time that counts as the present: in a replay that of the last event.
    #[must_use]
    pub fn present_time(&self) -> Timestamp {
        self.present.last_event_time.filter(|_| self.config.pace.is_some()).unwrap_or(self.now)
    }

    /// Returns the filter, if it is applied.
    #[must_use]
    pub fn applied_filter(&self) -> Option<&FilterTask> {
        self.filter.as_ref().filter(|_| self.filter_enabled)
    }

    /// Returns the rows of the listed events.
    #[must_use]
    pub fn rows(&self) -> Rows<'_> {
        if !self.fold {
            return self.events();
        }
        let index = self.applied_filter().map_or(&self.index, FilterTask::index);
        Rows::folded(index, self.buffer.first(), self.buffer.end())
    }

    /// Returns the listed events, each by itself.
    #[must_use]
    pub fn events(&self) -> Rows<'_> {
        let kept = self.applied_filter().map(FilterTask::numbers);
        Rows::new(kept, self.buffer.first(), self.buffer.end())
    }

    /// Returns the rows that are searched.
    #[must_use]
    pub fn listed(&self) -> Listed<'_> {
        let filter = self.applied_filter();
        Listed {
            rows: self.rows(),
            tested: filter.map_or(self.buffer.end(), FilterTask::tested),
            filter: filter.map_or("", |filter| &filter.source),
            is_folded: self.fold,
        }
    }

    /// Returns the selected event. While its detail is open, it is kept even if the buffer has
    /// dropped it.
    #[must_use]
    pub fn selected_event(&self) -> Option<&StoredEvent> {
        if self.rows().is_empty() {
            return None;
        }
        let opened = self.detail.as_ref().and_then(|detail| detail.event.as_ref());
        let opened = opened.filter(|(number, _)| *number == self.selected).map(|(_, event)| event);
        self.buffer.get(self.selected).or(opened)
    }

    /// Pauses the list of events. What is seen, selected or marked stays until it is resumed.
    pub fn pause(&mut self) {
        let marked = self.marks.first().copied().unwrap_or(u64::MAX);
        self.buffer.pause(self.top.min(self.selected).min(marked));
        self.follow = false;
    }

    /// Resumes the list of events and follows the newest one. Returns whether it was paused.
    pub fn resume(&mut self) -> bool {
        if !self.buffer.is_paused() {
            return false;
        }
        let (dropped, arrived) = (self.buffer.resume(), self.indexed);
        self.update_index();
        // Events have a number only now.
        for number in arrived..self.indexed {
            let stored = self.buffer.get(number);
            let bookmarks = &self.bookmarks;
            let id =
                stored.and_then(|stored| self.reader.read(stored, |event| bookmarks.awaits(event)));
            self.restore_mark(number, id);
        }
        self.follow = self.detail.is_none();
        if dropped > 0 {
            let text = counted(dropped, "event");
            self.notify(format!("{text} of the pause not kept; --buffer keeps more"));
        }
        true
    }

    /// Adds the new events of the buffer to the rows, and removes those that it has dropped.
    fn update_index(&mut self) {
        let Self { buffer, index, indexed, .. } = self;
        index.drop_before(buffer.first(), |number| Some(number + 1));
        *indexed = (*indexed).max(buffer.first());
        while let Some(stored) = buffer.get(*indexed) {
            index.push(*indexed, stored);
            *indexed += 1;
        }
    }

    /// Adds the message of a failure that ended a source or the run.
    pub fn add_failure(&mut self, text: String) {
        if self.failures.len() < MAX_FAILURES && !self.failures.contains(&text) {
            self.failures.push(text);
        }
        self.changed = true;
    }

    /// Sets a mark with a note on the selected event.
    pub fn mark(&mut self, note: &str) {
        if self.selected_event().is_none() || self.buffer.get(self.selected).is_none() {
            return self.notify("there is no event to mark");
        }
        self.marks.insert(self.selected);
        self.bookmarks.set(self.selected, bookmarks::note(note), &self.buffer);
        self.changed = true;
    }

    /// Marks an event that has arrived, if an earlier session marked it.
    fn restore_mark(&mut self, number: u64, id: Option<EventId>) {
        if id.is_some_and(|id| self.bookmarks.arrived(number, &id)) {
            self.marks.insert(number);
        }
    }

    /// Removes the mark of an event.
    pub fn remove_mark(&mut self, number: u64) {
        self.marks.remove(&number);
        self.bookmarks.remove(number);
        self.changed = true;
    }

    /// Returns the marked events as lines of NDJSON.
    #[must_use]
    pub fn marked_lines(&self) -> Vec<Arc<str>> {
        let stored = self.marks.iter().filter_map(|number| self.buffer.get(*number));
        stored.map(|stored| Arc::clone(&stored.line)).collect()
    }

    /// Returns the listed events as lines of NDJSON.
    #[must_use]
    pub fn listed_lines(&self) -> Vec<Arc<str>> {
        let rows = self.events();
        let stored = (0..rows.len()).filter_map(|place| self.buffer.get(rows.get(place)?));
        stored.map(|stored| Arc::clone(&stored.line)).collect()
    }

    /// Selects the call with that SID.
    pub fn show_call(&mut self, sid: Option<String>) {
        if sid != self.selected_call {
            self.call_view.reset();
        }
        let row = sid.clone().map(|id| RowId { section: CALLS, id });
        self.lists[Screen::Calls.index()].selected = row;
        self.selected_call = sid;
    }

    /// Shows a screen that was chosen directly, so that there is no way back to where the user was.
    pub fn switch_to(&mut self, screen: Screen) {
        self.screen = screen;
        self.trail.clear();
    }

    /// Returns the selected call and its SID. Another call never takes its place: the first call
    /// counts as selected only while none was chosen.
    #[must_use]
    pub fn current_call(&self) -> Option<(&str, &Call)> {
        match &self.selected_call {
            Some(sid) => Some((sid, self.present.calls.get(sid)?)),
            None => self.present.calls.sorted().first().copied(),
        }
    }

    /// Returns the time under the cursor in the selected call, which other screens can follow.
    /// Returns `None` while the newest item of the call is followed.
    #[must_use]
    pub fn cursor_time(&self) -> Option<Timestamp> {
        self.call_view.cursor.map(|cursor| cursor.time)
    }

    /// Adds an event to the buffer and to all statistics.
    pub fn add_event(&mut self, stored: StoredEvent) {
        let Self { config, reader, present, workspaces, profile, bookmarks, now, .. } = self;
        let mut id = None;
        if let Some(place) = config.pace.as_ref().and_then(|pace| pace.share_of(stored.place)) {
            profile.add(place, &stored);
        }
        let mut receipt = EventReceipt { arrived: now.as_second(), ..EventReceipt::default() };
        reader.read(&stored, |event| {
            present.observe(&stored, event, &mut receipt, config.pace.is_some());
            id = bookmarks.awaits(event);
            if let Some(id) = &event.tap().workspace_id {
                workspaces.add(id);
            }
        });
        self.snapshots.take_if_due(&self.present);
        self.buffer.push(stored, receipt);
        if !self.buffer.is_paused() {
            self.restore_mark(self.buffer.end() - 1, id);
        }
        self.update_index();
        let first = self.buffer.first();
        self.bookmarks.drop_before(first);
        while self.marks.first().is_some_and(|mark| *mark < first) {
            self.marks.pop_first();
        }
        if self.connections.status == ConnectionStatus::Waiting {
            self.connections.status = ConnectionStatus::Live;
        }
        self.changed = true;
    }

    /// Records that a connection changed.
    pub fn set_connection(&mut self, event: &ConnectionEvent) {
        self.connections.apply(event);
        self.changed = true;
    }

    /// Shows only these fields, as columns, or all fields if `names` is empty.
    pub fn set_columns(&mut self, names: Vec<String>) {
        self.columns = (!names.is_empty()).then(|| Columns::new(names));
    }

    /// Shows a message to the user for a few seconds.
    pub fn notify(&mut self, text: impl Into<String>) {
        self.notice = Some((text.into(), self.now));
        self.changed = true;
    }

    /// Shows a message in which `{name}` stands for the key of that action.
    pub fn advise(&mut self, text: &str) {
        self.notify(self.config.keys.expand(text));
    }

    /// Returns whether something that is shown or is to be notified depends on the current time. In a
    /// replay, ages are measured against the last event.
    #[must_use]
    pub fn follows_clock(&self) -> bool {
        let is_complete = self.config.pace.is_some() && self.connections.is_ended();
        !is_complete || self.notice.is_some() || self.attention_log.has_news()
    }

    /// Returns whether a filter, a search or a moment is unfinished.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let is_unfinished =
            |task: Option<&FilterTask>| task.is_some_and(|task| !task.is_finished(&self.buffer));
        is_unfinished(self.filter.as_ref())
            || is_unfinished(self.prompt.as_ref().and_then(|prompt| prompt.draft.as_ref()))
            || self.next_past.is_some()
            || self.search.as_ref().is_some_and(|search| {
                search.pending.is_some() || !search.is_finished(self.listed().tested)
            })
    }
}
