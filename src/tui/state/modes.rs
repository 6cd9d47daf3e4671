//! What the reader has chosen to see: times, parts of a call, the detail of an event.

use std::collections::BTreeSet;

use crate::tui::screen::Screen;

/// How the times of events are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeMode {
    Local,
    Utc,
    Age,
    Delta,
    None,
}

impl TimeMode {
    /// Returns the next mode; the first one follows the last.
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

/// The parts of a call that are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CallPart {
    /// As many as there is room for.
    #[default]
    All,
    /// What is said and done.
    Conversation,
    /// How the caller sounds.
    Emotion,
    /// Where the time goes.
    Latency,
}

impl CallPart {
    /// Returns the next part; the first one follows the last.
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

/// What the mouse drags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DragTarget {
    /// Something in the panel of that screen.
    Panel(Screen),
    /// The position in a replay.
    Position,
}

/// The open detail of an event.
#[derive(Debug, Clone, Default)]
pub struct DetailPane {
    /// Whether the keys act on the detail rather than on the list.
    pub focused: bool,
    /// The line that the cursor is on.
    pub cursor: usize,
    /// The paths of the values that are folded.
    pub folded: BTreeSet<String>,
}
