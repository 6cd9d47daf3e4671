//! Errors of compiling and running programs.

use super::builtins::{self, UNAVAILABLE};
use super::parse::{ParsedProgram, locate, underline};
use crate::error::Error;
use crate::model::Kind;
use crate::query::suggest;

/// The reason why a program gave no value, or no further value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramError {
    /// The program failed on this value; a fixed text says why. The message of jq is not kept,
    /// because it can quote the value.
    Failed(&'static str),
    /// The program reached the limit of steps, stack or value size.
    BudgetExceeded,
}

/// Returns a fixed text for an error message of jaq, without what the message quotes.
pub(super) fn failure_reason(message: &str) -> &'static str {
    /// Start and end of jaq's message, and the text for it.
    const REASONS: &[(&str, &str, &str)] = &[
        ("cannot use ", " as string", "it needs a string where there is none"),
        ("cannot use ", " as number", "it needs a number where there is none"),
        ("cannot use ", "", "a value has the wrong type"),
        ("cannot index ", "", "a value cannot be indexed that way"),
        ("cannot calculate ", "", "values have the wrong types for the calculation"),
        ("cannot iterate ", "", "a value cannot be iterated over"),
        ("cannot parse ", "", "a string cannot be parsed"),
        ("invalid regex", "", "its regular expression is invalid"),
    ];
    // jaq shows a message that is a string as JSON, with its quotes.
    let message = message.trim_start_matches('"');
    let reason =
        REASONS.iter().find(|(start, end, _)| message.starts_with(start) && message.ends_with(end));
    reason.map_or("it ends in an error", |(_, _, reason)| reason)
}

/// Returns the error for a program that the compiler rejects without naming the reason.
pub(super) fn rejected(parsed: &ParsedProgram<'_>) -> Error {
    Error::usage(
        format!("cannot compile {}", parsed.option),
        "the compiler rejects it",
        "write it in another way",
    )
}

/// Returns the error for the use of an undefined filter or variable; `kind` says which it is.
pub(super) fn undefined(parsed: &ParsedProgram<'_>, name: &str, kind: &str) -> Error {
    let what = format!("cannot compile {}", parsed.option);
    let range = locate(parsed.source, name);
    let error = if UNAVAILABLE.contains(&name) {
        Error::usage(
            what,
            format!("`{name}` is not available"),
            "an expression sees one event and nothing else",
        )
    } else if kind != "variable"
        && let Some(advice) = forgotten(parsed.source, name, range.start)
    {
        Error::usage(what, format!("unknown {kind} `{name}`"), advice)
    } else {
        let names = builtins::names();
        let (why, advice) = match suggest::nearest(name, names.iter().map(String::as_str)) {
            _ if kind == "variable" => (
                format!("`{name}` has no value"),
                format!("give it with --arg {} VALUE", name.trim_start_matches('$')),
            ),
            Some(likely) if likely == name => (
                format!("`{name}` does not take that many arguments"),
                "see jq's manual for its arguments".to_owned(),
            ),
            Some(likely) => {
                (format!("unknown {kind} `{name}`"), format!("did you mean `{likely}`?"))
            }
            None => (format!("unknown {kind} `{name}`"), "see jq's manual for a list".to_owned()),
        };
        Error::usage(what, why, advice)
    };
    if range.is_empty() { error } else { error.with_detail(underline(parsed.source, &range)) }
}

/// Returns the advice for an unknown filter at `at` that is a field without its dot, or a text
/// without its quotes.
fn forgotten(source: &str, name: &str, at: usize) -> Option<String> {
    let (before, rest) = source.split_at_checked(at)?;
    let word =
        rest.split(|character: char| !character.is_alphanumeric() && !"._-".contains(character));
    let word = word.into_iter().next().unwrap_or(name);
    let is_compared = ["==", "!=", "<", ">", "<=", ">="]
        .iter()
        .any(|operator| before.trim_end().ends_with(operator));
    if is_compared || Kind::from_name(word).is_some() {
        return Some(format!("did you mean \"{word}\"? a text needs quotes"));
    }
    let is_field = |kind: &&Kind| kind.spec().fields.iter().any(|field| field.name == name);
    let is_field =
        matches!(name, "event_type" | "_tap") || Kind::ALL.iter().any(|kind| is_field(&kind));
    is_field.then(|| format!("did you mean .{word}? a field starts with a dot"))
}
