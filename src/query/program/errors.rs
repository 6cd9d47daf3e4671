//! Errors of compiling and running programs.

use super::builtins::{self, UNAVAILABLE};
use super::parse::{ParsedProgram, locate, underline};
use crate::error::Error;
use crate::model::Kind;
use crate::query::suggest;
use crate::query::value::JqValue;

/// The reason why a program gave no value, or no further value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramError {
    /// The program failed on this value; a fixed text says why. The message of jq is not kept,
    /// because it can quote the value.
    Failed(&'static str),
    /// The program reached the limit of steps, memory or stack.
    BudgetExceeded,
}

impl ProgramError {
    /// Returns a fixed text that says why.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Failed(reason) => reason,
            Self::BudgetExceeded => "it needs too many steps or too much memory for one event",
        }
    }
}

/// Returns a fixed text for the value of an error, without what a message quotes.
pub(super) fn failure_reason(error: &JqValue) -> &'static str {
    /// Start and end of jq's message, and the text for it.
    const REASONS: &[(&str, &str, &str)] = &[
        ("", "is not a string", NEEDS_STRING),
        ("", "string inputs", NEEDS_STRING),
        ("", "must be strings", NEEDS_STRING),
        ("", "must be a string", NEEDS_STRING),
        ("", "only strings can be parsed", NEEDS_STRING),
        ("", "not a string or array", NEEDS_STRING),
        ("cannot use ", " as string", NEEDS_STRING),
        ("cannot use ", " as number", NEEDS_NUMBER),
        ("", "number required", NEEDS_NUMBER),
        ("", "because the divisor is zero", "it divides by zero"),
        ("", "cannot be added", WRONG_OPERANDS),
        ("", "cannot be subtracted", WRONG_OPERANDS),
        ("", "cannot be multiplied", WRONG_OPERANDS),
        ("", "cannot be divided", WRONG_OPERANDS),
        ("", "cannot be divided (remainder)", WRONG_OPERANDS),
        ("", "cannot be negated", WRONG_OPERANDS),
        ("Cannot index ", "", "a value cannot be indexed that way"),
        ("Cannot iterate over ", "", "a value cannot be iterated over"),
        ("Cannot use ", " as object key", "the key of an object is not a string"),
        ("", "cannot be parsed as a number", "a string cannot be parsed"),
        ("", "cannot be parsed as a boolean", "a string cannot be parsed"),
        ("Regex failure", "", "its regular expression is invalid"),
        ("", "is not a valid modifier string", "a flag of its regular expression is unknown"),
        ("cannot use ", "", WRONG_TYPE),
        ("Cannot ", "", WRONG_TYPE),
        ("", "as it is not an array", WRONG_TYPE),
        ("", "has no keys", WRONG_TYPE),
        ("", "has no length", WRONG_TYPE),
        ("", "cannot have their containment checked", WRONG_TYPE),
    ];
    const NEEDS_STRING: &str = "it needs a string where there is none";
    const NEEDS_NUMBER: &str = "it needs a number where there is none";
    const WRONG_OPERANDS: &str = "values have the wrong types for the calculation";
    const WRONG_TYPE: &str = "a value has the wrong type";
    let message = error.as_text().unwrap_or_default();
    if message.contains("(while parsing ") {
        return "a string cannot be parsed";
    }
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
