//! Words that may come next, with their meanings.

use clap::Command;
use clap::builder::{PossibleValue, StyledStr};

/// A word that may come next, whole: with what was typed of it already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The word.
    pub text: String,
    /// What it means, in one line; may be empty.
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

/// The first line of a help text: a menu has room for no more.
pub fn help(text: Option<&StyledStr>) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}
