//! Everything that an event must satisfy to be kept: type globs, jq expressions, a regular expression.

use std::ops::Range;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use regex::{Regex, RegexBuilder};

use super::context::EventContext;
use super::failures::Failures;
use super::predicate::Predicate;
use crate::error::{Error, Result};
use crate::json::scan;
use crate::json::string::unquote;
use crate::redact::RedactedEvent;

/// Event types by their names.
#[derive(Debug, Clone, Default)]
pub struct TypeFilter {
    keep: Option<GlobSet>,
    drop: Option<GlobSet>,
}

impl TypeFilter {
    /// The types that one of `keep` matches, or all if there is none, without those that one of `drop` matches.
    pub fn new(keep: &[String], drop: &[String]) -> Result<Self> {
        Ok(Self { keep: globs("--event", keep)?, drop: globs("--exclude", drop)? })
    }

    /// Whether events of that type are kept.
    #[must_use]
    pub fn has(&self, event_type: &str) -> bool {
        self.keep.as_ref().is_none_or(|globs| globs.is_match(event_type))
            && !self.drop.as_ref().is_some_and(|globs| globs.is_match(event_type))
    }
}

fn globs(option: &str, patterns: &[String]) -> Result<Option<GlobSet>> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let wrong = |pattern: &str| {
        Error::usage(
            format!("cannot use {option} {pattern}"),
            "it is no glob",
            "write it like call.* or surface.{created,submitted}",
        )
    };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(GlobBuilder::new(pattern).build().map_err(|_| wrong(pattern))?);
    }
    set.build().map(Some).map_err(|_| wrong(&patterns.join(" ")))
}

/// A regular expression that is looked for in the strings that are seen.
#[derive(Debug, Clone)]
pub struct GrepFilter(Regex);

impl GrepFilter {
    /// Without capitals in it, capitals don't matter.
    pub fn new(pattern: &str) -> Result<Self> {
        let insensitive = !pattern.chars().any(char::is_uppercase);
        let regex = RegexBuilder::new(pattern).case_insensitive(insensitive).build();
        regex.map(Self).map_err(|_| {
            Error::usage(
                "cannot use --grep",
                "it is no regular expression that the regex crate knows",
                "escape what is meant literally",
            )
        })
    }

    /// Whether a string of the event matches: its type, or one in a field that isn't hidden.
    #[must_use]
    pub fn matches(&self, shown: &RedactedEvent<'_>) -> bool {
        self.0.is_match(shown.event_type())
            || shown.fields().any(|field| !field.hidden && self.in_json(field.json))
    }

    fn in_json(&self, json: &str) -> bool {
        match json.as_bytes()[0] {
            b'"' => unquote(json).is_some_and(|text| self.0.is_match(&text)),
            b'[' | b'{' => scan::entries(json).iter().any(|(_, value)| self.in_json(value)),
            _ => false,
        }
    }

    /// Where a text matches.
    #[must_use]
    pub fn match_ranges(&self, text: &str) -> Vec<Range<usize>> {
        self.0
            .find_iter(text)
            .map(|found| found.range())
            .filter(|range| !range.is_empty())
            .collect()
    }
}

/// Everything that an event must satisfy to be kept.
#[derive(Default)]
pub struct EventFilter {
    types: TypeFilter,
    filters: Vec<Predicate>,
    grep: Option<GrepFilter>,
}

impl EventFilter {
    /// All of these must hold.
    #[must_use]
    pub const fn new(types: TypeFilter, filters: Vec<Predicate>, grep: Option<GrepFilter>) -> Self {
        Self { types, filters, grep }
    }

    /// The same for another thread. It tells nothing.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            types: self.types.clone(),
            filters: self.filters.iter().map(Predicate::fork).collect(),
            grep: self.grep.clone(),
        }
    }

    /// Whether the event is kept.
    pub fn matches(&mut self, context: &EventContext<'_>) -> Result<bool> {
        if !self.types.has(context.event.event_type()) {
            return Ok(false);
        }
        for filter in &mut self.filters {
            if !filter.holds(context)? {
                return Ok(false);
            }
        }
        Ok(self.grep.as_ref().is_none_or(|grep| grep.matches(context.event)))
    }

    /// The failures of each filter.
    pub fn failures_each(&mut self) -> impl Iterator<Item = &mut Failures> {
        self.filters.iter_mut().map(|filter| &mut filter.failures)
    }

    /// How often a filter has failed.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.filters.iter().map(Predicate::failures).sum()
    }
}
