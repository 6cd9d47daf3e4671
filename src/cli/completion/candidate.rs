//! The words that completion offers, with their descriptions.

use clap::Command;
use clap::builder::{PossibleValue, StyledStr};

/// A word that can come next. It includes the part that was typed already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The whole word.
    pub text: String,
    /// A description of one line, which may be empty.
    pub help: String,
}

impl Candidate {
    pub fn new(text: impl Into<String>, help: impl Into<String>) -> Self {
        Self { text: text.into(), help: help.into() }
    }
}

pub fn command_word(command: &Command) -> Candidate {
    Candidate::new(command.get_name(), help(command.get_about()))
}

pub fn choice_word(value: &PossibleValue) -> Candidate {
    Candidate::new(value.get_name(), help(value.get_help()))
}

/// Returns the first line of a help text, because a completion menu has no room for more.
pub fn help(text: Option<&StyledStr>) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}
