//! All that the screen knows. [`update`](mod@super::update) changes it; the views look at it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use jaq_json::Val;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::buffer::{BufferLimits, EventBuffer};
use super::column_picker::ColumnPicker;
use super::edit::LineEditor;
use super::filter::{FilterTask, TimeSlice};
use super::live_stats::LiveStats;
use super::rows::Rows;
use super::search::SearchQuery;
use super::style::Theme;
use super::view;
use super::workspace_state::WorkspaceState;
use crate::analysis::call::CallTracker;
use crate::error::Error;
use crate::model::Origin;
use crate::output::columns::Columns;
use crate::output::stored_event::{StoredEvent, StoredEventReader};
use crate::pipeline::pacing::Pace;
use crate::redact::Policy;
use crate::transport::{ConnectionEvent, ConnectionState};

/// What stays as it is while the screen is open.
pub struct ScreenConfig {
    /// What is looked at, such as the workspace.
    pub title: String,
    /// The names that were given to `--reveal`.
    pub revealed: Vec<String>,
    /// What is hidden, for the checker of filters.
    pub policy: Policy,
    /// The variables of `--arg` and `--argjson`.
    pub variables: Vec<(String, Val)>,
    /// The filters that have names, from the configuration.
    pub named: BTreeMap<String, String>,
    /// How much is kept.
    pub limits: BufferLimits,
    /// How things look.
    pub theme: Theme,
    /// Where local time is told.
    pub zone: TimeZone,
    /// Whether long lines are wrapped to begin with.
    pub wrap: bool,
    /// How fast a recording is replayed.
    pub pace: Option<Arc<Pace>>,
}

/// How the connection is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionStatus {
    /// Nothing is known yet.
    Waiting,
    /// It stands.
    Live,
    /// It is being had again.
    Reconnecting(String),
    /// Nothing more comes.
    Ended,
}

/// How the time of an event is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeMode {
    Local,
    Utc,
    Age,
    Delta,
    None,
}

/// What a line is typed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A regular expression to search for.
    Search,
    /// A filter.
    Filter,
    /// The name of a file to save to.
    Save,
    /// A command.
    Command,
}

/// A line that is being typed.
pub struct Prompt {
    /// What for.
    pub purpose: Purpose,
    /// The line.
    pub line: LineEditor,
    /// The filter that it makes, counting already.
    pub draft: Option<FilterTask>,
    /// What is wrong with it.
    pub error: Option<Error>,
    /// Which line of the history it is.
    pub recalled: usize,
    /// What the word before the cursor may become.
    pub candidates: Vec<String>,
    /// Which of them it has become, while Tab goes through them.
    pub tried: Option<usize>,
}

/// What of a call is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Panel {
    /// As much as there is room for.
    #[default]
    All,
    /// What is said and done.
    Conversation,
    /// How the caller sounds.
    Emotion,
    /// Where the time goes.
    Latency,
}

impl Panel {
    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::All => Self::Conversation,
            Self::Conversation => Self::Emotion,
            Self::Emotion => Self::Latency,
            Self::Latency => Self::All,
        }
    }
}

/// What can be dragged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handle {
    /// The edge of the detail.
    Edge,
    /// The place in a replay.
    Position,
}

/// The open detail.
#[derive(Debug, Clone, Default)]
pub struct DetailPane {
    /// Whether the keys are for it, not for the list.
    pub focused: bool,
    /// The line that the cursor is on.
    pub cursor: usize,
    /// The values that are folded, by their paths.
    pub folded: BTreeSet<String>,
}

/// What the loop does for the state, since the state touches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The end.
    Quit,
    /// The process stops until it is told to go on.
    Suspend,
    /// Into the clipboard.
    Copy(String),
    /// What is listed, into a new file.
    Save(PathBuf),
}

/// The state of the screen.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own that a key turns")]
pub struct State {
    /// What stays as it is.
    pub setup: ScreenConfig,
    /// The size of the terminal: columns, rows.
    pub size: (u16, u16),
    /// What time it is.
    pub now: Timestamp,
    /// The time of the last event.
    pub latest: Option<Timestamp>,
    /// The events at hand.
    pub buffer: EventBuffer,
    /// The filter.
    pub filter: Option<FilterTask>,
    /// Whether it is on.
    pub filtering: bool,
    /// The filter that was there before the one that keeps one call.
    pub before_only: Option<String>,
    /// The filters that were used, the newest last.
    pub history: Vec<String>,
    /// Which screen is shown.
    pub screen: usize,
    /// The number of the selected event.
    pub selected: u64,
    /// The number of the event in the first line.
    pub top: u64,
    /// Whether the newest event is selected as it comes.
    pub follow: bool,
    /// Before which event the list ends while it is paused.
    pub paused: Option<u64>,
    /// The detail, where it is open.
    pub detail: Option<DetailPane>,
    /// How much of the screen the detail has, in percent.
    pub share: u16,
    /// What is being dragged.
    pub dragging: Option<Handle>,
    /// The line that is being typed.
    pub prompt: Option<Prompt>,
    /// The list that columns are chosen from, where it is open.
    pub ticks: Option<ColumnPicker>,
    /// How far the help is scrolled, where it is open.
    pub help: Option<usize>,
    /// How far each screen is scrolled, or which of its lines is selected.
    pub places: [usize; 5],
    /// The numbers of the marked events.
    pub marks: BTreeSet<u64>,
    /// How time is told.
    pub time: TimeMode,
    /// The fields that are listed, if not all.
    pub columns: Option<Columns>,
    /// Whether long lines are wrapped.
    pub wrap: bool,
    /// What there is to tell, and since when.
    pub notice: Option<(String, Timestamp)>,
    /// What is searched for.
    pub search: Option<SearchQuery>,
    /// How the connections are doing, taken together.
    pub link: ConnectionStatus,
    /// How each of them is doing that is not over.
    pub links: Vec<(Arc<Origin>, ConnectionStatus)>,
    /// What was counted.
    pub numbers: LiveStats,
    /// The calls.
    pub calls: CallTracker,
    /// The SID of the call that is selected among them.
    pub call: Option<String>,
    /// What of it is shown.
    pub panel: Panel,
    /// Operators, surfaces, triggers, pipelines, reviews.
    pub workspace: WorkspaceState,
    /// What the loop has to do.
    pub effects: Vec<Effect>,
    /// Whether there is something new to draw.
    pub changed: bool,
    pub(super) reader: StoredEventReader,
}

impl State {
    /// An empty screen of that size.
    #[must_use]
    pub fn new(setup: ScreenConfig, size: (u16, u16), now: Timestamp) -> Self {
        Self {
            buffer: EventBuffer::new(setup.limits),
            wrap: setup.wrap,
            setup,
            size,
            now,
            latest: None,
            filter: None,
            filtering: true,
            before_only: None,
            history: Vec::new(),
            screen: 0,
            selected: 0,
            top: 0,
            follow: true,
            paused: None,
            detail: None,
            share: 50,
            dragging: None,
            prompt: None,
            ticks: None,
            help: None,
            places: [0; 5],
            marks: BTreeSet::new(),
            time: TimeMode::Local,
            columns: None,
            notice: None,
            search: None,
            link: ConnectionStatus::Waiting,
            links: Vec::new(),
            numbers: LiveStats::default(),
            calls: CallTracker::default(),
            call: None,
            panel: Panel::All,
            workspace: WorkspaceState::default(),
            effects: Vec::new(),
            changed: true,
            reader: StoredEventReader::default(),
        }
    }

    /// What time it is for what is shown: in a recording, that of the last event.
    #[must_use]
    pub fn moment(&self) -> Timestamp {
        self.latest.filter(|_| self.setup.pace.is_some()).unwrap_or(self.now)
    }

    /// The events that are listed.
    #[must_use]
    pub fn rows(&self) -> Rows<'_> {
        let kept = self.filter.as_ref().filter(|_| self.filtering).map(FilterTask::numbers);
        Rows::new(kept, self.buffer.first(), self.paused.unwrap_or(u64::MAX).min(self.buffer.end()))
    }

    /// The selected event.
    #[must_use]
    pub fn chosen(&self) -> Option<&StoredEvent> {
        if self.rows().is_empty() { None } else { self.buffer.get(self.selected) }
    }

    /// Takes an event.
    pub fn take(&mut self, stored: StoredEvent) {
        let Self { reader, numbers, calls, workspace, now, .. } = self;
        reader.read(&stored, |shown| {
            numbers.observe(&stored, shown, *now);
            calls.observe(&stored, shown, *now);
            workspace.observe(&stored, shown, *now);
        });
        self.latest = stored.time.or(self.latest);
        self.buffer.push(stored);
        let first = self.buffer.first();
        while self.marks.first().is_some_and(|mark| *mark < first) {
            self.marks.pop_first();
        }
        if self.link == ConnectionStatus::Waiting {
            self.link = ConnectionStatus::Live;
        }
        self.changed = true;
    }

    /// Takes news of a connection. One that is lost is told before those that stand; the last one that is over ends it all.
    pub fn hear(&mut self, news: &ConnectionEvent) {
        let link = match &news.state {
            ConnectionState::Connected => ConnectionStatus::Live,
            ConnectionState::Reconnecting { delay, attempt, why } => {
                ConnectionStatus::Reconnecting(format!(
                    "{why}; again in {:.1} s (attempt {attempt})",
                    delay.as_secs_f64()
                ))
            }
            ConnectionState::Ended { .. } => ConnectionStatus::Ended,
        };
        self.links.retain(|(origin, _)| *origin != news.origin);
        if link != ConnectionStatus::Ended {
            self.links.push((Arc::clone(&news.origin), link));
        }
        let lost = self.links.iter().find(|(_, link)| *link != ConnectionStatus::Live);
        self.link =
            lost.or(self.links.first()).map_or(ConnectionStatus::Ended, |(_, link)| link.clone());
        self.changed = true;
    }

    /// The lines that are listed.
    #[must_use]
    pub fn listed(&self) -> Vec<Arc<str>> {
        let rows = self.rows();
        let stored = (0..rows.len()).filter_map(|place| self.buffer.get(rows.get(place)?));
        stored.map(|stored| Arc::clone(&stored.line)).collect()
    }

    /// Lists these fields alone, or all where there is none.
    pub fn list(&mut self, names: Vec<String>) {
        self.columns = (!names.is_empty()).then(|| Columns::new(names));
    }

    /// Tells the reader something.
    pub fn tell(&mut self, text: impl Into<String>) {
        self.notice = Some((text.into(), self.now));
        self.changed = true;
    }

    /// Whether there is work that [`work`](Self::work) would go on with.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let waits = |matching: Option<&FilterTask>| {
            matching.is_some_and(|matching| !matching.is_through(&self.buffer))
        };
        waits(self.filter.as_ref())
            || waits(self.prompt.as_ref().and_then(|prompt| prompt.draft.as_ref()))
            || self.search.as_ref().is_some_and(|search| search.hunt.is_some())
    }

    /// Goes on with filtering and searching until it is done or the slice is used up.
    pub fn work(&mut self, mut slice: TimeSlice) {
        if !self.is_busy() {
            return;
        }
        self.changed = true;
        let Self { filter, prompt, buffer, reader, .. } = self;
        if let Some(prompt) = prompt
            && let Some(Err(error)) =
                prompt.draft.as_mut().map(|draft| draft.go_on(buffer, reader, &mut slice))
        {
            (prompt.draft, prompt.error) = (None, Some(error));
        }
        if let Some(Err(error)) =
            filter.as_mut().map(|filter| filter.go_on(buffer, reader, &mut slice))
        {
            self.filter = None;
            self.tell(error.to_string());
        }
        self.go_on_searching(&mut slice);
        self.settle();
    }

    /// Selects the event of that number, or the one that stands nearest.
    pub fn select(&mut self, number: u64) {
        let rows = self.rows();
        let place = rows.place(number);
        let is_last = place + 1 >= rows.len();
        if let Some(number) = rows.get(place) {
            self.selected = number;
        }
        self.follow = is_last && self.paused.is_none();
        if let Some(detail) = &mut self.detail {
            detail.cursor = 0;
        }
        self.settle();
    }

    /// Sees to it that the selection and the first line are among what is listed.
    pub fn settle(&mut self) {
        let rows = self.rows();
        let (Some(last), Some(first)) = (rows.last(), rows.get(0)) else { return };
        let selected =
            if self.follow { last } else { rows.get(rows.place(self.selected)).unwrap_or(first) };
        let height = usize::from(view::areas(self).list.height).max(1);
        let place = rows.place(selected);
        let mut top = rows.place(self.top).min(place);
        // The lines from the first to the selected one, at most as many as there is room for.
        let (mut taken, mut lowest) = (0, place);
        for place in (0..=place).rev() {
            taken += rows.get(place).map_or(1, |number| view::stream::height(self, number));
            if taken > height {
                break;
            }
            lowest = place;
        }
        top = top.max(lowest);
        if !self.wrap {
            top = top.min(rows.len().saturating_sub(height));
        }
        let top = rows.get(top).unwrap_or(first);
        (self.selected, self.top) = (selected, top);
    }
}
