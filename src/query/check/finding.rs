//! The findings of a check.

use std::ops::Range;

use crate::error::Error;
use crate::query::program::{ParsedProgram, underline};

/// An error or a warning about a part of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckFinding {
    /// The expression cannot be used.
    pub fatal: bool,
    /// The part of the source.
    pub range: Range<usize>,
    /// The reason.
    pub why: String,
    /// What to do.
    pub advice: String,
}

impl CheckFinding {
    /// Returns the message that shows the place in the source.
    #[must_use]
    pub fn error(&self, parsed: &ParsedProgram<'_>) -> Error {
        let what = if self.fatal {
            format!("cannot use {}", parsed.option)
        } else {
            format!("{} may surprise", parsed.option)
        };
        Error::usage(what, &self.why, &self.advice)
            .with_detail(underline(parsed.source, &self.range))
    }
}
