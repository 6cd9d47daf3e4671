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

/// The name that stands nearest, or the nearest few.
#[must_use]
pub fn meant<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut near: Vec<_> = names
        .map(|name| (strsim::jaro_winkler(typed, name), name))
        .filter(|(likeness, _)| *likeness > 0.82)
        .collect();
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    near.dedup_by_key(|(_, name)| *name);
    let best = near.first().map_or(0.0, |(likeness, _)| *likeness);
    near.into_iter()
        .take(3)
        .filter(|(likeness, _)| *likeness > best - 0.07)
        .map(|(_, name)| name)
        .collect()
}
