//! What the checker has to say about an expression.

use std::ops::Range;

use crate::error::Error;
use crate::query::program::{ParsedProgram, point};

/// A remark on a place in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckFinding {
    /// It makes the expression useless.
    pub fatal: bool,
    /// Where.
    pub range: Range<usize>,
    /// What is the matter.
    pub why: String,
    /// What to do.
    pub advice: String,
}

impl CheckFinding {
    /// As a message that points at the place.
    #[must_use]
    pub fn error(&self, parsed: &ParsedProgram<'_>) -> Error {
        let what = if self.fatal {
            format!("cannot use {}", parsed.option)
        } else {
            format!("{} may surprise", parsed.option)
        };
        Error::usage(what, &self.why, &self.advice).with_detail(point(parsed.source, &self.range))
    }
}
