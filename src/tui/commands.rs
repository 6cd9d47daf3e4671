//! The commands that are typed after `:`, as a table and as a parser.

use super::seek::SeekTime;
use crate::error::Error;

/// The commands, each with its argument.
pub const COMMANDS: &[(&str, &str)] = &[
    ("at", "TIME"),
    ("call", "SID"),
    ("filter", "EXPR"),
    ("columns", "LIST"),
    ("save", "FILE"),
    ("quit", ""),
];

/// Returns all commands in one line.
#[must_use]
pub fn summary() -> String {
    COMMANDS
        .iter()
        .map(|(name, argument)| format!("{name} {argument}").trim_end().to_owned())
        .collect::<Vec<_>>()
        .join(", ")
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptCommand {
    /// Closes the screen.
    Quit,
    /// Goes to a time.
    At(SeekTime),
    /// Shows a call.
    Call(String),
    /// Sets the filter.
    Filter(String),
    /// Sets the columns.
    Columns(String),
    /// Saves the listed events.
    Save(String),
}

/// Reads a command.
pub fn parse(text: &str) -> Result<PromptCommand, Error> {
    let (word, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let rest = rest.trim();
    match word {
        "q" | "quit" => Ok(PromptCommand::Quit),
        "f" | "filter" => Ok(PromptCommand::Filter(rest.to_owned())),
        "columns" => Ok(PromptCommand::Columns(rest.to_owned())),
        "w" | "save" if !rest.is_empty() => Ok(PromptCommand::Save(rest.to_owned())),
        "at" => SeekTime::parse(rest).map(PromptCommand::At).ok_or_else(|| {
            Error::usage(
                "cannot go there",
                "this is no time",
                "write it like 09:30, 09:30:15, 2026-05-05T09:30:00Z, +5m or -30s",
            )
        }),
        "call" if !rest.is_empty() => Ok(PromptCommand::Call(rest.to_owned())),
        _ => Err(Error::usage(
            "cannot do that",
            "there is no such command",
            format!("there are: {}", summary()),
        )),
    }
}
