//! The line that is typed at the bottom.

use crate::error::Error;
use crate::tui::filter::FilterTask;
use crate::tui::line_editor::LineEditor;

/// What a typed line is for.
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

/// A line that is being typed, and what is known about it so far.
pub struct Prompt {
    /// What the line is for.
    pub purpose: Purpose,
    /// The line.
    pub line: LineEditor,
    /// The filter that the line amounts to; it counts its matches while the line is typed.
    pub draft: Option<FilterTask>,
    /// Why the line cannot be used.
    pub error: Option<Error>,
    /// The place of the line in the history.
    pub history_place: usize,
    /// The completions of the word before the cursor.
    pub candidates: Vec<String>,
    /// The place of the candidate that is filled in, while Tab cycles through them.
    pub candidate: Option<usize>,
}

impl Prompt {
    /// Opens a line with that text in it.
    #[must_use]
    pub fn new(purpose: Purpose, text: &str, history_place: usize) -> Self {
        Self {
            purpose,
            line: LineEditor::new(text),
            draft: None,
            error: None,
            history_place,
            candidates: Vec::new(),
            candidate: None,
        }
    }
}
