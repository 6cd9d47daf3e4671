//! The items of a transcript: utterances, tool calls and notes.

use jiff::Timestamp;

use crate::analysis::byte_budget::truncate;

/// The number of bytes of a text that are kept: some five minutes of speech.
const MAX_TEXT_BYTES: usize = 4096;

/// The remark on an utterance of which only the beginning is kept.
pub(super) const CUT: &str = "cut";

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    User,
    Agent,
    Operator,
}

impl Speaker {
    /// Returns the role that people know the speaker by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "caller",
            Self::Agent => "agent",
            Self::Operator => "operator",
        }
    }
}

/// The importance of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteLevel {
    /// An ordinary step of the call.
    Plain,
    /// A change of the agent's state.
    State,
    /// Something that needs attention.
    Warning,
}

/// One item of a transcript.
#[derive(Debug, Clone, PartialEq)]
pub enum TranscriptItem {
    /// Something that was said.
    Utterance {
        /// The speaker.
        speaker: Speaker,
        /// The words.
        text: String,
        /// Remarks on it, such as `interrupted`.
        marks: Vec<&'static str>,
        /// The number of deltas that make up the text, while more may follow.
        deltas: Option<usize>,
        /// The time of the last delta or of the complete text, if the text arrived in deltas.
        end: Option<Timestamp>,
    },
    /// A tool call.
    Tool {
        /// The id of the call.
        id: String,
        /// The id of the tool call that made this one.
        parent: Option<String>,
        /// The number of tool calls that contain this one.
        depth: usize,
        /// The name of the tool.
        name: String,
        /// The duration in milliseconds.
        duration: Option<f64>,
        /// Whether the call succeeded, once the tool has answered.
        succeeded: Option<bool>,
        /// The error message.
        error: Option<String>,
        /// The time of the answer.
        finished: Option<Timestamp>,
        /// The input as JSON, as the redacted event shows it.
        input: Option<String>,
        /// The output as JSON, as the redacted event shows it.
        output: Option<String>,
    },
    /// Any other step of the call.
    Note(NoteLevel, String),
}

impl TranscriptItem {
    /// Returns the approximate memory use, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let texts = match self {
            Self::Utterance { text, marks, .. } => text.len() + size_of_val(marks.as_slice()),
            Self::Tool { id, parent, name, error, input, output, .. } => {
                let texts = [parent, error, input, output].into_iter().flatten();
                id.len() + name.len() + texts.map(String::len).sum::<usize>()
            }
            Self::Note(_, text) => text.len(),
        };
        size_of::<(Timestamp, Self)>() + texts
    }

    /// Returns whether another event may change the item.
    pub(super) const fn is_open(&self) -> bool {
        match self {
            Self::Utterance { deltas, .. } => deltas.is_some(),
            Self::Tool { succeeded, .. } => succeeded.is_none(),
            Self::Note(..) => false,
        }
    }

    /// Cuts long texts.
    pub(super) fn cut(&mut self) {
        match self {
            Self::Utterance { text, marks, .. } => {
                if truncate(text, MAX_TEXT_BYTES) && !marks.contains(&CUT) {
                    marks.push(CUT);
                }
            }
            Self::Tool { id, parent, name, error, input, output, .. } => {
                let texts = [parent, error, input, output].into_iter().flatten();
                for text in texts.chain([id, name]) {
                    truncate(text, MAX_TEXT_BYTES);
                }
            }
            Self::Note(_, text) => {
                truncate(text, MAX_TEXT_BYTES);
            }
        }
    }
}
