//! The event filter: type globs, jq expressions and a regular expression, all of which must match.

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

/// Matches event types with glob patterns.
#[derive(Debug, Clone, Default)]
pub struct TypeFilter {
    include: Option<GlobSet>,
    exclude: Option<GlobSet>,
}

impl TypeFilter {
    /// Creates a filter that matches the types that match a pattern of `include`, or all if it is
    /// empty, except those that match a pattern of `exclude`.
    pub fn new(include: &[String], exclude: &[String]) -> Result<Self> {
        Ok(Self { include: globs("--event", include)?, exclude: globs("--exclude", exclude)? })
    }

    /// Returns whether the filter matches an event type.
    #[must_use]
    pub fn matches(&self, event_type: &str) -> bool {
        self.include.as_ref().is_none_or(|globs| globs.is_match(event_type))
            && !self.exclude.as_ref().is_some_and(|globs| globs.is_match(event_type))
    }
}

fn globs(option: &str, patterns: &[String]) -> Result<Option<GlobSet>> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let invalid = |pattern: &str| {
        Error::usage(
            format!("cannot use {option} {pattern}"),
            "invalid glob pattern",
            "write it like call.* or surface.{created,submitted}",
        )
    };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(GlobBuilder::new(pattern).build().map_err(|_| invalid(pattern))?);
    }
    set.build().map(Some).map_err(|_| invalid(&patterns.join(" ")))
}

/// Searches the visible strings of an event for a regular expression.
#[derive(Debug, Clone)]
pub struct GrepFilter(Regex);

impl GrepFilter {
    /// Compiles a pattern with smart case: case-sensitive only if it has an upper-case letter.
    pub fn new(pattern: &str) -> Result<Self> {
        let ignores_case = !pattern.chars().any(char::is_uppercase);
        let regex = RegexBuilder::new(pattern).case_insensitive(ignores_case).build();
        regex.map(Self).map_err(|_| {
            Error::usage(
                "cannot use --grep",
                "invalid regular expression",
                "escape literal characters with \\, such as \\(",
            )
        })
    }

    /// Returns whether a string of the event matches: its type, or one in a field that is not
    /// hidden.
    #[must_use]
    pub fn matches(&self, event: &RedactedEvent<'_>) -> bool {
        self.0.is_match(event.event_type())
            || event.fields().any(|field| !field.hidden && self.matches_json(field.json))
    }

    fn matches_json(&self, json: &str) -> bool {
        match json.as_bytes()[0] {
            b'"' => unquote(json).is_some_and(|text| self.0.is_match(&text)),
            b'[' | b'{' => scan::entries(json).iter().any(|(_, value)| self.matches_json(value)),
            _ => false,
        }
    }

    /// Returns whether a text matches.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// Returns the ranges of a text that match.
    #[must_use]
    pub fn match_ranges(&self, text: &str) -> Vec<Range<usize>> {
        self.0
            .find_iter(text)
            .map(|found| found.range())
            .filter(|range| !range.is_empty())
            .collect()
    }
}

/// Decides whether an event is selected.
#[derive(Default)]
pub struct EventFilter {
    types: TypeFilter,
    predicates: Vec<Predicate>,
    grep: Option<GrepFilter>,
}

impl EventFilter {
    /// Creates a filter that selects the events that satisfy every condition.
    #[must_use]
    pub const fn new(
        types: TypeFilter,
        predicates: Vec<Predicate>,
        grep: Option<GrepFilter>,
    ) -> Self {
        Self { types, predicates, grep }
    }

    /// Creates a copy for another thread, which counts failures but does not report them.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            types: self.types.clone(),
            predicates: self.predicates.iter().map(Predicate::fork).collect(),
            grep: self.grep.clone(),
        }
    }

    /// Returns whether the event is selected.
    pub fn matches(&mut self, context: &EventContext<'_>) -> bool {
        if !self.types.matches(context.event.event_type()) {
            return false;
        }
        self.predicates.iter_mut().all(|predicate| predicate.holds(context))
            && self.grep.as_ref().is_none_or(|grep| grep.matches(context.event))
    }

    /// Iterates over the failure counters of the jq expressions, in order.
    pub fn failures_each(&mut self) -> impl Iterator<Item = &mut Failures> {
        self.predicates.iter_mut().map(Predicate::failures_mut)
    }

    /// Returns how often the jq expressions have failed.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.predicates.iter().map(Predicate::failures).sum()
    }
}
