//! The commands of the `:` prompt: a table for help and completion, and the parser.

use super::seek::SeekTime;
use super::style::ThemeName;
use crate::error::Error;
use crate::query::suggest;

/// The commands, each with a placeholder for its argument.
pub const COMMANDS: &[(&str, &str)] = &[
    ("at", "TIME"),
    ("call", "SID"),
    ("filter", "EXPR"),
    ("columns", "LIST"),
    ("save", "FILE"),
    ("save marks", "FILE"),
    ("mark", "NOTE"),
    ("marks", ""),
    ("theme", "NAME"),
    ("notify", "on|off"),
    ("quit", ""),
];

/// Returns all commands and their arguments on one line.
#[must_use]
pub fn summary() -> String {
    COMMANDS
        .iter()
        .map(|(name, argument)| format!("{name} {argument}").trim_end().to_owned())
        .collect::<Vec<_>>()
        .join(", ")
}

/// A parsed command.
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
    /// Saves the marked events.
    SaveMarks(String),
    /// Marks the selected event, with a note.
    Mark(String),
    /// Shows the marks.
    Marks,
    /// Sets the theme.
    Theme(ThemeName),
    /// Switches notifications on or off.
    Notify(bool),
}

/// Returns the placeholder of the argument that a command still lacks.
#[must_use]
pub fn missing_argument(text: &str) -> Option<&'static str> {
    let word = text.trim();
    let name = match word {
        "w" => "save",
        _ => word,
    };
    let is_required = matches!(name, "at" | "call" | "save" | "theme" | "notify");
    let command = COMMANDS.iter().find(|(known, _)| *known == name)?;
    Some(command.1).filter(|_| is_required)
}

/// Parses a command.
///
/// # Errors
/// Fails if the command is unknown, lacks its argument, or has an invalid time.
pub fn parse(text: &str) -> Result<PromptCommand, Error> {
    let (word, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let rest = rest.trim();
    if let Some(argument) = missing_argument(text) {
        let advice = format!("write it like {word} {argument}");
        return Err(Error::usage(
            "cannot run the command",
            format!("{word} lacks {argument}"),
            advice,
        ));
    }
    match word {
        "q" | "quit" => Ok(PromptCommand::Quit),
        "f" | "filter" => Ok(PromptCommand::Filter(rest.to_owned())),
        "columns" => Ok(PromptCommand::Columns(rest.to_owned())),
        "w" | "save" => Ok(match rest.strip_prefix("marks ") {
            Some(name) => PromptCommand::SaveMarks(name.trim().to_owned()),
            None => PromptCommand::Save(rest.to_owned()),
        }),
        "mark" => Ok(PromptCommand::Mark(rest.to_owned())),
        "marks" => Ok(PromptCommand::Marks),
        "at" => SeekTime::parse(rest).map(PromptCommand::At).ok_or_else(|| {
            Error::usage(
                "cannot go to that time",
                "invalid time",
                "use a time such as 09:30, 09:30:15, 2026-05-05T09:30:00Z, +5m or -30s",
            )
        }),
        "call" => Ok(PromptCommand::Call(rest.to_owned())),
        "theme" => theme(rest).map(PromptCommand::Theme),
        "notify" if matches!(rest, "on" | "off") => Ok(PromptCommand::Notify(rest == "on")),
        "notify" => Err(Error::usage(
            "cannot run the command",
            "notify is neither on nor off",
            "write notify on, or notify off",
        )),
        _ => Err(Error::usage(
            "cannot run the command",
            "no such command",
            format!("use one of: {}", summary()),
        )),
    }
}

fn theme(name: &str) -> Result<ThemeName, Error> {
    ThemeName::find(name).ok_or_else(|| {
        let names = ThemeName::ALL.map(ThemeName::name);
        let advice = match suggest::nearest(name, names.into_iter()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("use one of: {}", names.join(", ")),
        };
        Error::usage("cannot use this theme", "no such theme", advice)
    })
}
