//! Parses jq programs and points at places in their source.

use std::ops::Range;

use jaq_core::load::lex;
use jaq_core::load::parse::{Def, Term};

use super::grammar::Grammar;
use crate::error::{Error, Result};

/// A parsed program and the option that it comes from.
pub struct ParsedProgram<'s> {
    /// The option, for error messages.
    pub option: &'s str,
    /// The text of the program.
    pub source: &'s str,
    /// The syntax tree, whose strings are subslices of `source`.
    pub term: Term<&'s str>,
}

/// Parses a program that was given with `option`.
///
/// # Errors
///
/// Returns a usage error that shows the place of a syntax error.
pub fn parse<'s>(option: &'s str, source: &'s str) -> Result<ParsedProgram<'s>> {
    let syntax_error = |expected: &str, found: &str| {
        let range = locate(source, found);
        let what = format!("cannot read {option}");
        let position = if found.is_empty() {
            "at its end".to_owned()
        } else {
            format!("at character {}", source[..range.start].chars().count() + 1)
        };
        let range = range.start..range.start + found.chars().next().map_or(0, char::len_utf8);
        Error::usage(
            what,
            format!("{expected} is missing {position}"),
            syntax_advice(source, range.start),
        )
        .with_detail(underline(source, &range))
    };
    let tokens = lex::Lexer::new(source).lex().map_err(|errors| {
        errors.first().map_or_else(
            || syntax_error("something", ""),
            |(expected, found)| syntax_error(&format!("a {}", expected.as_str()), found),
        )
    })?;
    let term = Grammar::parse(source, &tokens)
        .map_err(|(expected, found)| syntax_error(expected, found.unwrap_or_default()))?;
    Ok(ParsedProgram { option, source, term })
}

/// Parses definitions that are part of evtap. Returns `None` if there is a mistake in them.
pub(super) fn parse_definitions(source: &'static str) -> Option<Vec<Def<&'static str>>> {
    let tokens = lex::Lexer::new(source).lex().ok()?;
    Grammar::parse_definitions(source, &tokens).ok()
}

/// Returns advice on syntax of other languages that jq does not have.
fn syntax_advice(source: &str, at: usize) -> &'static str {
    const FOREIGN: &[(&str, &str)] = &[
        ("'", "write strings between double quotes"),
        ("&&", "write `and`"),
        ("||", "write `or`"),
        ("===", "write `==`"),
        ("!", "write `… | not`"),
    ];
    let found = FOREIGN.iter().find(|(text, _)| source[at..].starts_with(text));
    found.map_or("see jq's manual for the language", |(_, advice)| advice)
}

/// Returns the line of an expression that has `range`, with the range underlined.
#[must_use]
pub fn underline(source: &str, range: &Range<usize>) -> String {
    let start = source[..range.start].rfind('\n').map_or(0, |at| at + 1);
    let line = source[start..].lines().next().unwrap_or_default();
    let column = source[start..range.start].chars().count();
    let width =
        source[range.clone()].chars().take_while(|character| *character != '\n').count().max(1);
    format!("  {line}\n  {}{}", " ".repeat(column), "^".repeat(width))
}

/// Returns the range of `part` in `source`, of which it is a subslice; an empty range at the end if
/// it is not.
#[must_use]
pub fn locate(source: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr().addr())
        .checked_sub(source.as_ptr().addr())
        .filter(|start| start + part.len() <= source.len());
    start.map_or(source.len()..source.len(), |start| start..start + part.len())
}
