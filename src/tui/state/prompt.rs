//! The data of the prompt, the line that is typed at the bottom of the screen.

use crate::error::Error;
use crate::tui::filter::FilterTask;
use crate::tui::line_editor::LineEditor;

/// The purpose of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A regular expression to search for.
    Search,
    /// A filter.
    Filter,
    /// A text that the rows of a list must contain.
    Rows,
    /// The name of a file to save to.
    Save,
    /// A command.
    Command,
}

/// An open prompt: the typed line and its interpretation so far.
pub struct Prompt {
    /// The purpose of the line.
    pub purpose: Purpose,
    /// The text that the prompt was opened with.
    pub initial: String,
    /// The line.
    pub line: LineEditor,
    /// The filter compiled from the line, which counts its matches while the line is typed.
    pub draft: Option<FilterTask>,
    /// The reason why the line is invalid.
    pub error: Option<Error>,
    /// The index of the line in the filter history; its length for a new line.
    pub history_place: usize,
    /// Whether the line contains a value of an event, which was not typed.
    pub is_from_event: bool,
    /// The completions of the word before the cursor.
    pub candidates: Vec<String>,
    /// The index of the inserted candidate, while Tab cycles through them.
    pub candidate: Option<usize>,
}

impl Prompt {
    /// Creates a prompt that contains `text`.
    #[must_use]
    pub fn new(purpose: Purpose, text: &str, history_place: usize) -> Self {
        Self {
            purpose,
            initial: text.to_owned(),
            line: LineEditor::new(text),
            draft: None,
            error: None,
            history_place,
            is_from_event: false,
            candidates: Vec::new(),
            candidate: None,
        }
    }
}
