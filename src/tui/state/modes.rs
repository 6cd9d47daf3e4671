//! Display modes that the user chooses: times, the detail of an event.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::output::stored_event::StoredEvent;
use crate::tui::screen::Screen;
use crate::tui::search::SearchQuery;

/// How the times of events are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeMode {
    #[default]
    Local,
    Utc,
    Age,
    Delta,
    None,
}

impl TimeMode {
    /// Returns the next mode, wrapping around.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Local => Self::Utc,
            Self::Utc => Self::Age,
            Self::Age => Self::Delta,
            Self::Delta => Self::None,
            Self::None => Self::Local,
        }
    }
}

/// The target of a drag with the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DragTarget {
    /// Something in the panel of that screen.
    Panel(Screen),
    /// The position in a replay.
    Position,
}

/// Where the user was before something was opened.
pub struct TrailStep {
    /// The screen.
    pub screen: Screen,
    /// The filter as it was typed.
    pub filter: Option<String>,
    /// Whether the filter was applied.
    pub is_filter_enabled: bool,
    /// The number of the selected event.
    pub selected: u64,
    /// Whether the newest event was followed.
    pub follow: bool,
    /// The search.
    pub search: Option<SearchQuery>,
    /// Whether a single event was opened, from whose detail Esc goes back.
    pub is_to_event: bool,
}

/// The open detail of an event.
#[derive(Debug, Clone, Default)]
pub struct DetailPane {
    /// Whether the keys act on the detail rather than on the list.
    pub focused: bool,
    /// The number of the event that is shown, and the event.
    pub event: Option<(u64, StoredEvent)>,
    /// The index of the line under the cursor.
    pub cursor: usize,
    /// The jq paths of the folded values.
    pub folded: BTreeSet<String>,
}
