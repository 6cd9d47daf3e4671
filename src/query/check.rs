//! Checks expressions against the model before anything connects.
//!
//! A field that no event has, a value that a field cannot have, and a condition that no event can
//! satisfy are errors; what is allowed but may surprise is a warning.
//!
//! The check walks the expression with the set of events for which the current term is reached, and
//! derives the events for which the term can be true and those for which it can be false. The right
//! side of `.event_type == "call.ended" and …` is therefore checked against `call.ended` alone.
//! What the check does not understand may be anything, so it never rejects a correct expression.

mod compare;
mod finding;
mod hidden;
mod kinds;
mod source;
mod step;
mod strings;
mod term;
mod term_type;

use std::ops::Range;

pub use finding::CheckFinding;
pub use hidden::{check_key, hidden_reads};
pub use kinds::Kinds;
use term_type::TermType;

use super::program::ParsedProgram;
use crate::redact::Policy;

/// The possible types and events of a term.
#[derive(Debug, Clone)]
struct TermInfo {
    ty: TermType,
    /// The events for which it can be true.
    truthy: Kinds,
    /// The events for which it can be false or null.
    falsy: Kinds,
    /// The events for which it gives any value at all.
    live: Kinds,
}

impl TermInfo {
    /// Describes a term of which nothing is known but where it is reached.
    const fn unknown(kinds: Kinds) -> Self {
        Self { ty: TermType::Any, truthy: kinds, falsy: kinds, live: kinds }
    }

    /// Describes a term of a type.
    fn new(ty: TermType, kinds: Kinds) -> Self {
        let (truthy, falsy) = match &ty {
            TermType::Literal(serde_json::Value::Null | serde_json::Value::Bool(false)) => {
                (Kinds::NONE, kinds)
            }
            TermType::Event | TermType::EventType | TermType::Literal(_) => (kinds, Kinds::NONE),
            TermType::Field(field) => (kinds.and(field.kinds()), kinds),
            TermType::Any => (kinds, kinds),
        };
        Self { ty, truthy, falsy, live: kinds }
    }

    /// Describes a condition by the events for which it can be true and false.
    const fn condition(kinds: Kinds, truthy: Kinds, falsy: Kinds) -> Self {
        Self { ty: TermType::Any, truthy, falsy, live: kinds }
    }
}

/// Checks an expression against the model, for the events in `kinds`. Returns the events that can
/// satisfy it, and the findings.
///
/// `is_predicate` is false for a program whose outputs are printed: it may show a mask and need not
/// be true for any event.
#[must_use]
pub fn check(
    parsed: &ParsedProgram<'_>,
    kinds: Kinds,
    policy: &Policy,
    is_predicate: bool,
) -> (Kinds, Vec<CheckFinding>) {
    let mut checker = Checker {
        source: parsed.source,
        policy,
        is_predicate,
        lenient_depth: 0,
        variables: Vec::new(),
        findings: Vec::new(),
    };
    let info = checker.term(&parsed.term, &TermInfo::new(TermType::Event, kinds), kinds);
    let satisfied = info.truthy.and(info.live);
    if is_predicate && satisfied.is_empty() && !checker.has_fatal() {
        let range = 0..parsed.source.trim_end().len();
        let why = if kinds == Kinds::matching(true, |_| true) {
            "no event can satisfy it".to_owned()
        } else {
            format!("no selected event ({}) can satisfy it", kinds.names())
        };
        checker.report(true, range, why, "see `evtap schema` for the fields".to_owned());
    }
    (satisfied, checker.findings)
}

/// Checks the name of a field, or a path such as `_tap.time`, against the events in `kinds`.
/// Returns the findings, which name fields without the dot of jq.
#[must_use]
pub fn check_field(path: &str, kinds: Kinds, policy: &Policy) -> Vec<CheckFinding> {
    let mut checker = Checker {
        source: path,
        policy,
        is_predicate: false,
        lenient_depth: 0,
        variables: Vec::new(),
        findings: Vec::new(),
    };
    let mut ty = TermType::Event;
    let mut at = 0;
    for name in path.split('.') {
        ty = checker.step(name, at..at + name.len(), &ty, kinds);
        at += name.len() + 1;
    }
    for finding in &mut checker.findings {
        finding.why = finding.why.replace("`.", "`");
        finding.advice = finding.advice.replace("`.", "`");
    }
    checker.findings
}

/// The state of one check.
struct Checker<'p> {
    source: &'p str,
    policy: &'p Policy,
    is_predicate: bool,
    /// The number of enclosing `?`, `try` and left sides of `//`, in which an error is handled by
    /// the expression and therefore not fatal.
    lenient_depth: u32,
    /// The variables in scope; the last of a name counts.
    variables: Vec<(String, TermType)>,
    findings: Vec<CheckFinding>,
}

impl Checker<'_> {
    /// Adds a finding, unless the same one is there for the same range.
    fn report(&mut self, fatal: bool, range: Range<usize>, why: String, advice: String) {
        let finding = CheckFinding { fatal: fatal && self.lenient_depth == 0, range, why, advice };
        if !self
            .findings
            .iter()
            .any(|known| known.range == finding.range && known.why == finding.why)
        {
            self.findings.push(finding);
        }
    }

    fn has_fatal(&self) -> bool {
        self.findings.iter().any(|finding| finding.fatal)
    }

    /// Runs `check` with errors as warnings, if `is_lenient`.
    fn leniently<T>(&mut self, is_lenient: bool, check: impl FnOnce(&mut Self) -> T) -> T {
        self.lenient_depth += u32::from(is_lenient);
        let result = check(self);
        self.lenient_depth -= u32::from(is_lenient);
        result
    }
}
